#include "agent/builtin/test-tree.h"

#include "agent/builtin/board.h"
#include "base/attributes.h"

#include <errno.h>

TEST(boards_are_told_apart)
{
        static const struct {
                const char *machine, *model, *serial;
                unsigned cpus;
                uint64_t frequency_hz;
                double celsius;
        } cases[] = {
                {"pi-zero", "Raspberry Pi Zero W Rev 1.1", "00000000F3A1B2C4", 1, 1000000000,
                 41.16},
                {"pi-4", "Raspberry Pi 4 Model B Rev 1.5", "10000000a1b2c3d4", 4, 1500000000,
                 48.686},
                {"pi-5", "Raspberry Pi 5 Model B Rev 1.0", "5a1b2c3d4e5f6071", 4, 2400000000,
                 52.35},
                {"pc", "ThinkCentre M710q", "", 7, 2808123000, 27.8},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct roots roots = test_machine(cases[i].machine);
                char text[ROOTS_LINE_MAX];
                uint64_t frequency_hz;
                double celsius;
                unsigned cpus;

                CHECK_EQ(board_model(&roots, text, sizeof(text)), 0);
                CHECK_TEXT(text, cases[i].model);
                board_serial(&roots, text, sizeof(text));
                CHECK_TEXT(text, cases[i].serial);
                CHECK_EQ(board_cpu_count(&roots, &cpus), 0);
                CHECK_EQ(cpus, cases[i].cpus);
                CHECK_EQ(board_cpu_frequency(&roots, &frequency_hz), 0);
                CHECK_EQ(frequency_hz, cases[i].frequency_hz);
                CHECK_EQ(board_temperature(&roots, &celsius), 0);
                CHECK(celsius == cases[i].celsius);
                roots_done(&roots);
        }
}

TEST(throttling_is_known_as_far_as_the_kernel_tells)
{
        enum { ALL = 15 };
        static const struct {
                const char *machine;
                int result;
                struct board_throttling expected;
        } cases[] = {
                {"pi-zero", 0, {BOARD_UNDER_VOLTAGE, BOARD_UNDER_VOLTAGE, BOARD_UNDER_VOLTAGE}},
                {"pi-4",
                 0,
                 {ALL, BOARD_UNDER_VOLTAGE | BOARD_THROTTLED,
                  BOARD_UNDER_VOLTAGE | BOARD_THROTTLED}},
                {"pi-5", 0, {ALL, 0, 0}},
                {"pc", -ENOENT, {77, 77, 77}},
                {"container", -ENOENT, {77, 77, 77}},
                {"hostile", -EBADMSG, {77, 77, 77}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct roots roots = test_machine(cases[i].machine);
                struct board_throttling throttling = {77, 77, 77};

                CHECK_EQ(board_throttling(&roots, &throttling), cases[i].result);
                CHECK_EQ(throttling.known, cases[i].expected.known);
                CHECK_EQ(throttling.now, cases[i].expected.now);
                CHECK_EQ(throttling.occurred, cases[i].expected.occurred);
                roots_done(&roots);
        }
}

TEST(the_throttling_word_is_hexadecimal)
{
        static const struct {
                const char *text;
                int result;
                unsigned now, occurred;
        } cases[] = {
                {"0\n", 0, 0, 0},
                {"e0008\n", 0, 8, 14},
                {"0x10001\n", 0, 1, 1},
                {"ffffffff\n", 0, 15, 15},
                {"100000000\n", -EBADMSG, 77, 77},
                {"ffffffffffffffffff\n", -EBADMSG, 77, 77},
                {"0x\n", -EBADMSG, 77, 77},
                {"-1\n", -EBADMSG, 77, 77},
                {"1 1\n", -EBADMSG, 77, 77},
        };
        struct test_tree tree;

        test_tree_init(&tree);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct board_throttling throttling = {77, 77, 77};
                struct roots roots;

                test_tree_put(&tree, "sys/devices/platform/soc/soc:firmware/get_throttled",
                              cases[i].text);
                roots = test_tree_roots(&tree);
                /* There is no hwmon either, so -ENOENT would be the answer of that. */
                CHECK_EQ(board_throttling(&roots, &throttling) < 0, cases[i].result < 0);
                CHECK_EQ(throttling.now, cases[i].now);
                CHECK_EQ(throttling.occurred, cases[i].occurred);
                roots_done(&roots);
        }
        test_tree_done(&tree);
}

