/* What a log does next, and what came of it. See log-internal.h. */
#include "store/log-internal.h"

#include <errno.h>

enum {
        KEEP_BYTES = 64 << 10, /* of an empty buffer's memory */
        RETRY_MAX_MS = 30000,
        RESUBMIT_MS = 10, /* others fill the thread's queue */
};

bool store_log_has_gathered(const struct store_log *log)
{
        return buffer_length(&log->gathered) > STORE_RECORD_HEADER;
}

void store_log_tell_trouble(struct store_log *log, int error)
{
        if (log->trouble == error)
                return;
        log->trouble = error;
        log->owner.on_trouble(log->owner.owner, error);
}

static void retry_later(struct store_log *log)
{
        if (log->closing)
                return;
        loop_timer_start(&log->retry, log->retry_ms);
        log->retry_ms = log->retry_ms < RETRY_MAX_MS / 2 ? log->retry_ms * 2 : RETRY_MAX_MS;
}

void store_log_fail(struct store_log *log, int error)
{
        log->failed = true;
        log->renewing = false;
        log->sync_wanted = false;
        buffer_truncate(&log->gathered, 0);
        loop_timer_stop(&log->gather);
        loop_timer_stop(&log->interval);
        store_image_abandon(log);
        if (error < 0) {
                retry_later(log);
                store_log_tell_trouble(log, error);
        }
        if (!log->closing)
                loop_task_post(&log->task);
}

/* --- on the store thread --- */

static int write_group(struct store_log *log)
{
        int r = 0;

        if (buffer_length(&log->writing) > 0)
                r = store_writer_append(&log->writer, (uint8_t *)buffer_data(&log->writing),
                                        buffer_length(&log->writing));
        return r == 0 && log->sync ? store_writer_sync(&log->writer) : r;
}

static int take_turn(struct store_log *log)
{
        switch (log->turn) {
        case STORE_GROUP:
                return write_group(log);
        case STORE_BEGIN:
                return store_writer_begin_image(&log->writer);
        case STORE_BEGIN_AFRESH:
                return store_writer_begin_afresh(&log->writer, log->from);
        case STORE_SLICE:
                return store_writer_add_image(&log->writer, (uint8_t *)buffer_data(&log->slice),
                                              buffer_length(&log->slice));
        case STORE_END:
                return store_writer_end_image(&log->writer, log->from);
        }
        return -EINVAL;
}

void store_log_run(struct store_job *job)
{
        struct store_log *log = container_of(job, struct store_log, job);

        log->error = take_turn(log);
}

/* --- what is next --- */

static bool submit(struct store_log *log, enum store_turn turn)
{
        log->turn = turn;
        log->under_way = true;
        if (log->closing) {
                log->job.run(&log->job);
                log->job.ran = true;
                log->job.done(&log->job);
                return true;
        }
        if (store_thread_submit(log->thread, &log->job) < 0) {
                log->under_way = false;
                loop_timer_start(&log->retry, RESUBMIT_MS);
                return false;
        }
        return true;
}

static void submit_group(struct store_log *log)
{
        bool sync = log->sync_wanted;

        if (buffer_length(&log->writing) == 0 && store_log_has_gathered(log)) {
                struct buffer empty = log->writing;

                log->writing = log->gathered;
                log->gathered = empty;
        }
        loop_timer_stop(&log->gather);
        log->sync = sync;
        log->sync_wanted = false;
        if (!submit(log, STORE_GROUP))
                log->sync_wanted = sync;
}

static void begin_afresh(struct store_log *log)
{
        buffer_truncate(&log->writing, 0);
        buffer_truncate(&log->gathered, 0);
        log->from = log->appended;
        if (!submit(log, STORE_BEGIN_AFRESH))
                return;
        log->failed = false;
        log->renewing = true;
        log->image = STORE_IMAGE_BEGINNING;
}

static bool group_is_wanted(const struct store_log *log)
{
        if (buffer_length(&log->writing) > 0 || log->sync_wanted)
                return true;
        if (!store_log_has_gathered(log))
                return false;
        return !log->gather.armed || buffer_length(&log->gathered) >= STORE_GATHER_BYTES ||
               log->image == STORE_IMAGE_ENDED;
}

void store_log_turn(struct store_log *log)
{
        bool group;

        if (log->under_way || log->retry.armed)
                return;
        if (log->failed) {
                if (!log->closing)
                        begin_afresh(log);
                return;
        }
        if (log->writer.synced == log->appended)
                log->sync_wanted = false;
        group = group_is_wanted(log);
        if (log->image == STORE_IMAGE_ENDED && log->writer.written >= log->image_as_of) {
                log->from = log->image_as_of;
                (void)submit(log, STORE_END);
        } else if (store_image_is_due(log)) {
                if (submit(log, STORE_BEGIN))
                        log->image = STORE_IMAGE_BEGINNING;
        } else if (log->image == STORE_IMAGE_COLLECTED &&
                   (log->turn == STORE_GROUP || !group || log->image_owed > 0)) {
                (void)submit(log, STORE_SLICE);
        } else if (group) {
                submit_group(log);
        }
}

