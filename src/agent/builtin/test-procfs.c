#include "agent/builtin/test-tree.h"

#include "agent/builtin/procfs.h"
#include "base/attributes.h"

#include <errno.h>

TEST(processor_time_is_busy_or_idle)
{
        static const struct {
                const char *text;
                int result;
                uint64_t busy, total;
        } cases[] = {
                {"cpu  10 20 30 40 50 60 70 80 0 0\n", 0, 270, 360},
                {"cpu  10 20 30 40 50 60 70 80 5 5 9 9\n", 0, 270, 360}, /* guest is in user */
                {"cpu  10 20 30 40\n", 0, 60, 100},                      /* before 2.6 */
                {"first\ncpu  1 1 1 1\ncpu0 9 9 9 9\n", 0, 3, 4},
                {"cpu0 1 2 3 4\n", -ENODATA, 7, 7},
                {"cpu  10 20 30 40", -ENODATA, 7, 7}, /* cut */
                {"cpu  10 20 30\n", -EBADMSG, 7, 7},
                {"cpu  a b c d\n", -EBADMSG, 7, 7},
                {"cpu  -1 2 3 4\n", -EBADMSG, 7, 7},
                {"cpu  0 0 0 0 0\n", -ENODATA, 7, 7},
                {"cpu  18446744073709551616 0 0 1\n", -ERANGE, 7, 7},
                {"cpu  18446744073709551615 1 0 1\n", -ERANGE, 7, 7},
                {"", -ENODATA, 7, 7},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct procfs_cpu cpu = {7, 7};

                CHECK_EQ(procfs_cpu_parse(cases[i].text, &cpu), cases[i].result);
                CHECK_EQ(cpu.busy_ticks, cases[i].busy);
                CHECK_EQ(cpu.total_ticks, cases[i].total);
        }
}

TEST(memory_is_total_and_available)
{
        static const struct {
                const char *text;
                int result;
                uint64_t total, available;
        } cases[] = {
                {"MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  600 kB\n", 0, 1024000, 614400},
                {"MemAvailable:  600 kB\nMemTotal:  1000 kB\n", 0, 1024000, 614400},
                {"MemTotal: 10 kB\nMemFree: 1 kB\nBuffers: 2 kB\nCached: 3 kB\n", 0, 10240, 6144},
                {"MemTotal: 10 kB\nMemAvailable: 11 kB\n", 0, 10240, 10240},
                {"MemTotal: 10 kB\n", -ENODATA, 7, 7},
                {"MemTotal: 10 kB\nMemAvailable: 1", -ENODATA, 7, 7}, /* cut */
                {"MemTotal: 10 MB\nMemAvailable: 1 kB\n", -EBADMSG, 7, 7},
                {"MemTotal: 0 kB\nMemAvailable: 0 kB\n", -EBADMSG, 7, 7},
                {"MemTotal: x kB\nMemAvailable: 0 kB\n", -EBADMSG, 7, 7},
                {"MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\n", -ERANGE, 7, 7},
                {"MemTotal: 9 kB\nMemFree: 18014398509481983 kB\nBuffers: 1 kB\nCached: 0 kB\n",
                 -ERANGE, 7, 7},
                {"MemTotal: 9 kB\nMemAvailable: 99999999999999999999 kB\n", -ERANGE, 7, 7},
                {"", -ENODATA, 7, 7},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct procfs_memory memory = {7, 7};

                CHECK_EQ(procfs_memory_parse(cases[i].text, &memory), cases[i].result);
                CHECK_EQ(memory.total_bytes, cases[i].total);
                CHECK_EQ(memory.available_bytes, cases[i].available);
        }
}

