/* access/verifier-fixture.h - a verifier with three hashes, on a virtual clock, for tests. */
#pragma once

#include "access/password-fixture.h"
#include "access/verifier.h"
#include "support/test.h"

enum { HERE = 1, ELSEWHERE = 2, NOT_YET = 1000 };

/* Of "first secret", "second secret" and "third secret". */
enum { HASHES = 3 };
extern const char *const hashes[HASHES];

struct fixture {
        struct loop *loop;
        struct loop_work *work;
        struct slowdown *slowdown;
        struct verifier *verifier;
};

/* Somebody who waits for an answer. */
struct asked {
        struct verifier_waiter waiter;
        int result; /* NOT_YET: none came */
        size_t index;
        bool first;
        unsigned answers;
};

/* The pool's queue has room for `capacity` jobs. */
struct fixture fixture_new(size_t capacity);
void fixture_done(struct fixture *f);

/* Whether `secret` is one of the three. */
struct verifier_question question_of(const char *secret);
int ask(struct fixture *f, uint64_t origin, const struct verifier_question *question,
        struct asked *asked);
int submit(struct fixture *f, uint64_t origin, const char *secret, struct asked *asked);
int recall(const struct fixture *f, const char *secret, size_t *index);
void run_until_idle(struct fixture *f);
