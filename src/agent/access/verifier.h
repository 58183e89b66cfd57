/* agent/access/verifier.h - slow hashes are verified off the loop, one at a time.
 *
 * A job tries one token against all slow hashes. The queue is bounded, and so is
 * the part of it that one origin can take, so that a guesser cannot fill it. Who
 * brings a token from an origin that has this very token under way already waits
 * for that job instead of making another: a client that sends 16 requests in one
 * go, each with its token, costs one.
 *
 * Loop thread, but for the hashing itself, which works on copies. */
#pragma once

#include "agent/access/verified.h"
#include "base/list.h"
#include "loop/work.h"

enum {
        VERIFIER_JOBS_MAX = 32,
        VERIFIER_JOBS_PER_ORIGIN = 4,
        VERIFIER_WAITERS_MAX = 256,
};

struct verifier;

/* Embedded by who waits; its memory must stay until on_verified, which may free
 * it. */
struct verifier_waiter {
        struct list link;
        /* `result` 1: it is the token of hash number `index`; 0: of none; -ENOMEM:
         * could not tell; -ECANCELED: the verifier or the work queue ended first.
         * `first`: the first of those that shared a job. */
        void (*on_verified)(struct verifier_waiter *waiter, int result, size_t index, bool first);
};

/* `hashes` are copied; at least one. `loop` and `work` must live until the verifier is
 * freed. -ENOMEM, -EIO. */
int verifier_new(struct loop *loop, struct loop_work *work, const char *const hashes[],
                 size_t count, struct verifier **ret);
/* Waiters hear -ECANCELED. A job that runs at this moment ends by itself, before
 * the work queue does. */
struct verifier *verifier_free(struct verifier *verifier);
DEFINE_CLEANUP(verifier)

/* 1: found good a short while ago, *index says which hash; 0. */
int verifier_recall(const struct verifier *verifier, const char *token, uint64_t now_ms,
                    size_t *index);
/* 0: on_verified comes later, never from within this call. -EAGAIN: the queue or
 * this origin's part of it is full; -ENOMEM. */
int verifier_submit(struct verifier *verifier, uint64_t origin, const char *token,
                    struct verifier_waiter *waiter);
size_t verifier_jobs(const struct verifier *verifier); /* under way or waiting */
