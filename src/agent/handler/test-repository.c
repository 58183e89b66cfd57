#include "agent/handler/repository.h"

#include "agent/handler/repository-fixture.h"
#include "base/attributes.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

TEST(a_first_version_has_no_backup_and_the_second_backs_it_up)
{
        struct handler_committed committed;
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, CAMERA, ONE, &committed), 0);
        CHECK_TEXT(committed.path, "handlers/camera_handlers.py");
        CHECK_TEXT(committed.backup, "");
        CHECK_EQ(committed.version.seq, 1);
        CHECK(fixture_in_place(&f, CAMERA, ONE));
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, CAMERA, TWO, &committed), 0);
        CHECK_TEXT(committed.backup, BACKUP);
        CHECK(fixture_in_place(&f, CAMERA, TWO));
        CHECK(fixture_exists(&f, BACKUP));
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, CAMERA, THREE, &committed), 0);
        CHECK_TEXT(committed.backup, BACKUP_2);
        fixture_shut(&f);
        fixture_open(&f);
        CHECK_TEXT(f.report, "");
        CHECK(fixture_in_place(&f, CAMERA, THREE));
        CHECK_EQ(fixture_log_count(&f, "\"updated\""), 3);
        fixture_done(&f);
}

TEST(the_same_code_again_changes_nothing)
{
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, CAMERA, ONE, NULL), HANDLER_UNCHANGED);
        CHECK_EQ(handler_repository_disable(f.repository, CAMERA, "it crashed", &f.error), 0);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, CAMERA, ONE, NULL), 0);
        CHECK(fixture_in_place(&f, CAMERA, ONE));
        CHECK_EQ(fixture_count(&f, ".backups", ""), 0);
        fixture_done(&f);
}

TEST(an_abandoned_change_leaves_nothing_but_its_line_in_the_log)
{
        struct fixture f;
        uint64_t change, other;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, CAMERA, TWO, strlen(TWO),
                                          &fixture_origin, &change, &f.error),
                 0);
        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, CAMERA, THREE,
                                          strlen(THREE), &fixture_origin, &other, &f.error),
                 -EBUSY);
        CHECK(fixture_in_place(&f, CAMERA, ONE));
        CHECK_EQ(handler_repository_abandon(f.repository, change, "rejected", "import",
                                            "NameError: x"),
                 0);
        CHECK_EQ(handler_repository_abandon(f.repository, change, "rejected", NULL, NULL), -ENOENT);
        CHECK_EQ(handler_repository_commit(f.repository, change, NULL, &f.error), -ENOENT);
        CHECK_EQ(fixture_count(&f, "handler-store/sources", ""), 1);
        CHECK_EQ(fixture_log_count(&f, "\"layer\":\"import\",\"message\":\"NameError: x\""), 1);
        fixture_deploy(&f, CAMERA, TWO);
        fixture_done(&f);
}

TEST(a_rollback_goes_to_the_newest_good_version_else_to_the_one_before)
{
        struct handler_version target;
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, NULL, &target),
                 HANDLER_ROLLBACK_NONE);
        fixture_deploy(&f, CAMERA, ONE);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, NULL, &target),
                 HANDLER_ROLLBACK_NONE);
        fixture_deploy(&f, CAMERA, TWO);
        fixture_deploy(&f, CAMERA, THREE);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, NULL, &target), 0);
        CHECK_EQ(target.seq, 2);
        CHECK_EQ(handler_repository_mark(f.repository, CAMERA, 2, HANDLER_BAD, &f.error), 0);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, NULL, &target), 0);
        CHECK_EQ(target.seq, 1);
        CHECK_EQ(handler_repository_mark(f.repository, CAMERA, 2, HANDLER_GOOD, &f.error), 0);
        CHECK_EQ(handler_repository_mark(f.repository, CAMERA, 77, HANDLER_GOOD, &f.error),
                 -ENOENT);
        fixture_shut(&f);
        fixture_open(&f);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, NULL, &target), 0);
        CHECK_EQ(target.seq, 2);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_ROLLBACK, CAMERA, TWO, NULL), 0);
        CHECK(fixture_in_place(&f, CAMERA, TWO));
        CHECK_EQ(handler_repository_find(f.repository, CAMERA)->current.state, HANDLER_GOOD);
        CHECK_EQ(fixture_log_count(&f, "\"rolled_back\""), 1);
        fixture_done(&f);
}

