#include "agent/handler/repository-fixture.h"

#include <stdio.h>

TEST(what_a_kill_left_between_stage_and_commit_is_forgotten)
{
        struct fixture f;
        uint64_t change;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, CAMERA, TWO, strlen(TWO),
                                          &fixture_origin, &change, &f.error),
                 0);
        fixture_shut(&f);
        fixture_open(&f);
        CHECK(strstr(f.report, "interrupted before the switch") != NULL);
        CHECK(fixture_in_place(&f, CAMERA, ONE));
        CHECK_EQ(fixture_count(&f, "handler-store/sources", ""), 1);
        CHECK_EQ(fixture_log_count(&f, "\"interrupted\""), 1);
        fixture_shut(&f);
        fixture_open(&f);
        CHECK_TEXT(f.report, "");
        CHECK_EQ(fixture_log_count(&f, "\"interrupted\""), 1);
        fixture_done(&f);
}

TEST(a_missing_or_damaged_source_is_taken_from_where_it_still_is)
{
        static const char *const copies[] = {"handlers/" CAMERA, NULL};
        char path[128];
        struct fixture f;

        for (size_t damaged = 0; damaged < 2; damaged++) {
                fixture_init(&f);
                fixture_open(&f);
                fixture_deploy(&f, CAMERA, ONE);
                snprintf(path, sizeof(path), "handler-store/sources/%s.py",
                         handler_repository_find(f.repository, CAMERA)->current.sha256);
                fixture_shut(&f);
                if (damaged)
                        fixture_write(&f, path, "nonsense", 8);
                else
                        fixture_remove(&f, path);
                CHECK(fixture_exists(&f, copies[0]));
                fixture_open(&f);
                CHECK(fixture_in_place(&f, CAMERA, ONE));
                CHECK(fixture_exists(&f, path));
                fixture_done(&f);
        }
}

TEST(without_any_copy_the_last_good_version_serves_else_the_module_is_disabled)
{
        char path[128];
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        CHECK_EQ(handler_repository_mark(f.repository, CAMERA, 1, HANDLER_GOOD, &f.error), 0);
        fixture_deploy(&f, CAMERA, TWO);
        fixture_deploy(&f, CAMERA, THREE);
        fixture_deploy(&f, "other.py", ONE);
        snprintf(path, sizeof(path), "handler-store/sources/%s.py",
                 handler_repository_find(f.repository, CAMERA)->current.sha256);
        fixture_shut(&f);
        fixture_remove(&f, path);
        fixture_remove(&f, "handlers/" CAMERA);
        fixture_open(&f);
        CHECK(strstr(f.report, "an earlier version is in place") != NULL);
        CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, NULL, 0), 0);
        CHECK(fixture_in_place(&f, CAMERA, ONE));
        CHECK_EQ(fixture_log_count(&f, "\"restored\""), 1);
        fixture_done(&f);

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        fixture_shut(&f);
        fixture_remove(&f, path[0] ? "handlers/" CAMERA : "");
        CHECK_EQ(fixture_count(&f, "handler-store/sources", ""), 1);
        fixture_open(&f);
        snprintf(path, sizeof(path), "handler-store/sources/%s.py",
                 handler_repository_find(f.repository, CAMERA)->current.sha256);
        fixture_shut(&f);
        fixture_remove(&f, path);
        fixture_open(&f);
        CHECK(handler_repository_find(f.repository, CAMERA)->disabled[0] != '\0');
        fixture_deploy(&f, CAMERA, TWO);
        CHECK(fixture_in_place(&f, CAMERA, TWO));
        fixture_done(&f);
}

TEST(a_lost_table_leaves_backups_as_ways_back_and_files_as_candidates)
{
        struct handler_candidate candidate;
        struct handler_version target;
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        fixture_deploy(&f, CAMERA, TWO);
        fixture_shut(&f);
        fixture_write(&f, "handler-store/active.json", "", 0);
        fixture_write(&f, "handler-store/active.json.prev", "\0\0\0\0", 4);
        fixture_open(&f);
        CHECK(strstr(f.report, "checked anew") != NULL);
        CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, &candidate, 1), 1);
        CHECK_TEXT(candidate.filename, CAMERA);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, NULL, &target), 0);
        fixture_deploy(&f, CAMERA, TWO);
        CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, &candidate, 1), 0);
        CHECK(fixture_in_place(&f, CAMERA, TWO));
        fixture_done(&f);
}

TEST(a_later_format_is_kept_aside)
{
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        fixture_shut(&f);
        /* As a later release may write it: the sum is right. */
        fixture_write(&f, "handler-store/active.json",
                      "{\"format\":2,\"gen\":1,\"seq\":1,\"crc\":\"97a0d4e2\"}\n", 46);
        fixture_open(&f);
        CHECK(fixture_exists(&f, "handler-store/active.json.unknown"));
        fixture_deploy(&f, CAMERA, ONE);
        fixture_done(&f);
}
