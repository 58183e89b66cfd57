/* What a log does with changes, time and a disk that does as it is told. See test-log-faults.c
 * for one that does not. */
#include "store/log-fixture.h"

#include "support/allocation.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

static void change(struct log_fixture *f, unsigned count, enum store_durability durability)
{
        for (unsigned i = 0; i < count; i++)
                CHECK_EQ(fixture_change(f, durability), 0);
}

static struct store_log_status status_of(struct log_fixture *f)
{
        struct store_log_status status;

        store_log_status(f->log, &status);
        return status;
}

static void open_new(struct log_fixture *f)
{
        fixture_init(f);
        CHECK_EQ(fixture_open(f), 0);
}

TEST(changes_are_there_after_a_close)
{
        struct log_fixture f;
        struct counters before;

        open_new(&f);
        change(&f, 100, STORE_INTERVAL);
        before = f.now;
        fixture_close(&f);
        CHECK_EQ(f.promised, 100);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(f.replayed, 100);
        CHECK_EQ(f.sentences, 0);
        CHECK_EQ(memcmp(&f.now, &before, sizeof(before)), 0);
        /* And it goes on. */
        change(&f, 3, STORE_FSYNC);
        before = f.now;
        fixture_close(&f);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(f.replayed, 103);
        CHECK_EQ(memcmp(&f.now, &before, sizeof(before)), 0);
        fixture_done(&f);
}

TEST(nothing_is_written_when_nothing_changed)
{
        struct log_fixture f;

        open_new(&f);
        fixture_pass(&f, 100000);
        fixture_close(&f);
        CHECK_EQ(fixture_count_files(&f, ".log") + fixture_count_files(&f, ".snapshot"), 0);
        CHECK_EQ(fixture_open(&f), 0);
        change(&f, 1, STORE_INTERVAL);
        fixture_pass(&f, 2000);
        CHECK_EQ(f.promised, 1);
        CHECK_EQ(status_of(&f).groups, 2); /* written, then synced */
        /* A timer that is armed would be a wake-up. */
        CHECK(!f.log->interval.armed && !f.log->gather.armed && !f.log->retry.armed);
        fixture_pass(&f, 100000);
        CHECK_EQ(status_of(&f).groups, 2);
        CHECK_EQ(fixture_count_files(&f, ".log"), 1);
        fixture_close(&f);
        for (unsigned i = 0; i < 5; i++) {
                CHECK_EQ(fixture_open(&f), 0);
                fixture_close(&f);
        }
        CHECK_EQ(fixture_count_files(&f, ".log"), 1);
        fixture_done(&f);
}

TEST(with_fsync_all_of_a_round_are_durable_together)
{
        struct log_fixture f;

        open_new(&f);
        change(&f, 50, STORE_FSYNC);
        fixture_settle(&f);
        CHECK_EQ(f.promised, 50);
        CHECK_EQ(status_of(&f).groups, 1);
        fixture_done(&f);
}

TEST(with_an_interval_changes_gather_and_are_synced_once)
{
        struct log_fixture f;

        open_new(&f);
        change(&f, 10, STORE_INTERVAL);
        fixture_pass(&f, 19);
        CHECK_EQ(status_of(&f).groups, 0);
        fixture_pass(&f, 1);
        CHECK_EQ(status_of(&f).groups, 1);
        CHECK_EQ(f.promised, 0);
        change(&f, 10, STORE_INTERVAL);
        fixture_pass(&f, 979);
        CHECK_EQ(f.promised, 0);
        fixture_pass(&f, 1);
        CHECK_EQ(f.promised, 20);
        /* One that wants it at once takes the others along. */
        change(&f, 5, STORE_INTERVAL);
        change(&f, 1, STORE_FSYNC);
        fixture_settle(&f);
        CHECK_EQ(f.promised, 26);
        change(&f, 1, STORE_INTERVAL);
        store_log_sync(f.log);
        fixture_settle(&f);
        CHECK_EQ(f.promised, 27);
        fixture_done(&f);
}

TEST(two_logs_in_one_folder_are_refused)
{
        struct log_fixture f, g;

        open_new(&f);
        fixture_init(&g);
        g.options.directory_fd = f.folder_fd;
        CHECK_EQ(fixture_open(&g), -EBUSY);
        fixture_close(&f);
        CHECK_EQ(fixture_open(&g), 0);
        fixture_done(&g);
        fixture_done(&f);
}

