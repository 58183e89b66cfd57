#include "support/disk-record.h"

#include "support/disk-faults.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        FOLDERS_MAX = 16,
        FILES_MAX = 512,
        NAMES_MAX = 256,
        OPERATIONS_MAX = 1024,
        NAME_MAX_ = 160,
        PAGE = 512
};

struct file {
        ino_t inode;
        char *bytes;
        size_t count, synced; /* of `bytes`; what is synced comes first */
};

struct name {
        char text[NAME_MAX_];
        size_t file;
};

struct folder {
        ino_t inode;
        char path[NAME_MAX_];
        size_t count;
        struct name names[NAMES_MAX];
};

enum operation_type { APPEND, TRUNCATE, SYNC_FILE, SYNC_FOLDER, SET_NAME, RENAME, REMOVE_NAME };

struct operation {
        enum operation_type type;
        size_t folder, file;
        char from[NAME_MAX_], name[NAME_MAX_];
        char *bytes;
        size_t count;
};

static struct {
        size_t folder_count, file_count;
        atomic_size_t operation_count; /* asked for while others record */
        struct folder folders[FOLDERS_MAX];
        struct file files[FILES_MAX]; /* as they were at the beginning; new ones empty */
        struct operation operations[OPERATIONS_MAX];
} record;

static const struct disk_recorder recorder;

static size_t add_file(ino_t inode)
{
        CHECK(record.file_count < FILES_MAX);
        record.files[record.file_count] = (struct file){.inode = inode};
        return record.file_count++;
}

/* From the newest: numbers are used again. */
static bool find_file(ino_t inode, size_t *ret)
{
        for (size_t i = record.file_count; i-- > 0;)
                if (record.files[i].inode == inode) {
                        *ret = i;
                        return true;
                }
        return false;
}

static bool find_folder(int fd, size_t *ret)
{
        struct stat status;

        CHECK_EQ(fstat(fd, &status), 0);
        for (size_t i = 0; i < record.folder_count; i++)
                if (record.folders[i].inode == status.st_ino) {
                        *ret = i;
                        return true;
                }
        return false;
}

static void set_name(struct folder *folder, const char *text, size_t file)
{
        size_t i = 0;

        while (i < folder->count && strcmp(folder->names[i].text, text) != 0)
                i++;
        CHECK(i < NAMES_MAX);
        if (i == folder->count)
                folder->count++;
        snprintf(folder->names[i].text, NAME_MAX_, "%s", text);
        folder->names[i].file = file;
}

static void remove_name(struct folder *folder, const char *text)
{
        for (size_t i = 0; i < folder->count; i++)
                if (strcmp(folder->names[i].text, text) == 0)
                        folder->names[i] = folder->names[--folder->count];
}

/* --- recording --- */

static void read_file(int folder_fd, const char *name, struct folder *folder)
{
        int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;
        struct file *file;
        size_t index;

        CHECK(fd >= 0);
        CHECK_EQ(fstat(fd, &status), 0);
        if (!find_file(status.st_ino, &index)) {
                index = add_file(status.st_ino);
                file = &record.files[index];
                file->count = file->synced = (size_t)status.st_size;
                file->bytes = malloc(file->count + 1);
                CHECK(file->bytes != NULL);
                CHECK_EQ(read(fd, file->bytes, file->count), (ssize_t)file->count);
        }
        set_name(folder, name, index);
        close(fd);
}

static void read_folder(const char *root, const char *path)
{
        struct folder *folder = &record.folders[record.folder_count++];
        size_t depth = strlen(path) > 0 ? 1 : 0;
        const struct dirent *entry;
        char full[512], below[NAME_MAX_];
        struct stat status;
        DIR *directory;

        CHECK(record.folder_count <= FOLDERS_MAX);
        for (const char *c = path; *c; c++)
                depth += *c == '/';
        memset(folder, 0, sizeof(*folder));
        snprintf(folder->path, sizeof(folder->path), "%s", path);
        snprintf(full, sizeof(full), "%s/%s", root, path);
        directory = opendir(full);
        CHECK(directory != NULL);
        CHECK_EQ(fstat(dirfd(directory), &status), 0);
        folder->inode = status.st_ino;
        while ((entry = readdir(directory)) != NULL) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (entry->d_type == DT_DIR && depth < 2) {
                        snprintf(below, sizeof(below), "%.70s%s%.70s", path, depth ? "/" : "",
                                 entry->d_name);
                        read_folder(root, below);
                } else if (entry->d_type == DT_REG) {
                        read_file(dirfd(directory), entry->d_name, folder);
                }
        }
        closedir(directory);
}

void disk_record_begin(const char *path)
{
        disk_record_forget();
        read_folder(path, "");
        disk_record_with(&recorder);
}

size_t disk_record_count(void)
{
        return record.operation_count;
}

