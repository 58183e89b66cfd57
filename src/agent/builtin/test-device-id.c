#include "agent/builtin/test-tree.h"

#include "agent/builtin/device-id.h"
#include "base/attributes.h"

#include <errno.h>

TEST(each_machine_has_the_best_id_it_can_have)
{
        static const struct {
                const char *machine, *id;
                enum device_id_source source;
        } cases[] = {
                {"pi-zero", "pi-00000000f3a1b2c4", DEVICE_ID_SERIAL},
                {"pi-4", "pi-10000000a1b2c3d4", DEVICE_ID_SERIAL},
                {"pi-5", "pi-5a1b2c3d4e5f6071", DEVICE_ID_SERIAL},
                /* not docker0, which is no hardware, nor enx..., which comes later */
                {"pc", "mac-6c4b90123456", DEVICE_ID_MAC},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct roots roots = test_machine(cases[i].machine);
                enum device_id_source source = DEVICE_ID_HOSTNAME;
                char id[DEVICE_ID_SIZE];

                CHECK_EQ(device_id_read(&roots, "raspberrypi", id, &source), 0);
                CHECK_TEXT(id, cases[i].id);
                CHECK_EQ(source, cases[i].source);
                roots_done(&roots);
        }
}

/* What follows the prefix of a hashed id. */
static void check_is_hash(const char *id, const char *prefix)
{
        CHECK_EQ(strncmp(id, prefix, strlen(prefix)), 0);
        CHECK_EQ(strlen(id), strlen(prefix) + 16);
        CHECK_EQ(strspn(id + strlen(prefix), "0123456789abcdef"), 16);
}

TEST(a_machine_id_is_hashed_and_the_same_each_time)
{
        static const char machine_id[] = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
        struct test_tree tree;
        struct roots roots;
        enum device_id_source source;
        char first[DEVICE_ID_SIZE], second[DEVICE_ID_SIZE];

        test_tree_init(&tree);
        test_tree_put(&tree, "etc/machine-id", machine_id);
        roots = test_tree_roots(&tree);
        CHECK_EQ(device_id_read(&roots, "one", first, &source), 0);
        CHECK_EQ(source, DEVICE_ID_MACHINE);
        check_is_hash(first, "machine-");
        CHECK_EQ(device_id_read(&roots, "two", second, &source), 0);
        CHECK_TEXT(second, first);
        /* Fleets know machines by it: it must never change between versions. */
        CHECK_TEXT(first, "machine-4d45d4caefa08e36");
        for (size_t i = 0; i + 8 <= strlen(machine_id); i++) {
                char part[9];

                memcpy(part, machine_id + i, 8);
                part[8] = '\0';
                CHECK_NULL(strstr(first, part));
        }
        roots_done(&roots);
        test_tree_done(&tree);
}

TEST(with_nothing_to_go_by_the_host_name_is_hashed)
{
        static const char *const machines[] = {"container", "hostile"};

        for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
                struct roots roots = test_machine(machines[i]);
                enum device_id_source source;
                char id[DEVICE_ID_SIZE], other[DEVICE_ID_SIZE];

                CHECK_EQ(device_id_read(&roots, "3f2a9c81b2d4", id, &source), 0);
                CHECK_EQ(source, DEVICE_ID_HOSTNAME);
                check_is_hash(id, "host-");
                CHECK_TEXT(id, "host-e4945cfeafeb8b3d");
                CHECK_EQ(device_id_read(&roots, "", other, &source), 0);
                check_is_hash(other, "host-");
                CHECK(strcmp(id, other) != 0);
                roots_done(&roots);
        }
}

