/* mqtt/journal-actor.h - for tests: clients that keep their promises, and check those of a broker
 * that is killed now and then.
 *
 * Each has a session that stays. Messages are numbers. What a publisher was not told the end of,
 * it sends again, with DUP; a subscriber gets no number twice that was of QoS 2. What one
 * remembers of its session, it remembers for good: the broker has to be right. */
#pragma once

#include "mqtt/journal-fixture.h"

enum { ACTOR_WINDOW = 6, ACTOR_MESSAGES = 20000 };

struct actor_sent {
        uint32_t number; /* 0: free */
        uint8_t qos;
        bool released; /* PUBREC came */
};

struct actor {
        size_t client; /* of the conversation */
        bool is_5, subscribes;
        bool connected, accepted;
        bool had_session;                         /* it must be there again */
        struct actor_sent sent[ACTOR_WINDOW + 1]; /* by packet identifier */
        uint16_t next_id;
        bool remembered[65536]; /* QoS 2 that came, until PUBREL */
        uint8_t *heard;         /* how often, by number */
};

/* What all of them did. */
struct actor_world {
        struct journal_fixture *f;
        uint8_t qos[ACTOR_MESSAGES];   /* of each number */
        bool promised[ACTOR_MESSAGES]; /* acknowledged to its publisher */
        uint32_t numbers;              /* given out, from 1; of those that five divides the
                                        * messages are retained */
};

void actor_init(struct actor *actor, size_t client, bool is_5, bool subscribes);
void actor_done(struct actor *actor);
void actor_connect(struct actor_world *world, struct actor *actor);
/* The connection is gone; what was on its way is lost. */
void actor_lose(struct actor_world *world, struct actor *actor);
/* One more message, if its window has room; `retain`: to the topic of those. */
void actor_publish(struct actor_world *world, struct actor *actor, uint8_t qos, bool retain);
/* Handles what came, and answers. */
void actor_listen(struct actor_world *world, struct actor *actor);
bool actor_is_idle(const struct actor *actor); /* all it sent is acknowledged */
