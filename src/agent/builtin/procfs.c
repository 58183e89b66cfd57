/* Parsers of the kernel's text files. The formats only ever grow at their ends, so what
 * follows the fields we know is passed over, and what comes short of them is refused. */
#include "agent/builtin/procfs.h"

#include "base/attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/statvfs.h>

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* A decimal number behind blanks; moves the cursor behind it. */
static int take_number(const char **cursor, uint64_t *ret)
{
        const char *at = *cursor + strspn(*cursor, " \t");
        uint64_t value = 0;

        if (!is_digit(*at))
                return -EBADMSG;
        for (; is_digit(*at); at++)
                if (__builtin_mul_overflow(value, 10u, &value) ||
                    __builtin_add_overflow(value, (unsigned)(*at - '0'), &value))
                        return -ERANGE;
        *cursor = at;
        *ret = value;
        return 0;
}

/* strtod() would follow the locale and take "inf" and "0x1p3" too. All digits go into
 * one integer that is divided once, so that 0.07 is the double that prints as 0.07;
 * digits beyond what a double holds are passed over. */
static int take_decimal(const char **cursor, double *ret)
{
        enum { FRACTION_MAX = 6 };
        uint64_t number, scale = 1;
        int r;

        r = take_number(cursor, &number);
        if (r < 0)
                return r;
        if (number > UINT32_MAX)
                return -ERANGE;
        if (**cursor == '.') {
                for (int i = 0; is_digit(*++*cursor); i++) {
                        if (i >= FRACTION_MAX)
                                continue;
                        number = number * 10 + (unsigned)(**cursor - '0');
                        scale *= 10;
                }
        }
        *ret = (double)number / (double)scale;
        return 0;
}

int procfs_decimal(const char *text, double *ret)
{
        return take_decimal(&text, ret);
}

/* The text behind `prefix` in the first line that begins with it; NULL: there is none,
 * or the line has no end (the file was cut). */
static const char *find_line(const char *text, const char *prefix)
{
        size_t length = strlen(prefix);

        for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
                if (strncmp(line, prefix, length) == 0)
                        return line + length;
        return NULL;
}

int procfs_cpu_parse(const char *text, struct procfs_cpu *ret)
{
        /* Guest time is contained in user and nice already: not counted twice. */
        enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
        uint64_t ticks[FIELDS] = {0}, total = 0;
        const char *cursor = find_line(text, "cpu ");
        size_t count = 0;

        if (!cursor)
                return -ENODATA;
        for (; count < FIELDS; count++) {
                int r = take_number(&cursor, &ticks[count]);

                if (r == -EBADMSG)
                        break;
                if (r < 0 || __builtin_add_overflow(total, ticks[count], &total))
                        return -ERANGE;
        }
        if (count <= IDLE)
                return -EBADMSG;
        if (total == 0)
                return -ENODATA;
        ret->busy_ticks = total - ticks[IDLE] - ticks[IOWAIT];
        ret->total_ticks = total;
        return 0;
}

int procfs_cpu(const struct roots *roots, struct procfs_cpu *ret)
{
        char text[PROCFS_TEXT_MAX];
        int r = roots_read(roots->proc, "stat", text, sizeof(text));

        return r < 0 ? r : procfs_cpu_parse(text, ret);
}

static int take_kibibytes(const char *text, const char *prefix, uint64_t *ret_bytes)
{
        const char *cursor = find_line(text, prefix);
        uint64_t value;
        int r;

        if (!cursor)
                return -ENODATA;
        r = take_number(&cursor, &value);
        if (r < 0)
                return r;
        if (strncmp(cursor, " kB\n", 4) != 0)
                return -EBADMSG;
        return __builtin_mul_overflow(value, 1024u, ret_bytes) ? -ERANGE : 0;
}

/* Kernels before 3.14 do not estimate it: what is free or can be dropped. */
static int estimate_available(const char *text, uint64_t *ret_bytes)
{
        static const char *const parts[] = {"MemFree:", "Buffers:", "Cached:"};
        uint64_t sum = 0;

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                uint64_t bytes;
                int r = take_kibibytes(text, parts[i], &bytes);

                if (r < 0)
                        return r;
                if (__builtin_add_overflow(sum, bytes, &sum))
                        return -ERANGE;
        }
        *ret_bytes = sum;
        return 0;
}

int procfs_memory_parse(const char *text, struct procfs_memory *ret)
{
        struct procfs_memory memory;
        int r;

        r = take_kibibytes(text, "MemTotal:", &memory.total_bytes);
        if (r < 0)
                return r;
        if (memory.total_bytes == 0)
                return -EBADMSG;
        r = take_kibibytes(text, "MemAvailable:", &memory.available_bytes);
        if (r == -ENODATA)
                r = estimate_available(text, &memory.available_bytes);
        if (r < 0)
                return r;
        if (memory.available_bytes > memory.total_bytes)
                memory.available_bytes = memory.total_bytes;
        *ret = memory;
        return 0;
}

