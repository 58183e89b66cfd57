#include "agent/gpio/fake-kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DIRECTIONS (GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT)
#define DRIVES (GPIO_V2_LINE_FLAG_OPEN_DRAIN | GPIO_V2_LINE_FLAG_OPEN_SOURCE)
#define EDGES (GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING)
#define BIASES                                                                                     \
        (GPIO_V2_LINE_FLAG_BIAS_PULL_UP | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN |                       \
         GPIO_V2_LINE_FLAG_BIAS_DISABLED)
#define VALID (GPIO_V2_LINE_FLAG_ACTIVE_LOW | DIRECTIONS | DRIVES | EDGES | BIASES)

static bool all_zero(const void *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (((const char *)bytes)[i] != 0)
                        return false;
        return true;
}

static bool several(uint64_t flags)
{
        return (flags & (flags - 1)) != 0;
}

/* --- descriptors ------------------------------------------------------------------------- */

static struct fake_file *find_file(struct fake_kernel *kernel, int fd)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                if (fd >= 0 && kernel->files[i].fd == fd)
                        return &kernel->files[i];
        return NULL;
}

static int add_file(struct fake_kernel *kernel, struct fake_chip *chip,
                    struct fake_request *request)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
                struct fake_file *file = &kernel->files[i];

                if (file->fd >= 0)
                        continue;
                memset(file, 0, sizeof(*file));
                file->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                file->chip = chip;
                file->request = request;
                if (request)
                        request->files++;
                return file->fd;
        }
        return -EMFILE;
}

static void file_signal(const struct fake_file *file, bool readable)
{
        eventfd_t ignored;

        if (readable)
                (void)eventfd_write(file->fd, 1);
        else
                (void)eventfd_read(file->fd, &ignored);
}

/* All duplicates of a request become readable. */
static void request_signal(struct fake_kernel *kernel, const struct fake_request *request,
                           bool readable)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                if (kernel->files[i].fd >= 0 && kernel->files[i].request == request)
                        file_signal(&kernel->files[i], readable);
}

/* --- lines ------------------------------------------------------------------------------- */

static void fill_info(const struct fake_chip *chip, uint32_t offset, struct gpio_v2_line_info *ret)
{
        const struct fake_line *line = &chip->lines[offset];

        memset(ret, 0, sizeof(*ret));
        memcpy(ret->name, line->name, sizeof(ret->name));
        memcpy(ret->consumer, line->consumer, sizeof(ret->consumer));
        ret->offset = offset;
        ret->flags = line->flags | (line->used ? GPIO_V2_LINE_FLAG_USED : 0);
        if (line->debounce_us > 0) {
                ret->num_attrs = 1;
                ret->attrs[0].id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
                ret->attrs[0].debounce_period_us = line->debounce_us;
        }
}

/* Who watches hears of it, unless nobody read for too long. */
static void notify(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset,
                   uint32_t type)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
                struct fake_file *file = &kernel->files[i];
                struct gpio_v2_line_info_changed *change;

                if (file->fd < 0 || file->chip != chip || !file->watched[offset] ||
                    file->waiting == FAKE_CHANGES_MAX)
                        continue;
                change = &file->changes[(file->first + file->waiting++) % FAKE_CHANGES_MAX];
                memset(change, 0, sizeof(*change));
                fill_info(chip, offset, &change->info);
                change->event_type = type;
                change->timestamp_ns = kernel->now_ns;
                file_signal(file, true);
        }
}

static bool line_drives(const struct fake_line *line)
{
        if ((line->flags & GPIO_V2_LINE_FLAG_OUTPUT) == 0)
                return false;
        if (line->flags & GPIO_V2_LINE_FLAG_OPEN_DRAIN)
                return !line->value;
        if (line->flags & GPIO_V2_LINE_FLAG_OPEN_SOURCE)
                return line->value;
        return true;
}

