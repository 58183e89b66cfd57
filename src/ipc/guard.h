/* ipc/guard.h - what the agent and the supervisor say to each other about the
 * lines that must not stay driven. Version 1, frozen early: the agent is updated,
 * the supervisor is not.
 *
 *     agent                                  supervisor
 *     takes guard_page.alive, HELLO    ->
 *                                      <-    RETURN (lines of a dead agent, if any)
 *                                      <-    WELCOME
 *     a line is requested at its safe value
 *     HOLD + a duplicate of it         ->
 *                                      <-    ACK, or REFUSED
 *     only now the line may be driven
 *     LET_GO                           ->
 *                                      <-    ACK, or REFUSED
 *     the line may be requested anew
 *     STOPPING                         ->    an end is expected: no restart
 *
 * Answers come in the order of the questions. A HOLD with an id that is held
 * takes the other's place in one step: so actions and configuration change
 * without an unguarded moment. What was returned stays held under its id until
 * the agent lets go of it.
 *
 * The supervisor learns of the agent's death by `alive` and by its pidfd, of a
 * hang by `beat`, which the hardware worker counts up.
 *
 * `alive` is a priority-inheriting futex (futex(2), FUTEX_LOCK_PI) that holds the
 * id of a thread of the agent which does nothing but sleep; the supervisor waits
 * for it at a real-time priority. The kernel hands it over when that thread
 * dies, before it tears the address space down (which takes 20 ms for 100 MB,
 * and the pidfd waits for it), and lends the priority to the dying thread, so
 * that a busy machine does not delay its death. A thread of its own, because it
 * is lent for as long as somebody waits: the agent's loop must not run with it. A
 * bare futex rather than a robust pthread_mutex_t: that one's layout is the C
 * library's, and it ends the supervisor by assert() when its word is damaged. */
#pragma once

#include "base/attributes.h"
#include "ipc/channel.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
        GUARD_VERSION = 1,
        GUARD_LINES_MAX = 64,      /* of one hold: what one kernel request can hold */
        GUARD_HOLDS_MAX = 64,      /* at once */
        GUARD_BEAT_MS = 500,       /* how often the worker beats */
        GUARD_BEAT_LOST_MS = 2000, /* without a beat: the worker hangs */
        GUARD_PAGE_BYTES = 4096,
        GUARD_NAME_MAX = 32, /* with their NUL */
        GUARD_PATH_MAX = 128,
};

/* The descriptors the agent inherits, by number; named in $PIFLEET_GUARD as
 * "CHANNEL,PAGE". */
#define GUARD_ENVIRONMENT "PIFLEET_GUARD"

/* Shared memory (memfd of GUARD_PAGE_BYTES, sealed against a change of size),
 * made anew, and zeroed, for each agent that is started. */
struct guard_page {
        _Atomic uint32_t alive;   /* id of the thread that sleeps; 0 until it does */
        _Atomic uint32_t beating; /* 1: the worker runs, so a missing beat counts */
        _Atomic uint32_t beat;    /* counted up by the hardware worker, wraps around */
};

enum guard_message {
        GUARD_HELLO = 1,
        GUARD_WELCOME,
        GUARD_HOLD,
        GUARD_LET_GO,
        GUARD_ACK,
        GUARD_REFUSED,
        GUARD_RETURN,
        GUARD_STOPPING,
};

/* What becomes of a line, or of a PWM channel, when its agent is gone. */
enum guard_action {
        GUARD_OFF,   /* logically off: the level of an inactive line */
        GUARD_ON,    /* logically on */
        GUARD_KEEP,  /* stays as it is; handed back to the next agent */
        GUARD_INPUT, /* becomes an input with the bias it was given */
};

enum guard_kind { GUARD_KIND_LINES = 1, GUARD_KIND_PWM };

struct guard_hello {
        uint32_t version;
        uint32_t pid;
};

struct guard_welcome {
        uint32_t version;
        uint32_t returned; /* how many RETURNs came before this */
};

/* With one descriptor: a line request (kind LINES), or a PWM channel's `enable`
 * file, open for writing (kind PWM: OFF writes "0", KEEP nothing; one "line"). */
struct guard_hold {
        uint64_t id; /* the agent's; unique among its holds */
        uint32_t kind;
        uint32_t lines_count;
        char consumer[GUARD_NAME_MAX];
        /* Device of the chip ("/dev/gpiochip0"), or the PWM channel's folder. */
        char chip[GUARD_PATH_MAX];
        uint32_t offsets[GUARD_LINES_MAX];
        uint8_t actions[GUARD_LINES_MAX]; /* enum guard_action */
        /* GPIO_V2_LINE_FLAG_*: how each line is configured while it is driven (so
         * OUTPUT for OFF and ON), with the bias that INPUT is to have. */
        uint64_t flags[GUARD_LINES_MAX];
};

struct guard_let_go {
        uint64_t id;
};

/* ACK and REFUSED: of a HOLD or LET_GO. `error`: -errno of a refusal, else 0.
 * HOLD: -EINVAL: not as described above; -EBADF: the descriptor is of another
 * kind or has other lines; -E2BIG: more kinds of configuration in one request
 * than the kernel takes; -ENOSPC: GUARD_HOLDS_MAX; others of keeping the record.
 * LET_GO: -ENOENT. */
struct guard_answer {
        uint64_t id;
        int32_t error;
        uint32_t reserved; /* 0 */
};

/* RETURN: struct guard_hold as it was held, with its descriptor. */

_Static_assert(sizeof(struct guard_page) <= GUARD_PAGE_BYTES, "one page");
_Static_assert(sizeof(struct guard_hold) == 1008 && sizeof(struct guard_answer) == 16,
               "no padding, and as it was frozen");
_Static_assert(sizeof(struct guard_hold) <= IPC_PAYLOAD_MAX, "a hold is one message");

/* Is this a hold as described above? What lies behind the texts' NULs and the
 * counted lines must be zero. -EINVAL. */
int guard_hold_check(const struct guard_hold *hold);

/* The decoder of every message: the payload is of the type's size, the count of
 * descriptors is right, and the values are as described. -EPROTO: no such type,
 * or not so. A hold is checked by guard_hold_check() and no further: -EINVAL, and
 * a RETURN that fails it is -EPROTO. */
int guard_message_check(const struct ipc_message *message);
