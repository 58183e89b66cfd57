/* store/log-fixture.h - a state of some counters in a log, a folder for it, and what each
 * recovery must say. For tests.
 *
 * A change multiplies and adds, so that one that is lost, doubled or out of turn shows. Which
 * state belongs to which sequence is remembered: what is recovered must be one of them, and not
 * older than what was said to be durable. */
#pragma once

#include "store/log-internal.h"
#include "support/test.h"

#include <stdbool.h>

enum { COUNTERS = 8, HISTORY_MAX = 4096, PADDING = 150, IMAGE_PADDING_MAX = 32000 };

struct counters {
        uint64_t value[COUNTERS];
};

struct log_fixture {
        char path[64];
        int folder_fd;
        struct loop *loop;
        struct store_thread *thread;
        struct store_log *log; /* NULL: not open */
        struct store_log_options options;

        struct counters now;
        uint64_t as_of[COUNTERS];             /* when replaying */
        struct counters history[HISTORY_MAX]; /* by sequence */
        uint64_t promised;                    /* told to be durable */
        void (*on_promise)(struct log_fixture *f);

        unsigned cursor, per_slice; /* of the image */
        size_t image_padding;       /* of each of its records, up to IMAGE_PADDING_MAX */
        int image_error;            /* what image_next() returns; 0: none */
        unsigned images_begun, rooms, renewals, troubles, sentences, damages;
        int trouble;
        char sentence[256];
        size_t replayed, replayed_image;
        int replay_error;
};

/* An empty folder, a loop whose clock stands still; the log is not open. */
void fixture_init(struct log_fixture *f);
void fixture_done(struct log_fixture *f);
int fixture_open(struct log_fixture *f); /* 0, or what store_log_open() says */
/* Thread first: what is left is written. */
void fixture_close(struct log_fixture *f);
/* A folder of its own for another one, empty. */
void fixture_make_folder(char path[64]);
void fixture_remove_folder(const char *path);

/* One change. The state is changed only if it was taken: what store_log_append() returned. */
int fixture_change(struct log_fixture *f, enum store_durability durability);
/* Rounds until nothing is under way or wanted; timers stand still. */
void fixture_settle(struct log_fixture *f);
/* The same with time: `ms` pass, and what comes of it. */
void fixture_pass(struct log_fixture *f, uint64_t ms);

struct fixture_finding {
        int result; /* of store_recover() */
        uint64_t sequence;
        size_t replayed_image;
        unsigned sentences, damages;
        bool is_known; /* the state is the one that belongs to the sequence */
        char sentence[256];
};
/* Recovers what is in the folder, and leaves it as recovery does. */
struct fixture_finding fixture_recover(const struct log_fixture *f, const char *path);
/* What is in the folder is a state that there was, none older than `promised`, and nothing is said
 * to be damaged. */
void fixture_check(const struct log_fixture *f, const char *path, uint64_t promised,
                   const char *where);
size_t fixture_count_files(const struct log_fixture *f, const char *end_of_name);
/* All tests of every fault: for ./dev test-long. */
bool fixture_is_long(void);