TEST(conditions_have_names)
{
        CHECK_TEXT(board_throttling_name(0), "under_voltage");
        CHECK_TEXT(board_throttling_name(1), "frequency_capped");
        CHECK_TEXT(board_throttling_name(2), "throttled");
        CHECK_TEXT(board_throttling_name(3), "soft_temperature_limit");
}

TEST(processors_are_counted_in_ranges)
{
        static const struct {
                const char *text;
                int result;
                unsigned expected;
        } cases[] = {
                {"0", 0, 1},
                {"0-3", 0, 4},
                {"0-3,6,8-9", 0, 7},
                {"5-5", 0, 1},
                {"0-65535", 0, 65536},
                {"0-65536", -ERANGE, 7},
                {"0-65535,0", -ERANGE, 7},
                {"0-99999999999999999999999", -ERANGE, 7},
                {"3-0", -EBADMSG, 7},
                {"", -EBADMSG, 7},
                {"0-", -EBADMSG, 7},
                {"0,", -EBADMSG, 7},
                {"-1", -EBADMSG, 7},
                {"0 1", -EBADMSG, 7},
                {"all", -EBADMSG, 7},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                unsigned count = 7;

                CHECK_EQ(board_cpu_list_parse(cases[i].text, &count), cases[i].result);
                CHECK_EQ(count, cases[i].expected);
        }
}

TEST(serial_numbers_of_zeros_or_nonsense_are_none)
{
        static const struct {
                const char *path, *text;
                int result;
        } cases[] = {
                {"proc/device-tree/serial-number", "0000000000000000", -ENODATA},
                {"proc/device-tree/serial-number", "To be filled", -EBADMSG},
                {"proc/device-tree/serial-number", "0000000000000001", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct test_tree tree;
                struct roots roots;
                char serial[33] = "before";

                test_tree_init(&tree);
                test_tree_put(&tree, cases[i].path, cases[i].text);
                roots = test_tree_roots(&tree);
                CHECK_EQ(board_serial(&roots, serial, sizeof(serial)), cases[i].result);
                CHECK_TEXT(serial, cases[i].result < 0 ? "" : cases[i].text);
                roots_done(&roots);
                test_tree_done(&tree);
        }
}

TEST(below_zero_is_a_temperature_and_nonsense_is_none)
{
        static const struct {
                const char *text;
                int result;
                double expected;
        } cases[] = {
                {"-12500\n", 0, -12.5},    {"0\n", 0, 0},          {"-274000\n", -EBADMSG, 7},
                {"250001\n", -EBADMSG, 7}, {"hot\n", -EBADMSG, 7},
        };
        struct test_tree tree;

        test_tree_init(&tree);
        test_tree_put(&tree, "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct roots roots;
                double celsius = 7;

                test_tree_put(&tree, "sys/class/thermal/thermal_zone0/temp", cases[i].text);
                roots = test_tree_roots(&tree);
                CHECK_EQ(board_temperature(&roots, &celsius), cases[i].result);
                CHECK(celsius == cases[i].expected);
                roots_done(&roots);
        }
        test_tree_done(&tree);
}

TEST(a_board_that_tells_nothing_or_nonsense_is_unknown)
{
        static const char *const machines[] = {"container", "hostile"};

        for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
                struct roots roots = test_machine(machines[i]);
                char text[ROOTS_LINE_MAX] = "before";
                uint64_t frequency_hz = 7;
                double celsius = 7;
                unsigned cpus = 7;

                CHECK(board_model(&roots, text, sizeof(text)) < 0);
                CHECK_TEXT(text, "");
                CHECK(board_serial(&roots, text, sizeof(text)) < 0);
                CHECK_TEXT(text, "");
                CHECK(board_cpu_count(&roots, &cpus) < 0);
                CHECK_EQ(cpus, 7);
                CHECK(board_cpu_frequency(&roots, &frequency_hz) < 0);
                CHECK_EQ(frequency_hz, 7);
                CHECK(board_temperature(&roots, &celsius) < 0);
                CHECK(celsius == 7);
                roots_done(&roots);
        }
}
