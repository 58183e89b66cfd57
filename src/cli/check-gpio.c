/* The pins: chips and who may use them, pins in use, what happens to an output that
 * is let go, PWM channels. */
#include "cli/check.h"
#include "cli/gpio-probe.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHIPS_MAX = 32, HEADER_PINS = 28 };

/* A small file of sysfs without its newline. False: not there. */
static bool read_word(const char *root, const char *path, char *text, size_t size)
{
        char whole[512];
        FILE *file;
        bool good;

        snprintf(whole, sizeof(whole), "%s%s", root, path);
        file = fopen(whole, "re");
        if (!file)
                return false;
        good = fgets(text, (int)size, file) != NULL;
        fclose(file);
        if (good)
                text[strcspn(text, "\n")] = '\0';
        return good;
}

/* --- chips ------------------------------------------------------------------------------- */

static void report_denied(const struct gpio_probe_chip *chip, struct findings *findings)
{
        struct stat status;
        struct finding *finding;

        if (chip->error != -EACCES && chip->error != -EPERM) {
                finding_add(findings, FINDING_WARNING, "gpio", "%s: %s", chip->path,
                            strerror(-chip->error));
                return;
        }
        if (stat(chip->path, &status) < 0)
                status = (struct stat){.st_mode = 0};
        finding = finding_add(findings, FINDING_WARNING, "gpio",
                              "%s may not be used by you (mode %04o, group %u)", chip->path,
                              (unsigned)(status.st_mode & 07777), (unsigned)status.st_gid);
        finding_advise(finding,
                       "it matters if the agent runs as you: sudo adduser $USER gpio, then "
                       "log in anew");
}

static void report_chips(const struct gpio_probe_chip chips[], size_t count,
                         const struct gpio_probe_chip *header, struct findings *findings)
{
        for (size_t i = 0; i < count; i++) {
                if (chips[i].error < 0)
                        report_denied(&chips[i], findings);
                else
                        finding_add(findings, FINDING_OK, "gpio", "%s \"%s\", %u lines%s",
                                    chips[i].path, chips[i].label, chips[i].lines,
                                    &chips[i] == header ? ": the header's" : "");
        }
        if (!header && chips[0].error == 0)
                finding_advise(
                        finding_add(findings, FINDING_WARNING, "gpio",
                                    "none of these chips is labelled like a 40-pin header's"),
                        "set gpio.chip in the config to the label or path of yours");
}

static void report_pins(const struct check_place *place, const struct gpio_probe_chip *chip,
                        struct findings *findings)
{
        size_t count = chip->lines < HEADER_PINS ? chip->lines : HEADER_PINS;
        struct gpio_probe_line lines[HEADER_PINS];
        int64_t pids[HEADER_PINS];
        char text[FINDING_TEXT_MAX] = "", processes[256];
        size_t length = 0;
        int r = gpio_probe_lines(place->gpio, chip, lines, count);

        if (r < 0) {
                finding_advise(finding_add(findings, FINDING_WARNING, "pins",
                                           "%s does not tell of its lines: %s", chip->path,
                                           strerror(-r)),
                               "the agent needs Linux 5.10 or newer, with "
                               "CONFIG_GPIO_CDEV; uname -r says which this is");
                return;
        }
        snprintf(processes, sizeof(processes), "%s/proc", place->root);
        gpio_probe_holders(processes, chip, pids, count);
        for (size_t i = 0; i < count && length < sizeof(text); i++) {
                const char *separator = length > 0 ? ", " : "";
                const char *consumer = lines[i].consumer[0] ? lines[i].consumer : "?";
                int n;

                if (!lines[i].used)
                        continue;
                if (pids[i] > 0)
                        n = snprintf(text + length, sizeof(text) - length,
                                     "%sGPIO%zu \"%s\" (process %" PRId64 ")", separator, i,
                                     consumer, pids[i]);
                else
                        n = snprintf(text + length, sizeof(text) - length, "%sGPIO%zu \"%s\"",
                                     separator, i, consumer);
                length += (size_t)n;
        }
        if (length == 0)
                finding_add(findings, FINDING_OK, "pins", "none of the header's is in use");
        else
                finding_add(findings, FINDING_OK, "pins", "in use: %s", text);
}