int procfs_memory(const struct roots *roots, struct procfs_memory *ret)
{
        char text[PROCFS_TEXT_MAX];
        int r = roots_read(roots->proc, "meminfo", text, sizeof(text));

        return r < 0 ? r : procfs_memory_parse(text, ret);
}

int procfs_load_parse(const char *text, double ret[3])
{
        double load[3];

        for (size_t i = 0; i < 3; i++) {
                int r = take_decimal(&text, &load[i]);

                if (r < 0)
                        return r;
        }
        if (*text != ' ') /* running/all follows: else the file was cut */
                return -EBADMSG;
        memcpy(ret, load, sizeof(load));
        return 0;
}

int procfs_load(const struct roots *roots, double ret[3])
{
        char text[ROOTS_LINE_MAX];
        int r = roots_read(roots->proc, "loadavg", text, sizeof(text));

        return r < 0 ? r : procfs_load_parse(text, ret);
}

int procfs_uptime_parse(const char *text, double *ret_seconds)
{
        double seconds;
        int r = take_decimal(&text, &seconds);

        if (r < 0)
                return r;
        if (*text != ' ') /* the idle time follows */
                return -EBADMSG;
        *ret_seconds = seconds;
        return 0;
}

int procfs_uptime(const struct roots *roots, double *ret_seconds)
{
        char text[ROOTS_LINE_MAX];
        int r = roots_read(roots->proc, "uptime", text, sizeof(text));

        return r < 0 ? r : procfs_uptime_parse(text, ret_seconds);
}

/* "  eth0: received-bytes and 7 more, sent-bytes and 7 more" */
static int parse_interface(const char *line, size_t length, struct procfs_interface *ret)
{
        enum { RECEIVED = 0, SENT = 8, FIELDS = 16 };
        const char *name = line + strspn(line, " ");
        const char *colon = memchr(line, ':', length);
        uint64_t numbers[FIELDS];
        size_t name_length;

        if (!colon || colon <= name)
                return -EBADMSG;
        name_length = (size_t)(colon - name);
        if (name_length >= sizeof(ret->name))
                return -EBADMSG;
        line = colon + 1;
        for (size_t i = 0; i < FIELDS; i++) {
                int r = take_number(&line, &numbers[i]);

                if (r < 0)
                        return r;
        }
        memcpy(ret->name, name, name_length);
        ret->name[name_length] = '\0';
        ret->received_bytes = numbers[RECEIVED];
        ret->sent_bytes = numbers[SENT];
        return 0;
}

int procfs_network_parse(const char *text, struct procfs_interface interfaces[], size_t max)
{
        size_t count = 0;

        for (const char *end; count < max && (end = strchr(text, '\n')); text = end + 1)
                if (parse_interface(text, (size_t)(end - text), &interfaces[count]) == 0)
                        count++;
        return count > 0 ? (int)count : -ENODATA;
}

int procfs_network(const struct roots *roots, struct procfs_interface interfaces[], size_t max)
{
        char text[PROCFS_TEXT_MAX];
        int r = roots_read(roots->proc, "net/dev", text, sizeof(text));

        return r < 0 ? r : procfs_network_parse(text, interfaces, max);
}

int procfs_field(const char *text, const char *name, char *ret, size_t size)
{
        size_t name_length = strlen(name);

        for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
                const char *value = line + name_length;
                size_t length;

                if (strncmp(line, name, name_length) != 0)
                        continue;
                value += strspn(value, " \t");
                if (*value != ':')
                        continue; /* a longer name */
                value++;
                value += strspn(value, " \t");
                length = value < end ? (size_t)(end - value) : 0;
                if (length == 0)
                        return -ENODATA;
                if (length >= size)
                        return -EMSGSIZE;
                memcpy(ret, value, length);
                ret[length] = '\0';
                return 0;
        }
        return -ENODATA;
}

int procfs_disk(const char *path, struct procfs_disk *ret)
{
        struct statvfs disk;
        uint64_t used, total_bytes, used_bytes, free_bytes;

        if (statvfs(path, &disk) < 0)
                return -errno;
        if (disk.f_blocks == 0 || disk.f_bfree > disk.f_blocks)
                return -ENODATA;
        used = disk.f_blocks - disk.f_bfree;
        if (__builtin_mul_overflow(disk.f_blocks, disk.f_frsize, &total_bytes) ||
            __builtin_mul_overflow(used, disk.f_frsize, &used_bytes) ||
            __builtin_mul_overflow(disk.f_bavail, disk.f_frsize, &free_bytes))
                return -ERANGE;
        ret->total_bytes = total_bytes;
        ret->used_bytes = used_bytes;
        ret->free_bytes = free_bytes;
        return 0;
}
