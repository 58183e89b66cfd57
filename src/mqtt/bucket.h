/* mqtt/bucket.h - a token bucket: so many of something a second, and a burst beside.
 *
 * It fills by the millisecond, exactly: what is less than one is kept. Who takes more than
 * there is leaves a debt, so that what is larger than the burst passes too, and is paid for
 * afterwards. Embedded in its owner. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mqtt_rate {
        uint32_t per_s; /* 0: no bound */
        uint32_t burst; /* how much may come at once; 0: what comes in a second */
};

struct mqtt_bucket {
        int64_t level; /* in thousandths; below 0: a debt */
        uint64_t filled_ms;
        bool begun; /* else it is full */
};

/* How long until there is at least one; 0: there is. */
uint64_t mqtt_bucket_wait_ms(struct mqtt_bucket *bucket, struct mqtt_rate rate, uint64_t now_ms);
/* After mqtt_bucket_wait_ms() at the same time. */
void mqtt_bucket_take(struct mqtt_bucket *bucket, struct mqtt_rate rate, uint32_t count);