size_t disk_record_end(void)
{
        disk_record_with(NULL);
        return record.operation_count;
}

void disk_record_forget(void)
{
        for (size_t i = 0; i < record.file_count; i++)
                free(record.files[i].bytes);
        for (size_t i = 0; i < record.operation_count; i++)
                free(record.operations[i].bytes);
        memset(&record, 0, sizeof(record));
}

static struct operation *add(enum operation_type type)
{
        CHECK(record.operation_count < OPERATIONS_MAX);
        record.operations[record.operation_count] = (struct operation){.type = type};
        return &record.operations[record.operation_count++];
}

static bool file_of(int fd, size_t *ret)
{
        struct stat status;

        CHECK_EQ(fstat(fd, &status), 0);
        return S_ISREG(status.st_mode) && find_file(status.st_ino, ret);
}

static void on_opened(int fd, int directory_fd, const char *name, int flags)
{
        struct operation *operation;
        struct stat status;
        size_t folder;

        if (!(flags & O_EXCL) || !find_folder(directory_fd, &folder))
                return;
        CHECK_EQ(fstat(fd, &status), 0);
        operation = add(SET_NAME);
        operation->folder = folder;
        operation->file = add_file(status.st_ino);
        snprintf(operation->name, NAME_MAX_, "%s", name);
}

static void on_closed(int fd)
{
}

static void on_written(int fd, const void *bytes, size_t count)
{
        struct operation *operation;
        size_t file;

        if (!file_of(fd, &file))
                return;
        operation = add(APPEND);
        operation->file = file;
        operation->count = count;
        operation->bytes = malloc(count);
        CHECK(operation->bytes != NULL);
        memcpy(operation->bytes, bytes, count);
}

static void on_truncated(int fd, size_t length)
{
        struct operation *operation;
        size_t file;

        if (!file_of(fd, &file))
                return;
        operation = add(TRUNCATE);
        operation->file = file;
        operation->count = length;
}

static void on_synced(int fd)
{
        size_t index;

        if (find_folder(fd, &index))
                add(SYNC_FOLDER)->folder = index;
        else if (file_of(fd, &index))
                add(SYNC_FILE)->file = index;
}

static void name_operation(enum operation_type type, int folder_fd, const char *from,
                           const char *to)
{
        struct operation *operation;
        struct stat status;
        size_t folder, file = 0;

        if (!find_folder(folder_fd, &folder))
                return;
        if (type != REMOVE_NAME) {
                CHECK_EQ(fstatat(folder_fd, to, &status, AT_SYMLINK_NOFOLLOW), 0);
                if (!find_file(status.st_ino, &file))
                        return;
        }
        operation = add(type);
        operation->folder = folder;
        operation->file = file;
        snprintf(operation->from, NAME_MAX_, "%s", from);
        snprintf(operation->name, NAME_MAX_, "%s", to);
}

static void on_renamed(int from_fd, const char *from, int to_fd, const char *to)
{
        CHECK_EQ(from_fd, to_fd);
        name_operation(RENAME, from_fd, from, to);
}

static void on_linked(int from_fd, const char *from, int to_fd, const char *to)
{
        name_operation(SET_NAME, to_fd, from, to);
}

static void on_unlinked(int directory_fd, const char *name)
{
        name_operation(REMOVE_NAME, directory_fd, "", name);
}

static const struct disk_recorder recorder = {
        .opened = on_opened,
        .closed = on_closed,
        .written = on_written,
        .truncated = on_truncated,
        .synced = on_synced,
        .renamed = on_renamed,
        .linked = on_linked,
        .unlinked = on_unlinked,
};

/* --- rebuilding --- */

struct rebuild {
        struct folder folders[FOLDERS_MAX]; /* what is synced, at first */
        struct file files[FILES_MAX];
        bool settled[OPERATIONS_MAX]; /* a name that is safe, or has been dealt with */
        uint64_t seed;
        unsigned loss;
};

static unsigned choose(struct rebuild *rebuild, unsigned of)
{
        rebuild->seed = rebuild->seed * 6364136223846793005U + 1442695040888963407U;
        return (unsigned)(rebuild->seed >> 33) % of;
}

static void apply_name(struct rebuild *rebuild, const struct operation *operation)
{
        struct folder *folder = &rebuild->folders[operation->folder];

        if (operation->type == RENAME)
                remove_name(folder, operation->from);
        if (operation->type == REMOVE_NAME)
                remove_name(folder, operation->name);
        else
                set_name(folder, operation->name, operation->file);
}

static bool is_name(const struct operation *operation)
{
        return operation->type == SET_NAME || operation->type == RENAME ||
               operation->type == REMOVE_NAME;
}

