#include "cli/unit.h"

#include "data/json-writer.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

struct name_unit {
        const char *name;
        enum unit unit;
};

static const struct name_unit whole_names[] = {
        {"uptime", UNIT_SECONDS},      {"ttl", UNIT_SECONDS},
        {"timeout", UNIT_SECONDS},     {"idle_timeout", UNIT_SECONDS},
        {"interval", UNIT_SECONDS},    {"delay", UNIT_SECONDS},
        {"retry_after", UNIT_SECONDS}, {"duration", UNIT_SECONDS},
        {"memory", UNIT_BYTES},        {"memory_used", UNIT_BYTES},
        {"memory_total", UNIT_BYTES},  {"memory_private", UNIT_BYTES},
        {"memory_peak", UNIT_BYTES},   {"disk_used", UNIT_BYTES},
        {"disk_total", UNIT_BYTES},    {"size", UNIT_BYTES},
        {"bytes", UNIT_BYTES},         {"max_line", UNIT_BYTES},
        {"timestamp", UNIT_TIME},      {"since", UNIT_TIME},
        {"started", UNIT_TIME},        {"temperature", UNIT_CELSIUS},
        {"cpu_frequency", UNIT_HERTZ},
};

static const struct name_unit endings[] = {
        {"_bytes", UNIT_BYTES},     {"_seconds", UNIT_SECONDS}, {"_ms", UNIT_MILLISECONDS},
        {"_us", UNIT_MICROSECONDS}, {"_at", UNIT_TIME},         {"_temperature", UNIT_CELSIUS},
        {"_percent", UNIT_PERCENT}, {"_celsius", UNIT_CELSIUS}, {"_hz", UNIT_HERTZ},
};

static const char *const byte_holders[] = {"memory", "disk", "swap"};
static const char *const byte_names[] = {"total", "used", "free", "available", "cached", "buffers"};

static bool is_among(const char *name, const char *const names[], size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(name, names[i]) == 0)
                        return true;
        return false;
}

static enum unit by_ending(const char *name)
{
        size_t length = strlen(name);

        for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
                size_t ending = strlen(endings[i].name);

                if (length > ending && strcmp(name + length - ending, endings[i].name) == 0)
                        return endings[i].unit;
        }
        return UNIT_NONE;
}

enum unit unit_of(const char *name, const char *parent)
{
        enum unit unit;

        for (size_t i = 0; i < ARRAY_SIZE(whole_names); i++)
                if (strcmp(name, whole_names[i].name) == 0)
                        return whole_names[i].unit;
        if (strncmp(name, "bytes_", strlen("bytes_")) == 0)
                return UNIT_BYTES;
        unit = by_ending(name);
        if (unit != UNIT_NONE || !parent)
                return unit;
        if (is_among(parent, byte_holders, ARRAY_SIZE(byte_holders)) &&
            is_among(name, byte_names, ARRAY_SIZE(byte_names)))
                return UNIT_BYTES;
        /* {"latency_ms": {"p50": 0.4}} */
        return by_ending(parent);
}

static int append_plain(struct buffer *out, double number)
{
        struct json_writer writer;

        json_writer_init(&writer, out);
        json_write_double(&writer, NULL, number);
        return json_writer_error(&writer);
}

/* At most one decimal, and none where three digits say enough. */
static int append_short(struct buffer *out, double number, const char *unit)
{
        bool whole = number >= 99.95 || fabs(number - round(number)) < 0.05;

        return buffer_printf(out, "%.*f %s", whole ? 0 : 1, number, unit);
}

static int append_scaled(struct buffer *out, double number, double step, const char *const units[],
                         size_t count)
{
        size_t i = 0;

        for (; i + 1 < count && number >= step - 0.5; i++)
                number /= step;
        return append_short(out, number, units[i]);
}

static int append_duration(struct buffer *out, double seconds)
{
        uint64_t whole;

        if (seconds < 1)
                return buffer_printf(out, "%.3g s", seconds);
        if (seconds < 60)
                return append_short(out, seconds, "s");
        whole = (uint64_t)seconds;
        if (whole < 3600)
                return buffer_printf(out, "%um %us", (unsigned)(whole / 60),
                                     (unsigned)(whole % 60));
        if (whole < 86400)
                return buffer_printf(out, "%uh %um", (unsigned)(whole / 3600),
                                     (unsigned)(whole / 60 % 60));
        return buffer_printf(out, "%ud %uh", (unsigned)(whole / 86400),
                             (unsigned)(whole / 3600 % 24));
}

static int append_time(struct buffer *out, double seconds)
{
        time_t when = (time_t)seconds;
        struct tm parts;
        char text[64];

        if (!localtime_r(&when, &parts) ||
            strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &parts) == 0)
                return append_plain(out, seconds);
        return buffer_append_text(out, text);
}

int unit_append(struct buffer *out, double number, enum unit unit)
{
        static const char *const byte_units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
        static const char *const hertz_units[] = {"Hz", "kHz", "MHz", "GHz"};

        switch (unit) {
        case UNIT_BYTES:
                if (number < 0)
                        break;
                return append_scaled(out, number, 1024, byte_units, ARRAY_SIZE(byte_units));
        case UNIT_HERTZ:
                if (number < 0)
                        break;
                return append_scaled(out, number, 1000, hertz_units, ARRAY_SIZE(hertz_units));
        case UNIT_SECONDS:
                if (number < 0 || number > 1e11)
                        break;
                return append_duration(out, number);
        case UNIT_TIME:
                /* "since" may also be an age: before 2001 nothing here was started. */
                if (number < 1e9 || number > 1e11)
                        break;
                return append_time(out, number);
        case UNIT_MILLISECONDS:
                return buffer_printf(out, "%.4g ms", number);
        case UNIT_MICROSECONDS:
                return buffer_printf(out, "%.4g us", number);
        case UNIT_CELSIUS:
                return buffer_printf(out,
                                     "%.1f \xc2\xb0"
                                     "C",
                                     number);
        case UNIT_PERCENT:
                return buffer_printf(out, "%.1f %%", number);
        case UNIT_NONE:
                break;
        }
        return append_plain(out, number);
}
