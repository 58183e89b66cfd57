#include "agent/gpio/fake-kernel-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* --- descriptors ------------------------------------------------------------------------- */

static struct fake_file *find_file(struct fake_kernel *kernel, int fd)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                if (fd >= 0 && kernel->files[i].fd == fd)
                        return &kernel->files[i];
        return NULL;
}

int fake_add_file(struct fake_kernel *kernel, struct fake_chip *chip, struct fake_request *request)
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

void fake_file_signal(const struct fake_file *file, bool readable)
{
        eventfd_t ignored;

        if (readable)
                (void)eventfd_write(file->fd, 1);
        else
                (void)eventfd_read(file->fd, &ignored);
}

void fake_request_signal(struct fake_kernel *kernel, const struct fake_request *request,
                         bool readable)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                if (kernel->files[i].fd >= 0 && kernel->files[i].request == request)
                        fake_file_signal(&kernel->files[i], readable);
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
                return access(path, F_OK) == 0 ? fake_add_file(kernel, NULL, NULL) : -ENOENT;
        if (chip->open_result < 0)
                return chip->open_result;
        fd = fake_add_file(kernel, chip, NULL);
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
                fake_request_release(kernel, file->request, file->request->count);
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
        if (!fake_all_zero(asked->padding, sizeof(asked->padding)) ||
            asked->offset >= file->chip->lines_count)
                return -EINVAL;
        if (watch && file->watched[asked->offset])
                return -EBUSY;
        if (watch)
                file->watched[asked->offset] = true;
        fake_line_info(file->chip, asked->offset, asked);
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
                return fake_request_take(kernel, file->chip, argument);
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
                return fake_request_get(file->request, argument);
        case GPIO_V2_LINE_SET_VALUES_IOCTL:
                return fake_request_set(kernel, file->request, argument);
        case GPIO_V2_LINE_SET_CONFIG_IOCTL:
                return fake_request_configure(kernel, file->request, argument);
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
                fake_request_signal(kernel, request, false);
        else if (*waiting == 0)
                fake_file_signal(file, false);
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
        fake_line_settle(kernel, chip, offset);
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
        fake_line_changed(kernel, chip, offset, GPIO_V2_LINE_CHANGED_REQUESTED);
}

void fake_kernel_release(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset)
{
        fake_line_release(kernel, chip, offset);
}

void fake_kernel_configure(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset,
                           uint64_t flags)
{
        chip->lines[offset].flags = flags;
        fake_line_changed(kernel, chip, offset, GPIO_V2_LINE_CHANGED_CONFIG);
}

int fake_kernel_duplicate(struct fake_kernel *kernel, int fd)
{
        const struct fake_file *file = find_file(kernel, fd);

        return file ? fake_add_file(kernel, file->chip, file->request) : -EBADF;
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
