#include "agent/gpio/line-holder.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
        FDINFO_MAX = 4096, /* a request of 64 lines has some 1200 bytes */
        LINK_MAX_BYTES = 64
};

struct search {
        const char *chip;
        unsigned offset;
        uint64_t end_ns;
};

static DIR *directory_close(DIR *directory)
{
        if (directory)
                closedir(directory);
        return NULL;
}

static void directory_cleanup(DIR **directory)
{
        directory_close(*directory);
}

static DIR *directory_open(int parent_fd, const char *name)
{
        int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory;

        if (fd < 0)
                return NULL;
        directory = fdopendir(fd);
        if (!directory)
                close(fd);
        return directory;
}

static bool parse_number(const char *text, int64_t *ret)
{
        int64_t number = 0;

        if (*text == '\0' || strlen(text) > 10)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                number = number * 10 + (*text - '0');
        }
        *ret = number;
        return true;
}

/* The value of a line of fdinfo, which begins with the name and a tab; NULL: another
 * line. */
static const char *field(const char *line, const char *name)
{
        size_t length = strlen(name);

        if (strncmp(line, name, length) != 0)
                return NULL;
        return line + length + strspn(line + length, " \t");
}

static bool tells_line(char *text, const struct search *search)
{
        bool chip = false, line = false;
        char *rest = text;

        for (char *next = strsep(&rest, "\n"); next; next = strsep(&rest, "\n")) {
                const char *value = field(next, "gpio-chip:");
                int64_t number;

                if (value) {
                        chip = strcmp(value, search->chip) == 0;
                        continue;
                }
                value = field(next, "gpio-line:");
                if (value && parse_number(value, &number) && number == search->offset)
                        line = true;
        }
        return chip && line;
}

/* Whether a descriptor may be a line request at all, which costs one call instead
 * of three; where that cannot be told, yes. */
static bool may_be_request(int process_fd, const char *descriptor)
{
        static const char wanted[] = "anon_inode:gpio-line";
        char path[32], link[LINK_MAX_BYTES];
        ssize_t length;

        snprintf(path, sizeof(path), "fd/%s", descriptor);
        length = readlinkat(process_fd, path, link, sizeof(link));
        if (length < 0)
                return errno != ENOENT;
        return (size_t)length >= sizeof(wanted) - 1 &&
               memcmp(link, wanted, sizeof(wanted) - 1) == 0;
}

static bool descriptor_holds(int process_fd, const char *descriptor, const struct search *search)
{
        char path[32], text[FDINFO_MAX];
        size_t length = 0;
        AUTO_CLOSE int fd = -1;

        if (!may_be_request(process_fd, descriptor))
                return false;
        snprintf(path, sizeof(path), "fdinfo/%s", descriptor);
        fd = openat(process_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return false;
        while (length < sizeof(text) - 1) {
                ssize_t r = read(fd, text + length, sizeof(text) - 1 - length);

                if (r <= 0)
                        break;
                length += (size_t)r;
        }
        text[length] = '\0';
        return tells_line(text, search);
}

/* 1: holds the line; 0: does not, or may not be asked. */
static int process_holds(int processes_fd, const char *pid, struct search *search)
{
        __attribute__((cleanup(directory_cleanup))) DIR *descriptors = NULL;
        AUTO_CLOSE int process_fd = openat(processes_fd, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const struct dirent *entry;
        int64_t ignored;

        if (process_fd < 0)
                return 0;
        descriptors = directory_open(process_fd, "fdinfo");
        if (!descriptors)
                return 0;
        while ((entry = readdir(descriptors))) {
                if (!parse_number(entry->d_name, &ignored))
                        continue;
                if (clock_monotonic_ns() >= search->end_ns)
                        return -ETIME;
                if (descriptor_holds(process_fd, entry->d_name, search))
                        return 1;
        }
        return 0;
}

int gpio_line_holder_find(const char *processes, const char *chip, unsigned offset, unsigned max_ms,
                          int64_t *ret_pid)
{
        struct search search = {chip, offset, clock_monotonic_ns() + max_ms * UINT64_C(1000000)};
        __attribute__((cleanup(directory_cleanup))) DIR *directory =
                directory_open(AT_FDCWD, processes);
        const struct dirent *entry;

        if (!directory)
                return -errno;
        while ((entry = readdir(directory))) {
                int64_t pid;
                int r;

                if (!parse_number(entry->d_name, &pid))
                        continue;
                r = process_holds(dirfd(directory), entry->d_name, &search);
                if (r < 0)
                        return r;
                if (r > 0) {
                        *ret_pid = pid;
                        return 0;
                }
        }
        return -ENOENT;
}
