#include "sandbox/specification.h"

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/write-all.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
        TASKS_MAX = 4096,
        OPEN_FILES_MIN = 8,
        OPEN_FILES_MAX = 65536,
        CPU_PERCENT_MAX = 100 * 1024,
        NEEDED_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};

static const char magic[8] = "pf-spec1";

/* The lists of a program: where they are, how long they may be, what is in them. */
typedef bool text_check_fn(const char *text);

static bool text_is_word(const char *text)
{
        return true;
}

static bool text_is_assignment(const char *text)
{
        return text[0] != '=' && strchr(text, '=');
}

static bool text_is_device(const char *text)
{
        return sandbox_path_is_plain(text) && strncmp(text, "/dev/", 5) == 0;
}

/* As Debian's adduser has them, and a bit more. */
static bool text_is_group(const char *text)
{
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

        return length > 0 && length < 33 && text[length] == '\0' && text[0] != '-';
}

static const struct list_rule {
        size_t offset; /* of the list in struct sandbox_program */
        size_t max;
        text_check_fn *check;
} rules[] = {
        {offsetof(struct sandbox_program, argv), SANDBOX_WORDS_MAX, text_is_word},
        {offsetof(struct sandbox_program, environment), SANDBOX_WORDS_MAX, text_is_assignment},
        {offsetof(struct sandbox_program, shared_dirs), SANDBOX_PATHS_MAX, sandbox_path_is_plain},
        {offsetof(struct sandbox_program, writable), SANDBOX_PATHS_MAX, sandbox_path_is_plain},
        {offsetof(struct sandbox_program, readable), SANDBOX_PATHS_MAX, sandbox_path_is_plain},
        {offsetof(struct sandbox_program, hidden), SANDBOX_PATHS_MAX, sandbox_path_is_plain},
        {offsetof(struct sandbox_program, devices), SANDBOX_PATHS_MAX, text_is_device},
        {offsetof(struct sandbox_program, groups), SANDBOX_GROUPS_MAX, text_is_group},
};

enum { LISTS = ARRAY_SIZE(rules) };

struct header {
        char magic[8];
        uint64_t memory_bytes, address_space_bytes, file_bytes, storage_bytes;
        uint32_t cpu_seconds, cpu_percent, tasks, open_files;
        uint32_t network;
        uint32_t texts_bytes; /* behind the header, and nothing behind them */
        uint16_t counts[LISTS];
};

_Static_assert(sizeof(struct header) == 80, "no padding");

struct decoded {
        struct sandbox_specification specification;
        char *texts;
        const char *lists[2 * (SANDBOX_WORDS_MAX + 1) + 5 * (SANDBOX_PATHS_MAX + 1) +
                          SANDBOX_GROUPS_MAX + 1];
};

static const char *const *list_of(const struct sandbox_program *program, const struct list_rule *r)
{
        static const char *const none[] = {NULL};
        const char *const *list = *(const char *const *const *)((const char *)program + r->offset);

        return list ? list : none;
}

bool sandbox_path_is_plain(const char *path)
{
        size_t length = strlen(path);

        if (path[0] != '/' || length < 2 || length >= SANDBOX_PATH_MAX)
                return false;
        for (const char *part = path; part; part = strchr(part + 1, '/')) {
                size_t part_length = strcspn(part + 1, "/");

                if (part_length == 0 || (part_length == 1 && part[1] == '.') ||
                    (part_length == 2 && part[1] == '.' && part[2] == '.'))
                        return false;
        }
        return true;
}

