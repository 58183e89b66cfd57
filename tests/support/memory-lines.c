#include "support/memory-lines.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory_lines {
        uint64_t lines, values, inputs;
};

static int load(int fd, struct memory_lines *ret)
{
        return pread(fd, ret, sizeof(*ret), 0) == sizeof(*ret) ? 0 : -ENOTTY;
}

static int store(int fd, const struct memory_lines *lines)
{
        return pwrite(fd, lines, sizeof(*lines), 0) == sizeof(*lines) ? 0 : -ENOTTY;
}

int memory_lines_new(uint64_t lines, uint64_t values)
{
        const struct memory_lines memory = {.lines = lines, .values = values};
        int fd = memfd_create("lines", MFD_CLOEXEC);

        return fd < 0 || store(fd, &memory) < 0 ? -errno : fd;
}

static int get_values(int fd, uint64_t mask, uint64_t *ret)
{
        struct memory_lines memory;
        int r = load(fd, &memory);

        /* As the kernel: what is beyond the request counts for nothing. */
        if (r == 0 && (mask & memory.lines) == 0)
                r = -EINVAL;
        if (r == 0)
                *ret = memory.values & mask & ~memory.inputs;
        return r;
}

static int set_values(int fd, uint64_t mask, uint64_t values)
{
        struct memory_lines memory;
        int r = load(fd, &memory);

        if (r == 0 && (mask & memory.inputs))
                r = -EPERM;
        if (r < 0)
                return r;
        memory.values = (memory.values & ~mask) | (values & mask);
        return store(fd, &memory);
}

static uint64_t flags_of(const struct gpio_v2_line_config *config, unsigned line)
{
        for (unsigned i = 0; i < config->num_attrs; i++)
                if (config->attrs[i].attr.id == GPIO_V2_LINE_ATTR_ID_FLAGS &&
                    config->attrs[i].mask >> line & 1)
                        return config->attrs[i].attr.flags;
        return config->flags;
}

static int configure(int fd, const struct gpio_v2_line_config *config)
{
        struct memory_lines memory;
        int r = load(fd, &memory);

        if (r < 0)
                return r;
        for (unsigned line = 0; line < 64; line++) {
                uint64_t bit = UINT64_C(1) << line;

                memory.inputs &= ~bit;
                if (flags_of(config, line) & GPIO_V2_LINE_FLAG_INPUT)
                        memory.inputs |= bit;
        }
        for (unsigned i = 0; i < config->num_attrs; i++)
                if (config->attrs[i].attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES)
                        memory.values = (memory.values & ~config->attrs[i].mask) |
                                        (config->attrs[i].attr.values & config->attrs[i].mask);
        return store(fd, &memory);
}

static int request(const char *chip, struct gpio_v2_line_request *wanted)
{
        return -EBUSY;
}

static int no_pwm(int fd)
{
        return -EBADF;
}

static int no_pwm_at(const char *folder)
{
        return -ENOENT;
}

const struct line_driver memory_lines_driver = {
        .get_values = get_values,
        .set_values = set_values,
        .configure = configure,
        .request = request,
        .check_pwm = no_pwm,
        .disable_pwm = no_pwm,
        .open_pwm = no_pwm_at,
};