TEST(senseless_options_are_refused)
{
        struct log_fixture f;
        struct store_log_options good;

        fixture_init(&f);
        good = f.options;
        f.options.interval_ms = 0;
        CHECK_EQ(fixture_open(&f), -EINVAL);
        f.options = good;
        f.options.interval_ms = 3600001;
        CHECK_EQ(fixture_open(&f), -EINVAL);
        f.options = good;
        f.options.gather_ms = 1001;
        CHECK_EQ(fixture_open(&f), -EINVAL);
        f.options = good;
        f.options.buffer_bytes = 4095;
        CHECK_EQ(fixture_open(&f), -EINVAL);
        f.options.buffer_bytes = (512 << 20) + 1;
        CHECK_EQ(fixture_open(&f), -EINVAL);
        f.options = good;
        f.options.image_bytes_min = 4095;
        CHECK_EQ(fixture_open(&f), -EINVAL);
        fixture_done(&f);
}

TEST(images_replace_the_log_while_changes_go_on)
{
        struct log_fixture f;
        struct counters before;
        struct store_log_status status;

        fixture_init(&f);
        f.options.image_bytes_min = 8 << 10;
        f.per_slice = 1;
        CHECK_EQ(fixture_open(&f), 0);
        for (unsigned i = 0; i < 300; i++) {
                change(&f, 2, i % 7 == 0 ? STORE_FSYNC : STORE_INTERVAL);
                loop_run_once(f.loop, f.log->under_way ? 1000 : 0);
                loop_advance_ms(f.loop, 10);
        }
        fixture_pass(&f, 2000);
        status = status_of(&f);
        CHECK(status.images > 3);
        CHECK_EQ(status.renewals, 0);
        CHECK_EQ(f.promised, 600);
        CHECK_EQ(fixture_count_files(&f, ".snapshot"), 1);
        CHECK(fixture_count_files(&f, ".log") <= 2);
        CHECK(status.segment_bytes < 20 << 10);
        /* Header, bytes, and an eighth of the log for each image of this state. */
        CHECK(status.written_bytes < 600 * (16 + 2 + PADDING) * 3 / 2);
        before = f.now;
        fixture_close(&f);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(f.replayed_image, COUNTERS);
        CHECK(f.replayed < 200);
        CHECK_EQ(f.sentences, 0);
        CHECK_EQ(memcmp(&f.now, &before, sizeof(before)), 0);
        CHECK_EQ(status_of(&f).appended, 600);
        fixture_done(&f);
}

TEST(what_an_image_that_begins_syncs_is_told)
{
        struct log_fixture f;

        fixture_init(&f);
        f.options.image_bytes_min = 4096;
        f.image_error = -EAGAIN;
        CHECK_EQ(fixture_open(&f), 0);
        change(&f, 40, STORE_INTERVAL);
        fixture_pass(&f, 20);
        CHECK_EQ(f.images_begun, 1);
        CHECK_EQ(f.promised, 40);
        fixture_done(&f);
}

/* Slices have their turns however much is appended meanwhile. */
TEST(an_image_comes_to_its_end_under_full_load)
{
        struct log_fixture f;
        uint64_t longest = 0;

        fixture_init(&f);
        f.options.image_bytes_min = 8 << 10;
        f.options.buffer_bytes = 32 << 10;
        f.image_padding = 30000;
        f.per_slice = COUNTERS;
        CHECK_EQ(fixture_open(&f), 0);
        while (f.log->appended < HISTORY_MAX - 200) {
                while (f.log->appended < HISTORY_MAX - 200 && fixture_change(&f, STORE_FSYNC) == 0)
                        continue;
                loop_run_once(f.loop, 1000);
                if (f.log->segment_bytes > longest)
                        longest = f.log->segment_bytes;
        }
        fixture_settle(&f);
        CHECK(status_of(&f).images >= 2);
        CHECK_EQ(f.promised, f.log->appended);
        /* Twice an image begins another, as long again while that is made, and some groups. */
        CHECK(longest < COUNTERS * 30000 * 3 + 4 * f.options.buffer_bytes);
        fixture_close(&f);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(f.sentences, 0);
        CHECK_EQ(memcmp(&f.now, &f.history[HISTORY_MAX - 200], sizeof(f.now)), 0);
        fixture_done(&f);
}