static void settle_folder(struct rebuild *rebuild, size_t folder, size_t until)
{
        for (size_t i = 0; i < until; i++) {
                const struct operation *operation = &record.operations[i];

                if (!is_name(operation) || operation->folder != folder || rebuild->settled[i])
                        continue;
                apply_name(rebuild, operation);
                rebuild->settled[i] = true;
        }
}

static void append(struct file *file, const struct operation *operation)
{
        file->bytes = realloc(file->bytes, file->count + operation->count + 1);
        CHECK(file->bytes != NULL);
        memcpy(file->bytes + file->count, operation->bytes, operation->count);
        file->count += operation->count;
}

static void play(struct rebuild *rebuild, size_t operations)
{
        for (size_t i = 0; i < operations; i++) {
                const struct operation *operation = &record.operations[i];
                struct file *file = &rebuild->files[operation->file];

                if (operation->type == APPEND)
                        append(file, operation);
                else if (operation->type == SYNC_FILE)
                        file->synced = file->count;
                else if (operation->type == SYNC_FOLDER)
                        settle_folder(rebuild, operation->folder, i);
                else if (operation->type == TRUNCATE) {
                        file->count = operation->count;
                        if (file->synced > file->count)
                                file->synced = file->count;
                }
        }
}

/* Names that are not safe: any of them. */
static void lose_names(struct rebuild *rebuild, size_t operations)
{
        for (size_t i = 0; i < operations; i++)
                if (is_name(&record.operations[i]) && !rebuild->settled[i] &&
                    rebuild->loss != DISK_LOSES_ALL &&
                    (rebuild->loss < DISK_LOSES_AT_RANDOM || choose(rebuild, 2) == 0))
                        apply_name(rebuild, &record.operations[i]);
}

/* Any of them, wherever in the file they are. */
static void lose_pages(struct rebuild *rebuild, struct file *file)
{
        for (size_t at = file->synced; at < file->count;) {
                size_t end = (at / PAGE + 1) * PAGE;

                if (end > file->count)
                        end = file->count;
                if (rebuild->loss < DISK_LOSES_AT_RANDOM ? at / PAGE % 2 == 0
                                                         : choose(rebuild, 2) == 0)
                        memset(file->bytes + at, 0, end - at);
                at = end;
        }
}

static void lose_bytes(struct rebuild *rebuild, struct file *file)
{
        unsigned loss = rebuild->loss < DISK_LOSES_AT_RANDOM
                                ? rebuild->loss
                                : choose(rebuild, DISK_LOSES_AT_RANDOM);

        if (loss == DISK_LOSES_ALL || loss == DISK_LOSES_BYTES)
                file->count = file->synced;
        else if (loss == DISK_TEARS_BYTES)
                file->count = file->synced + (file->count - file->synced) / 2;
        else if (loss == DISK_ZEROES_BYTES && file->count > file->synced)
                memset(file->bytes + file->synced, 0, file->count - file->synced);
        else if (loss == DISK_LOSES_PAGES)
                lose_pages(rebuild, file);
}

static void write_folder(const struct rebuild *rebuild, const struct folder *folder,
                         const char *path)
{
        char full[512];
        int fd;

        snprintf(full, sizeof(full), "%s/%s", path, folder->path);
        if (folder->path[0] != '\0')
                CHECK_EQ(mkdir(full, 0700), 0);
        fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(fd >= 0);
        for (size_t i = 0; i < folder->count; i++) {
                const struct file *file = &rebuild->files[folder->names[i].file];
                int to = openat(fd, folder->names[i].text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                0600);

                CHECK(to >= 0);
                if (file->count > 0)
                        CHECK_EQ(write(to, file->bytes, file->count), (ssize_t)file->count);
                close(to);
        }
        close(fd);
}

void disk_rebuild(size_t operations, unsigned loss, const char *path)
{
        struct rebuild *rebuild = calloc(1, sizeof(*rebuild));

        CHECK(rebuild != NULL);
        rebuild->loss = loss;
        rebuild->seed = loss * 7919U + operations;
        memcpy(rebuild->folders, record.folders, sizeof(record.folders));
        for (size_t i = 0; i < record.file_count; i++) {
                rebuild->files[i] = record.files[i];
                rebuild->files[i].bytes = malloc(record.files[i].count + 1);
                CHECK(rebuild->files[i].bytes != NULL);
                if (record.files[i].count > 0)
                        memcpy(rebuild->files[i].bytes, record.files[i].bytes,
                               record.files[i].count);
        }
        play(rebuild, operations);
        lose_names(rebuild, operations);
        for (size_t i = 0; i < record.file_count; i++)
                lose_bytes(rebuild, &rebuild->files[i]);
        /* Folders come before what is in them. */
        for (size_t i = 0; i < record.folder_count; i++)
                write_folder(rebuild, &rebuild->folders[i], path);
        for (size_t i = 0; i < record.file_count; i++)
                free(rebuild->files[i].bytes);
        free(rebuild);
}