TEST(a_rollback_finds_versions_by_backup_and_by_the_first_digits)
{
        struct handler_version target;
        struct fixture f;
        char digits[9];

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        fixture_deploy(&f, CAMERA, TWO);
        snprintf(digits, sizeof(digits), "%.8s",
                 handler_repository_find(f.repository, CAMERA)->earlier[0].sha256);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, digits, &target), 0);
        CHECK_EQ(target.seq, 1);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, BACKUP, &target), 0);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA,
                                                    BACKUP + strlen(".backups/"), &target),
                 0);
        snprintf(digits, sizeof(digits), "%.8s",
                 handler_repository_find(f.repository, CAMERA)->current.sha256);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, digits, &target),
                 HANDLER_ROLLBACK_IN_PLACE);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, "00000000", &target),
                 HANDLER_ROLLBACK_NONE);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, BACKUP_2, &target),
                 HANDLER_ROLLBACK_NONE);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, "0000", &target),
                 -EINVAL);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, "../x", &target),
                 -EINVAL);
        CHECK_EQ(handler_repository_rollback_target(f.repository, "../x", NULL, &target), -EINVAL);
        fixture_done(&f);
}

TEST(a_removed_module_is_backed_up_and_has_a_way_back)
{
        struct handler_committed committed;
        struct handler_version target;
        struct fixture f;
        size_t position = 0;

        fixture_init(&f);
        fixture_open(&f);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_REMOVE, CAMERA, NULL, NULL), -ENOENT);
        fixture_deploy(&f, CAMERA, ONE);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_REMOVE, CAMERA, NULL, &committed), 0);
        CHECK_TEXT(committed.backup, BACKUP);
        CHECK(fixture_in_place(&f, CAMERA, NULL));
        CHECK_NULL(handler_repository_next(f.repository, &position));
        fixture_shut(&f);
        fixture_open(&f);
        CHECK_EQ(handler_repository_rollback_target(f.repository, CAMERA, NULL, &target), 0);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_ROLLBACK, CAMERA, ONE, NULL), 0);
        CHECK(fixture_in_place(&f, CAMERA, ONE));
        CHECK_EQ(fixture_log_count(&f, "\"removed\""), 1);
        fixture_done(&f);
}

TEST(names_and_sizes_that_are_refused_touch_nothing)
{
        static const char *const names[] = {"",     ".py",   "X.py",  "a.b.py", "../a.py", "a/b.py",
                                            "a.sh", "a.pyc", "_a.py", "1.py",   "a.py\n",  "é.py"};
        static char source[HANDLER_SOURCE_MAX + 1], name[80];
        struct fixture f;
        uint64_t change;

        fixture_init(&f);
        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, names[i], "", 0,
                                                  &fixture_origin, &change, &f.error),
                         -EINVAL);
        memset(name, 'a', 64);
        memcpy(name + 64, ".py", 4);
        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, name, "", 0,
                                          &fixture_origin, &change, &f.error),
                 -EINVAL);
        memset(source, '#', sizeof(source));
        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, name + 1, source,
                                          sizeof(source), &fixture_origin, &change, &f.error),
                 -EFBIG);
        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, name + 1, source,
                                          sizeof(source) - 1, &fixture_origin, &change, &f.error),
                 0);
        CHECK_EQ(handler_repository_commit(f.repository, change, NULL, &f.error), 0);
        fixture_done(&f);
}

TEST(an_object_is_found_by_source_and_compiler_and_made_again_when_damaged)
{
        const struct handler_module *module;
        AUTO_FREE char *bytes = NULL;
        char path[160], *none = NULL;
        struct fixture f;
        size_t count;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, "fast.c", "int x;\n");
        module = handler_repository_find(f.repository, "fast.c");
        CHECK_EQ(handler_repository_object_read(f.repository, module->current.sha256, "gcc 12",
                                                &none, &count),
                 -ENOENT);
        CHECK_EQ(handler_repository_object_store(f.repository, module->current.sha256, "gcc 12",
                                                 "\177ELF", 4),
                 0);
        fixture_shut(&f);
        fixture_open(&f);
        module = handler_repository_find(f.repository, "fast.c");
        CHECK_EQ(handler_repository_object_read(f.repository, module->current.sha256, "gcc 12",
                                                &bytes, &count),
                 0);
        CHECK_EQ(count, 4);
        CHECK_TEXT(bytes, "\177ELF");
        CHECK_EQ(handler_repository_object_store(f.repository, module->current.sha256, "gcc 14",
                                                 "\177ELF2", 5),
                 0);
        CHECK_EQ(fixture_count(&f, "handler-store/objects", ""), 1);
        CHECK_EQ(handler_repository_object_read(f.repository, module->current.sha256, "gcc 12",
                                                &none, &count),
                 -ENOENT);
        {
                char digest[HANDLER_SHA256_HEX + 1];

                handler_sha256("gcc 14", 6, digest);
                snprintf(path, sizeof(path), "handler-store/objects/%s-%.16s.so",
                         module->current.sha256, digest);
        }
        fixture_write(&f, path, "\177ELF", 4);
        CHECK_EQ(handler_repository_object_read(f.repository, module->current.sha256, "gcc 14",
                                                &none, &count),
                 -ENOENT);
        CHECK(!fixture_exists(&f, path));
        CHECK_EQ(handler_repository_object_store(f.repository, "nonsense", "gcc", "x", 1), -ENOENT);
        fixture_done(&f);
}