TEST(many_short_lives_do_not_pile_up_segments)
{
        struct log_fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 100; i++) {
                CHECK_EQ(fixture_open(&f), 0);
                CHECK_EQ(f.replayed + f.replayed_image > 0, i > 0);
                change(&f, 1, STORE_FSYNC);
                fixture_settle(&f);
                CHECK_EQ(status_of(&f).appended, i + 1);
                fixture_close(&f);
        }
        CHECK_EQ(f.sentences, 0);
        CHECK(fixture_count_files(&f, ".log") <= 33);
        fixture_done(&f);
}

TEST(an_image_that_its_owner_puts_off_is_tried_later)
{
        struct log_fixture f;

        fixture_init(&f);
        f.options.image_bytes_min = 8 << 10;
        f.image_error = -EAGAIN;
        CHECK_EQ(fixture_open(&f), 0);
        change(&f, 100, STORE_FSYNC);
        fixture_settle(&f);
        change(&f, 1, STORE_FSYNC);
        fixture_settle(&f);
        CHECK_EQ(f.images_begun, 1);
        CHECK_EQ(f.promised, 101);
        change(&f, 10, STORE_FSYNC);
        fixture_settle(&f);
        CHECK_EQ(f.images_begun, 1);
        CHECK_EQ(status_of(&f).image_trouble, -EAGAIN);
        f.image_error = 0;
        change(&f, 100, STORE_FSYNC);
        fixture_settle(&f);
        CHECK_EQ(status_of(&f).images, 1);
        CHECK_EQ(status_of(&f).image_trouble, 0);
        CHECK_EQ(f.promised, 211);
        fixture_done(&f);
}

/* --- a disk that stalls --- */

struct stall {
        struct store_job job;
        sem_t go;
};

static void stall_run(struct store_job *job)
{
        struct stall *stall = container_of(job, struct stall, job);

        while (sem_wait(&stall->go) < 0)
                continue;
}

static void stall_done(struct store_job *job)
{
}

TEST(a_disk_that_stalls_is_answered_when_the_buffer_is_full)
{
        struct log_fixture f;
        struct stall stall = {.job = {.run = stall_run, .done = stall_done}};
        unsigned taken = 0;

        open_new(&f);
        sem_init(&stall.go, 0, 0);
        CHECK_EQ(store_thread_submit(f.thread, &stall.job), 0);
        while (fixture_change(&f, STORE_FSYNC) == 0) {
                taken++;
                loop_run_once(f.loop, 0);
        }
        /* Two buffers, since one was handed over. */
        CHECK(taken > f.options.buffer_bytes / (PADDING + 18));
        CHECK(taken < 2 * f.options.buffer_bytes / (PADDING + 18));
        CHECK(status_of(&f).waiting_bytes <= 2 * (f.options.buffer_bytes + 16));
        CHECK_EQ(fixture_change(&f, STORE_FSYNC), -EAGAIN);
        CHECK_EQ(f.rooms, 0);
        CHECK_EQ(f.promised, 0);
        sem_post(&stall.go);
        while (f.promised < taken)
                loop_run_once(f.loop, 1000);
        CHECK_EQ(f.rooms, 1);
        CHECK_EQ(f.troubles, 0);
        change(&f, 1, STORE_FSYNC);
        fixture_done(&f);
        sem_destroy(&stall.go);
}

TEST(a_thread_whose_queue_is_full_is_asked_again)
{
        struct log_fixture f;
        struct stall stalls[4];

        open_new(&f);
        for (unsigned i = 0; i < 4; i++) {
                stalls[i].job = (struct store_job){.run = stall_run, .done = stall_done};
                sem_init(&stalls[i].go, 0, 0);
                CHECK_EQ(store_thread_submit(f.thread, &stalls[i].job), 0);
        }
        change(&f, 1, STORE_FSYNC);
        loop_run_once(f.loop, 0);
        CHECK(!f.log->under_way && f.log->retry.armed);
        for (unsigned i = 0; i < 4; i++)
                sem_post(&stalls[i].go);
        while (!list_is_empty(&stalls[3].job.link))
                loop_run_once(f.loop, 1000);
        fixture_pass(&f, 10);
        CHECK_EQ(f.promised, 1);
        CHECK_EQ(f.troubles, 0);
        fixture_done(&f);
        for (unsigned i = 0; i < 4; i++)
                sem_destroy(&stalls[i].go);
}

