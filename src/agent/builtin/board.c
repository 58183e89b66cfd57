/* Facts of the board, each from the first source that has it. */
#include "agent/builtin/board.h"

#include "agent/builtin/procfs.h"
#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CPU_MAX = 65536, THERMAL_ZONES = 16, HWMON_DEVICES = 16, PATH_SIZE = 160 };

int board_model(const struct roots *roots, char *ret, size_t size)
{
        /* Strings of the device tree end in a NUL, which ends ours too. */
        int r = roots_read_line(roots->proc, "device-tree/model", ret, size);

        if (r < 0)
                r = roots_read_line(roots->sys, "class/dmi/id/product_name", ret, size);
        return r;
}

int board_serial(const struct roots *roots, char *ret, size_t size)
{
        char text[PROCFS_TEXT_MAX];
        int r;

        r = roots_read_line(roots->proc, "device-tree/serial-number", ret, size);
        if (r < 0) {
                r = roots_read(roots->proc, "cpuinfo", text, sizeof(text));
                if (r >= 0)
                        r = procfs_field(text, "Serial", ret, size);
        }
        /* Firmware that cannot tell writes zeros. */
        if (r >= 0 && ret[strspn(ret, "0")] == '\0')
                r = -ENODATA;
        if (r >= 0 && ret[strspn(ret, "0123456789abcdefABCDEF")] != '\0')
                r = -EBADMSG;
        if (r < 0)
                ret[0] = '\0';
        return r;
}

int board_cpu_list_parse(const char *text, unsigned *ret_count)
{
        unsigned long count = 0;

        for (const char *at = text;; at++) {
                unsigned long first, last;
                char *end;

                if (*at < '0' || *at > '9')
                        return -EBADMSG;
                first = last = strtoul(at, &end, 10);
                if (*end == '-') {
                        at = end + 1;
                        if (*at < '0' || *at > '9')
                                return -EBADMSG;
                        last = strtoul(at, &end, 10);
                }
                if (last < first)
                        return -EBADMSG;
                if (last >= CPU_MAX || count + (last - first + 1) > CPU_MAX)
                        return -ERANGE;
                count += last - first + 1;
                at = end;
                if (*at == '\0')
                        break;
                if (*at != ',')
                        return -EBADMSG;
        }
        *ret_count = (unsigned)count;
        return 0;
}

int board_cpu_count(const struct roots *roots, unsigned *ret)
{
        char line[ROOTS_LINE_MAX];
        int r = roots_read_line(roots->sys, "devices/system/cpu/online", line, sizeof(line));

        return r < 0 ? r : board_cpu_list_parse(line, ret);
}

int board_cpu_frequency(const struct roots *roots, uint64_t *ret_hz)
{
        char text[PROCFS_TEXT_MAX], value[32];
        int64_t khz;
        double mhz;
        int r;

        r = roots_read_integer(roots->sys, "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
                               &khz);
        if (r >= 0) {
                if (khz <= 0 || khz > INT64_MAX / 1000)
                        return -EBADMSG;
                *ret_hz = (uint64_t)khz * 1000;
                return 0;
        }
        /* Virtual machines have no cpufreq; x86 says it here all the same. */
        r = roots_read(roots->proc, "cpuinfo", text, sizeof(text));
        if (r >= 0)
                r = procfs_field(text, "cpu MHz", value, sizeof(value));
        if (r >= 0)
                r = procfs_decimal(value, &mhz);
        if (r < 0)
                return r;
        if (mhz <= 0 || mhz > 1e6)
                return -EBADMSG;
        *ret_hz = (uint64_t)(mhz * 1e6 + 0.5);
        return 0;
}

static int read_zone(const struct roots *roots, unsigned zone, double *ret_celsius)
{
        char path[PATH_SIZE];
        int64_t millidegrees;
        int r;

        snprintf(path, sizeof(path), "class/thermal/thermal_zone%u/temp", zone);
        r = roots_read_integer(roots->sys, path, &millidegrees);
        if (r < 0)
                return r;
        /* A sensor that is asleep or broken answers with the edge of its range. */
        if (millidegrees < -100000 || millidegrees > 250000)
                return -EBADMSG;
        *ret_celsius = (double)millidegrees / 1000;
        return 0;
}

/* Zones have numbers in the order their drivers came; their types tell what they are
 * ("cpu-thermal" on a Raspberry Pi). A zone of another type is better than nothing. */