TEST(load_is_three_numbers)
{
        static const struct {
                const char *text;
                int result;
                double expected[3];
        } cases[] = {
                {"0.52 0.31 0.07 1/112 20481\n", 0, {0.52, 0.31, 0.07}},
                {"12 0.5 100.25 1/1 1\n", 0, {12, 0.5, 100.25}},
                {"0.52 0.31\n", -EBADMSG, {7, 7, 7}},
                {"0.52 0.31 0.2", -EBADMSG, {7, 7, 7}}, /* cut */
                {"nan inf 0x1p4 1/1 1\n", -EBADMSG, {7, 7, 7}},
                {"0,52 0,31 0,24 1/1 1\n", -EBADMSG, {7, 7, 7}},
                {"99999999999 0 0 1/1 1\n", -ERANGE, {7, 7, 7}},
                {"", -EBADMSG, {7, 7, 7}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                double load[3] = {7, 7, 7};

                CHECK_EQ(procfs_load_parse(cases[i].text, load), cases[i].result);
                for (size_t j = 0; j < 3; j++)
                        CHECK(load[j] == cases[i].expected[j]);
        }
}

TEST(uptime_is_the_first_number)
{
        double seconds = 7;

        CHECK_EQ(procfs_uptime_parse("86400.07 312000.55\n", &seconds), 0);
        CHECK(seconds == 86400.07);
        CHECK_EQ(procfs_uptime_parse("0.1234567891234567891 1\n", &seconds), 0);
        CHECK(seconds == 0.123456);
        seconds = 7;
        CHECK_EQ(procfs_uptime_parse("12345678", &seconds), -EBADMSG);
        CHECK_EQ(procfs_uptime_parse("-1.0 2.0\n", &seconds), -EBADMSG);
        CHECK_EQ(procfs_uptime_parse(" \n", &seconds), -EBADMSG);
        CHECK(seconds == 7);
}

TEST(interfaces_are_found_between_headings_and_noise)
{
        static const char text[] = "Inter-|   Receive  |  Transmit\n"
                                   " face |bytes    packets\n"
                                   "    lo: 11 1 0 0 0 0 0 0 12 1 0 0 0 0 0 0\n"
                                   "  eth0:5368709120 1 0 0 0 0 0 0 7340032 1 0 0 0 0 0 0\n"
                                   "broken: 1 2 3\n"
                                   ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
                                   "a-name-that-no-kernel-would-ever-let-in: 1 2 3 4 5 6 7 8 9 10 "
                                   "11 12 13 14 15 16\n"
                                   " wlan0: 21 2 3 4 5 6 7 8 22 10 11 12 13 14 15 16 17\n"
                                   "   cut: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";
        struct procfs_interface found[8];

        CHECK_EQ(procfs_network_parse(text, found, ARRAY_SIZE(found)), 3);
        CHECK_TEXT(found[0].name, "lo");
        CHECK_EQ(found[0].received_bytes, 11);
        CHECK_EQ(found[0].sent_bytes, 12);
        CHECK_TEXT(found[1].name, "eth0");
        CHECK_EQ(found[1].received_bytes, 5368709120u);
        CHECK_EQ(found[1].sent_bytes, 7340032);
        CHECK_TEXT(found[2].name, "wlan0");
        CHECK_EQ(found[2].sent_bytes, 22);
        CHECK_EQ(procfs_network_parse(text, found, 2), 2);
        CHECK_EQ(procfs_network_parse("", found, 2), -ENODATA);
        CHECK_EQ(procfs_network_parse(":::\n:\n \n\n", found, 2), -ENODATA);
}

TEST(a_field_is_found_by_its_whole_name)
{
        static const char text[] = "Serialised\t: no\nSer\nSerial\t\t: 00ff\nSerial : second\n"
                                   "empty\t:\nempty2\t: \nlong : 0123456789abcdef\n";
        char value[16] = "before";

        CHECK_EQ(procfs_field(text, "Serial", value, sizeof(value)), 0);
        CHECK_TEXT(value, "00ff");
        CHECK_EQ(procfs_field(text, "empty", value, sizeof(value)), -ENODATA);
        CHECK_EQ(procfs_field(text, "empty2", value, sizeof(value)), -ENODATA);
        CHECK_EQ(procfs_field(text, "long", value, sizeof(value)), -EMSGSIZE);
        CHECK_EQ(procfs_field(text, "Seri", value, sizeof(value)), -ENODATA);
        CHECK_EQ(procfs_field("Serial : cut", "Serial", value, sizeof(value)), -ENODATA);
        CHECK_TEXT(value, "00ff");
}

TEST(a_disk_has_room_used_and_free)
{
        struct procfs_disk disk = {7, 7, 7};

        CHECK_EQ(procfs_disk("/nonexistent", &disk), -ENOENT);
        CHECK_EQ(procfs_disk("/proc", &disk), -ENODATA);
        CHECK_EQ(disk.total_bytes, 7);
        CHECK_EQ(procfs_disk("/", &disk), 0);
        CHECK(disk.total_bytes > 0);
        CHECK(disk.used_bytes <= disk.total_bytes);
        CHECK(disk.free_bytes <= disk.total_bytes - disk.used_bytes);
}

TEST(readers_find_their_files)
{
        struct roots roots = test_machine("pi-zero");
        struct procfs_interface interfaces[4];
        struct procfs_memory memory;
        struct procfs_cpu cpu;
        double seconds;

        CHECK_EQ(procfs_cpu(&roots, &cpu), 0);
        CHECK_EQ(cpu.total_ticks, 91234 + 12 + 40321 + 1820400 + 5120 + 2210);
        CHECK_EQ(cpu.busy_ticks, 91234 + 12 + 40321 + 2210);
        CHECK_EQ(procfs_memory(&roots, &memory), 0);
        CHECK_EQ(memory.total_bytes, 440296 * 1024);
        CHECK_EQ(procfs_uptime(&roots, &seconds), 0);
        CHECK(seconds == 19592.97);
        CHECK_EQ(procfs_network(&roots, interfaces, 4), 2);
        CHECK_TEXT(interfaces[1].name, "wlan0");
        roots_done(&roots);
}

TEST(hostile_files_yield_nothing)
{
        struct roots roots = test_machine("hostile");
        struct procfs_interface interfaces[4];
        struct procfs_memory memory;
        struct procfs_cpu cpu;
        double seconds, load[3];

        CHECK_EQ(procfs_cpu(&roots, &cpu), -ERANGE);
        CHECK_EQ(procfs_memory(&roots, &memory), -ENODATA);
        CHECK_EQ(procfs_uptime(&roots, &seconds), -EBADMSG);
        CHECK_EQ(procfs_load(&roots, load), -EBADMSG);
        CHECK_EQ(procfs_network(&roots, interfaces, 4), -ENODATA);
        roots_done(&roots);
}