TEST(what_waits_when_the_thread_goes_is_written_by_the_close)
{
        struct log_fixture f;
        struct stall stall = {.job = {.run = stall_run, .done = stall_done}};
        struct counters before;

        open_new(&f);
        sem_init(&stall.go, 0, 1);
        CHECK_EQ(store_thread_submit(f.thread, &stall.job), 0);
        change(&f, 3, STORE_FSYNC);
        loop_run_once(f.loop, 0);
        change(&f, 3, STORE_INTERVAL);
        before = f.now;
        fixture_close(&f);
        CHECK_EQ(f.promised, 6);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(memcmp(&f.now, &before, sizeof(before)), 0);
        fixture_done(&f);
        sem_destroy(&stall.go);
}

TEST(a_record_that_no_buffer_holds_is_refused)
{
        struct log_fixture f;
        uint8_t *bytes;
        struct store_part part;

        open_new(&f);
        bytes = calloc(1, f.options.buffer_bytes);
        CHECK(bytes != NULL);
        part = (struct store_part){bytes, f.options.buffer_bytes - 15};
        CHECK_EQ(store_log_append(f.log, STORE_FSYNC, 1, &part, 1, NULL), -EMSGSIZE);
        part.count = SIZE_MAX;
        CHECK_EQ(store_log_append(f.log, STORE_FSYNC, 1, &part, 1, NULL), -EMSGSIZE);
        part.count = f.options.buffer_bytes - 16;
        CHECK_EQ(store_log_append(f.log, STORE_FSYNC, 1, &part, 1, NULL), 0);
        fixture_settle(&f);
        CHECK_EQ(f.promised, 1);
        free(bytes);
        fixture_done(&f);
}

/* --- beginning afresh --- */

TEST(a_change_without_a_record_is_made_good_by_an_image)
{
        struct log_fixture f;
        struct counters before;

        open_new(&f);
        change(&f, 20, STORE_FSYNC);
        fixture_settle(&f);
        f.now.value[3] = 12345;
        store_log_renew(f.log);
        fixture_settle(&f);
        CHECK_EQ(status_of(&f).renewals, 1);
        CHECK_EQ(f.promised, 20);
        change(&f, 20, STORE_FSYNC);
        before = f.now;
        fixture_settle(&f);
        CHECK_EQ(f.promised, 40);
        fixture_close(&f);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(f.sentences, 0);
        CHECK_EQ(f.replayed_image, COUNTERS);
        CHECK_EQ(memcmp(&f.now, &before, sizeof(before)), 0);
        fixture_done(&f);
}

TEST(nothing_is_durable_while_it_begins_afresh)
{
        struct log_fixture f;

        fixture_init(&f);
        f.per_slice = 0;
        CHECK_EQ(fixture_open(&f), 0);
        change(&f, 5, STORE_FSYNC);
        fixture_settle(&f);
        store_log_renew(f.log);
        while (f.images_begun == 0)
                loop_run_once(f.loop, 1000);
        for (unsigned i = 0; i < 100; i++) {
                loop_run_once(f.loop, 10);
                if (i % 10 == 9)
                        change(&f, 1, STORE_FSYNC);
        }
        CHECK_EQ(f.promised, 5);
        CHECK_EQ(f.images_begun, 1);
        /* Once more, in the middle of it: from the beginning. */
        store_log_renew(f.log);
        CHECK_EQ(fixture_change(&f, STORE_FSYNC), -EAGAIN);
        while (f.images_begun == 1)
                loop_run_once(f.loop, 10);
        f.per_slice = 1;
        fixture_settle(&f);
        CHECK_EQ(f.promised, 15);
        CHECK_EQ(f.rooms, 1);
        CHECK_EQ(status_of(&f).renewals, 1);
        fixture_close(&f);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(f.sentences, 0);
        CHECK_EQ(memcmp(&f.now, &f.history[15], sizeof(f.now)), 0);
        fixture_done(&f);
}

/* --- no memory, other versions --- */

