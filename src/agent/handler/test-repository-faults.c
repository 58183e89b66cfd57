/* Every call of every change is the one that fails, or the last before a kill. What is
 * found afterwards is the old or the new version, whole; the answer, the disk and the update
 * log agree; and the repository goes on.
 *
 * All points in `./dev test-long`, a sample of them otherwise. */
#include "agent/handler/repository-fixture.h"
#include "base/attributes.h"
#include "support/disk-faults.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#define NAME "camera_handlers.py"
#define OLDER "# the version before the last\n"
#define OLD "# the version in place\n"
#define NEW "# the version to come\n"

enum { POINTS_MAX = 400 };

/* One thing that a person does. */
struct deed {
        const char *name;
        enum handler_action action;
        const char *before, *after; /* what is in place; NULL: nothing */
        const char *result;         /* in the update log, once it is done */
        int (*act)(struct fixture *f, const struct deed *deed);
        bool full_log; /* the update log is about to be rotated */
};

static int act_change(struct fixture *f, const struct deed *deed)
{
        return fixture_try_deploy(f, deed->action, NAME, deed->after, NULL);
}

static int act_mark(struct fixture *f, const struct deed *deed)
{
        const struct handler_module *module = handler_repository_find(f->repository, NAME);

        return handler_repository_mark(f->repository, NAME, module->current.seq, HANDLER_GOOD,
                                       &f->error);
}

/* What begins, but is refused by a layer. */
static int act_abandon(struct fixture *f, const struct deed *deed)
{
        uint64_t change;
        int r = handler_repository_stage(f->repository, HANDLER_UPDATE, NAME, NEW, strlen(NEW),
                                         &fixture_origin, &change, &f->error);

        return r == 0 ? handler_repository_abandon(f->repository, change, "rejected", "import",
                                                   "no")
                      : r;
}

static const struct deed deeds[] = {
        {"first", HANDLER_UPDATE, NULL, NEW, "updated", act_change, false},
        {"deploy", HANDLER_UPDATE, OLD, NEW, "updated", act_change, false},
        {"rollback", HANDLER_ROLLBACK, OLD, OLDER, "rolled_back", act_change, false},
        {"remove", HANDLER_REMOVE, OLD, NULL, "removed", act_change, false},
        {"rotate", HANDLER_UPDATE, OLD, NEW, "updated", act_change, true},
        {"mark", HANDLER_UPDATE, OLD, OLD, NULL, act_mark, false},
        {"abandon", HANDLER_UPDATE, OLD, OLD, NULL, act_abandon, false},
};

static bool is_long(void)
{
        return getenv("PIFLEET_LONG") != NULL;
}

static void prepare(struct fixture *f, const struct deed *deed)
{
        fixture_init(f);
        f->retention.backups = 2;
        fixture_open(f);
        fixture_deploy(f, "other.py", OLD);
        if (deed->before) {
                fixture_deploy(f, NAME, "# the first, which will be dropped\n");
                fixture_deploy(f, NAME, "# the second\n");
                fixture_deploy(f, NAME, OLDER);
                fixture_deploy(f, NAME, deed->before);
        }
        if (deed->full_log) {
                char line[HANDLER_LOG_BYTES_MAX - 100];

                memset(line, ' ', sizeof(line));
                line[sizeof(line) - 1] = '\n';
                fixture_write(f, "handler-store/update.log", line, sizeof(line));
        }
        fixture_shut(f);
        fixture_open(f);
        CHECK_TEXT(f->report, "");
}

static bool ends_in(struct fixture *f, const char *source)
{
        return fixture_in_place(f, NAME, source);
}

/* Entries of the update log that tell of the deed, made after `prepare`. */
static size_t told(struct fixture *f, const struct deed *deed)
{
        char needle[64];
        size_t before;

        if (!deed->result)
                return 0;
        snprintf(needle, sizeof(needle), "\"result\":\"%s\"", deed->result);
        before = strcmp(deed->result, "updated") != 0 || deed->full_log ? 0 : deed->before ? 5 : 1;
        return fixture_log_count(f, needle) - before;
}

/* After a restart; `must`: -1 the old one, 1 the new one, 0 either. */
static void check_after_restart(struct fixture *f, const struct deed *deed, int must,
                                const char *point)
{
        bool old, new;

        fixture_shut(f);
        fixture_open(f);
        CHECK_EQ(handler_repository_scan(f->repository, NULL, fixture_report, f, NULL, 0), 0);
        old = ends_in(f, deed->before);
        new = ends_in(f, deed->after);
        if (!old && !new)
                FAIL("%s: neither old nor new; %s", point, f->report);
        if (must != 0 && !(must > 0 ? new : old))
                FAIL("%s: the %s version is in place; %s", point, new ? "new" : "old", f->report);
        if (deed->result && told(f, deed) != (new ? 1 : 0))
                FAIL("%s: %s is in place, and the log tells it %zu times", point,
                     new ? "new" : "old", told(f, deed));
        CHECK(fixture_in_place(f, "other.py", OLD));
        /* Nothing grows, and the next start finds nothing to say. */
        fixture_shut(f);
        fixture_open(f);
        if (f->report[0] != '\0')
                FAIL("%s: the second start says: %s", point, f->report);
        CHECK(fixture_count(f, "handler-store/sources", "") <= 4);
        CHECK(fixture_count(f, ".backups", "") <= 2);
        CHECK_EQ(fixture_count(f, "handler-store/sources", "."), 0);
        CHECK_EQ(fixture_count(f, "handlers", "."), 0);
        CHECK_EQ(fixture_count(f, ".backups", "."), 0);
        CHECK_EQ(fixture_count(f, "handler-store", "."), 0);
        fixture_deploy(f, NAME, "# goes on\n");
        CHECK(ends_in(f, "# goes on\n"));
}

