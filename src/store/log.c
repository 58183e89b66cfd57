#include "store/log.h"

#include "store/folder.h"
#include "store/log-internal.h"
#include "store/recovery.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
        BUFFER_BYTES_MIN = 4 << 10,
        BUFFER_BYTES_MAX = STORE_RECORD_MAX,
        IMAGE_BYTES_MIN = 4 << 10,
        INTERVAL_MS_MAX = 3600 * 1000,
};

static void on_task(struct loop_task *task)
{
        struct store_log *log = container_of(task, struct store_log, task);

        if (log->image == STORE_IMAGE_COLLECTING)
                store_image_collect(log);
        store_log_turn(log);
}

static void on_gather(struct loop_timer *timer)
{
        store_log_turn(container_of(timer, struct store_log, gather));
}

static void on_interval(struct loop_timer *timer)
{
        struct store_log *log = container_of(timer, struct store_log, interval);

        log->sync_wanted = true;
        store_log_turn(log);
}

static void on_retry(struct loop_timer *timer)
{
        store_log_turn(container_of(timer, struct store_log, retry));
}

static bool options_are_valid(const struct store_log_options *options)
{
        return options->interval_ms >= 1 && options->interval_ms <= INTERVAL_MS_MAX &&
               options->gather_ms <= options->interval_ms &&
               options->buffer_bytes >= BUFFER_BYTES_MIN &&
               options->buffer_bytes <= BUFFER_BYTES_MAX &&
               options->image_bytes_min >= IMAGE_BYTES_MIN;
}

static void log_init(struct store_log *log, struct loop *loop, struct store_thread *thread)
{
        log->loop = loop;
        log->thread = thread;
        log->job.run = store_log_run;
        log->job.done = store_log_done;
        log->retry_ms = STORE_RETRY_FIRST_MS;
        buffer_init(&log->writing, log->options.buffer_bytes + STORE_RECORD_HEADER);
        buffer_init(&log->gathered, log->options.buffer_bytes + STORE_RECORD_HEADER);
        buffer_init(&log->slice, log->options.buffer_bytes + STORE_RECORD_HEADER);
        loop_timer_init(&log->retry, loop, on_retry);
        loop_timer_init(&log->gather, loop, on_gather);
        loop_timer_init(&log->interval, loop, on_interval);
        loop_task_init(&log->task, loop, on_task);
}

static int recover(struct store_log *log)
{
        struct store_recovery recovery;
        int r = store_recover(log->folder_fd, &log->owner, &recovery);

        if (r < 0)
                return r;
        store_writer_init(&log->writer, log->folder_fd, log->options.schema, recovery.generation,
                          recovery.sequence);
        log->appended = recovery.sequence;
        log->durable = recovery.renew ? 0 : recovery.sequence;
        log->segment_bytes = recovery.segment_bytes;
        log->image_bytes = recovery.image_bytes;
        log->segments = recovery.segments;
        log->failed = recovery.renew;
        return 0;
}

int store_log_open(struct loop *loop, struct store_thread *thread,
                   const struct store_log_options *options, const struct store_log_owner *owner,
                   struct store_log **ret)
{
        AUTO_FREE struct store_log *log = NULL;
        int r;

        if (!options_are_valid(options))
                return -EINVAL;
        log = calloc(1, sizeof(*log));
        if (!log)
                return -ENOMEM;
        log->options = *options;
        log->owner = *owner;
        log->folder_fd = store_folder_take(options->directory_fd);
        if (log->folder_fd < 0)
                return log->folder_fd;
        r = recover(log);
        if (r < 0) {
                close(log->folder_fd);
                return r;
        }
        log_init(log, loop, thread);
        if (log->failed)
                store_log_turn(log);
        *ret = TAKE(log);
        return 0;
}

static bool is_all_durable(const struct store_log *log)
{
        return !store_log_has_gathered(log) && buffer_length(&log->writing) == 0 &&
               log->writer.synced == log->writer.written;
}

/* What turns would do, here and now; one attempt, whatever was wrong before. */
static void write_the_rest(struct store_log *log)
{
        while (!log->failed && !log->renewing && !is_all_durable(log)) {
                loop_timer_stop(&log->retry);
                log->sync_wanted = true;
                store_log_turn(log);
                if (log->error < 0)
                        return;
        }
}

bool store_log_stop(struct store_log *log)
{
        log->closing = true;
        return !log->under_way;
}

