#include "agent/builtin/test-tree.h"

#include "agent/builtin/system.h"
#include "base/attributes.h"
#include "data/json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/utsname.h>

static cJSON *read_system(const char *machine, const char *disk_path)
{
        struct roots roots = test_machine(machine);
        struct buffer out;
        struct json_writer writer;
        cJSON *tree = NULL;

        buffer_init(&out, 65536);
        json_writer_init(&writer, &out);
        json_write_object(&writer, NULL);
        system_write(&roots, disk_path, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        CHECK_EQ(json_parse(buffer_data(&out), buffer_length(&out), JSON_DEPTH_MAX, &tree, NULL),
                 0);
        buffer_done(&out);
        roots_done(&roots);
        return tree;
}

/* One member as compact JSON. */
static void check_member(const cJSON *tree, const char *name, const char *expected)
{
        const cJSON *member = json_get(tree, name);
        char *text;

        CHECK(member != NULL);
        text = cJSON_PrintUnformatted(member);
        CHECK(text != NULL);
        CHECK_TEXT(text, expected);
        free(text);
}

TEST(machines_are_described)
{
        static const struct {
                const char *machine, *member, *expected;
        } cases[] = {
                {"pi-zero", "model", "\"Raspberry Pi Zero W Rev 1.1\""},
                {"pi-zero", "serial", "\"00000000F3A1B2C4\""},
                {"pi-zero", "os", "\"Raspbian GNU/Linux 12 (bookworm)\""},
                {"pi-zero", "cpu_count", "1"},
                {"pi-zero", "cpu_frequency", "1000000000"},
                {"pi-zero", "cpu_temperature", "41.16"},
                {"pi-zero", "load_average", "[0.52,0.31,0.24]"},
                {"pi-zero", "memory",
                 "{\"total\":450863104,\"available\":288268288,\"used\":162594816}"},
                {"pi-zero", "uptime", "19592.97"},
                {"pi-zero", "throttling",
                 "{\"now\":[\"under_voltage\"],\"occurred\":[\"under_voltage\"],"
                 "\"known\":[\"under_voltage\"]}"},
                {"pi-4", "throttling",
                 "{\"now\":[\"under_voltage\",\"throttled\"],"
                 "\"occurred\":[\"under_voltage\",\"throttled\"],\"known\":[\"under_voltage\","
                 "\"frequency_capped\",\"throttled\",\"soft_temperature_limit\"]}"},
                {"pi-5", "os", "\"Debian GNU/Linux 13 (trixie)\""},
                {"pi-5", "cpu_temperature", "52.35"},
                {"pc", "model", "\"ThinkCentre M710q\""},
                {"pc", "serial", "\"N/A\""},
                {"pc", "os", "\"Debian\""},
                {"pc", "cpu_count", "7"},
                {"pc", "memory", "\"N/A\""},
                {"pc", "throttling", "\"N/A\""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO_JSON cJSON *tree = read_system(cases[i].machine, "/");

                check_member(tree, cases[i].member, cases[i].expected);
        }
}

TEST(all_members_stand_there_whatever_can_be_read)
{
        static const char *const machines[] = {"pi-4", "container", "hostile"};
        static const char *const members[] = {
                "model",        "serial",    "os",        "kernel",        "architecture",
                "hostname",     "addresses", "cpu_count", "cpu_frequency", "cpu_temperature",
                "load_average", "memory",    "disk",      "uptime",        "throttling",
        };

        for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
                AUTO_JSON cJSON *tree = read_system(machines[i], "/");

                CHECK_EQ(cJSON_GetArraySize(tree), ARRAY_SIZE(members));
                for (size_t j = 0; j < ARRAY_SIZE(members); j++)
                        CHECK(json_get(tree, members[j]) != NULL);
        }
}

TEST(what_cannot_be_read_is_not_available)
{
        static const char *const machines[] = {"container", "hostile"};
        static const char *const members[] = {
                "model",  "serial", "os",     "cpu_count",  "cpu_frequency", "cpu_temperature",
                "memory", "disk",   "uptime", "throttling", "load_average",
        };

        for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
                AUTO_JSON cJSON *tree = read_system(machines[i], "/nonexistent");

                for (size_t j = 0; j < ARRAY_SIZE(members); j++)
                        check_member(tree, members[j], "\"N/A\"");
        }
}

TEST(names_come_from_the_kernel)
{
        AUTO_JSON cJSON *tree = read_system("pi-4", "/");
        struct utsname names;

        CHECK_EQ(uname(&names), 0);
        CHECK_TEXT(json_get_string(tree, "kernel"), names.release);
        CHECK_TEXT(json_get_string(tree, "architecture"), names.machine);
        CHECK_TEXT(json_get_string(tree, "hostname"), names.nodename);
}

TEST(a_disk_adds_up)
{
        AUTO_JSON cJSON *tree = read_system("pi-4", "/");
        const cJSON *disk = json_get(tree, "disk");
        int64_t total, used, available;

        CHECK(json_get_integer(disk, "total", &total));
        CHECK(json_get_integer(disk, "used", &used));
        CHECK(json_get_integer(disk, "free", &available));
        CHECK(total > 0 && used >= 0 && available >= 0);
        CHECK(used + available <= total);
}

