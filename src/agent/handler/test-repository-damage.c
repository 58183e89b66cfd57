/* Files that the disk forgot or changed: byte by byte, one bit is flipped or the rest is cut
 * off. Every module still is some version of its own, whole, and the next deployment
 * works. All bytes in `./dev test-long`, a sample otherwise. */
#include "agent/handler/repository-deeds.h"
#include "support/disk-record.h"

#include <stdio.h>

enum { STEP = 9 };

struct victim {
        const char *path;
        bool staged; /* a change has begun */
};

static const struct victim active = {"handler-store/active.json", false};
static const struct victim journal = {"handler-store/journal", true};
static const struct victim update_log = {"handler-store/update.log", false};

static bool is_one_of(struct fixture *f, const char *source, const char *other)
{
        const struct handler_module *module = handler_repository_find(f->repository, DEED_MODULE);
        AUTO_FREE char *bytes = NULL;
        size_t count;

        return module && module->disabled[0] == '\0' &&
               handler_repository_read(f->repository, DEED_MODULE, module->current.sha256, &bytes,
                                       &count, &f->error) == 0 &&
               (strcmp(bytes, source) == 0 || strcmp(bytes, other) == 0);
}

/* Opens what `bytes` in the victim's place make of the recorded tree. */
static void open_damaged(const struct victim *victim, const char *bytes, size_t count,
                         const char *what, size_t at)
{
        struct fixture f;

        fixture_init(&f);
        disk_rebuild(0, DISK_LOSES_NOTHING, f.path);
        fixture_write(&f, victim->path, bytes, count);
        fixture_open(&f);
        if (!is_one_of(&f, DEED_OLD, victim->staged ? DEED_OLD : DEED_NEW))
                FAIL("%s: %s at %zu: %s", victim->path, what, at, f.report);
        CHECK(fixture_in_place(&f, "other.py", DEED_OLD));
        fixture_deploy(&f, DEED_MODULE, "# goes on\n");
        fixture_shut(&f);
        fixture_open(&f);
        CHECK_TEXT(f.report, "");
        CHECK(fixture_in_place(&f, DEED_MODULE, "# goes on\n"));
        CHECK(fixture_log_count(&f, "\"updated\"") > 0);
        fixture_done(&f);
}

static void damage(const struct victim *victim)
{
        struct deed base = deeds[DEED_DEPLOY];
        AUTO_FREE char *bytes = NULL;
        struct fixture f;
        uint64_t change;
        size_t count = 0;

        deed_prepare(&f, &base);
        if (!victim->staged)
                fixture_deploy(&f, DEED_MODULE, DEED_NEW);
        else
                CHECK_EQ(handler_repository_stage(f.repository, HANDLER_UPDATE, DEED_MODULE,
                                                  DEED_NEW, strlen(DEED_NEW), &fixture_origin,
                                                  &change, &f.error),
                         0);
        fixture_shut(&f);
        bytes = fixture_read(&f, victim->path, &count);
        CHECK(bytes != NULL && count > 100);
        disk_record_begin(f.path);
        (void)disk_record_end();
        fixture_done(&f);
        for (size_t at = 0; at < count; at += deed_is_long() ? 1 : STEP) {
                bytes[at] = (char)(bytes[at] ^ 1 << at % 8);
                open_damaged(victim, bytes, count, "a flipped bit", at);
                bytes[at] = (char)(bytes[at] ^ 1 << at % 8);
                open_damaged(victim, bytes, at, "cut off", at);
        }
        open_damaged(victim, bytes, count, "nothing", 0);
        memset(bytes, 0, count);
        open_damaged(victim, bytes, count, "zeroes", 0);
        disk_record_forget();
}

TEST(a_damaged_table_falls_back_to_the_one_before)
{
        damage(&active);
}

TEST(a_damaged_journal_is_cut_where_the_damage_begins)
{
        damage(&journal);
}

TEST(a_damaged_update_log_keeps_its_whole_lines)
{
        damage(&update_log);
}