static bool line_logical(const struct fake_line *line)
{
        return line->level != ((line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
}

static void put_event(struct fake_kernel *kernel, struct fake_request *request, uint32_t offset,
                      uint32_t id)
{
        struct fake_line *line = &request->chip->lines[offset];
        struct gpio_v2_line_event *event;

        if (request->waiting == request->capacity) {
                request->first = (request->first + 1) % request->capacity;
                request->waiting--;
        }
        event = &request->events[(request->first + request->waiting++) % request->capacity];
        memset(event, 0, sizeof(*event));
        event->timestamp_ns = kernel->now_ns;
        event->id = id;
        event->offset = offset;
        event->line_seqno = ++line->sequence;
        event->seqno = ++request->sequence;
        request_signal(kernel, request, true);
}

static void line_settle(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset)
{
        struct fake_line *line = &chip->lines[offset];
        bool level = line_drives(line) ? line->value : line->outside;
        bool edge = level != line->level;

        line->level = level;
        if (!edge || !line->request)
                return;
        if (line_logical(line) && line->flags & GPIO_V2_LINE_FLAG_EDGE_RISING)
                put_event(kernel, line->request, offset, GPIO_V2_LINE_EVENT_RISING_EDGE);
        if (!line_logical(line) && line->flags & GPIO_V2_LINE_FLAG_EDGE_FALLING)
                put_event(kernel, line->request, offset, GPIO_V2_LINE_EVENT_FALLING_EDGE);
}

/* --- configurations ---------------------------------------------------------------------- */

static const struct gpio_v2_line_attribute *find_attribute(const struct gpio_v2_line_config *config,
                                                           uint32_t id, uint32_t index)
{
        for (uint32_t i = 0; i < config->num_attrs; i++)
                if (config->attrs[i].attr.id == id && config->attrs[i].mask >> index & 1)
                        return &config->attrs[i].attr;
        return NULL;
}

static uint64_t config_flags(const struct gpio_v2_line_config *config, uint32_t index)
{
        const struct gpio_v2_line_attribute *attribute =
                find_attribute(config, GPIO_V2_LINE_ATTR_ID_FLAGS, index);

        return attribute ? attribute->flags : config->flags;
}

static int check_flags(uint64_t flags, bool debounced)
{
        if (flags & ~(uint64_t)VALID || several(flags & DIRECTIONS) || several(flags & DRIVES) ||
            several(flags & BIASES))
                return -EINVAL;
        if ((flags & EDGES || debounced) && !(flags & GPIO_V2_LINE_FLAG_INPUT))
                return -EINVAL;
        if (flags & DRIVES && !(flags & GPIO_V2_LINE_FLAG_OUTPUT))
                return -EINVAL;
        if (flags & BIASES && !(flags & DIRECTIONS))
                return -EINVAL;
        return 0;
}

static int check_config(const struct gpio_v2_line_config *config, uint32_t count)
{
        if (config->num_attrs > GPIO_V2_LINE_NUM_ATTRS_MAX ||
            !all_zero(config->padding, sizeof(config->padding)))
                return -EINVAL;
        /* The kernel lets these pass, but they are ours to keep clean. */
        for (uint32_t i = 0; i < GPIO_V2_LINE_NUM_ATTRS_MAX; i++)
                if (i < config->num_attrs
                            ? config->attrs[i].attr.padding != 0 || config->attrs[i].mask == 0
                            : !all_zero(&config->attrs[i], sizeof(config->attrs[i])))
                        return -EINVAL;
        for (uint32_t i = 0; i < count; i++) {
                int r = check_flags(config_flags(config, i),
                                    find_attribute(config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, i));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_config(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset,
                        const struct gpio_v2_line_config *config, uint32_t index)
{
        struct fake_line *line = &chip->lines[offset];
        uint64_t flags = config_flags(config, index);
        const struct gpio_v2_line_attribute *debounce =
                find_attribute(config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, index);
        const struct gpio_v2_line_attribute *values =
                find_attribute(config, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, index);

        if ((flags & EDGES || debounce) && line->without_interrupt)
                return -ENXIO;
        /* Without a direction the flags are forgotten, the direction is not. */
        if ((flags & DIRECTIONS) == 0)
                flags |= line->flags & DIRECTIONS;
        else
                line->debounce_us = debounce ? debounce->debounce_period_us : 0;
        if (config_flags(config, index) & GPIO_V2_LINE_FLAG_OUTPUT)
                line->value = (values && values->values >> index & 1) !=
                              ((flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
        /* A new detector begins with the level it finds. */
        line->flags = flags & ~(uint64_t)EDGES;
        line_settle(kernel, chip, offset);
        line->flags = flags;
        return 0;
}

/* --- requests ---------------------------------------------------------------------------- */

static void release_line(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset)
{
        struct fake_line *line = &chip->lines[offset];

        line->used = false;
        line->request = NULL;
        line->flags &= DIRECTIONS;
        line->debounce_us = 0;
        line->sequence = 0;
        memset(line->consumer, 0, sizeof(line->consumer));
        notify(kernel, chip, offset, GPIO_V2_LINE_CHANGED_RELEASED);
}

static void release_request(struct fake_kernel *kernel, struct fake_request *request,
                            uint32_t lines)
{
        for (uint32_t i = 0; i < lines; i++)
                release_line(kernel, request->chip, request->offsets[i]);
}

static int take_line(struct fake_kernel *kernel, struct fake_request *request, uint32_t index,
                     const struct gpio_v2_line_request *asked)
{
        uint32_t offset = asked->offsets[index];
        struct fake_line *line;
        int r;

        if (offset >= request->chip->lines_count)
                return -EINVAL;
        line = &request->chip->lines[offset];
        if (line->used)
                return -EBUSY;
        line->used = true;
        snprintf(line->consumer, sizeof(line->consumer), "%.31s",
                 asked->consumer[0] ? asked->consumer : "?");
        request->offsets[index] = offset;
        r = apply_config(kernel, request->chip, offset, &asked->config, index);
        if (r < 0) {
                release_line(kernel, request->chip, offset);
                return r;
        }
        line->request = request;
        notify(kernel, request->chip, offset, GPIO_V2_LINE_CHANGED_REQUESTED);
        return 0;
}

static struct fake_request *free_request(struct fake_kernel *kernel)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                if (kernel->requests[i].files == 0)
                        return &kernel->requests[i];
        return NULL;
}

static int get_line(struct fake_kernel *kernel, struct fake_chip *chip,
                    struct gpio_v2_line_request *asked)
{
        struct fake_request *request = free_request(kernel);
        int r;

        if (!request)
                return -ENOMEM;
        if (asked->num_lines == 0 || asked->num_lines > GPIO_V2_LINES_MAX ||
            !all_zero(asked->padding, sizeof(asked->padding)))
                return -EINVAL;
        r = check_config(&asked->config, asked->num_lines);
        if (r < 0)
                return r;
        memset(request, 0, sizeof(*request));
        request->chip = chip;
        request->count = asked->num_lines;
        request->capacity =
                asked->event_buffer_size > 0 ? asked->event_buffer_size : request->count * 16;
        if (request->capacity > FAKE_EVENTS_MAX)
                request->capacity = FAKE_EVENTS_MAX;
        for (uint32_t i = 0; i < request->count; i++) {
                r = take_line(kernel, request, i, asked);
                if (r < 0) {
                        release_request(kernel, request, i);
                        return r;
                }
        }
        r = add_file(kernel, NULL, request);
        if (r < 0) {
                release_request(kernel, request, request->count);
                return r;
        }
        asked->fd = r;
        return 0;
}

static int get_values(const struct fake_request *request, struct gpio_v2_line_values *asked)
{
        uint64_t bits = 0;
        unsigned lines = 0;

        for (uint32_t i = 0; i < request->count; i++) {
                if ((asked->mask >> i & 1) == 0)
                        continue;
                lines++;
                if (line_logical(&request->chip->lines[request->offsets[i]]))
                        bits |= UINT64_C(1) << i;
        }
        if (lines == 0)
                return -EINVAL;
        asked->bits = bits;
        return 0;
}

static int set_values(struct fake_kernel *kernel, struct fake_request *request,
                      const struct gpio_v2_line_values *asked)
{
        unsigned lines = 0;

        for (uint32_t i = 0; i < request->count; i++) {
                if ((asked->mask >> i & 1) == 0)
                        continue;
                lines++;
                if (!(request->chip->lines[request->offsets[i]].flags & GPIO_V2_LINE_FLAG_OUTPUT))
                        return -EPERM;
        }
        if (lines == 0)
                return -EINVAL;
        for (uint32_t i = 0; i < request->count; i++) {
                struct fake_line *line = &request->chip->lines[request->offsets[i]];

                if ((asked->mask >> i & 1) == 0)
                        continue;
                line->value = (asked->bits >> i & 1) !=
                              ((line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
                line_settle(kernel, request->chip, request->offsets[i]);
        }
        return 0;
}

static int set_config(struct fake_kernel *kernel, struct fake_request *request,
                      const struct gpio_v2_line_config *config)
{
        int r = check_config(config, request->count);

        for (uint32_t i = 0; r == 0 && i < request->count; i++) {
                r = apply_config(kernel, request->chip, request->offsets[i], config, i);
                notify(kernel, request->chip, request->offsets[i], GPIO_V2_LINE_CHANGED_CONFIG);
        }
        kernel->set_configs += r == 0;
        return r;
}

/* --- system calls ------------------------------------------------------------------------ */

static struct fake_chip *find_chip(struct fake_kernel *kernel, const char *path)
{
        char real[PATH_MAX];
        const char *name;

        if (!realpath(path, real))
                return NULL;
        name = strrchr(real, '/') + 1;
        for (size_t i = 0; i < kernel->chips_count; i++)
                if (strcmp(kernel->chips[i].name, name) == 0)
                        return &kernel->chips[i];
        return NULL;
}

static int fake_open(void *owner, const char *path)
{
        struct fake_kernel *kernel = owner;
        struct fake_chip *chip = find_chip(kernel, path);
        int fd;

        /* A device of something else. */
        if (!chip)
                return access(path, F_OK) == 0 ? add_file(kernel, NULL, NULL) : -ENOENT;
        if (chip->open_result < 0)
                return chip->open_result;
        fd = add_file(kernel, chip, NULL);
        if (fd >= 0)
                find_file(kernel, fd)->nonblocking = true;
        return fd;
}

static void fake_close(void *owner, int fd)
{
        struct fake_kernel *kernel = owner;
        struct fake_file *file = find_file(kernel, fd);

        if (!file)
                abort(); /* closed twice, or not ours */
        if (file->request && --file->request->files == 0)
                release_request(kernel, file->request, file->request->count);
        close(fd);
        file->fd = -1;
}

static int fake_stat(void *owner, const char *path, struct stat *ret)
{
        struct fake_kernel *kernel = owner;
        const struct fake_chip *chip = find_chip(kernel, path);

        if (!chip)
                return stat(path, ret) < 0 ? -errno : 0;
        memset(ret, 0, sizeof(*ret));
        ret->st_mode = S_IFCHR | 0660;
        ret->st_gid = chip->group;
        ret->st_rdev = makedev(FAKE_DEVICE_FIRST, (unsigned)(chip - kernel->chips));
        return 0;
}

static int line_info(struct fake_file *file, struct gpio_v2_line_info *asked, bool watch)
{
        if (!all_zero(asked->padding, sizeof(asked->padding)) ||
            asked->offset >= file->chip->lines_count)
                return -EINVAL;
        if (watch && file->watched[asked->offset])
                return -EBUSY;
        if (watch)
                file->watched[asked->offset] = true;
        fill_info(file->chip, asked->offset, asked);
        return 0;
}

static int chip_ioctl(struct fake_kernel *kernel, struct fake_file *file, unsigned long request,
                      void *argument)
{
        struct gpiochip_info *info = argument;
        uint32_t offset;

        if (file->chip->gone)
                return -ENODEV;
        if (request == GPIO_GET_CHIPINFO_IOCTL) {
                memset(info, 0, sizeof(*info));
                memcpy(info->name, file->chip->name, sizeof(info->name));
                memcpy(info->label, file->chip->label, sizeof(info->label));
                info->lines = file->chip->lines_count;
                return 0;
        }
        if (kernel->first_version)
                return kernel->first_version_says;
        switch (request) {
        case GPIO_V2_GET_LINEINFO_IOCTL:
                return line_info(file, argument, false);
        case GPIO_V2_GET_LINEINFO_WATCH_IOCTL:
                return line_info(file, argument, true);
        case GPIO_GET_LINEINFO_UNWATCH_IOCTL:
                memcpy(&offset, argument, sizeof(offset));
                if (offset >= file->chip->lines_count)
                        return -EINVAL;
                if (!file->watched[offset])
                        return -EBUSY;
                file->watched[offset] = false;
                return 0;
        case GPIO_V2_GET_LINE_IOCTL:
                return get_line(kernel, file->chip, argument);
        default:
                return -EINVAL;
        }
}

static int fake_ioctl(void *owner, int fd, unsigned long request, void *argument)
{
        struct fake_kernel *kernel = owner;
        struct fake_file *file = find_file(kernel, fd);

        if (!file || (!file->chip && !file->request))
                return -ENOTTY;
        if (kernel->fail_request == request) {
                kernel->fail_request = 0;
                return kernel->fail_result;
        }
        if (!file->request)
                return chip_ioctl(kernel, file, request, argument);
        if (file->request->chip->gone)
                return -ENODEV;
        switch (request) {
        case GPIO_V2_LINE_GET_VALUES_IOCTL:
                return get_values(file->request, argument);
        case GPIO_V2_LINE_SET_VALUES_IOCTL:
                return set_values(kernel, file->request, argument);
        case GPIO_V2_LINE_SET_CONFIG_IOCTL:
                return set_config(kernel, file->request, argument);
        default:
                return -EINVAL;
        }
}

/* Takes whole records off a ring. */
static ssize_t take_records(void *ret, size_t count, const void *ring, size_t size, size_t capacity,
                            size_t *first, size_t *waiting)
{
        size_t taken = 0;

        if (count < size)
                return -EINVAL;
        while (*waiting > 0 && count >= (taken + 1) * size) {
                memcpy((char *)ret + taken * size, (const char *)ring + *first * size, size);
                *first = (*first + 1) % capacity;
                --*waiting;
                taken++;
        }
        return (ssize_t)(taken * size);
}

static ssize_t fake_read(void *owner, int fd, void *bytes, size_t count)
{
        struct fake_kernel *kernel = owner;
        struct fake_file *file = find_file(kernel, fd);
        struct fake_request *request = file->request;
        size_t *waiting = request ? &request->waiting : &file->waiting;
        ssize_t r;

        if (request ? request->chip->gone : file->chip->gone)
                return -ENODEV;
        if (*waiting == 0)
                return file->nonblocking ? -EAGAIN : -EDEADLK; /* it would wait for ever */
        if (request)
                r = take_records(bytes, count, request->events, sizeof(*request->events),
                                 request->capacity, &request->first, waiting);
        else
                r = take_records(bytes, count, file->changes, sizeof(*file->changes),
                                 FAKE_CHANGES_MAX, &file->first, waiting);
        if (*waiting == 0 && request)
                request_signal(kernel, request, false);
        else if (*waiting == 0)
                file_signal(file, false);
        return r > 0 && kernel->short_reads ? r - 8 : r;
}

static int fake_set_nonblocking(void *owner, int fd)
{
        struct fake_file *file = find_file(owner, fd);

        if (!file)
                return -EBADF;
        file->nonblocking = true;
        return 0;
}

/* --- the test's side --------------------------------------------------------------------- */

struct fake_kernel *fake_kernel_new(void)
{
        struct fake_kernel *kernel = calloc(1, sizeof(*kernel));

        if (!kernel)
                abort();
        strcpy(kernel->folder, "/tmp/pifleet-fake-kernel-XXXXXX");
        if (!mkdtemp(kernel->folder))
                abort();
        kernel->system = (struct gpio_system){
                .owner = kernel,
                .devices = kernel->folder,
                .open = fake_open,
                .close = fake_close,
                .stat = fake_stat,
                .ioctl = fake_ioctl,
                .read = fake_read,
                .set_nonblocking = fake_set_nonblocking,
        };
        kernel->first_version_says = -EINVAL;
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                kernel->files[i].fd = -1;
        return kernel;
}

unsigned fake_kernel_free(struct fake_kernel *kernel)
{
        char command[128];
        unsigned open = 0;

        for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
                if (kernel->files[i].fd < 0)
                        continue;
                close(kernel->files[i].fd);
                open++;
        }
        snprintf(command, sizeof(command), "rm -r %s", kernel->folder);
        if (system(command) != 0)
                abort();
        free(kernel);
        return open;
}

struct fake_chip *fake_kernel_add(struct fake_kernel *kernel, const char *label, unsigned lines,
                                  bool named)
{
        struct fake_chip *chip = &kernel->chips[kernel->chips_count];
        char path[128];
        int fd;

        if (kernel->chips_count == FAKE_CHIPS_MAX || lines > FAKE_LINES_MAX)
                abort();
        snprintf(chip->name, sizeof(chip->name), "gpiochip%zu", kernel->chips_count++);
        snprintf(chip->label, sizeof(chip->label), "%s", label);
        chip->lines_count = lines;
        for (unsigned i = 0; i < lines; i++) {
                chip->lines[i].flags = GPIO_V2_LINE_FLAG_INPUT;
                if (named)
                        snprintf(chip->lines[i].name, GPIO_MAX_NAME_SIZE, "GPIO%u", i);
        }
        snprintf(path, sizeof(path), "%s/%s", kernel->folder, chip->name);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                abort();
        close(fd);
        return chip;
}

void fake_kernel_link(struct fake_kernel *kernel, const struct fake_chip *chip, const char *name)
{
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", kernel->folder, name);
        if (symlink(chip->name, path) < 0)
                abort();
}

void fake_kernel_drive(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset,
                       bool level)
{
        kernel->now_ns++;
        chip->lines[offset].outside = level;
        line_settle(kernel, chip, offset);
}

void fake_kernel_write(struct fake_chip *chip, unsigned offset, bool level)
{
        chip->lines[offset].level = level;
}

void fake_kernel_hold(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset,
                      const char *consumer, uint64_t flags)
{
        struct fake_line *line = &chip->lines[offset];

        line->used = true;
        line->flags = flags;
        snprintf(line->consumer, sizeof(line->consumer), "%s", consumer);
        notify(kernel, chip, offset, GPIO_V2_LINE_CHANGED_REQUESTED);
}

void fake_kernel_release(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset)
{
        release_line(kernel, chip, offset);
}

void fake_kernel_configure(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset,
                           uint64_t flags)
{
        chip->lines[offset].flags = flags;
        notify(kernel, chip, offset, GPIO_V2_LINE_CHANGED_CONFIG);
}

int fake_kernel_duplicate(struct fake_kernel *kernel, int fd)
{
        const struct fake_file *file = find_file(kernel, fd);

        return file ? add_file(kernel, file->chip, file->request) : -EBADF;
}

void fake_kernel_fail(struct fake_kernel *kernel, unsigned long request, int result)
{
        kernel->fail_request = request;
        kernel->fail_result = result;
}

bool fake_kernel_nonblocking(struct fake_kernel *kernel, int fd)
{
        const struct fake_file *file = find_file(kernel, fd);

        return file && file->nonblocking;
}
