/* A tree of files that looks like /sys. What the kernel refuses is played by the
 * order of what was written, which the test reads back. */
#include "agent/gpio/pwm-sysfs.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

struct fixture {
        char root[64];
};

static void make_folders(const char *path)
{
        char partial[512];

        for (size_t i = 1; path[i] != '\0'; i++) {
                if (path[i] != '/')
                        continue;
                memcpy(partial, path, i);
                partial[i] = '\0';
                if (mkdir(partial, 0700) < 0)
                        CHECK_EQ(errno, EEXIST);
        }
}

static void write_bytes(struct fixture *f, const char *path, const void *bytes, size_t length)
{
        AUTO_CLOSE int fd = -1;
        char whole[512];

        snprintf(whole, sizeof(whole), "%s/%s", f->root, path);
        make_folders(whole);
        fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        CHECK_EQ(write(fd, bytes, length), length);
}

static void write_cell(struct fixture *f, const char *path, uint32_t cell)
{
        cell = htobe32(cell);
        write_bytes(f, path, &cell, sizeof(cell));
}

static const char *read_text(struct fixture *f, const char *path)
{
        static char text[64];
        AUTO_CLOSE int fd = -1;
        char whole[512];
        ssize_t length;

        snprintf(whole, sizeof(whole), "%s/%s", f->root, path);
        fd = open(whole, O_RDONLY | O_CLOEXEC);
        CHECK(fd >= 0);
        length = read(fd, text, sizeof(text) - 1);
        CHECK(length >= 0);
        text[length] = '\0';
        return text;
}

static void link_device(struct fixture *f, unsigned chip, const char *device)
{
        char path[256], target[256];

        /* Somewhere else, by a link, as it is in sysfs. */
        snprintf(path, sizeof(path), "sys/devices/platform/%s/of_node/x", device);
        write_bytes(f, path, "", 0);
        snprintf(path, sizeof(path), "sys/class/pwm/pwmchip%u/export", chip);
        write_bytes(f, path, "", 0);
        snprintf(path, sizeof(path), "%s/sys/class/pwm/pwmchip%u/device", f->root, chip);
        snprintf(target, sizeof(target), "../../../devices/platform/%s", device);
        CHECK_EQ(symlink(target, path), 0);
}

/* A Pi 4 with dtoverlay=pwm-2chan for 12 and 13; the fan's PWM is another chip. */
static void make_pi4(struct fixture *f)
{
        const uint32_t pins[] = {htobe32(12), htobe32(13)};

        link_device(f, 0, "fe20c800.pwm");
        link_device(f, 3, "fe20c000.pwm");
        write_cell(f, "sys/devices/platform/fe20c000.pwm/of_node/pinctrl-0", 7);
        write_cell(f, "sys/bus/gpio/devices/gpiochip0/of_node/uart0_pins/phandle", 6);
        write_cell(f, "sys/bus/gpio/devices/gpiochip0/of_node/uart0_pins/brcm,pins", 18);
        write_cell(f, "sys/bus/gpio/devices/gpiochip0/of_node/pwm_pins/phandle", 7);
        write_bytes(f, "sys/bus/gpio/devices/gpiochip0/of_node/pwm_pins/brcm,pins", pins,
                    sizeof(pins));
}

static void make_pi5(struct fixture *f)
{
        link_device(f, 2, "1f0009c000.pwm");
        link_device(f, 0, "1f00098000.pwm");
        write_cell(f, "sys/devices/platform/1f00098000.pwm/of_node/pinctrl-0", 9);
        write_cell(f, "sys/bus/gpio/devices/gpiochip0/of_node/rp1_pwm0/phandle", 9);
        write_bytes(f, "sys/bus/gpio/devices/gpiochip0/of_node/rp1_pwm0/pins", "gpio18\0gpio19",
                    14);
}

static void make_channel(struct fixture *f, const char *folder)
{
        static const char *const names[] = {"period", "duty_cycle", "enable"};
        char path[256];

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
                write_bytes(f, path, "", 0);
        }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
        return remove(path);
}

