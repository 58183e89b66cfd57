/* Gathers what the kernel, the device tree and os-release(5) tell. */
#include "agent/builtin/system.h"

#include "agent/builtin/board.h"
#include "agent/builtin/fact.h"
#include "agent/builtin/procfs.h"
#include "base/attributes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>

enum { ADDRESSES_MAX = 256 };

/* The value of a shell assignment that os-release(5) allows: in double quotes with
 * backslashes, in single quotes, or bare. */
static int unquote(const char *value, const char *end, char *ret, size_t size)
{
        char quote = value < end && (*value == '"' || *value == '\'') ? *value++ : '\0';
        size_t length = 0;
        bool ended = quote == '\0';

        for (; value < end; value++) {
                if (quote && *value == quote) {
                        ended = true;
                        break;
                }
                if (quote != '\'' && *value == '\\' && value + 1 < end)
                        value++;
                if (length + 1 >= size)
                        return -EMSGSIZE;
                ret[length++] = *value;
        }
        if (!ended)
                return -EBADMSG;
        ret[length] = '\0';
        return length > 0 ? 0 : -ENODATA;
}

int system_os_name_parse(const char *text, char *ret, size_t size)
{
        static const char key[] = "PRETTY_NAME=";

        for (const char *line = text, *next; *line; line = next) {
                const char *end = strchrnul(line, '\n');
                char name[ROOTS_LINE_MAX];
                int r;

                next = *end ? end + 1 : end;
                if (strncmp(line, key, strlen(key)) != 0)
                        continue;
                r = unquote(line + strlen(key), end, name, sizeof(name));
                if (r < 0)
                        return r;
                if (strlen(name) >= size)
                        return -EMSGSIZE;
                strcpy(ret, name);
                return 0;
        }
        return -ENODATA;
}

static void write_names(const struct roots *roots, struct json_writer *writer)
{
        char text[PROCFS_TEXT_MAX], line[ROOTS_LINE_MAX];
        struct utsname names;
        int r;

        r = board_model(roots, line, sizeof(line));
        fact_write_text(writer, "model", r, line);
        r = board_serial(roots, line, sizeof(line));
        fact_write_text(writer, "serial", r, line);
        r = roots_read(roots->etc, "os-release", text, sizeof(text));
        if (r >= 0)
                r = system_os_name_parse(text, line, sizeof(line));
        fact_write_text(writer, "os", r, line);
        r = uname(&names);
        fact_write_text(writer, "kernel", r, names.release);
        fact_write_text(writer, "architecture", r, names.machine);
        fact_write_text(writer, "hostname", r, names.nodename);
}

static bool is_wanted(const struct ifaddrs *entry)
{
        return entry->ifa_addr && !(entry->ifa_flags & IFF_LOOPBACK) &&
               (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6);
}

static void write_address(const struct sockaddr *address, struct json_writer *writer)
{
        const void *bytes = address->sa_family == AF_INET
                                    ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                                    : &((const struct sockaddr_in6 *)address)->sin6_addr;
        char text[INET6_ADDRSTRLEN];

        if (inet_ntop(address->sa_family, bytes, text, sizeof(text)))
                json_write_string(writer, NULL, text);
}

/* The list holds IPv4 first and then IPv6 of all interfaces: an interface is written
 * when its first entry comes by, with all that follow of the same name. */
void system_write_addresses(const struct ifaddrs *list, struct json_writer *writer)
{
        const struct ifaddrs *entries[ADDRESSES_MAX];
        size_t count = 0;

        for (; list && count < ADDRESSES_MAX; list = list->ifa_next)
                if (is_wanted(list))
                        entries[count++] = list;
        json_write_object(writer, "addresses");
        for (size_t i = 0; i < count; i++) {
                const char *name;

                if (!entries[i])
                        continue;
                name = entries[i]->ifa_name;
                json_write_array(writer, name);
                for (size_t j = i; j < count; j++) {
                        if (!entries[j] || strcmp(entries[j]->ifa_name, name) != 0)
                                continue;
                        write_address(entries[j]->ifa_addr, writer);
                        entries[j] = NULL;
                }
                json_write_end(writer);
        }
        json_write_end(writer);
}

static void write_network(struct json_writer *writer)
{
        struct ifaddrs *list;

        if (getifaddrs(&list) < 0) {
                fact_write_missing(writer, "addresses");
                return;
        }
        system_write_addresses(list, writer);
        freeifaddrs(list);
}

static void write_processor(const struct roots *roots, struct json_writer *writer)
{
        unsigned count = 0;
        uint64_t frequency_hz = 0;
        double celsius = 0, load[3];
        int r;

        r = board_cpu_count(roots, &count);
        fact_write_count(writer, "cpu_count", r, count);
        r = board_cpu_frequency(roots, &frequency_hz);
        fact_write_count(writer, "cpu_frequency", r, frequency_hz);
        r = board_temperature(roots, &celsius);
        fact_write_number(writer, "cpu_temperature", r, celsius);
        r = procfs_load(roots, load);
        fact_write_load(writer, "load_average", r, load);
}

static void write_memory(const struct roots *roots, struct json_writer *writer)
{
        struct procfs_memory memory;

        if (procfs_memory(roots, &memory) < 0) {
                fact_write_missing(writer, "memory");
                return;
        }
        json_write_object(writer, "memory");
        fact_write_count(writer, "total", 0, memory.total_bytes);
        fact_write_count(writer, "available", 0, memory.available_bytes);
        fact_write_count(writer, "used", 0, memory.total_bytes - memory.available_bytes);
        json_write_end(writer);
}

static void write_disk(const char *path, struct json_writer *writer)
{
        struct procfs_disk disk;

        if (procfs_disk(path, &disk) < 0) {
                fact_write_missing(writer, "disk");
                return;
        }
        json_write_object(writer, "disk");
        fact_write_count(writer, "total", 0, disk.total_bytes);
        fact_write_count(writer, "used", 0, disk.used_bytes);
        fact_write_count(writer, "free", 0, disk.free_bytes);
        json_write_end(writer);
}

static void write_conditions(struct json_writer *writer, const char *key, unsigned conditions)
{
        json_write_array(writer, key);
        for (unsigned bit = 0; bit < BOARD_THROTTLING_KINDS; bit++)
                if (conditions & 1u << bit)
                        json_write_string(writer, NULL, board_throttling_name(bit));
        json_write_end(writer);
}

static void write_throttling(const struct roots *roots, struct json_writer *writer)
{
        struct board_throttling throttling;

        if (board_throttling(roots, &throttling) < 0) {
                fact_write_missing(writer, "throttling");
                return;
        }
        json_write_object(writer, "throttling");
        write_conditions(writer, "now", throttling.now);
        write_conditions(writer, "occurred", throttling.occurred);
        write_conditions(writer, "known", throttling.known);
        json_write_end(writer);
}

void system_write(const struct roots *roots, const char *disk_path, struct json_writer *writer)
{
        double uptime_s = 0;
        int r;

        write_names(roots, writer);
        write_network(writer);
        write_processor(roots, writer);
        write_memory(roots, writer);
        write_disk(disk_path, writer);
        r = procfs_uptime(roots, &uptime_s);
        fact_write_number(writer, "uptime", r, uptime_s);
        write_throttling(roots, writer);
}
