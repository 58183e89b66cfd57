/* What a power cut may leave of a log: bytes and names that were not synced are there, are not,
 * or are there in part, page by page. See support/disk-record.h. */
#include "store/log-life.h"
#include "support/disk-record.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SEEDS = 3, SEEDS_LONG = 40, OPERATIONS_MAX = 1024, GOES_ON_EVERY = 37 };

/* What had been promised when so many operations were done. */
static uint64_t promised[OPERATIONS_MAX + 1];

static void note_promise(struct log_fixture *f)
{
        promised[disk_record_count()] = f->promised;
}

/* After the cut there is a life, too. */
static void check_goes_on(struct log_fixture *f, const char *path, const char *where)
{
        struct log_fixture *g = calloc(1, sizeof(*g));

        CHECK(g != NULL);
        fixture_init(g);
        close(g->folder_fd);
        g->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(g->folder_fd >= 0);
        g->options.directory_fd = g->folder_fd;
        CHECK_EQ(fixture_open(g), 0);
        for (unsigned i = 0; i < 40; i++)
                CHECK_EQ(fixture_change(g, STORE_FSYNC), 0);
        fixture_settle(g);
        CHECK_EQ(g->promised, g->log->appended);
        CHECK_EQ(g->damages, 0);
        fixture_close(g);
        fixture_check(g, path, g->promised, where);
        fixture_done(g);
        free(g);
}

static void cut_power(struct log_fixture *f, size_t operations, unsigned loss)
{
        char path[64], where[96];

        snprintf(where, sizeof(where), "power cut after operation %zu, loss %u", operations, loss);
        fixture_make_folder(path);
        disk_rebuild(operations, loss, path);
        fixture_check(f, path, promised[operations], where);
        if ((operations + loss) % GOES_ON_EVERY == 0)
                check_goes_on(f, path, where);
        fixture_remove_folder(path);
}

static void cut_everywhere(struct log_fixture *f, size_t operations)
{
        unsigned losses = DISK_LOSES_AT_RANDOM + (fixture_is_long() ? SEEDS_LONG : SEEDS);

        CHECK(operations > 100);
        for (size_t at = 0; at <= operations; at++) {
                if (at > 0 && promised[at] == 0)
                        promised[at] = promised[at - 1];
                for (unsigned loss = 0; loss < losses; loss++)
                        cut_power(f, at, loss);
        }
        disk_record_forget();
}

TEST(a_power_cut_at_any_moment_leaves_all_that_was_promised)
{
        struct log_fixture *f = life_new();

        memset(promised, 0, sizeof(promised));
        disk_record_begin(f->path);
        f->on_promise = note_promise;
        CHECK_EQ(fixture_open(f), 0);
        life_run(f);
        CHECK(f->log->images > 2);
        CHECK_EQ(f->log->renewals, 1);
        fixture_close(f);
        cut_everywhere(f, disk_record_end());
        life_free(f);
}

/* The second life begins with what the first left, and its recovery. */
TEST(a_power_cut_in_a_second_life_does_no_harm_either)
{
        struct log_fixture *f = life_new();

        memset(promised, 0, sizeof(promised));
        CHECK_EQ(fixture_open(f), 0);
        life_run(f);
        fixture_close(f);
        promised[0] = f->promised;
        disk_record_begin(f->path);
        f->on_promise = note_promise;
        CHECK_EQ(fixture_open(f), 0);
        life_run(f);
        fixture_close(f);
        cut_everywhere(f, disk_record_end());
        life_free(f);
}
