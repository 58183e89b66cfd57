/* mqtt/conversation-fixture.h - for tests: clients of a broker, as bytes on a line.
 *
 * A conversation is a script, one step a line:
 *
 *     a> 10{[MQTT] 05 02 0000 () [a]}    client `a` (connected when it is first named) sends
 *     a< 20{00 00 (21 0400)}             ... and gets exactly this next
 *     a<                                 ... and nothing so far, and is still connected
 *     a!                                 a connects, and says nothing yet
 *     a~                                 ... and whatever else by now
 *     a@311                              a connects as "a" in 3.1.1, and is accepted (a@5: 5.0)
 *     a|                                 ... and is told no more: the broker has closed
 *     a.                                 a goes away without a word
 *     +1500                              1500 ms pass
 *
 * Bytes are in hexadecimal; [text] is a text with its length in two bytes, 'text' one
 * without, {...} has its length before it as a variable byte integer, (...) likewise. What a
 * client was sent and no step names fails the test at the end. */
#pragma once

#include "base/buffer.h"
#include "mqtt/broker.h"
#include "support/test.h"

enum { CONVERSATION_CLIENTS = 26 };

struct conversation {
        struct loop *loop;
        struct net_context *net;
        struct mqtt_broker *broker;
        const struct mqtt_terms *terms; /* of those who come from now on; NULL: none */
        const struct net_address *peer; /* where those come from; NULL: a Unix socket */
        int fds[CONVERSATION_CLIENTS];  /* -1: not there */
        struct buffer heard[CONVERSATION_CLIENTS];
        const char *name; /* for messages */
        /* Of a broker that keeps something (journal-fixture.h); NULL: there is none. */
        struct store_thread *thread;
        void (*on_settle)(struct conversation *talk); /* waits for the disk */
};

void conversation_init(struct conversation *talk, const struct mqtt_limits *limits,
                       const struct mqtt_hooks *hooks);
void conversation_done(struct conversation *talk);
/* Goes through a script; fails the test where it does not hold. */
void conversation_run(struct conversation *talk, const char *script);
/* Another client, 0 for `a`, that has not said anything. */
void conversation_dial(struct conversation *talk, size_t client);
/* All that was heard was named. */
void conversation_check_end(struct conversation *talk);
void conversation_settle(struct conversation *talk); /* rounds until nothing moves */
/* What bytes a text in the above notation stands for. Freed by the caller. */
uint8_t *conversation_bytes(const char *text, size_t *ret_count);
uint64_t conversation_count(struct conversation *talk, enum mqtt_counter counter);

struct conversation_case {
        const char *name; /* the clause, and what it says */
        const char *script;
};
/* Each with a broker of its own. */
void conversation_run_all(const struct conversation_case cases[], size_t count,
                          const struct mqtt_limits *limits);

/* Small ones, and what a broker with them answers to CONNECT. */
extern const struct mqtt_limits conversation_limits;
#define CONNECT_5(id) "10{[MQTT] 05 02 0000 () [" id "]}\n"
#define CONNACK_5 "20{00 00 (22 0004 27 00001000 21 0008)}\n"
#define CONNECT_311(id) "10{[MQTT] 04 02 0000 [" id "]}\n"
#define CONNACK_311 "20{00 00}\n"
