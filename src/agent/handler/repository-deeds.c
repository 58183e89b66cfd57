#include "agent/handler/repository-deeds.h"

#include <stdio.h>
#include <stdlib.h>

#define OLDER "# the version before the last\n"

static int act_change(struct fixture *f, const struct deed *deed)
{
        return fixture_try_deploy(f, deed->action, DEED_MODULE, deed->after, NULL);
}

static int act_mark(struct fixture *f, const struct deed *deed)
{
        const struct handler_module *module = handler_repository_find(f->repository, DEED_MODULE);

        return handler_repository_mark(f->repository, DEED_MODULE, module->current.seq,
                                       HANDLER_GOOD, &f->error);
}

/* What begins, but is refused by a layer. */
static int act_abandon(struct fixture *f, const struct deed *deed)
{
        uint64_t change;
        int r = handler_repository_stage(f->repository, HANDLER_UPDATE, DEED_MODULE, DEED_NEW,
                                         strlen(DEED_NEW), &fixture_origin, &change, &f->error);

        return r == 0 ? handler_repository_abandon(f->repository, change, "rejected", "import",
                                                   "no")
                      : r;
}

const struct deed deeds[DEEDS] = {
        {"first", HANDLER_UPDATE, NULL, DEED_NEW, "updated", act_change, false},
        {"deploy", HANDLER_UPDATE, DEED_OLD, DEED_NEW, "updated", act_change, false},
        {"rollback", HANDLER_ROLLBACK, DEED_OLD, OLDER, "rolled_back", act_change, false},
        {"remove", HANDLER_REMOVE, DEED_OLD, NULL, "removed", act_change, false},
        {"rotate", HANDLER_UPDATE, DEED_OLD, DEED_NEW, "updated", act_change, true},
        {"mark", HANDLER_UPDATE, DEED_OLD, DEED_OLD, NULL, act_mark, false},
        {"abandon", HANDLER_UPDATE, DEED_OLD, DEED_OLD, NULL, act_abandon, false},
};

bool deed_is_long(void)
{
        return getenv("PIFLEET_LONG") != NULL;
}

void deed_prepare(struct fixture *f, const struct deed *deed)
{
        fixture_init(f);
        f->retention.backups = 2;
        fixture_open(f);
        fixture_deploy(f, "other.py", DEED_OLD);
        if (deed->before) {
                fixture_deploy(f, DEED_MODULE, "# the first, which will be dropped\n");
                fixture_deploy(f, DEED_MODULE, "# the second\n");
                fixture_deploy(f, DEED_MODULE, OLDER);
                fixture_deploy(f, DEED_MODULE, deed->before);
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

bool deed_in_place(struct fixture *f, const char *source)
{
        return fixture_in_place(f, DEED_MODULE, source);
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
void deed_check_after_restart(struct fixture *f, const struct deed *deed, int must,
                              const char *point)
{
        bool old, new;

        fixture_shut(f);
        fixture_open(f);
        CHECK_EQ(handler_repository_scan(f->repository, NULL, fixture_report, f, NULL, 0), 0);
        old = deed_in_place(f, deed->before);
        new = deed_in_place(f, deed->after);
        if (!old && !new)
                FAIL("%s: neither old nor new; %s", point, f->report);
        if (must != 0 && !(must > 0 ? new : old))
                FAIL("%s: the %s version is in place; %s", point, new ? "new" : "old", f->report);
        if (deed->result && told(f, deed) != (new ? 1 : 0))
                FAIL("%s: %s is in place, and the log tells it %zu times", point,
                     new ? "new" : "old", told(f, deed));
        CHECK(fixture_in_place(f, "other.py", DEED_OLD));
        if (deed->act == act_mark && must > 0)
                CHECK_EQ(handler_repository_find(f->repository, DEED_MODULE)->current.state,
                         HANDLER_GOOD);
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
        fixture_deploy(f, DEED_MODULE, "# goes on\n");
        CHECK(deed_in_place(f, "# goes on\n"));
}
