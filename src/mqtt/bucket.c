#include "mqtt/bucket.h"

enum { ONE = 1000 };

static int64_t full(struct mqtt_rate rate)
{
        return (int64_t)(rate.burst > 0 ? rate.burst : rate.per_s) * ONE;
}

/* A rate of one a second is one thousandth a millisecond. */
static void fill(struct mqtt_bucket *bucket, struct mqtt_rate rate, uint64_t now_ms)
{
        uint64_t passed = now_ms - bucket->filled_ms, lacking = 0;

        if (bucket->level < full(rate))
                lacking = (uint64_t)(full(rate) - bucket->level);
        if (!bucket->begun || passed >= (lacking + rate.per_s - 1) / rate.per_s)
                bucket->level = full(rate);
        else
                bucket->level += (int64_t)(passed * rate.per_s);
        bucket->begun = true;
        bucket->filled_ms = now_ms;
}

uint64_t mqtt_bucket_wait_ms(struct mqtt_bucket *bucket, struct mqtt_rate rate, uint64_t now_ms)
{
        if (rate.per_s == 0)
                return 0;
        fill(bucket, rate, now_ms);
        if (bucket->level >= ONE)
                return 0;
        return ((uint64_t)(ONE - bucket->level) + rate.per_s - 1) / rate.per_s;
}

void mqtt_bucket_take(struct mqtt_bucket *bucket, struct mqtt_rate rate, uint32_t count)
{
        if (rate.per_s > 0)
                bucket->level -= (int64_t)count * ONE;
}
