#include "sandbox/options.h"
#include "sandbox/policy.h"
#include "sandbox/walls.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

TEST(shared_folders_are_those_of_the_policy)
{
        static const char *const allowed[] = {"/home/pi/recordings", "/home/pi/videos/front",
                                              "/srv/recordings", "/media/pi/stick"};
        static const char *const refused[] = {
                "/home/pi",    "/home/pi/.ssh", "/home/pi/.config/x", "/home/pi/a/.b",
                "/etc/cron.d", "/root/x",       "/home/pi/a/b/c",     "/usr/local/bin"};
        struct policy policy;

        policy_init(&policy);
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
                CHECK(policy_allows_shared(&policy, allowed[i]));
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
                CHECK(!policy_allows_shared(&policy, refused[i]));
        CHECK_EQ(policy_add(&policy.shared, "/usr/local/bin"), 0);
        CHECK(policy_allows_shared(&policy, "/usr/local/bin"));
}

static int expand(struct policy *policy, const char *pattern, size_t *ret_count)
{
        const char *const patterns[] = {pattern, NULL};
        struct policy_devices devices;
        const char *which;
        int r = policy_expand_devices(policy, patterns, &devices, &which);

        *ret_count = devices.count;
        policy_devices_done(&devices);
        return r;
}

TEST(devices_are_those_of_the_policy_and_never_lines_or_memory)
{
        struct policy policy;
        size_t count;

        policy_init(&policy);
        CHECK_EQ(expand(&policy, "/dev/pifleet-is-not-here*", &count), 0);
        CHECK_EQ(count, 0);
        CHECK_EQ(expand(&policy, "/dev/null", &count), -EACCES);
        CHECK_EQ(policy_add(&policy.devices, "/dev/*"), 0);
        CHECK_EQ(expand(&policy, "/dev/null", &count), 0);
        CHECK_EQ(count, 1);
        if (access("/dev/mem", F_OK) == 0)
                CHECK_EQ(expand(&policy, "/dev/mem", &count), -EACCES);
}

TEST(groups_are_those_of_the_policy)
{
        static const char *const missing[] = {"video", "i2c", NULL}, *const refused[] = {"sudo",
                                                                                         NULL};
        struct policy policy;
        const char *which;
        size_t count = 0;
        gid_t gids[4];

        policy_init(&policy);
        CHECK_EQ(policy_resolve_groups(&policy, missing, gids, 4, &count, &which), 0);
        CHECK(count <= 2);
        CHECK_EQ(policy_resolve_groups(&policy, refused, gids, 4, &count, &which), -EACCES);
        CHECK_TEXT(which, "sudo");
        CHECK_EQ(policy_add(&policy.groups, "root"), 0);
        static const char *const root[] = {"root", NULL};
        CHECK_EQ(policy_resolve_groups(&policy, root, gids, 4, &count, &which), -EACCES);
}

TEST(a_list_has_an_end)
{
        struct policy_list list = {.count = 0};

        for (unsigned i = 0; i < POLICY_ENTRIES_MAX; i++)
                CHECK_EQ(policy_add(&list, "/x"), 0);
        CHECK_EQ(policy_add(&list, "/x"), -E2BIG);
        CHECK_NULL(list.entries[POLICY_ENTRIES_MAX]);
}

static int parse(struct spawner_options *options, const char *first, const char *second)
{
        char *argv[] = {(char *)"pifleet-spawner", (char *)first, (char *)second, NULL};
        struct error error;

        return spawner_options_parse(options, second ? 3 : 2, argv, &error);
}

TEST(options_that_make_no_sense_are_refused)
{
        static const char *const wrong[][2] = {
                {"--uids", "0-10"},
                {"--uids", "100-200"},
                {"--uids", "5000"},
                {"--uids", "5000-4000"},
                {"--uids", "-1-5"},
                {"--uids", "1000-4294967295"},
                {"--uids", "1000-200000"},
                {"--hide", "relative"},
                {"--hide", "/a/../b"},
                {"--without", "everything"},
                {"--without", "uid"},
                {"--without", "no_new_privs"},
                {"--without", "capabilities"},
                {"--allow-device", "x"},
                {"--bogus", "1"},
                {"stray", NULL},
                {"--hide", NULL},
        };
        struct spawner_options options;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                if (parse(&options, wrong[i][0], wrong[i][1]) != -EINVAL)
                        FAIL("%s %s was taken", wrong[i][0], wrong[i][1]);
        CHECK_EQ(parse(&options, "--uids", "70000-70009"), 0);
        CHECK_EQ(options.first_uid, 70000);
        CHECK_EQ(options.last_uid, 70009);
        CHECK_EQ(parse(&options, "--without", "landlock"), 0);
        CHECK_EQ(options.without, 1U << SANDBOX_WALL_LANDLOCK);
}

TEST(walls_and_steps_have_names)
{
        char text[512];

        for (unsigned i = 0; i < SANDBOX_WALLS; i++)
                CHECK_EQ(walls_find(sandbox_wall_name((enum sandbox_wall)i)), i);
        CHECK_NULL(sandbox_wall_name(SANDBOX_WALLS));
        for (unsigned i = 0; i < SANDBOX_STEPS; i++)
                CHECK(strcmp(sandbox_step_name((enum sandbox_step)i), "?") != 0);
        CHECK_TEXT(sandbox_step_name(SANDBOX_STEPS), "?");
        walls_print(1U << SANDBOX_WALL_UID | 1U << SANDBOX_WALL_SECCOMP, text, sizeof(text));
        CHECK_TEXT(text, "seccomp uid");
        walls_print(~0U, text, 8);
        CHECK_EQ(strlen(text), 7);
}

TEST(without_memory_no_device_is_granted)
{
        static const char *const patterns[] = {"/dev/null", "/dev/zero", NULL};
        struct policy_devices devices;
        struct policy policy;
        const char *which;
        size_t n = 0;
        bool failed;
        int r;

        policy_init(&policy);
        CHECK_EQ(policy_add(&policy.devices, "/dev/null"), 0);
        CHECK_EQ(policy_add(&policy.devices, "/dev/zero"), 0);
        do {
                allocation_fail_at(++n);
                r = policy_expand_devices(&policy, patterns, &devices, &which);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(!failed || devices.count < 2);
                policy_devices_done(&devices);
        } while (failed);
        CHECK_EQ(n, 3);
}
