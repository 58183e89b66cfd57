/* mqtt/journal-fixture.h - for tests: a conversation with a broker that keeps what it should, over
 * its end, a kill, and a disk that does not do what it is told. */
#pragma once

#include "mqtt/conversation-fixture.h"
#include "mqtt/journal-internal.h"

#include <stdbool.h>

struct journal_fixture {
        struct conversation talk; /* first: what calls back knows this */
        const struct mqtt_limits *limits;
        const struct mqtt_hooks *hooks;
        struct mqtt_keep_options options;
        char path[64];
        int folder_fd;
        struct store_job stall; /* the store thread is kept from its work */
        int gate[2];
        bool stalled;
        unsigned reports, damages, troubles;
        int trouble;
        char sentence[256];
};

/* In an empty folder; no broker runs. */
void journal_init(struct journal_fixture *f, enum mqtt_durability sessions,
                  enum mqtt_durability retained);
void journal_done(struct journal_fixture *f);
int journal_start(struct journal_fixture *f); /* what mqtt_broker_keep() says */
void journal_stop(struct journal_fixture *f); /* a clean end */
/* What is in the folder now is all that is left, as after a kill; the broker starts again. */
void journal_kill(struct journal_fixture *f);
/* Another folder takes the place of that which it has, between two lives; it is removed then. */
void journal_move(struct journal_fixture *f, const char path[64]);
void journal_restart(struct journal_fixture *f); /* a clean end, and it starts again */
/* Runs a script, then the same broker goes on. */
void journal_run(struct journal_fixture *f, const char *script);

/* From here on nothing gets to the disk, until it goes on. */
void journal_stall(struct journal_fixture *f);
void journal_go_on(struct journal_fixture *f);

void journal_make_folder(char path[64]);
void journal_remove_folder(const char *path);
/* A copy of what is in the folder now. */
void journal_copy_folder(const char *from, const char *to);

/* CONNECT with a session that stays for an hour, and the answer to one that is there. */
#define KEEP_5(id) "10{[MQTT] 05 00 0000 (11 00000E10) [" id "]}\n"
#define PRESENT_5 "20{01 00 (22 0004 27 00001000 21 0008)}\n"