/* An entry of getifaddrs(3) that needs no interface. */
struct entry {
        struct ifaddrs link;
        struct sockaddr_storage address;
};

static struct ifaddrs *entry_fill(struct entry *entry, struct ifaddrs *next, const char *name,
                                  int family, const char *address, unsigned flags)
{
        memset(entry, 0, sizeof(*entry));
        entry->link.ifa_next = next;
        entry->link.ifa_name = (char *)name;
        entry->link.ifa_flags = flags;
        entry->link.ifa_addr = (struct sockaddr *)&entry->address;
        entry->address.ss_family = (sa_family_t)family;
        if (family == AF_INET)
                CHECK_EQ(inet_pton(AF_INET, address,
                                   &((struct sockaddr_in *)&entry->address)->sin_addr),
                         1);
        if (family == AF_INET6)
                CHECK_EQ(inet_pton(AF_INET6, address,
                                   &((struct sockaddr_in6 *)&entry->address)->sin6_addr),
                         1);
        return &entry->link;
}

static void check_addresses(const struct ifaddrs *list, const char *expected)
{
        struct buffer out;
        struct json_writer writer;

        buffer_init(&out, 65536);
        json_writer_init(&writer, &out);
        json_write_object(&writer, NULL);
        system_write_addresses(list, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), expected);
        buffer_done(&out);
}

TEST(addresses_are_gathered_by_interface)
{
        struct entry entries[8];
        struct ifaddrs *list = NULL;

        check_addresses(NULL, "{\"addresses\":{}}");
        list = entry_fill(&entries[7], list, "eth0", AF_INET6, "2001:db8::5", IFF_UP);
        list = entry_fill(&entries[6], list, "wlan0", AF_INET6, "fe80::1", IFF_UP);
        list = entry_fill(&entries[5], list, "lo", AF_INET6, "::1", IFF_UP | IFF_LOOPBACK);
        list = entry_fill(&entries[4], list, "eth0", AF_INET, "10.0.0.7", IFF_UP);
        list = entry_fill(&entries[3], list, "eth0", AF_INET, "192.168.1.5", IFF_UP);
        list = entry_fill(&entries[2], list, "lo", AF_INET, "127.0.0.1", IFF_UP | IFF_LOOPBACK);
        list = entry_fill(&entries[1], list, "eth0", AF_PACKET, NULL, IFF_UP);
        list = entry_fill(&entries[0], list, "tun0", AF_INET, "10.8.0.2", IFF_UP);
        check_addresses(list, "{\"addresses\":{\"tun0\":[\"10.8.0.2\"],"
                              "\"eth0\":[\"192.168.1.5\",\"10.0.0.7\",\"2001:db8::5\"],"
                              "\"wlan0\":[\"fe80::1\"]}}");
        entries[0].link.ifa_addr = NULL; /* an interface without any address */
        check_addresses(list, "{\"addresses\":{\"eth0\":[\"192.168.1.5\",\"10.0.0.7\","
                              "\"2001:db8::5\"],\"wlan0\":[\"fe80::1\"]}}");
}

TEST(an_endless_list_of_addresses_is_cut)
{
        enum { MANY = 1000 };
        static struct entry entries[MANY];
        struct ifaddrs *list = NULL;
        struct buffer out;
        struct json_writer writer;
        AUTO_JSON cJSON *tree = NULL;

        for (int i = 0; i < MANY; i++)
                list = entry_fill(&entries[i], list, "eth0", AF_INET, "10.0.0.1", IFF_UP);
        buffer_init(&out, 65536);
        json_writer_init(&writer, &out);
        json_write_object(&writer, NULL);
        system_write_addresses(list, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        CHECK_EQ(json_parse(buffer_data(&out), buffer_length(&out), 8, &tree, NULL), 0);
        CHECK_EQ(cJSON_GetArraySize(json_get(json_get(tree, "addresses"), "eth0")), 256);
        buffer_done(&out);
}

TEST(the_name_of_the_os_is_unquoted)
{
        static const struct {
                const char *text;
                int result;
                const char *expected;
        } cases[] = {
                {"ID=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", 0, "Debian GNU/Linux 12"},
                {"PRETTY_NAME='single \\ quotes'\n", 0, "single \\ quotes"},
                {"PRETTY_NAME=bare\n", 0, "bare"},
                {"PRETTY_NAME=without-newline", 0, "without-newline"},
                {"PRETTY_NAME=\"a \\\"b\\\" \\$c \\\\\"\n", 0, "a \"b\" $c \\"},
                {"#PRETTY_NAME=\"comment\"\nPRETTY_NAME=x\n", 0, "x"},
                {"PRETTY_NAME=\n", -ENODATA, "before"},
                {"PRETTY_NAME=\"\"\n", -ENODATA, "before"},
                {"NAME=x\n", -ENODATA, "before"},
                {"", -ENODATA, "before"},
                {"PRETTY_NAME=\"never ends\nID=x\"\n", -EBADMSG, "before"},
                {"PRETTY_NAME=\"ends in a backslash\\", -EBADMSG, "before"},
                {"PRETTY_NAME=01234567890123456789012345678901\n", -EMSGSIZE, "before"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char name[32] = "before";

                CHECK_EQ(system_os_name_parse(cases[i].text, name, sizeof(name)), cases[i].result);
                CHECK_TEXT(name, cases[i].expected);
        }
}
