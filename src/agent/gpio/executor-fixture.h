/* agent/gpio/executor-fixture.h - an executor on a virtual clock, for tests: its jobs'
 * results, and a supervisor that the test plays in place of guard-link.c. */
#pragma once

#include "agent/gpio/executor.h"
#include "agent/gpio/fake-kernel.h"
#include "agent/gpio/sim.h"
#include "base/attributes.h"

#include "support/test.h"

#include <errno.h>
#include <stdio.h>

enum { SLOTS = 16, LATER = 4 };

struct question {
        bool let_go;
        uint64_t id;
        guard_answered_fn *answered;
        void *context;
};

struct fixture;

struct guard_link {
        struct fixture *fixture;
        struct question questions[LATER];
        size_t questions_count;
        uint64_t last_id;
        struct guard_hold hold; /* the last */
        int hold_result;
        bool looks_away;       /* a signal is on the pin, which another thread drives */
        bool driven_when_held; /* else: the pin stood against its safe state at that moment */
};

struct fixture {
        struct loop *loop;
        struct gpio_chip *chip;
        struct fake_kernel *kernel; /* NULL: the chip is a simulated one */
        struct fake_chip *board;
        struct gpio_executor *executor;
        struct guard_link link;
        struct gpio_result results[SLOTS];
        unsigned done[SLOTS];
        char order[SLOTS * 4]; /* slots in which results came */
        char changes[256];
        struct gpio_job waiting[SLOTS]; /* what the queue still has */
        size_t waiting_count;
};

/* On a simulated chip. */
void fixture_init(struct fixture *f, enum gpio_safe safe, bool guarded);
void fixture_init_pwm(struct fixture *f, enum gpio_safe safe, bool guarded, const char *pwm_root);
/* On a chip of a kernel that the test plays. */
void fixture_init_kernel(struct fixture *f, enum gpio_safe safe);
void fixture_done(struct fixture *f);

/* The supervisor answers the oldest question. */
void answer(struct guard_link *link, bool let_go, int error);
/* What the descriptor of a line is from here on, to hand over: 0, or -errno. */
void fixture_guardable(int descriptor);

/* The electrical level. */
bool level_of(struct fixture *f, unsigned pin);
struct gpio_line_info info_of(struct fixture *f, unsigned pin);

struct gpio_job job_of(enum gpio_job_kind kind, uint32_t slot, uint32_t pin);
void run_set(struct fixture *f, uint32_t slot, uint32_t pin, bool value);
void run(struct fixture *f, enum gpio_job_kind kind, uint32_t slot, uint32_t pin);
void run_safe(struct fixture *f, uint32_t slot, uint64_t pins, uint64_t purge_tag);
