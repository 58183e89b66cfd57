/* Every call of every change is the one that fails, or the last before a kill. What is
 * found afterwards is the old or the new version, whole; the answer, the disk and the update
 * log agree; and the repository goes on.
 *
 * All points in `./dev test-long` (of two kills in a row a third of each), a sample of them
 * otherwise. */
#include "agent/handler/repository-deeds.h"
#include "base/attributes.h"
#include "support/disk-faults.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

enum { POINTS_MAX = 400 };

static bool fail_once(const struct deed *deed, size_t at, int error, bool lasting)
{
        struct fixture f;
        char point[96];
        bool reached;
        int r;

        snprintf(point, sizeof(point), "%s, call %zu%s: %s", deed->name, at,
                 lasting ? " and all after it" : "", strerror(error));
        deed_prepare(&f, deed);
        disk_fail_at(at, error, lasting);
        r = deed->act(&f, deed);
        reached = disk_end();
        if (r == 0 && !deed_in_place(&f, deed->after)) {
                /* The switch is done; the visible copy follows at the next opportunity. */
                CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, NULL, 0),
                         0);
                if (!deed_in_place(&f, deed->after))
                        FAIL("%s: said it was done", point);
        }
        if (r < 0) {
                CHECK(reached);
                if (!deed_in_place(&f, deed->before))
                        FAIL("%s: said it had failed", point);
                if (deed != &deeds[DEED_ABANDON] && f.error.text[0] == '\0')
                        FAIL("%s: failed without a word", point);
        }
        deed_check_after_restart(&f, deed, r < 0 ? -1 : 1, point);
        fixture_done(&f);
        return reached;
}

static size_t fail_everywhere(const struct deed *deed, int error, bool lasting, size_t offset)
{
        size_t step = deed_is_long() ? 1 : 3, points = 0;

        for (size_t at = deed_is_long() ? 1 : 1 + offset % step;; at += step) {
                if (!fail_once(deed, at, error, lasting))
                        return points;
                CHECK(++points < POINTS_MAX);
        }
}

static bool kill_once(const struct deed *deed, size_t at)
{
        struct fixture f;
        char point[96];
        int status;
        pid_t pid;

        snprintf(point, sizeof(point), "%s, killed before call %zu", deed->name, at);
        deed_prepare(&f, deed);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                disk_kill_at(at);
                _exit(deed->act(&f, deed) == 0 ? 0 : 1);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DISK_KILLED);
        deed_check_after_restart(&f, deed, WEXITSTATUS(status) == 0 ? 1 : 0, point);
        fixture_done(&f);
        return WEXITSTATUS(status) == DISK_KILLED;
}

TEST(a_kill_before_any_call_leaves_the_old_or_the_new_version)
{
        for (size_t i = 0; i < DEEDS; i++) {
                size_t at = 1;

                while (kill_once(&deeds[i], at))
                        CHECK(++at < POINTS_MAX);
                CHECK(at > 5);
        }
}

/* A second kill while the first is being recovered from. */
TEST(a_kill_before_any_call_of_a_recovery_does_no_harm)
{
        size_t step = deed_is_long() ? 3 : 7;

        for (size_t first = 1; first < POINTS_MAX; first += step) {
                bool first_reached = false, reached = true;

                for (size_t second = 1 + first % step; reached; second += step) {
                        const struct deed *deed = &deeds[DEED_DEPLOY];
                        struct fixture f;
                        int status;
                        pid_t pid;

                        deed_prepare(&f, deed);
                        pid = fork();
                        CHECK(pid >= 0);
                        if (pid == 0) {
                                disk_kill_at(first);
                                _exit(deed->act(&f, deed) == 0 ? 0 : 1);
                        }
                        CHECK_EQ(waitpid(pid, &status, 0), pid);
                        first_reached = WEXITSTATUS(status) == DISK_KILLED;
                        fixture_shut(&f);
                        pid = fork();
                        CHECK(pid >= 0);
                        if (pid == 0) {
                                disk_kill_at(second);
                                _exit(fixture_try_open(&f) == 0 ? 0 : 1);
                        }
                        CHECK_EQ(waitpid(pid, &status, 0), pid);
                        reached = WEXITSTATUS(status) == DISK_KILLED;
                        deed_check_after_restart(&f, deed, 0, "killed twice");
                        fixture_done(&f);
                }
                if (!first_reached)
                        break;
        }
}

TEST(any_call_that_fails_leaves_the_old_version_and_a_clear_error)
{
        static const int errors[] = {ENOSPC, EIO, EROFS, EMFILE};

        for (size_t i = 0; i < DEEDS; i++)
                for (size_t j = 0; j < ARRAY_SIZE(errors); j++)
                        CHECK(fail_everywhere(&deeds[i], errors[j], false, i + j) > 1);
}

TEST(a_disk_that_fails_from_any_call_on_leaves_one_whole_version)
{
        static const int errors[] = {ENOSPC, EIO, EROFS};

        for (size_t i = 0; i < DEEDS; i++)
                for (size_t j = 0; j < ARRAY_SIZE(errors); j++)
                        CHECK(fail_everywhere(&deeds[i], errors[j], true, i + j + 1) > 1);
}

/* Opening on a disk that fails: what is in place can be told in every case but want of
 * descriptors, and nothing is lost. */
TEST(a_start_on_a_disk_that_fails_loses_nothing)
{
        static const int errors[] = {ENOSPC, EROFS, EIO, EMFILE};
        const struct deed *deed = &deeds[DEED_DEPLOY];
        size_t step = deed_is_long() ? 1 : 2;

        for (size_t j = 0; j < ARRAY_SIZE(errors) * 2; j++)
                for (size_t at = 1 + j % step;; at += step) {
                        struct fixture f;
                        uint64_t change;
                        bool reached;
                        int r;

                        CHECK(at < POINTS_MAX);
                        deed_prepare(&f, deed);
                        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, DEED_MODULE,
                                                          DEED_NEW, strlen(DEED_NEW),
                                                          &fixture_origin, &change, &f.error),
                                 0);
                        fixture_shut(&f);
                        disk_fail_at(at, errors[j / 2], j % 2);
                        r = fixture_try_open(&f);
                        reached = disk_end();
                        CHECK(r == 0 || reached);
                        /* Of a disk that cannot be read at all nothing is known. */
                        if (r == 0 && !(errors[j / 2] == EIO && j % 2))
                                CHECK(handler_repository_find(f.repository, DEED_MODULE) != NULL);
                        deed_check_after_restart(&f, deed, -1, strerror(errors[j / 2]));
                        fixture_done(&f);
                        if (!reached)
                                break;
                }
}