static bool fail_once(const struct deed *deed, size_t at, int error, bool lasting)
{
        struct fixture f;
        char point[96];
        bool reached;
        int r;

        snprintf(point, sizeof(point), "%s, call %zu%s: %s", deed->name, at,
                 lasting ? " and all after it" : "", strerror(error));
        prepare(&f, deed);
        disk_fail_at(at, error, lasting);
        r = deed->act(&f, deed);
        reached = disk_end();
        if (r == 0 && !ends_in(&f, deed->after)) {
                /* The switch is done; the visible copy follows at the next opportunity. */
                CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, NULL, 0),
                         0);
                if (!ends_in(&f, deed->after))
                        FAIL("%s: said it was done", point);
        }
        if (r < 0) {
                CHECK(reached);
                if (!ends_in(&f, deed->before))
                        FAIL("%s: said it had failed", point);
                if (deed->act != act_abandon && f.error.text[0] == '\0')
                        FAIL("%s: failed without a word", point);
        }
        check_after_restart(&f, deed, r < 0 ? -1 : 1, point);
        fixture_done(&f);
        return reached;
}

static size_t fail_everywhere(const struct deed *deed, int error, bool lasting, size_t offset)
{
        size_t step = is_long() ? 1 : 3, points = 0;

        for (size_t at = is_long() ? 1 : 1 + offset % step;; at += step) {
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
        prepare(&f, deed);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                disk_kill_at(at);
                _exit(deed->act(&f, deed) == 0 ? 0 : 1);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DISK_KILLED);
        check_after_restart(&f, deed, WEXITSTATUS(status) == 0 ? 1 : 0, point);
        fixture_done(&f);
        return WEXITSTATUS(status) == DISK_KILLED;
}

TEST(a_kill_before_any_call_leaves_the_old_or_the_new_version)
{
        for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
                size_t at = 1;

                while (kill_once(&deeds[i], at))
                        CHECK(++at < POINTS_MAX);
                CHECK(at > 5);
        }
}

/* A second kill while the first is being recovered from. */
TEST(a_kill_before_any_call_of_a_recovery_does_no_harm)
{
        size_t step = is_long() ? 1 : 7;

        for (size_t first = 1; first < POINTS_MAX; first += step) {
                bool first_reached = false, reached = true;

                for (size_t second = 1 + first % step; reached; second += step) {
                        const struct deed *deed = &deeds[1];
                        struct fixture f;
                        int status;
                        pid_t pid;

                        prepare(&f, deed);
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
                        check_after_restart(&f, deed, 0, "killed twice");
                        fixture_done(&f);
                }
                if (!first_reached)
                        break;
        }
}

TEST(any_call_that_fails_leaves_the_old_version_and_a_clear_error)
{
        static const int errors[] = {ENOSPC, EIO, EROFS, EMFILE};

        for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
                for (size_t j = 0; j < ARRAY_SIZE(errors); j++)
                        CHECK(fail_everywhere(&deeds[i], errors[j], false, i + j) > 1);
}

TEST(a_disk_that_fails_from_any_call_on_leaves_one_whole_version)
{
        static const int errors[] = {ENOSPC, EIO, EROFS};

        for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
                for (size_t j = 0; j < ARRAY_SIZE(errors); j++)
                        CHECK(fail_everywhere(&deeds[i], errors[j], true, i + j + 1) > 1);
}

/* Opening on a disk that fails: what is in place can be told in every case but want of
 * descriptors, and nothing is lost. */
TEST(a_start_on_a_disk_that_fails_loses_nothing)
{
        static const int errors[] = {ENOSPC, EROFS, EIO, EMFILE};
        const struct deed *deed = &deeds[1];
        size_t step = is_long() ? 1 : 2;

        for (size_t j = 0; j < ARRAY_SIZE(errors) * 2; j++)
                for (size_t at = 1 + j % step;; at += step) {
                        struct fixture f;
                        uint64_t change;
                        bool reached;
                        int r;

                        CHECK(at < POINTS_MAX);
                        prepare(&f, deed);
                        CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, NAME, NEW,
                                                          strlen(NEW), &fixture_origin, &change,
                                                          &f.error),
                                 0);
                        fixture_shut(&f);
                        disk_fail_at(at, errors[j / 2], j % 2);
                        r = fixture_try_open(&f);
                        reached = disk_end();
                        CHECK(r == 0 || reached);
                        /* Of a disk that cannot be read at all nothing is known. */
                        if (r == 0 && !(errors[j / 2] == EIO && j % 2))
                                CHECK(handler_repository_find(f.repository, NAME) != NULL);
                        check_after_restart(&f, deed, -1, strerror(errors[j / 2]));
                        fixture_done(&f);
                        if (!reached)
                                break;
                }
}
