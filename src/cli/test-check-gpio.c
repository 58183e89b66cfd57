/* A kernel that is played, and trees of files that stand for /dev, /proc and /sys. */
#include "cli/check.h"

#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the kernel -------------------------------------------------------------------------- */

static int open_any(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int open_denied(const char *path)
{
        (void)path;
        return -EACCES;
}

/* A Pi 4, on which GPIO4 is a driver's, 17 somebody's and 22 nobody's who said a name. */
static int pi_4(int fd, unsigned long request, void *argument)
{
        (void)fd;
        if (request == GPIO_GET_CHIPINFO_IOCTL) {
                struct gpiochip_info *info = argument;

                *info = (struct gpiochip_info){.lines = 58};
                strcpy(info->name, "gpiochip0");
                strcpy(info->label, "pinctrl-bcm2711");
        } else if (request == GPIO_V2_GET_LINEINFO_IOCTL) {
                struct gpio_v2_line_info *info = argument;

                if (info->offset == 4)
                        strcpy(info->consumer, "onewire@4");
                if (info->offset == 17)
                        memset(info->consumer, 'x', sizeof(info->consumer)); /* without a NUL */
                if (info->offset == 4 || info->offset == 17 || info->offset == 22)
                        info->flags = GPIO_V2_LINE_FLAG_USED;
        } else {
                return -ENOTTY;
        }
        return 0;
}

static int expander(int fd, unsigned long request, void *argument)
{
        struct gpiochip_info *info = argument;

        (void)fd;
        if (request != GPIO_GET_CHIPINFO_IOCTL)
                return -ENOTTY;
        *info = (struct gpiochip_info){.lines = 8, .name = "gpiochip0", .label = "pcf8574"};
        return 0;
}

static int without_lines(int fd, unsigned long request, void *argument)
{
        return request == GPIO_GET_CHIPINFO_IOCTL ? pi_4(fd, request, argument) : -ENOTTY;
}

/* --- the files --------------------------------------------------------------------------- */

struct machine {
        char root[64], devices[80];
        struct gpio_probe_system gpio;
        struct check_place place;
        struct findings findings;
};

static void machine_init(struct machine *m, int (*ioctl)(int, unsigned long, void *))
{
        memset(m, 0, sizeof(*m));
        strcpy(m->root, "/tmp/test-check-XXXXXX");
        CHECK(mkdtemp(m->root));
        snprintf(m->devices, sizeof(m->devices), "%s/dev", m->root);
        m->gpio = (struct gpio_probe_system){open_any, ioctl};
        m->place = (struct check_place){.devices = m->devices, .root = m->root, .gpio = &m->gpio};
}

static void machine_done(struct machine *m)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -rf '%s'", m->root);
        CHECK_EQ(system(command), 0);
}