bool sandbox_path_is_below(const char *path, const char *folder)
{
        size_t length = strlen(folder);

        return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

bool sandbox_name_is_valid(const char *name)
{
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

        return length > 0 && length < SANDBOX_NAME_MAX && name[length] == '\0' &&
               !strchr("_.-", name[0]);
}

static bool limits_are_right(const struct sandbox_limits *limits)
{
        return limits->tasks <= TASKS_MAX && limits->cpu_percent <= CPU_PERCENT_MAX &&
               limits->open_files <= OPEN_FILES_MAX &&
               (limits->open_files == 0 || limits->open_files >= OPEN_FILES_MIN);
}

int sandbox_program_check(const struct sandbox_program *program)
{
        size_t bytes = sizeof(struct header);

        if (!program->name || !sandbox_name_is_valid(program->name) ||
            !limits_are_right(&program->limits))
                return -EINVAL;
        if (!program->argv || !program->argv[0] || !sandbox_path_is_plain(program->argv[0]))
                return -EINVAL;
        bytes += strlen(program->name) + 1;
        for (size_t i = 0; i < LISTS; i++) {
                const char *const *list = list_of(program, &rules[i]);

                for (size_t n = 0; list[n]; n++) {
                        if (n == rules[i].max)
                                return -E2BIG;
                        bytes += strnlen(list[n], SANDBOX_BYTES_MAX) + 1;
                        if (bytes > SANDBOX_BYTES_MAX)
                                return -E2BIG;
                        if (!rules[i].check(list[n]))
                                return -EINVAL;
                }
        }
        return 0;
}

static int encode(const struct sandbox_program *program, struct buffer *out)
{
        const struct sandbox_limits *limits = &program->limits;
        struct header header = {
                .memory_bytes = limits->memory_bytes,
                .address_space_bytes = limits->address_space_bytes,
                .file_bytes = limits->file_bytes,
                .storage_bytes = limits->storage_bytes,
                .cpu_seconds = limits->cpu_seconds,
                .cpu_percent = limits->cpu_percent,
                .tasks = limits->tasks,
                .open_files = limits->open_files,
                .network = program->network,
        };
        int r;

        memcpy(header.magic, magic, sizeof(magic));
        r = buffer_append(out, &header, sizeof(header));
        if (r == 0)
                r = buffer_append(out, program->name, strlen(program->name) + 1);
        for (size_t i = 0; i < LISTS && r == 0; i++) {
                const char *const *list = list_of(program, &rules[i]);

                for (; *list && r == 0; list++, header.counts[i]++)
                        r = buffer_append(out, *list, strlen(*list) + 1);
        }
        if (r < 0)
                return r;
        header.texts_bytes = (uint32_t)(buffer_length(out) - sizeof(header));
        memcpy(buffer_data(out), &header, sizeof(header));
        return 0;
}

int sandbox_specification_write(const struct sandbox_program *program, int *ret_fd)
{
        AUTO_CLOSE int fd = -1;
        struct buffer bytes;
        int r;

        r = sandbox_program_check(program);
        if (r < 0)
                return r;
        buffer_init(&bytes, SANDBOX_BYTES_MAX);
        r = encode(program, &bytes);
        if (r == 0) {
                fd = memfd_create("pifleet-program", MFD_CLOEXEC | MFD_ALLOW_SEALING);
                r = fd < 0 ? -errno : write_all(fd, buffer_data(&bytes), buffer_length(&bytes));
        }
        buffer_done(&bytes);
        if (r < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, NEEDED_SEALS | F_SEAL_SEAL) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* The next text, which has to end within the bytes. */
static const char *take_text(const char **position, const char *end)
{
        const char *text = *position;
        const char *nul = memchr(text, '\0', (size_t)(end - text));

        if (!nul)
                return NULL;
        *position = nul + 1;
        return text;
}

static int decode_texts(struct decoded *d, const struct header *header)
{
        const char *position = d->texts, *end = d->texts + header->texts_bytes;
        const char **slot = d->lists;

        d->specification.program.name = take_text(&position, end);
        if (!d->specification.program.name)
                return -EBADMSG;
        for (size_t i = 0; i < LISTS; i++) {
                *(const char *const **)((char *)&d->specification.program + rules[i].offset) = slot;
                if (header->counts[i] > rules[i].max)
                        return -EBADMSG;
                for (size_t n = 0; n < header->counts[i]; n++) {
                        *slot = take_text(&position, end);
                        if (!*slot++)
                                return -EBADMSG;
                }
                *slot++ = NULL;
        }
        return position == end ? 0 : -EBADMSG;
}

int sandbox_specification_decode(const void *bytes, size_t count,
                                 struct sandbox_specification **ret)
{
        AUTO(sandbox_specification) struct sandbox_specification *specification = NULL;
        struct header header;
        struct decoded *d;
        int r;

        if (count < sizeof(header) || count > SANDBOX_BYTES_MAX)
                return -EBADMSG;
        memcpy(&header, bytes, sizeof(header));
        if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.network > 1 ||
            header.texts_bytes == 0 || header.texts_bytes != count - sizeof(header))
                return -EBADMSG;
        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        specification = &d->specification;
        d->texts = malloc(header.texts_bytes);
        if (!d->texts)
                return -ENOMEM;
        memcpy(d->texts, (const char *)bytes + sizeof(header), header.texts_bytes);
        specification->program.limits = (struct sandbox_limits){
                header.memory_bytes, header.address_space_bytes, header.file_bytes,
                header.cpu_seconds,  header.cpu_percent,         header.tasks,
                header.open_files,   header.storage_bytes,
        };
        specification->program.network = header.network;
        for (size_t i = 0; i < SANDBOX_DESCRIPTORS; i++)
                specification->program.descriptors[i] = -1;
        r = decode_texts(d, &header);
        if (r == 0)
                r = sandbox_program_check(&specification->program);
        if (r < 0)
                return r;
        *ret = TAKE(specification);
        return 0;
}

int sandbox_specification_read(int fd, struct sandbox_specification **ret)
{
        AUTO_FREE char *bytes = NULL;
        struct stat status;
        ssize_t got;
        int seals = fcntl(fd, F_GET_SEALS);

        if (seals < 0 || (seals & NEEDED_SEALS) != NEEDED_SEALS)
                return -EPERM;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (status.st_size <= 0 || status.st_size > SANDBOX_BYTES_MAX)
                return -EBADMSG;
        bytes = malloc((size_t)status.st_size);
        if (!bytes)
                return -ENOMEM;
        got = pread(fd, bytes, (size_t)status.st_size, 0);
        if (got < 0)
                return -errno;
        return sandbox_specification_decode(bytes, (size_t)got, ret);
}

struct sandbox_specification *sandbox_specification_free(
        struct sandbox_specification *specification)
{
        struct decoded *d;

        if (!specification)
                return NULL;
        d = container_of(specification, struct decoded, specification);
        free(d->texts);
        free(d);
        return NULL;
}
