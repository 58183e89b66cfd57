/* ipc/guard.h - what the agent and the supervisor say to each other about the
 * lines that must not stay driven. Version 1, frozen early: the agent is updated,
 * the supervisor is not.
 *
 *     agent                                  supervisor
 *     locks guard_page.alive, HELLO    ->
 *                                      <-    RETURN (lines of a dead agent, if any)
 *                                      <-    WELCOME
 *     a line is requested at its safe value
 *     HOLD + a duplicate of it         ->
 *                                      <-    ACK, or REFUSED
 *     only now the line may be driven
 *     LET_GO                           ->
 *                                      <-    ACK
 *     the line may be requested anew
 *     STOPPING                         ->    an end is expected: no restart
 *
 * The supervisor learns of an agent's death by the robust mutex `alive`, which
 * the agent's main thread holds as long as it lives (the kernel hands it over
 * with EOWNERDEAD before it tears the address space down, futex(2)), and by its
 * pidfd. A hang is told by `beat`, which the hardware worker counts up. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
        GUARD_VERSION = 1,
        GUARD_LINES_MAX = 64,     /* of one hold: what one kernel request can hold */
        GUARD_HOLDS_MAX = 64,     /* at once */
        GUARD_BEAT_MS = 500,      /* how often the worker beats */
        GUARD_BEAT_LOST_MS = 2000 /* without a beat: the worker hangs */
};

/* The descriptors the agent inherits, by number; named in $PIFLEET_GUARD as
 * "CHANNEL,PAGE". */
#define GUARD_ENVIRONMENT "PIFLEET_GUARD"

/* Shared memory (memfd), one page, made and initialised by the supervisor. */
struct guard_page {
        pthread_mutex_t alive;    /* process-shared, robust, priority-inheriting */
        _Atomic uint64_t beat;    /* counted up by the hardware worker */
        _Atomic uint32_t beating; /* 1: the worker runs, so a missing beat counts */
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
        char consumer[32];
        char chip[64]; /* device of the chip ("/dev/gpiochip0"), or the PWM channel's folder */
        uint32_t offsets[GUARD_LINES_MAX];
        uint8_t actions[GUARD_LINES_MAX]; /* enum guard_action */
        uint64_t flags[GUARD_LINES_MAX];  /* GPIO_V2_LINE_FLAG_*: how they are configured */
};

struct guard_let_go {
        uint64_t id;
};

/* ACK and REFUSED: of a HOLD or LET_GO. `error`: -errno of a refusal, else 0. */
struct guard_answer {
        uint64_t id;
        int32_t error;
        uint32_t reserved;
};

/* RETURN: struct guard_hold as it was held, with its descriptor. */
