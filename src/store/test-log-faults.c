/* Every call to the disk is the one that fails, or the last before a kill. What was promised is
 * there afterwards, what is there is a state that there was, and the log goes on when the disk
 * does. All points in `./dev test-long`, a sample of them otherwise. */
#include "base/attributes.h"
#include "store/log-life.h"
#include "support/disk-faults.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POINTS_MAX = 2000, LONG_AFTER_MS = 60000 };

static size_t step(void)
{
        return fixture_is_long() ? 1 : 3;
}

TEST(a_kill_before_any_call_leaves_all_that_was_promised)
{
        bool killed = true;
        size_t points = 0;

        for (size_t at = 1; killed; at += step()) {
                struct log_fixture *f = life_new();
                char where[64];
                int status;
                pid_t pid;

                snprintf(where, sizeof(where), "killed before call %zu", at);
                pid = fork();
                CHECK(pid >= 0);
                if (pid == 0) {
                        disk_kill_at(at);
                        CHECK_EQ(fixture_open(f), 0);
                        life_run(f);
                        fixture_close(f);
                        _exit(0);
                }
                CHECK_EQ(waitpid(pid, &status, 0), pid);
                CHECK(WIFEXITED(status));
                killed = WEXITSTATUS(status) == DISK_KILLED;
                CHECK(killed || WEXITSTATUS(status) == 0);
                /* The loop is the child's. */
                f->log = NULL;
                fixture_check(f, f->path, f->promised, where);
                CHECK_EQ(fixture_open(f), 0);
                CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
                fixture_settle(f);
                fixture_close(f);
                fixture_check(f, f->path, f->promised, where);
                life_free(f);
                CHECK(++points < POINTS_MAX);
        }
        CHECK(points > 100 / step());
}

/* True: the call was reached. */
static bool fail_once(size_t at, int error, bool lasting, bool to_the_end)
{
        struct log_fixture *f = life_new();
        char where[96];
        bool reached;

        snprintf(where, sizeof(where), "call %zu%s%s: %s", at, lasting ? " and all after it" : "",
                 to_the_end ? " to the end" : "", strerror(error));
        CHECK_EQ(fixture_open(f), 0);
        disk_fail_at(at, error, lasting);
        life_run(f);
        if (to_the_end) {
                fixture_close(f);
                reached = disk_end();
                fixture_check(f, f->path, f->promised, where);
                CHECK_EQ(fixture_open(f), 0);
        } else {
                reached = disk_end();
                fixture_pass(f, LONG_AFTER_MS);
        }
        /* The disk is well again, and so is the log. */
        CHECK_EQ(f->trouble, 0);
        CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
        fixture_pass(f, LONG_AFTER_MS);
        if (f->promised != f->log->appended || f->trouble != 0)
                FAIL("%s: does not go on", where);
        fixture_close(f);
        fixture_check(f, f->path, f->promised, where);
        life_free(f);
        return reached;
}

static void fail_everywhere(bool lasting, bool to_the_end)
{
        static const int errors[] = {ENOSPC, EIO, EROFS};
        size_t points = 0;

        for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
                for (size_t at = 1 + i; fail_once(at, errors[i], lasting, to_the_end); at += step())
                        CHECK(++points < POINTS_MAX);
        CHECK(points > 200 / step());
}

TEST(any_call_that_fails_costs_nothing_that_was_promised)
{
        fail_everywhere(false, false);
}

TEST(a_disk_that_fails_for_a_while_is_waited_for)
{
        fail_everywhere(true, false);
}

TEST(a_disk_that_fails_to_the_end_keeps_what_was_promised)
{
        fail_everywhere(true, true);
}

TEST(a_full_disk_is_told_and_the_buffer_bounds_what_waits)
{
        struct log_fixture *f = life_new();
        unsigned taken = 0;
        int r;

        CHECK_EQ(fixture_open(f), 0);
        CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
        fixture_settle(f);
        CHECK_EQ(f->promised, 1);
        disk_fail_at(1, ENOSPC, true);
        while ((r = fixture_change(f, STORE_FSYNC)) == 0) {
                taken++;
                fixture_settle(f);
        }
        CHECK(disk_end());
        CHECK_EQ(r, -ENOSPC);
        CHECK_EQ(f->trouble, -ENOSPC);
        CHECK_EQ(f->troubles, 1);
        CHECK(taken > f->options.buffer_bytes / (PADDING + 18));
        CHECK_EQ(f->promised, 1);
        fixture_pass(f, 500);
        CHECK_EQ(f->trouble, 0);
        CHECK_EQ(f->promised, taken + 1);
        CHECK_EQ(f->rooms, 1);
        /* The same was written again: no new beginning. */
        CHECK_EQ(f->log->renewals, 0);
        life_free(f);
}

TEST(after_a_failed_fsync_nothing_of_that_segment_is_trusted)
{
        struct log_fixture *f = life_new();
        size_t calls;

        CHECK_EQ(fixture_open(f), 0);
        CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
        fixture_settle(f);
        disk_watch();
        CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
        fixture_settle(f);
        calls = disk_calls();
        CHECK_EQ(calls, 2); /* a write, an fdatasync */
        disk_fail_at(2, EIO, false);
        CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
        fixture_settle(f);
        CHECK(disk_end());
        CHECK_EQ(f->trouble, -EIO);
        CHECK_EQ(f->promised, 2);
        CHECK_EQ(fixture_change(f, STORE_FSYNC), -EIO);
        fixture_pass(f, 499);
        CHECK_EQ(f->promised, 2);
        fixture_pass(f, 1);
        CHECK_EQ(f->promised, 3);
        CHECK_EQ(f->trouble, 0);
        CHECK_EQ(f->rooms, 1);
        CHECK_EQ(f->log->renewals, 1);
        CHECK_EQ(fixture_count_files(f, ".snapshot"), 1);
        CHECK_EQ(fixture_count_files(f, ".log"), 0);
        life_free(f);
}

/* A start on a disk that fails either says so, or works and goes on. */
TEST(a_start_on_a_disk_that_fails_loses_nothing)
{
        static const int errors[] = {ENOSPC, EIO, EROFS, EMFILE};

        for (size_t i = 0; i < ARRAY_SIZE(errors) * 2; i++)
                for (size_t at = 1;; at++) {
                        struct log_fixture *f = life_new();
                        uint64_t promised;
                        bool reached;
                        int r;

                        CHECK_EQ(fixture_open(f), 0);
                        life_run(f);
                        fixture_close(f);
                        promised = f->promised;
                        disk_fail_at(at, errors[i / 2], i % 2);
                        r = fixture_open(f);
                        if (r == 0)
                                fixture_settle(f);
                        reached = disk_end();
                        CHECK(r == 0 || (reached && r == -errors[i / 2]));
                        if (r == 0) {
                                CHECK_EQ(f->log->appended, promised);
                                fixture_pass(f, LONG_AFTER_MS);
                                CHECK_EQ(f->trouble, 0);
                                CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
                                fixture_close(f);
                                promised = f->promised;
                        }
                        fixture_check(f, f->path, promised, strerror(errors[i / 2]));
                        life_free(f);
                        CHECK(at < POINTS_MAX);
                        if (!reached)
                                break;
                }
}