/* --- what came of it --- */

static void tell_durable(struct store_log *log)
{
        if (log->renewing || log->writer.synced <= log->durable)
                return;
        log->durable = log->writer.synced;
        if (log->durable == log->appended)
                loop_timer_stop(&log->interval);
        log->owner.on_durable(log->owner.owner, log->durable);
}

static void tell_room(struct store_log *log)
{
        if (!log->refused || log->failed || log->closing ||
            buffer_length(&log->gathered) > log->options.buffer_bytes / 2)
                return;
        log->refused = false;
        log->owner.on_room(log->owner.owner);
}

/* The disk does what it is told. */
static void all_is_well(struct store_log *log)
{
        log->retry_ms = STORE_RETRY_FIRST_MS;
        if (!log->renewing)
                store_log_tell_trouble(log, 0);
        if (!log->failed)
                tell_durable(log);
        if (!log->failed)
                tell_room(log);
}

static void group_ended(struct store_log *log, uint64_t bytes)
{
        if (log->error < 0) {
                /* Not broken: the same again after a while. The image made room for it. */
                log->sync_wanted = log->sync_wanted || log->sync;
                store_image_abandon(log);
                retry_later(log);
                store_log_tell_trouble(log, log->error);
                return;
        }
        buffer_truncate(&log->writing, 0);
        buffer_shrink(&log->writing, KEEP_BYTES);
        log->groups++;
        log->segment_bytes += bytes;
        log->image_owed += bytes;
        /* What came while the disk was at it has to wait for an interval of its own. */
        if (log->sync && !log->interval.armed && store_log_has_gathered(log))
                loop_timer_start(&log->interval, log->options.interval_ms);
        all_is_well(log);
}

/* Without the image goes on a log that is whole; one that begins afresh is nothing. */
static void image_failed(struct store_log *log)
{
        if (log->renewing) {
                store_log_fail(log, log->error);
                return;
        }
        log->image_trouble = log->error;
        store_image_abandon(log);
}

static void image_began(struct store_log *log)
{
        log->image = STORE_IMAGE_COLLECTING;
        log->image_as_of = log->writer.written;
        log->before_bytes = log->segment_bytes;
        log->image_owed = 0;
        buffer_truncate(&log->slice, 0);
        loop_task_post(&log->task);
        log->owner.image_begin(log->owner.owner);
        /* The segment before was synced. */
        tell_durable(log);
}

static void slice_ended(struct store_log *log, uint64_t bytes)
{
        if (log->image != STORE_IMAGE_COLLECTED)
                return;
        buffer_truncate(&log->slice, 0);
        log->image = log->image_last ? STORE_IMAGE_ENDED : STORE_IMAGE_COLLECTING;
        log->image_owed -= bytes < log->image_owed ? bytes : log->image_owed;
        /* Before a group that waits. If nothing comes of it, that has its turn all the same. */
        if (log->image == STORE_IMAGE_COLLECTING && log->image_owed > 0)
                store_image_collect(log);
        loop_task_post(&log->task);
}

static void image_ended(struct store_log *log)
{
        bool renewed;

        log->image = STORE_IMAGE_NONE;
        log->image_bytes = log->writer.image_length;
        log->image_retry_from = 0;
        log->image_trouble = 0;
        log->segment_bytes -= log->before_bytes;
        log->segments = 0;
        log->images++;
        buffer_shrink(&log->slice, 0);
        renewed = log->renewing;
        log->renewals += renewed;
        log->renewing = false;
        all_is_well(log);
        if (renewed && !log->failed && log->owner.on_renewed)
                log->owner.on_renewed(log->owner.owner);
}

static void turn_ended(struct store_log *log, uint64_t bytes)
{
        if (log->writer.broken)
                store_log_fail(log, log->error < 0 ? log->error : -EIO);
        else if (log->turn == STORE_GROUP && (log->error == 0 || !log->renewing))
                group_ended(log, bytes);
        else if (log->error < 0)
                image_failed(log);
        else if (log->turn == STORE_SLICE)
                slice_ended(log, bytes);
        else if (log->turn == STORE_END)
                image_ended(log);
        else
                image_began(log);
}

void store_log_done(struct store_job *job)
{
        struct store_log *log = container_of(job, struct store_log, job);
        uint64_t bytes = log->writer.bytes - log->written_bytes;

        log->under_way = false;
        log->written_bytes = log->writer.bytes;
        if (!job->ran) {
                /* The thread is gone; store_log_free() does what is left. */
                log->failed = log->failed || log->turn == STORE_BEGIN_AFRESH;
                return;
        }
        /* Given up while it was under way: whatever came of it. */
        if (!log->failed)
                turn_ended(log, bytes);
        if (!log->closing)
                store_log_turn(log);
}