/* Where a file is to be, its folders made. */
static void place_for(const struct machine *m, const char *path, char whole[512])
{
        snprintf(whole, 512, "%s/%s", m->root, path);
        for (char *slash = whole + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                CHECK(mkdir(whole, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
}

static void add_file(const struct machine *m, const char *path, const char *text)
{
        char whole[512];
        FILE *file;

        place_for(m, path, whole);
        file = fopen(whole, "we");
        CHECK(file);
        CHECK(fputs(text, file) >= 0);
        CHECK_EQ(fclose(file), 0);
}

static void add_link(const struct machine *m, const char *path, const char *target)
{
        char whole[512];

        place_for(m, path, whole);
        CHECK_EQ(symlink(target, whole), 0);
}

static void check_finding(const struct machine *m, size_t i, enum finding_level level,
                          const char *text)
{
        if (i >= m->findings.count)
                FAIL("there are %zu findings only", m->findings.count);
        if (!strstr(m->findings.items[i].text, text))
                FAIL("\"%s\" is not in: %s", text, m->findings.items[i].text);
        CHECK_EQ(m->findings.items[i].level, level);
}

/* --- chips and pins ---------------------------------------------------------------------- */

TEST(a_machine_without_gpio_chips_is_told)
{
        struct machine m;

        machine_init(&m, pi_4);
        check_gpio(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 1);
        check_finding(&m, 0, FINDING_WARNING, "no GPIO chip");
        machine_done(&m);
}

TEST(the_chip_of_the_header_is_named_and_its_pins_in_use_with_who_has_them)
{
        struct machine m;

        machine_init(&m, pi_4);
        add_file(&m, "dev/gpiochip0", "");
        add_link(&m, "proc/123/fd/5", "anon_inode:gpio-line");
        add_file(&m, "proc/123/fdinfo/5",
                 "pos:\t0\nflags:\t02000002\ngpio-chip:\tgpiochip0\ngpio-line:\t17\n"
                 "gpio-line:\t4000000000\n");
        /* Another chip's line, another kind of descriptor, and what is no process. */
        add_link(&m, "proc/124/fd/5", "anon_inode:gpio-line");
        add_file(&m, "proc/124/fdinfo/5", "gpio-chip:\tgpiochip1\ngpio-line:\t22\n");
        add_link(&m, "proc/125/fd/5", "anon_inode:[eventpoll]");
        add_file(&m, "proc/125/fdinfo/5", "gpio-chip:\tgpiochip0\ngpio-line:\t22\n");
        add_file(&m, "proc/self/fd/1", "");
        check_gpio(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 2);
        check_finding(&m, 0, FINDING_OK, "\"pinctrl-bcm2711\", 58 lines: the header's");
        check_finding(&m, 1, FINDING_OK, "GPIO4 \"onewire@4\", GPIO17 \"xxx");
        check_finding(&m, 1, FINDING_OK, "x\" (process 123), GPIO22 \"?\"");
        CHECK(!strstr(m.findings.items[1].text, "124"));
        CHECK(!strstr(m.findings.items[1].text, "125"));
        machine_done(&m);
}

TEST(a_chip_that_is_not_ours_to_use_is_told_with_its_mode)
{
        struct machine m;

        machine_init(&m, pi_4);
        m.gpio.open = open_denied;
        add_file(&m, "dev/gpiochip0", "");
        check_gpio(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 1);
        check_finding(&m, 0, FINDING_WARNING, "may not be used by you (mode 0");
        CHECK(strstr(m.findings.items[0].advice, "adduser"));
        machine_done(&m);
}

TEST(a_chip_without_a_header_is_told_as_such)
{
        struct machine m;

        machine_init(&m, expander);
        add_file(&m, "dev/gpiochip0", "");
        check_gpio(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 2);
        check_finding(&m, 0, FINDING_OK, "\"pcf8574\", 8 lines");
        check_finding(&m, 1, FINDING_WARNING, "none of these chips");
        machine_done(&m);
}

TEST(a_kernel_that_is_too_old_is_told)
{
        struct machine m;

        machine_init(&m, without_lines);
        add_file(&m, "dev/gpiochip0", "");
        check_gpio(&m.place, &m.findings);
        check_finding(&m, 1, FINDING_WARNING, "does not tell of its lines");
        CHECK(strstr(m.findings.items[1].advice, "5.10"));
        machine_done(&m);
}

/* --- released outputs, PWM --------------------------------------------------------------- */

TEST(what_becomes_of_a_released_output_is_told_where_the_kernel_says_it)
{
        static const struct {
                const char *path, *value, *text;
        } cases[] = {
                {"sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "Y\n", "keeps"},
                {"sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "N\n", "becomes"},
                {"sys/module/pinctrl_rp1/parameters/persist_gpio_outputs", "Y\n", "keeps"},
                {"sys/module/pinctrl_bcm2835/parameters/strict_gpiod", "Y\n", "becomes"},
                {"sys/module/pinctrl_bcm2835/parameters/strict_gpiod", "N\n", "keeps"},
                {"sys/module/nothing", "", NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct machine m;

                machine_init(&m, pi_4);
                add_file(&m, cases[i].path, cases[i].value);
                check_released_outputs(&m.place, &m.findings);
                CHECK_EQ(m.findings.count, cases[i].text != NULL);
                if (cases[i].text)
                        check_finding(&m, 0, FINDING_OK, cases[i].text);
                machine_done(&m);
        }
}

TEST(pwm_chips_are_told_by_their_device)
{
        struct machine m;

        machine_init(&m, pi_4);
        check_pwm(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 0);
        add_file(&m, "dev/gpiochip0", "");
        check_pwm(&m.place, &m.findings);
        check_finding(&m, 0, FINDING_OK, "no PWM channel");
        CHECK(strstr(m.findings.items[0].advice, "dtoverlay=pwm-2chan"));

        add_link(&m, "sys/class/pwm/pwmchip0/device", "../../../1f00098000.pwm");
        add_file(&m, "sys/class/pwm/pwmchip0/npwm", "4\n");
        add_file(&m, "sys/class/pwm/pwmchip0/export", "");
        add_file(&m, "sys/class/pwm/pwmchip2/npwm", "1\n");
        check_pwm(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 3);
        check_finding(&m, 1, FINDING_OK, "pwmchip0: 1f00098000.pwm, channels: 4, on the header");
        check_finding(&m, 2, FINDING_WARNING, "pwmchip2: no device, channels: 1");
        machine_done(&m);
}
