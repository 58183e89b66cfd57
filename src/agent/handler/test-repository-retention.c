#include "agent/handler/repository-fixture.h"

#include <errno.h>
#include <stdio.h>

static void deploy_number(struct fixture *f, unsigned n)
{
        char source[64];

        snprintf(source, sizeof(source), "# %u\n", n);
        fixture_deploy(f, CAMERA, source);
}

TEST(backups_are_kept_to_a_number_and_an_age_and_the_last_good_one_always)
{
        const struct handler_module *module;
        struct fixture f;

        fixture_init(&f);
        f.retention.backups = 3;
        f.retention.age_days = 10;
        fixture_open(&f);
        deploy_number(&f, 1);
        CHECK_EQ(handler_repository_mark(f.repository, CAMERA, 1, HANDLER_GOOD, &f.error), 0);
        for (unsigned n = 2; n <= 8; n++)
                deploy_number(&f, n);
        module = handler_repository_find(f.repository, CAMERA);
        CHECK_EQ(module->earlier_count, 3);
        CHECK_EQ(module->earlier[0].seq, 7);
        CHECK_EQ(module->earlier[1].seq, 6);
        CHECK_EQ(module->earlier[2].seq, 1);
        CHECK_EQ(fixture_count(&f, ".backups", ""), 3);
        CHECK_EQ(fixture_count(&f, "handler-store/sources", ""), 4);
        fixture_set_now(FIXTURE_NOW + 11 * 86400);
        fixture_shut(&f);
        fixture_open(&f);
        module = handler_repository_find(f.repository, CAMERA);
        CHECK_EQ(module->earlier_count, 1);
        CHECK_EQ(module->earlier[0].seq, 1);
        fixture_done(&f);
}

TEST(a_clock_that_jumps_changes_neither_order_nor_age)
{
        const struct handler_module *module;
        struct fixture f;

        fixture_init(&f);
        f.retention.age_days = 10;
        fixture_open(&f);
        fixture_set_now(12);
        deploy_number(&f, 1);
        deploy_number(&f, 2);
        deploy_number(&f, 3);
        CHECK(fixture_exists(&f, ".backups/handlers_camera_handlers.py_19700101_000012.backup"));
        CHECK(fixture_exists(&f, ".backups/handlers_camera_handlers.py_19700101_000012_2.backup"));
        fixture_set_now(FIXTURE_NOW);
        deploy_number(&f, 4);
        fixture_set_now(INT64_C(400000000000));
        deploy_number(&f, 5);
        fixture_set_now(-5);
        deploy_number(&f, 6);
        module = handler_repository_find(f.repository, CAMERA);
        for (size_t i = 0; i < module->earlier_count; i++)
                CHECK_EQ(module->earlier[i].seq, 5 - i);
        CHECK(module->earlier_count >= 4);
        fixture_done(&f);
}

TEST(what_was_replaced_before_the_clock_was_set_has_no_age)
{
        struct fixture f;

        fixture_init(&f);
        f.retention.age_days = 1;
        fixture_set_now(12);
        fixture_open(&f);
        deploy_number(&f, 1);
        deploy_number(&f, 2);
        fixture_set_now(FIXTURE_NOW);
        deploy_number(&f, 3);
        deploy_number(&f, 4);
        CHECK_EQ(handler_repository_find(f.repository, CAMERA)->earlier_count, 3);
        /* Today's are old in ten days; that of 1970, which nobody can tell, is not. */
        fixture_set_now(FIXTURE_NOW + 10 * 86400);
        fixture_shut(&f);
        fixture_open(&f);
        CHECK_EQ(handler_repository_find(f.repository, CAMERA)->earlier_count, 1);
        CHECK_EQ(handler_repository_find(f.repository, CAMERA)->earlier[0].time, 12);
        fixture_done(&f);
}

TEST(bytes_are_bounded_the_oldest_backups_go_first)
{
        static char source[HANDLER_SOURCE_MAX + 1];
        struct fixture f;
        int r = 0;

        fixture_init(&f);
        f.retention.disk_max = 2 << 20;
        fixture_open(&f);
        memset(source, '#', HANDLER_SOURCE_MAX);
        for (unsigned n = 0; n < 12; n++) {
                source[0] = (char)('a' + n);
                fixture_deploy(&f, CAMERA, source);
        }
        CHECK(handler_repository_find(f.repository, CAMERA)->earlier_count < 4);
        CHECK(handler_repository_find(f.repository, CAMERA)->earlier_count > 0);
        for (unsigned n = 0; r == 0 && n < 12; n++) {
                char name[] = "a.py";

                name[0] = (char)('a' + n);
                r = fixture_try_deploy(&f, HANDLER_UPDATE, name, source, NULL);
        }
        CHECK_EQ(r, -EDQUOT);
        CHECK(strstr(f.error.text, "no room for") != NULL);
        fixture_done(&f);
}

TEST(modules_are_bounded_and_removed_ones_forgotten_in_time)
{
        char name[16], forgotten[HANDLER_NAME_MAX + 1];
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        for (unsigned n = 0; n < HANDLER_MODULES_MAX; n++) {
                snprintf(name, sizeof(name), "m%u.py", n);
                fixture_deploy(&f, name, ONE);
        }
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, "more.py", ONE, NULL), -EDQUOT);
        for (unsigned n = 0; n < HANDLER_MODULES_MAX + 8; n++) {
                snprintf(name, sizeof(name), "m%u.py", n);
                CHECK_EQ(fixture_try_deploy(&f, HANDLER_REMOVE, name, NULL, NULL), 0);
                snprintf(name, sizeof(name), "m%u.py", n + HANDLER_MODULES_MAX);
                fixture_deploy(&f, name, ONE);
        }
        CHECK_NULL(handler_repository_find(f.repository, "m0.py"));
        CHECK(handler_repository_find(f.repository, "m100.py") != NULL);
        for (unsigned n = 8; n-- > 0;) {
                char expected[16];

                CHECK(handler_repository_take_forgotten(f.repository, forgotten));
                snprintf(expected, sizeof(expected), "m%u.py", n);
                CHECK_TEXT(forgotten, expected);
        }
        CHECK(!handler_repository_take_forgotten(f.repository, forgotten));
        /* Forgotten, and then back: nobody is told. */
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_REMOVE, "m300.py", NULL, NULL), 0);
        fixture_deploy(&f, "m0.py", ONE);
        CHECK(handler_repository_take_forgotten(f.repository, forgotten));
        CHECK(strcmp(forgotten, "m0.py") != 0);
        fixture_done(&f);
}
