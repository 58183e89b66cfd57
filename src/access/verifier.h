/* access/verifier.h - slow hashes are verified off the loop, one at a time.
 *
 * A job tries one secret against one hash or a few. The queue is bounded, and so is the part
 * of it that one origin can take; origins take turns, so that whoever has one secret to show
 * waits for one job of each other origin at most. Who asks from an origin what this origin has
 * under way already waits for that job instead of making another: a client that sends 16
 * requests in one go, each with its token, costs one.
 *
 * What an origin has waiting is not looked at once it is slowed down (slowdown.h): many guesses
 * at once are no more than one after the other.
 *
 * Loop thread, but for the hashing itself, which works on copies. */
#pragma once

#include "access/password-hash.h"
#include "access/slowdown.h"
#include "access/verified.h"
#include "base/list.h"
#include "loop/work.h"

enum {
        VERIFIER_JOBS_MAX = 256,
        VERIFIER_JOBS_PER_ORIGIN = 32,
        VERIFIER_WAITERS_MAX = 1024,
        VERIFIER_HASHES_MAX = 8, /* of one question */
};

struct verifier_question {
        /* Who is said to ask; two who are not the same do not share a job. */
        const char *whose;
        size_t whose_length;
        const char *secret;
        size_t secret_length; /* at most PASSWORD_MAX */
        const char *const *hashes;
        size_t hashes_count; /* at least one */
        /* It only has to take its time: whatever comes of it, the answer is 0. */
        bool decoy;
};

struct verifier;

/* Embedded by who waits; its memory must stay until on_verified, which may free
 * it. */
struct verifier_waiter {
        struct list link;
        /* `result` 1: it is the secret of hash number `index`; 0: of none; -EACCES: its origin is
         * slowed down by now; -ENOMEM and -EIO: could not tell; -ECANCELED: the verifier or the
         * work queue ended first, or another's jobs fill that.
         * `first`: the first of those that shared a job. */
        void (*on_verified)(struct verifier_waiter *waiter, int result, size_t index, bool first);
};

/* All three must live until the verifier is freed; who asks counts failures in `slowdown`.
 * -ENOMEM, -EIO. */
int verifier_new(struct loop *loop, struct loop_work *work, struct slowdown *slowdown,
                 struct verifier **ret);
/* Waiters hear -ECANCELED. A job that runs at this moment ends by itself, before
 * the work queue does. */
struct verifier *verifier_free(struct verifier *verifier);
DEFINE_CLEANUP(verifier)

/* 1: found good a short while ago, *index says which hash; 0. */
int verifier_recall(const struct verifier *verifier, const struct verifier_question *question,
                    size_t *index);
/* Copies the question. 0: on_verified comes later, never from within this call. -EAGAIN: the
 * queue or this origin's part of it is full; -EINVAL: a length or count beyond the above;
 * -ENOMEM. */
int verifier_submit(struct verifier *verifier, uint64_t origin,
                    const struct verifier_question *question, struct verifier_waiter *waiter);
size_t verifier_jobs(const struct verifier *verifier); /* under way or waiting */