static void fixture_init(struct fixture *f)
{
        snprintf(f->root, sizeof(f->root), "/tmp/test-pwm-sysfs-XXXXXX");
        CHECK(mkdtemp(f->root) != NULL);
}

static void fixture_done(struct fixture *f)
{
        CHECK_EQ(nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static const struct {
        void (*make)(struct fixture *f);
        unsigned pin;
        int result;
        const char *chip;
        unsigned channel;
} places[] = {
        {make_pi4, 12, 0, "pwmchip3", 0},  {make_pi4, 13, 0, "pwmchip3", 1},
        {make_pi4, 18, -ENOENT, NULL, 0},  {make_pi4, 17, -ENOENT, NULL, 0},
        {make_pi5, 18, 0, "pwmchip0", 2},  {make_pi5, 19, 0, "pwmchip0", 3},
        {make_pi5, 12, -ENOENT, NULL, 0},  {make_pi5, 13, -ENOENT, NULL, 0},
        {make_pi5, 255, -ENOENT, NULL, 0},
};

TEST(a_pin_has_the_channel_that_is_multiplexed_to_it_whatever_its_chip_is_called)
{
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                struct gpio_pwm_place place;
                struct fixture f;

                fixture_init(&f);
                places[i].make(&f);
                CHECK_EQ(gpio_pwm_sysfs_find(f.root, places[i].pin, &place), places[i].result);
                if (places[i].result == 0) {
                        CHECK_TEXT(strrchr(place.chip, '/') + 1, places[i].chip);
                        CHECK_EQ(place.channel, places[i].channel);
                }
                fixture_done(&f);
        }
}

TEST(without_pwm_there_is_no_place)
{
        struct gpio_pwm_place place;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_pwm_sysfs_find(f.root, 12, &place), -ENOENT);
        /* A device tree that says nothing of it. */
        link_device(&f, 0, "fe20c000.pwm");
        CHECK_EQ(gpio_pwm_sysfs_find(f.root, 12, &place), -ENOENT);
        fixture_done(&f);
}

TEST(a_channel_is_exported_and_opened_once_udev_is_done)
{
        struct gpio_pwm_place place;
        struct gpio_pwm *pwm = NULL;
        struct fixture f;

        fixture_init(&f);
        make_pi4(&f);
        CHECK_EQ(gpio_pwm_sysfs_find(f.root, 13, &place), 0);
        CHECK_EQ(gpio_pwm_sysfs_open(&place, &pwm), -EAGAIN);
        CHECK_NULL(pwm);
        CHECK_TEXT(read_text(&f, "sys/class/pwm/pwmchip3/export"), "1");
        make_channel(&f, "sys/class/pwm/pwmchip3/pwm1");
        CHECK_EQ(gpio_pwm_sysfs_open(&place, &pwm), 0);
        CHECK(pwm->operations->hardware);
        CHECK(gpio_pwm_sysfs_enable_fd(pwm) >= 0);
        CHECK(strstr(gpio_pwm_sysfs_folder(pwm), "/sys/class/pwm/pwmchip3/pwm1") != NULL);
        gpio_pwm_free(pwm);
        fixture_done(&f);
}

TEST(duty_and_period_are_nanoseconds)
{
        struct gpio_pwm_place place;
        struct gpio_pwm *pwm;
        struct fixture f;

        fixture_init(&f);
        make_pi4(&f);
        make_channel(&f, "sys/class/pwm/pwmchip3/pwm0");
        CHECK_EQ(gpio_pwm_sysfs_find(f.root, 12, &place), 0);
        CHECK_EQ(gpio_pwm_sysfs_open(&place, &pwm), 0);
        CHECK_EQ(gpio_pwm_set(pwm, 0.07499995, 50), 0);
        CHECK_TEXT(read_text(&f, "sys/class/pwm/pwmchip3/pwm0/period"), "20000000");
        CHECK_TEXT(read_text(&f, "sys/class/pwm/pwmchip3/pwm0/duty_cycle"), "1499999");
        CHECK_TEXT(read_text(&f, "sys/class/pwm/pwmchip3/pwm0/enable"), "1");
        CHECK_EQ(gpio_pwm_set(pwm, 0.5, 0.1), -ERANGE);
        CHECK_EQ(gpio_pwm_stop(pwm), 0);
        CHECK_TEXT(read_text(&f, "sys/class/pwm/pwmchip3/pwm0/enable"), "0");
        gpio_pwm_free(pwm);
        fixture_done(&f);
}