int board_temperature(const struct roots *roots, double *ret_celsius)
{
        static const char *const types[] = {"cpu", "soc", "x86_pkg"};
        int other = -1, r;

        for (unsigned zone = 0; zone < THERMAL_ZONES; zone++) {
                char path[PATH_SIZE], type[ROOTS_LINE_MAX];

                snprintf(path, sizeof(path), "class/thermal/thermal_zone%u/type", zone);
                r = roots_read_line(roots->sys, path, type, sizeof(type));
                if (r == -ENOENT && zone == 0)
                        return r; /* no zones: the usual case without hardware */
                if (r < 0)
                        continue;
                if (other < 0)
                        other = (int)zone;
                for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                        if (strncmp(type, types[i], strlen(types[i])) == 0 &&
                            read_zone(roots, zone, ret_celsius) == 0)
                                return 0;
        }
        return other < 0 ? -ENOENT : read_zone(roots, (unsigned)other, ret_celsius);
}

static int parse_throttled(const char *line, struct board_throttling *ret)
{
        enum { KINDS = (1 << BOARD_THROTTLING_KINDS) - 1 };
        unsigned long long word;
        char *end;

        /* Hexadecimal without a prefix; strtoull would take blanks and signs too. */
        if (line[strspn(line, "0123456789abcdefABCDEFx")] != '\0')
                return -EBADMSG;
        errno = 0;
        word = strtoull(line, &end, 16);
        if (errno != 0 || end == line || *end != '\0' || word > UINT32_MAX)
                return -EBADMSG;
        ret->known = KINDS;
        ret->now = (unsigned)word & KINDS;
        ret->occurred = (unsigned)(word >> 16) & KINDS;
        return 0;
}

/* The firmware's driver in Raspberry Pi's kernels. The device's place in the tree changed
 * with the Pi 5, so it is looked up under its driver when it is not at the old one.
 * Reading asks the firmware, which answers within some ten microseconds. */
static int read_firmware(const struct roots *roots, struct board_throttling *ret)
{
        static const char driver[] = "bus/platform/drivers/raspberrypi-firmware";
        struct roots_names devices;
        char line[32];
        int r;

        r = roots_read_line(roots->sys, "devices/platform/soc/soc:firmware/get_throttled", line,
                            sizeof(line));
        if (r != -ENOENT)
                return r < 0 ? r : parse_throttled(line, ret);
        r = roots_list(roots->sys, driver, &devices);
        if (r < 0)
                return r;
        for (size_t i = 0; i < devices.count; i++) {
                char path[PATH_SIZE];

                snprintf(path, sizeof(path), "%s/%s/get_throttled", driver, devices.names[i]);
                r = roots_read_line(roots->sys, path, line, sizeof(line));
                if (r >= 0)
                        return parse_throttled(line, ret);
        }
        return -ENOENT;
}

/* Upstream kernels have only this: the hwmon driver polls the firmware every two seconds
 * and tells whether the supply was too low since (Documentation/hwmon/raspberrypi-hwmon). */
static int read_hwmon(const struct roots *roots, struct board_throttling *ret)
{
        for (unsigned device = 0; device < HWMON_DEVICES; device++) {
                char path[PATH_SIZE], name[ROOTS_LINE_MAX];
                int64_t alarm;
                int r;

                snprintf(path, sizeof(path), "class/hwmon/hwmon%u/name", device);
                if (roots_read_line(roots->sys, path, name, sizeof(name)) < 0 ||
                    strcmp(name, "rpi_volt") != 0)
                        continue;
                snprintf(path, sizeof(path), "class/hwmon/hwmon%u/in0_lcrit_alarm", device);
                r = roots_read_integer(roots->sys, path, &alarm);
                if (r < 0)
                        return r;
                ret->known = BOARD_UNDER_VOLTAGE;
                ret->now = alarm != 0 ? BOARD_UNDER_VOLTAGE : 0;
                ret->occurred = ret->now;
                return 0;
        }
        return -ENOENT;
}

int board_throttling(const struct roots *roots, struct board_throttling *ret)
{
        int r = read_firmware(roots, ret);

        return r < 0 ? read_hwmon(roots, ret) : r;
}

const char *board_throttling_name(unsigned bit)
{
        static const char *const names[BOARD_THROTTLING_KINDS] = {
                "under_voltage",
                "frequency_capped",
                "throttled",
                "soft_temperature_limit",
        };

        return names[bit];
}
