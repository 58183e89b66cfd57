/* The image of the state that is taken while changes go on. See log.h. */
#include "store/log-internal.h"

#include <assert.h>
#include <errno.h>

enum {
        SLICE_BYTES = 256 << 10,
        SEGMENTS_MAX = 32, /* each start makes one when something is changed */
};

bool store_image_is_due(const struct store_log *log)
{
        uint64_t from = log->options.image_bytes_min;

        if (log->image != STORE_IMAGE_NONE || log->closing)
                return false;
        if (from < log->image_bytes * STORE_IMAGE_FACTOR)
                from = log->image_bytes * STORE_IMAGE_FACTOR;
        if (from < log->image_retry_from)
                from = log->image_retry_from;
        return log->segment_bytes >= from || log->segments >= SEGMENTS_MAX;
}

/* The next attempt comes when there is some more to be saved by it. */
void store_image_abandon(struct store_log *log)
{
        if (log->image == STORE_IMAGE_NONE)
                return;
        log->image = STORE_IMAGE_NONE;
        log->image_retry_from = log->segment_bytes + log->options.image_bytes_min;
        log->segments = 0;
}

void store_image_collect(struct store_log *log)
{
        int r;

        log->slice_full = false;
        r = log->owner.image_next(log->owner.owner, log);
        /* It may have been given up inside. */
        if (log->image != STORE_IMAGE_COLLECTING)
                return;
        if (r < 0 && log->renewing) {
                store_log_fail(log, r);
        } else if (r < 0) {
                log->image_trouble = r;
                store_image_abandon(log);
        } else if (r == 0 || log->slice_full || buffer_length(&log->slice) >= SLICE_BYTES / 2) {
                log->image_last = r == 0;
                log->image =
                        buffer_length(&log->slice) > 0 ? STORE_IMAGE_COLLECTED : STORE_IMAGE_ENDED;
        } else {
                loop_task_post(&log->task);
        }
}

int store_log_add_image(struct store_log *log, uint8_t type, const struct store_part *parts,
                        size_t parts_count)
{
        int r = -EMSGSIZE;

        assert(log->image == STORE_IMAGE_COLLECTING && type <= STORE_TYPE_MAX);
        if (buffer_length(&log->slice) < SLICE_BYTES)
                r = store_log_put(&log->slice, type, log->appended, parts, parts_count);
        if (r == -EMSGSIZE && buffer_length(&log->slice) > 0) {
                log->slice_full = true;
                return -EAGAIN;
        }
        if (r == 0)
                log->image_as_of = log->appended;
        return r;
}
