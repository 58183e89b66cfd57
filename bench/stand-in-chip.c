/* bench-stand-in-chip - a GPIO chip where there is none, and a witness where there is one.
 *
 * To be preloaded (ld.so(8), LD_PRELOAD) into pifleet-supervisor and so into its
 * agent, which are the programs that users run, unchanged. Every GPIO ioctl goes to
 * the kernel first. One that the kernel does not know, because the descriptor is of
 * no GPIO chip, is answered here: a terminal (/dev/ptmx) is a chip then, and a line
 * is memory that both processes share. So the way of a command is the real one down to
 * the ioctl that would set a register.
 *
 * When levels have been set, in either way, the time and the process go into a record
 * in shared memory ($PIFLEET_BENCH_RECORD), where bench/guarded.py reads them. Nobody
 * has to watch a pin, which on a busy machine would be late itself.
 *
 * $PIFLEET_BENCH_BALLAST_MB makes the agent larger by memory that is really there:
 * anonymous, touched, in small pages, as a heap that has grown. */
#include "ipc/guard.h"
#include "support/memory-lines.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 28, DRIVES_MAX = 4095, BALLAST_MAX_MB = 4096, GPIO_IOCTL_TYPE = 0xB4 };

struct drive {
        uint64_t ns; /* CLOCK_MONOTONIC, when the levels were set */
        uint32_t process;
        uint32_t lines; /* how many */
};

/* As bench/guarded.py reads it. What does not fit is only counted. */
struct record {
        _Atomic uint32_t count;
        uint32_t reserved[3];
        struct drive drives[DRIVES_MAX];
};

/* The dynamic linker calls us without an argument: there is no other place. */
static struct record *record;

static void note(uint64_t mask)
{
        struct timespec now;
        uint32_t index;

        if (!record)
                return;
        clock_gettime(CLOCK_MONOTONIC, &now);
        index = atomic_fetch_add(&record->count, 1);
        if (index >= DRIVES_MAX)
                return;
        record->drives[index].process = (uint32_t)getpid();
        record->drives[index].lines = (uint32_t)__builtin_popcountll(mask);
        /* Last: an entry with a time is whole. */
        __atomic_store_n(&record->drives[index].ns,
                         (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
                         __ATOMIC_RELEASE);
}

static int chip_info(struct gpiochip_info *ret)
{
        *ret = (struct gpiochip_info){.name = "gpiochip0", .label = "stand-in", .lines = LINES};
        return 0;
}

static int line_info(struct gpio_v2_line_info *ret)
{
        if (ret->offset >= LINES)
                return -EINVAL;
        *ret = (struct gpio_v2_line_info){.offset = ret->offset, .flags = GPIO_V2_LINE_FLAG_INPUT};
        snprintf(ret->name, sizeof(ret->name), "GPIO%u", ret->offset);
        return 0;
}

static int request_lines(struct gpio_v2_line_request *wanted)
{
        uint64_t lines;
        int fd, r;

        if (wanted->num_lines == 0 || wanted->num_lines > LINES)
                return -EINVAL;
        lines = (UINT64_C(1) << wanted->num_lines) - 1;
        fd = memory_lines_new(lines, 0);
        if (fd < 0)
                return fd;
        r = memory_lines_driver.configure(fd, &wanted->config);
        if (r < 0) {
                close(fd);
                return r;
        }
        wanted->fd = fd;
        return 0;
}

static int get_values(int fd, struct gpio_v2_line_values *values)
{
        uint64_t bits;
        int r = memory_lines_driver.get_values(fd, values->mask, &bits);

        if (r == 0)
                values->bits = bits;
        return r;
}

/* -ENOTTY: not ours either. */
static int stand_in(int fd, unsigned long request, void *argument)
{
        const struct gpio_v2_line_values *values = argument;

        switch (request) {
        case GPIO_GET_CHIPINFO_IOCTL:
                return chip_info(argument);
        case GPIO_V2_GET_LINEINFO_IOCTL:
        case GPIO_V2_GET_LINEINFO_WATCH_IOCTL:
                return line_info(argument);
        case GPIO_GET_LINEINFO_UNWATCH_IOCTL:
                return 0;
        case GPIO_V2_GET_LINE_IOCTL:
                return request_lines(argument);
        case GPIO_V2_LINE_GET_VALUES_IOCTL:
                return get_values(fd, argument);
        case GPIO_V2_LINE_SET_VALUES_IOCTL:
                return memory_lines_driver.set_values(fd, values->mask, values->bits);
        case GPIO_V2_LINE_SET_CONFIG_IOCTL:
                return memory_lines_driver.configure(fd, argument);
        default:
                return -ENOTTY;
        }
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
        va_list arguments;
        void *argument;
        long r;

        va_start(arguments, request);
        argument = va_arg(arguments, void *);
        va_end(arguments);
        r = syscall(SYS_ioctl, fd, request, argument);
        if (_IOC_TYPE(request) != GPIO_IOCTL_TYPE)
                return (int)r;
        if (r < 0 && errno == ENOTTY) {
                int result = stand_in(fd, request, argument);

                r = result < 0 ? -1 : result;
                if (result < 0)
                        errno = -result;
        }
        if (r >= 0 && request == GPIO_V2_LINE_SET_VALUES_IOCTL)
                note(((const struct gpio_v2_line_values *)argument)->mask);
        return (int)r;
}

static void map_record(const char *path)
{
        int fd = open(path, O_RDWR | O_CLOEXEC);
        void *memory;

        if (fd < 0)
                err(1, "%s", path);
        memory = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                      0);
        close(fd);
        if (memory == MAP_FAILED)
                err(1, "%s", path);
        record = memory;
}

static void take_ballast(const char *text)
{
        unsigned long megabytes = strtoul(text, NULL, 10);
        size_t bytes = (size_t)megabytes << 20;
        void *memory;

        if (megabytes == 0 || megabytes > BALLAST_MAX_MB)
                return;
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                err(1, "ballast");
        /* Huge ones would be given back in no time. -EINVAL: the kernel has none. */
        (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
        memset(memory, 1, bytes);
}

static __attribute__((constructor)) void stand_in_begin(void)
{
        const char *path = getenv("PIFLEET_BENCH_RECORD");
        const char *ballast = getenv("PIFLEET_BENCH_BALLAST_MB");

        if (path)
                map_record(path);
        /* The supervisor has no supervisor. */
        if (ballast && getenv(GUARD_ENVIRONMENT))
                take_ballast(ballast);
}