struct store_log *store_log_free(struct store_log *log)
{
        if (!log)
                return NULL;
        assert(!log->under_way);
        log->closing = true;
        store_image_abandon(log);
        store_writer_drop_image(&log->writer);
        write_the_rest(log);
        loop_timer_stop(&log->retry);
        loop_timer_stop(&log->gather);
        loop_timer_stop(&log->interval);
        loop_task_cancel(&log->task);
        store_writer_done(&log->writer);
        buffer_done(&log->writing);
        buffer_done(&log->gathered);
        buffer_done(&log->slice);
        close(log->folder_fd);
        free(log);
        return NULL;
}

int store_log_put(struct buffer *buffer, uint8_t type, uint64_t sequence,
                  const struct store_part *parts, size_t parts_count)
{
        uint8_t *to;
        size_t count = 0;
        int r;

        for (size_t i = 0; i < parts_count; i++) {
                if (parts[i].count > STORE_RECORD_MAX - count)
                        return -EMSGSIZE;
                count += parts[i].count;
        }
        r = buffer_reserve(buffer, STORE_RECORD_HEADER + count);
        if (r < 0)
                return r;
        to = (uint8_t *)buffer_data(buffer) + buffer_length(buffer);
        store_record_begin(to, type, sequence, (uint32_t)count);
        to += STORE_RECORD_HEADER;
        for (size_t i = 0; i < parts_count; i++) {
                if (parts[i].count > 0)
                        memcpy(to, parts[i].bytes, parts[i].count);
                to += parts[i].count;
        }
        buffer_commit(buffer, STORE_RECORD_HEADER + count);
        return 0;
}

static bool fits_empty(const struct store_log *log, const struct store_part *parts, size_t count)
{
        size_t room = log->options.buffer_bytes - STORE_RECORD_HEADER;

        for (size_t i = 0; i < count; i++) {
                if (parts[i].count > room)
                        return false;
                room -= parts[i].count;
        }
        return true;
}

/* A group begins with the room for a mark. */
static int begin_group(struct store_log *log)
{
        static const uint8_t room[STORE_RECORD_HEADER];

        return buffer_length(&log->gathered) > 0
                       ? 0
                       : buffer_append(&log->gathered, room, sizeof(room));
}

static void appended(struct store_log *log, enum store_durability durability)
{
        if (durability == STORE_FSYNC)
                log->sync_wanted = true;
        else if (!log->interval.armed)
                loop_timer_start(&log->interval, log->options.interval_ms);
        if (log->sync_wanted || log->options.gather_ms == 0 ||
            buffer_length(&log->gathered) >= STORE_GATHER_BYTES)
                loop_task_post(&log->task);
        else if (!log->gather.armed)
                loop_timer_start(&log->gather, log->options.gather_ms);
}

int store_log_append(struct store_log *log, enum store_durability durability, uint8_t type,
                     const struct store_part *parts, size_t parts_count, uint64_t *ret_sequence)
{
        int r;

        assert(type <= STORE_TYPE_MAX);
        if (!fits_empty(log, parts, parts_count))
                return -EMSGSIZE;
        if (log->failed || log->closing || log->appended == STORE_SEQUENCE_MAX) {
                log->refused = true;
                return log->trouble < 0 ? log->trouble : -EAGAIN;
        }
        r = begin_group(log);
        if (r == 0)
                r = store_log_put(&log->gathered, type, log->appended + 1, parts, parts_count);
        if (r == -EMSGSIZE) {
                log->refused = true;
                return log->trouble < 0 ? log->trouble : -EAGAIN;
        }
        if (r < 0)
                return r;
        log->appended++;
        if (ret_sequence)
                *ret_sequence = log->appended;
        appended(log, durability);
        return 0;
}

void store_log_sync(struct store_log *log)
{
        if (log->durable == log->appended)
                return;
        log->sync_wanted = true;
        loop_task_post(&log->task);
}

void store_log_renew(struct store_log *log)
{
        /* One that has not begun with its image is going to have everything in it. */
        if (!log->failed && !(log->renewing && log->image == STORE_IMAGE_BEGINNING))
                store_log_fail(log, 0);
}

void store_log_status(const struct store_log *log, struct store_log_status *ret)
{
        *ret = (struct store_log_status){
                .appended = log->appended,
                .durable = log->durable,
                .segment_bytes = log->segment_bytes,
                .image_bytes = log->image_bytes,
                .groups = log->groups,
                .images = log->images,
                .renewals = log->renewals,
                .written_bytes = log->written_bytes,
                .waiting_bytes = buffer_length(&log->writing) + buffer_length(&log->gathered),
                .trouble = log->trouble,
                .image_trouble = log->image_trouble,
        };
}
