#include "access/slowdown.h"

#include <errno.h>
#include <stdbool.h>

enum {
        /* As many failures as it takes to reach the longest wait: more would only make
         * forgiving take longer. 500 ms doubled seven times is over a minute. */
        FAILURES_MAX = SLOWDOWN_FREE_FAILURES + 8,
};

struct origin {
        uint64_t failed_ms;       /* the last failure */
        uint64_t counted_from_ms; /* forgiving was done up to here */
        uint64_t blocked_until_ms;
        uint64_t succeeded_ms; /* the success that forgave all; counts if has_succeeded */
        uint8_t failures;
        bool has_succeeded;
};

/* Keys stand apart and packed, so that looking one up is a walk over a few cache
 * lines, without a hash that strangers could make collide. */
struct slowdown {
        size_t count;
        uint64_t keys[SLOWDOWN_ORIGINS_MAX];
        struct origin origins[SLOWDOWN_ORIGINS_MAX];
};

int slowdown_new(struct slowdown **ret)
{
        struct slowdown *slowdown = calloc(1, sizeof *slowdown);

        if (!slowdown)
                return -ENOMEM;
        *ret = slowdown;
        return 0;
}

struct slowdown *slowdown_free(struct slowdown *slowdown)
{
        free(slowdown);
        return NULL;
}

static void forget(struct slowdown *slowdown, size_t index)
{
        slowdown->count--;
        slowdown->keys[index] = slowdown->keys[slowdown->count];
        slowdown->origins[index] = slowdown->origins[slowdown->count];
}

static void forgive(struct origin *origin, uint64_t now_ms)
{
        uint64_t minutes = (now_ms - origin->counted_from_ms) / SLOWDOWN_FORGIVE_MS;

        origin->counted_from_ms += minutes * SLOWDOWN_FORGIVE_MS;
        origin->failures = minutes >= origin->failures ? 0 : origin->failures - (uint8_t)minutes;
        if (origin->has_succeeded && now_ms - origin->succeeded_ms >= SLOWDOWN_FORGIVE_MS)
                origin->has_succeeded = false;
}

/* NULL: nothing is held against it. */
static struct origin *find(struct slowdown *slowdown, uint64_t key, uint64_t now_ms)
{
        for (size_t i = 0; i < slowdown->count; i++) {
                struct origin *origin = &slowdown->origins[i];

                if (slowdown->keys[i] != key)
                        continue;
                forgive(origin, now_ms);
                if (origin->failures > 0 || origin->has_succeeded)
                        return origin;
                forget(slowdown, i);
                return NULL;
        }
        return NULL;
}

static struct origin *add(struct slowdown *slowdown, uint64_t key, uint64_t now_ms)
{
        size_t oldest = 0;

        if (slowdown->count == SLOWDOWN_ORIGINS_MAX) {
                for (size_t i = 1; i < slowdown->count; i++)
                        if (slowdown->origins[i].failed_ms < slowdown->origins[oldest].failed_ms)
                                oldest = i;
                forget(slowdown, oldest);
        }
        slowdown->keys[slowdown->count] = key;
        slowdown->origins[slowdown->count] = (struct origin){.counted_from_ms = now_ms};
        return &slowdown->origins[slowdown->count++];
}

uint64_t slowdown_wait_ms(struct slowdown *slowdown, uint64_t key, uint64_t now_ms)
{
        const struct origin *origin = find(slowdown, key, now_ms);

        return origin && origin->blocked_until_ms > now_ms ? origin->blocked_until_ms - now_ms : 0;
}

uint64_t slowdown_failed(struct slowdown *slowdown, uint64_t key, uint64_t now_ms)
{
        struct origin *origin = find(slowdown, key, now_ms);
        uint64_t wait_ms = 0;

        if (!origin)
                origin = add(slowdown, key, now_ms);
        if (origin->failures == 0)
                origin->counted_from_ms = now_ms;
        if (origin->failures < FAILURES_MAX)
                origin->failures++;
        origin->failed_ms = now_ms;
        if (origin->failures > SLOWDOWN_FREE_FAILURES)
                wait_ms = (uint64_t)SLOWDOWN_FIRST_MS
                          << (origin->failures - SLOWDOWN_FREE_FAILURES - 1);
        if (wait_ms > SLOWDOWN_LONGEST_MS)
                wait_ms = SLOWDOWN_LONGEST_MS;
        origin->blocked_until_ms = now_ms + wait_ms;
        return wait_ms;
}

void slowdown_succeeded(struct slowdown *slowdown, uint64_t key, uint64_t now_ms)
{
        struct origin *origin = find(slowdown, key, now_ms);

        if (!origin || origin->has_succeeded)
                return;
        origin->failures = 0;
        origin->blocked_until_ms = 0;
        origin->has_succeeded = true;
        origin->succeeded_ms = now_ms;
}

size_t slowdown_count(const struct slowdown *slowdown)
{
        return slowdown->count;
}