void check_gpio(const struct check_place *place, struct findings *findings)
{
        struct gpio_probe_chip chips[CHIPS_MAX];
        const struct gpio_probe_chip *header = NULL;
        char pattern[256];
        glob_t paths;
        size_t count;

        snprintf(pattern, sizeof(pattern), "%s/gpiochip*", place->devices);
        if (glob(pattern, 0, NULL, &paths) != 0) {
                finding_advise(finding_add(findings, FINDING_WARNING, "gpio",
                                           "no GPIO chip here (%s)", pattern),
                               "fine on a PC: the agent then simulates one. On a Pi: is the kernel "
                               "Raspberry Pi's, and does ls /dev/gpio* say more?");
                return;
        }
        count = paths.gl_pathc < CHIPS_MAX ? paths.gl_pathc : CHIPS_MAX;
        for (size_t i = 0; i < count; i++) {
                gpio_probe_chip(place->gpio, paths.gl_pathv[i], &chips[i]);
                if (!header && chips[i].error == 0 && gpio_probe_is_header(&chips[i]))
                        header = &chips[i];
        }
        globfree(&paths);
        report_chips(chips, count, header, findings);
        if (header)
                report_pins(place, header, findings);
}

/* --- what becomes of an output that is let go ---------------------------------------------- */

void check_released_outputs(const struct check_place *place, struct findings *findings)
{
        static const char *const switches[][2] = {
                {"/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "Y"},
                {"/sys/module/pinctrl_rp1/parameters/persist_gpio_outputs", "Y"},
                {"/sys/module/pinctrl_bcm2835/parameters/strict_gpiod", "N"},
        };
        char value[16];

        for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
                if (!read_word(place->root, switches[i][0], value, sizeof(value)))
                        continue;
                if (value[0] == switches[i][1][0])
                        finding_advise(
                                finding_add(findings, FINDING_OK, "outputs",
                                            "this kernel keeps the level of an output that nobody "
                                            "holds any more (%s is %s)",
                                            strrchr(switches[i][0], '/') + 1, value),
                                "pifleet-supervisor drives pins safe all the same; for other "
                                "programs' sake: dtparam=strict_gpiod in config.txt");
                else
                        finding_add(findings, FINDING_OK, "outputs",
                                    "an output that nobody holds any more becomes an input "
                                    "(%s is %s)",
                                    strrchr(switches[i][0], '/') + 1, value);
                return;
        }
}

/* --- PWM --------------------------------------------------------------------------------- */

/* The devices whose channels are on the header, by their address: the number of a chip
 * changes from kernel to kernel. */
static bool is_header_pwm(const char *device)
{
        static const char *const devices[] = {
                "2020c000.pwm", "20c000.pwm", "3f20c000.pwm", "fe20c000.pwm", "1f00098000.pwm",
        };

        for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
                if (strcmp(device, devices[i]) == 0)
                        return true;
        }
        return false;
}

static void report_pwm(const char *directory, struct findings *findings)
{
        char path[512], target[256], channels[16] = "?", *device = target;
        const char *name = strrchr(directory, '/') + 1;
        ssize_t length;

        if (!read_word(directory, "/npwm", channels, sizeof(channels)))
                snprintf(channels, sizeof(channels), "?");
        snprintf(path, sizeof(path), "%s/device", directory);
        length = readlink(path, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        if (strrchr(target, '/'))
                device = strrchr(target, '/') + 1;
        snprintf(path, sizeof(path), "%s/export", directory);
        if (access(path, W_OK) == 0)
                finding_add(findings, FINDING_OK, "pwm", "%.32s: %.64s, channels: %s%s", name,
                            device[0] ? device : "no device", channels,
                            is_header_pwm(device) ? ", on the header" : "");
        else
                finding_advise(finding_add(findings, FINDING_WARNING, "pwm",
                                           "%.32s: %.64s, channels: %s, may not be used by you",
                                           name, device[0] ? device : "no device", channels),
                               "it matters if the agent runs as you: sudo adduser $USER gpio, then "
                               "log in anew");
}

static bool has_chips(const struct check_place *place)
{
        char pattern[256];
        glob_t paths;
        bool found;

        snprintf(pattern, sizeof(pattern), "%s/gpiochip*", place->devices);
        found = glob(pattern, 0, NULL, &paths) == 0;
        if (found)
                globfree(&paths);
        return found;
}

void check_pwm(const struct check_place *place, struct findings *findings)
{
        char pattern[256];
        glob_t paths;

        snprintf(pattern, sizeof(pattern), "%s/sys/class/pwm/pwmchip*", place->root);
        if (glob(pattern, 0, NULL, &paths) != 0) {
                if (!has_chips(place))
                        return; /* no Pi, nothing to be missed */
                finding_advise(finding_add(findings, FINDING_OK, "pwm", "no PWM channel"),
                               "pulses are then made in software, with some jitter; for servos: "
                               "dtoverlay=pwm-2chan in config.txt, and a restart");
                return;
        }
        for (size_t i = 0; i < paths.gl_pathc && i < CHIPS_MAX; i++)
                report_pwm(paths.gl_pathv[i], findings);
        globfree(&paths);
}