TEST(without_memory_no_channel_is_opened)
{
        struct gpio_pwm_place place = {.chip = "/nowhere"};
        struct gpio_pwm *pwm = NULL;

        allocation_fail_at(1);
        CHECK_EQ(gpio_pwm_sysfs_open(&place, &pwm), -ENOMEM);
        (void)allocation_end();
        CHECK_EQ(gpio_pwm_sysfs_open(&place, &pwm), -ENOENT);
}

/* --- what the kernel refuses ------------------------------------------------------------- */

/* pwmchip_sysfs of the kernel: a duty longer than the period is -EINVAL at any
 * moment, and so is enabling without a period. Stands in for pwrite(). */
static struct {
        bool plays;
        uint64_t period, duty, enable;
} kernel;

ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t length, off_t offset);

static bool kernel_takes(const char *file, uint64_t number)
{
        if (strcmp(file, "period") == 0) {
                if (number < kernel.duty || number == 0)
                        return false;
                kernel.period = number;
        } else if (strcmp(file, "duty_cycle") == 0) {
                if (kernel.period == 0 || number > kernel.period)
                        return false;
                kernel.duty = number;
        } else if (strcmp(file, "enable") == 0) {
                if (number > 0 && kernel.period == 0)
                        return false;
                kernel.enable = number;
        }
        return true;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
        char link[64], path[512];
        ssize_t r;

        if (kernel.plays) {
                snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
                r = readlink(link, path, sizeof(path) - 1);
                CHECK(r > 0);
                path[r] = '\0';
                if (!kernel_takes(strrchr(path, '/') + 1, strtoull(bytes, NULL, 10))) {
                        errno = EINVAL;
                        return -1;
                }
        }
        return __real_pwrite(fd, bytes, length, offset);
}

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t length, off_t offset)
{
        return __wrap_pwrite(fd, bytes, length, offset);
}

static const struct {
        double duty, frequency_hz;
} steps[] = {{0.5, 100}, {1, 100}, {1, 1000}, {0.1, 50}, {1, 50}, {0, 10000}, {0.9, 1}, {1, 440}};

TEST(the_kernel_takes_every_change_of_period_and_duty)
{
        for (unsigned stale = 0; stale <= 1; stale++) {
                struct gpio_pwm_place place;
                struct gpio_pwm *pwm;
                struct fixture f;

                fixture_init(&f);
                make_pi4(&f);
                make_channel(&f, "sys/class/pwm/pwmchip3/pwm0");
                memset(&kernel, 0, sizeof(kernel));
                kernel.plays = true;
                if (stale) /* from an earlier life, and longer than what comes */
                        kernel.period = kernel.duty = 1000000000;
                CHECK_EQ(gpio_pwm_sysfs_find(f.root, 12, &place), 0);
                CHECK_EQ(gpio_pwm_sysfs_open(&place, &pwm), 0);
                if (!stale)
                        CHECK_EQ(gpio_pwm_stop(pwm), 0);
                for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                        CHECK_EQ(gpio_pwm_set(pwm, steps[i].duty, steps[i].frequency_hz), 0);
                        CHECK_EQ(kernel.period, (uint64_t)(1e9 / steps[i].frequency_hz));
                        CHECK_EQ(kernel.duty,
                                 (uint64_t)(steps[i].duty * (double)kernel.period + 0.5));
                        CHECK_EQ(kernel.enable, 1);
                }
                gpio_pwm_free(pwm);
                CHECK_EQ(kernel.enable, 0);
                CHECK_EQ(kernel.duty, 0);
                kernel.plays = false;
                fixture_done(&f);
        }
}
