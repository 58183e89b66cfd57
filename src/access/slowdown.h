/* access/slowdown.h - failed attempts cost time, each origin its own.
 *
 * The first three failures of an origin are free; each further one doubles the
 * wait before the next attempt, from half a second to a minute. One failure is
 * forgiven each minute, so that in the long run an origin has one guess a minute.
 * A success forgives all, but only once a minute: who holds one secret must not
 * be able to buy endless guesses at another's with it.
 *
 * Nobody is held up: an attempt that comes too early is refused at once and told
 * when to come again, and does not count. Origins do not know of each other.
 *
 * At most SLOWDOWN_ORIGINS_MAX are remembered; beyond, the one that failed least
 * recently is forgotten. That can be provoked only by who commands more origins
 * than the table holds, and those have three free guesses each anyhow; what bounds
 * them all together is the one queue that slow hashes are verified in.
 *
 * Time is the caller's, in monotonic milliseconds. One thread. */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

enum {
        SLOWDOWN_ORIGINS_MAX = 1024,
        SLOWDOWN_FREE_FAILURES = 3,
        SLOWDOWN_FIRST_MS = 500,
        SLOWDOWN_LONGEST_MS = 60000,
        SLOWDOWN_FORGIVE_MS = 60000,
};

struct slowdown;

int slowdown_new(struct slowdown **ret); /* -ENOMEM */
struct slowdown *slowdown_free(struct slowdown *slowdown);
DEFINE_CLEANUP(slowdown)

/* How long until this origin may try again; 0: now. */
uint64_t slowdown_wait_ms(struct slowdown *slowdown, uint64_t origin, uint64_t now_ms);
/* Counts a failure; returns the wait that follows it. */
uint64_t slowdown_failed(struct slowdown *slowdown, uint64_t origin, uint64_t now_ms);
void slowdown_succeeded(struct slowdown *slowdown, uint64_t origin, uint64_t now_ms);

size_t slowdown_count(const struct slowdown *slowdown); /* origins remembered */
