/* agent/handler/healing.h - when is a version of a module good, and when is it to go?
 *
 * Pure bookkeeping on times that the caller gives (loop time, milliseconds); one
 * value a module, set back with each new version.
 *
 * Probation: a version that is new is good once it has served for a minute, or twenty calls in a
 * row, without an error. Three crashes before that: the one before it comes back.
 * Errors: more than five of one command within ten minutes, and a rollback is suggested,
 * once a version. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
        HEALING_WINDOW_MS = 10 * 60 * 1000,
        HEALING_ERRORS_MAX = 5, /* of a command within the window; one more: suggested */
        HEALING_GOOD_MS = 60 * 1000,
        HEALING_GOOD_CALLS = 20,
        HEALING_CRASHES = 3,
};

/* The last errors of one command. */
struct healing_errors {
        uint64_t at_ms[HEALING_ERRORS_MAX + 1];
        unsigned next, count;
};

struct healing {
        bool probation, suggested;
        uint64_t since_ms; /* it serves without an error */
        unsigned calls;    /* without an error */
        unsigned crashes;  /* during probation */
};

/* `good`: it was good already, nothing to prove. */
void healing_begin(struct healing *healing, bool good, uint64_t now_ms);

/* True: with this, the version has become good. */
bool healing_on_success(struct healing *healing, uint64_t now_ms);
/* The same by time alone; *ret_wait_ms: when to ask again (0: not at all). */
bool healing_look(struct healing *healing, uint64_t now_ms, uint64_t *ret_wait_ms);
/* True: a rollback is suggested from now on. */
bool healing_on_error(struct healing *healing, struct healing_errors *errors, uint64_t now_ms);
/* True: one crash too many for a new version, the old one has to come back. */
bool healing_on_crash(struct healing *healing, uint64_t now_ms);

/* How many errors of a command lie within the window. */
unsigned healing_errors_within(const struct healing_errors *errors, uint64_t now_ms);
