/* What a power cut may leave of every change: bytes and names that were not synced are
 * there, are not, or are there in part. See support/disk-record.h. */
#include "agent/handler/repository-deeds.h"
#include "support/disk-record.h"

#include <stdio.h>

enum { SEEDS = 4, SEEDS_LONG = 60, OPERATIONS_MIN = 3 };

static void cut_power(const struct deed *deed, size_t operations, unsigned loss, int must)
{
        struct fixture f;
        char point[96];

        snprintf(point, sizeof(point), "%s, power cut after operation %zu, loss %u", deed->name,
                 operations, loss);
        fixture_init(&f);
        f.retention.backups = 2;
        disk_rebuild(operations, loss, f.path);
        deed_check_after_restart(&f, deed, must, point);
        fixture_done(&f);
}

static size_t record(const struct deed *deed)
{
        struct fixture f;
        size_t operations;

        deed_prepare(&f, deed);
        disk_record_begin(f.path);
        CHECK_EQ(deed->act(&f, deed), 0);
        operations = disk_record_end();
        fixture_done(&f);
        return operations;
}

TEST(a_power_cut_at_any_moment_leaves_the_old_or_the_new_version)
{
        unsigned losses = DISK_LOSES_AT_RANDOM + (deed_is_long() ? SEEDS_LONG : SEEDS);

        for (size_t i = 0; i < DEEDS; i++) {
                size_t operations = record(&deeds[i]);

                CHECK(operations > OPERATIONS_MIN);
                /* What returned stays, whatever else is lost. */
                for (size_t at = 0; at <= operations; at++)
                        for (unsigned loss = 0; loss < losses; loss++)
                                cut_power(&deeds[i], at, loss, at == operations ? 1 : 0);
        }
        disk_record_forget();
}