TEST(the_update_log_is_bounded_and_survives_a_torn_line)
{
        struct handler_log_entry entry = {.origin = {"deployer", "local"},
                                          .filename = CAMERA,
                                          .what = "update_handler",
                                          .result = "rejected",
                                          .layer = "syntax"};
        static char message[600];
        struct buffer out;
        struct fixture f;
        struct stat status;

        fixture_init(&f);
        fixture_open(&f);
        memset(message, 'm', sizeof(message) - 1);
        entry.message = message;
        for (unsigned n = 0; n < 1800; n++)
                CHECK_EQ(handler_repository_log(f.repository, &entry), 0);
        CHECK_EQ(fstatat(f.state_fd, "handler-store/update.log", &status, 0), 0);
        CHECK(status.st_size <= HANDLER_LOG_BYTES_MAX);
        CHECK(fixture_exists(&f, "handler-store/update.log.1"));
        CHECK_EQ(fixture_count(&f, "handler-store", "update.log"), 2);
        CHECK_EQ(fixture_log_count(&f, "\"rejected\""), HANDLER_LOG_LIMIT_MAX);

        fixture_write(&f, "handler-store/update.log", "{\"time\":1,\"fil", 14);
        fixture_remove(&f, "handler-store/update.log.1");
        entry.filename = "other.py";
        entry.message = "the first whole one";
        CHECK_EQ(handler_repository_log(f.repository, &entry), 0);
        entry.filename = CAMERA;
        entry.message = "the second";
        CHECK_EQ(handler_repository_log(f.repository, &entry), 0);
        CHECK_EQ(fixture_log_count(&f, "\"rejected\""), 2);
        buffer_init(&out, 4096);
        CHECK_EQ(handler_repository_log_query(f.repository, "other.py", 10, &out), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK(strstr(buffer_data(&out), "the first whole one") != NULL);
        CHECK_NULL(strstr(buffer_data(&out), "the second"));
        CHECK_EQ(handler_repository_log_query(f.repository, NULL, 0, &out), -EINVAL);
        CHECK_EQ(handler_repository_log_query(f.repository, NULL, HANDLER_LOG_LIMIT_MAX + 1, &out),
                 -EINVAL);
        buffer_done(&out);
        fixture_done(&f);
}

static void count_backup(void *owner, const struct handler_backup *backup)
{
        ++*(size_t *)owner;
        CHECK(backup->version.backup[0] != '\0');
        CHECK_EQ(backup->version.size, strlen(ONE));
}

TEST(backups_are_listed_also_those_that_a_person_put_there)
{
        struct handler_version target;
        struct fixture f;
        size_t count = 0;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        fixture_deploy(&f, CAMERA, TWO);
        fixture_deploy(&f, "other.py", TWO);
        fixture_shut(&f);
        fixture_write(&f, ".backups/handlers_old.py_20240101_120000.backup", ONE, strlen(ONE));
        fixture_write(&f, ".backups/handlers_old.py_20249999.backup", ONE, strlen(ONE));
        fixture_open(&f);
        handler_repository_backups(f.repository, NULL, count_backup, &count);
        CHECK_EQ(count, 2);
        handler_repository_backups(f.repository, CAMERA, count_backup, &count);
        CHECK_EQ(count, 3);
        CHECK_EQ(handler_repository_rollback_target(f.repository, "old.py", NULL, &target), 0);
        CHECK_EQ(target.time, 1704110400);
        fixture_shut(&f);
        fixture_remove(&f, BACKUP);
        fixture_open(&f);
        CHECK(strstr(f.report, "is there again") != NULL);
        CHECK(fixture_exists(&f, BACKUP));
        fixture_done(&f);
}

TEST(without_memory_every_call_fails_cleanly_and_changes_nothing)
{
        struct fixture f;
        size_t n = 0;
        bool failed;
        int r;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        do {
                allocation_fail_at(++n);
                r = fixture_try_deploy(&f, HANDLER_UPDATE, CAMERA, TWO, NULL);
                failed = allocation_end();
                CHECK(r == 0 || (failed && r == -ENOMEM));
                if (r == 0)
                        break;
                CHECK(fixture_in_place(&f, CAMERA, ONE));
        } while (failed);
        CHECK(n > 5);
        n = 0;
        do {
                fixture_shut(&f);
                allocation_fail_at(++n);
                r = fixture_try_open(&f);
                failed = allocation_end();
                CHECK(r == 0 || (failed && r == -ENOMEM));
        } while (failed);
        CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, NULL, 0), 0);
        CHECK(fixture_in_place(&f, CAMERA, TWO));
        CHECK_NULL(handler_repository_free(NULL));
        fixture_done(&f);
}