TEST(without_memory_nothing_is_opened_and_no_change_is_half_made)
{
        struct log_fixture f;
        size_t n = 0;
        bool failed;
        int r;

        open_new(&f);
        change(&f, 10, STORE_FSYNC);
        fixture_close(&f);
        do {
                allocation_fail_at(++n);
                r = fixture_open(&f);
                failed = allocation_end();
                CHECK(r == 0 || (r == -ENOMEM && failed));
                /* Removing what is of no use can wait. */
                if (r == 0 && failed)
                        fixture_close(&f);
        } while (failed);
        CHECK(n > 5);
        CHECK_EQ(f.replayed, 10);
        CHECK_EQ(f.sentences, 0);
        n = 0;
        do {
                allocation_fail_at(++n);
                r = fixture_change(&f, STORE_FSYNC);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > 1);
        fixture_settle(&f);
        CHECK_EQ(f.promised, 11);
        fixture_done(&f);
}

TEST(what_replaying_says_ends_the_opening)
{
        struct log_fixture f;

        open_new(&f);
        change(&f, 10, STORE_FSYNC);
        fixture_close(&f);
        f.replay_error = -ENOMEM;
        CHECK_EQ(fixture_open(&f), -ENOMEM);
        f.replay_error = -EBADMSG;
        CHECK_EQ(fixture_open(&f), -EINVAL);
        f.replay_error = 0;
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(f.replayed, 10);
        fixture_done(&f);
}

TEST(strange_files_are_left_alone)
{
        static const char *const names[] = {"readme",
                                            "0000000000000001.lo",
                                            "1.log",
                                            "ffffffffffffffff.log",
                                            "000000000000000G.snapshot",
                                            "0000000000000001.log.partial"};
        struct log_fixture f;

        fixture_init(&f);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                close(openat(f.folder_fd, names[i], O_WRONLY | O_CREAT | O_EXCL, 0600));
        /* But a partial image is ours, and of no use. */
        close(openat(f.folder_fd, "0000000000000009.snapshot.partial", O_WRONLY | O_CREAT, 0600));
        CHECK_EQ(fixture_open(&f), 0);
        change(&f, 10, STORE_FSYNC);
        fixture_close(&f);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                CHECK_EQ(faccessat(f.folder_fd, names[i], F_OK, 0), 0);
        CHECK_EQ(fixture_count_files(&f, ".snapshot.partial"), 0);
        CHECK_EQ(faccessat(f.folder_fd, "000000000000000a.log", F_OK, 0), 0);
        fixture_done(&f);
}

/* Whoever changed something without a record waits for that. */
TEST(a_renewal_is_told_when_its_image_is_in_place_and_not_before)
{
        struct log_fixture f;

        fixture_init(&f);
        CHECK_EQ(fixture_open(&f), 0);
        CHECK_EQ(fixture_change(&f, STORE_FSYNC), 0);
        fixture_settle(&f);
        CHECK_EQ(f.renewals, 0);
        store_log_renew(f.log);
        while (f.renewals == 0) {
                CHECK_EQ(f.log->renewals, 0);
                loop_run_once(f.loop, 20);
        }
        CHECK_EQ(f.log->renewals, 1);
        CHECK_EQ(f.log->image, STORE_IMAGE_NONE);
        /* One that begins anew is told once. */
        store_log_renew(f.log);
        loop_run_once(f.loop, 20);
        store_log_renew(f.log);
        fixture_settle(&f);
        CHECK_EQ(f.renewals, f.log->renewals);
        CHECK(f.renewals == 2 || f.renewals == 3);
        fixture_done(&f);
}

TEST(an_owner_may_end_before_its_thread)
{
        struct log_fixture f;
        struct stall stall = {.job = {.run = stall_run, .done = stall_done}};

        fixture_init(&f);
        CHECK_EQ(fixture_open(&f), 0);
        sem_init(&stall.go, 0, 0);
        CHECK_EQ(store_thread_submit(f.thread, &stall.job), 0);
        CHECK_EQ(fixture_change(&f, STORE_FSYNC), 0);
        while (!f.log->under_way)
                loop_run_once(f.loop, 0);
        CHECK_EQ(fixture_change(&f, STORE_INTERVAL), 0);
        CHECK(!store_log_stop(f.log));
        CHECK(fixture_change(&f, STORE_FSYNC) < 0);
        sem_post(&stall.go);
        while (!store_log_stop(f.log))
                loop_run_once(f.loop, 1000);
        CHECK(!f.log->under_way);
        f.log = store_log_free(f.log);
        CHECK_EQ(f.promised, 2);
        f.thread = store_thread_free(f.thread);
        fixture_check(&f, f.path, 2, "after the end");
        fixture_done(&f);
        sem_destroy(&stall.go);
}