TEST(machine_ids_that_are_none_are_passed_over)
{
        static const char *const contents[] = {
                "uninitialized\n",
                "",
                "00000000000000000000000000000000\n",
                "9f8e7d6c5b4a39281706f5e4d3c2b1a\n",
                "9F8E7D6C5B4A39281706F5E4D3C2B1A0\n",
                "9f8e7d6c5b4a39281706f5e4d3c2b1a0 9f8e7d6c5b4a39281706f5e4d3c2b1a0\n",
        };
        struct test_tree tree;

        test_tree_init(&tree);
        for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
                struct roots roots;
                enum device_id_source source;
                char id[DEVICE_ID_SIZE];

                test_tree_put(&tree, "etc/machine-id", contents[i]);
                roots = test_tree_roots(&tree);
                CHECK_EQ(device_id_read(&roots, "host", id, &source), 0);
                CHECK_EQ(source, DEVICE_ID_HOSTNAME);
                roots_done(&roots);
        }
        test_tree_done(&tree);
}

TEST(only_addresses_that_hardware_keeps_count)
{
        static const struct {
                const char *address, *assigned;
                bool device, counts;
        } cases[] = {
                {"dc:a6:32:a1:b2:c3\n", "0\n", true, true},
                {"dc:a6:32:a1:b2:c3\n", NULL, true, true},
                {"dc:a6:32:a1:b2:c3\n", "0\n", false, false}, /* a bridge, a tunnel */
                {"dc:a6:32:a1:b2:c3\n", "1\n", true, false},  /* drawn at random */
                {"dc:a6:32:a1:b2:c3\n", "3\n", true, false},  /* set by somebody */
                {"52:54:00:12:34:56\n", "0\n", true, false},  /* a virtual machine's */
                {"00:00:00:00:00:00\n", "0\n", true, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct test_tree tree;
                struct roots roots;
                enum device_id_source source;
                char id[DEVICE_ID_SIZE];

                test_tree_init(&tree);
                test_tree_put(&tree, "sys/class/net/eth0/address", cases[i].address);
                if (cases[i].assigned)
                        test_tree_put(&tree, "sys/class/net/eth0/addr_assign_type",
                                      cases[i].assigned);
                if (cases[i].device)
                        test_tree_put(&tree, "sys/class/net/eth0/device/uevent", "");
                roots = test_tree_roots(&tree);
                CHECK_EQ(device_id_read(&roots, "host", id, &source), 0);
                CHECK_EQ(source == DEVICE_ID_MAC, cases[i].counts);
                if (cases[i].counts)
                        CHECK_TEXT(id, "mac-dca632a1b2c3");
                roots_done(&roots);
                test_tree_done(&tree);
        }
}

TEST(hardware_addresses_have_one_form)
{
        static const struct {
                const char *text, *expected; /* NULL: refused */
        } cases[] = {
                {"dc:a6:32:a1:b2:c3", "dca632a1b2c3"},
                {"DC:A6:32:A1:B2:C3", "dca632a1b2c3"},
                {"ff:ff:ff:ff:ff:ff", NULL}, /* everybody's */
                {"01:00:5e:00:00:01", NULL}, /* a group's */
                {"02:42:ac:11:00:02", NULL}, /* locally administered */
                {"00:00:00:00:00:00", NULL},
                {"dc:a6:32:a1:b2", NULL},
                {"dc:a6:32:a1:b2:c", NULL},
                {"dc:a6:32:a1:b2:c3:d4", NULL},
                {"dc-a6-32-a1-b2-c3", NULL},
                {"dc:a6:32:a1:b2:g3", NULL},
                {"", NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char mac[13] = "before";

                CHECK_EQ(device_id_mac_parse(cases[i].text, mac), cases[i].expected ? 0 : -EBADMSG);
                CHECK_TEXT(mac, cases[i].expected ? cases[i].expected : "before");
        }
}

TEST(short_serial_numbers_are_not_unique_enough)
{
        struct test_tree tree;
        struct roots roots;
        enum device_id_source source;
        char id[DEVICE_ID_SIZE];

        test_tree_init(&tree);
        test_tree_put(&tree, "proc/device-tree/serial-number", "1234");
        roots = test_tree_roots(&tree);
        CHECK_EQ(device_id_read(&roots, "host", id, &source), 0);
        CHECK_EQ(source, DEVICE_ID_HOSTNAME);
        roots_done(&roots);
        test_tree_done(&tree);
}
