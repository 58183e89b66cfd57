/* mqtt/journal-replay.h - what of a journal has been read, on its way to be the broker's state:
 * journal-replay.c makes one change after the other, journal-restore.c puts what came of them in
 * place. Inside of both only. */
#pragma once

#include "mqtt/index.h"
#include "mqtt/journal-internal.h"
#include "mqtt/pool.h"

struct mqtt_replay_message {
        uint64_t number;
        uint64_t time_ms; /* when it expires */
        struct mqtt_message *message;
};

struct mqtt_replay_session {
        uint64_t number; /* 0: gone */
        uint64_t as_of;
        uint64_t time_ms; /* its client went; MQTT_TIME_NEVER: the broker did */
        struct mqtt_session *session;
};

struct mqtt_replay {
        struct mqtt_journal *journal;
        struct mqtt_broker *broker;
        struct mqtt_pool messages, sessions;
        struct mqtt_index messages_by_number, sessions_by_number;
        struct mqtt_message *missing; /* stands for one that is not there */
        struct mqtt_clock_reading clock;
        uint64_t messages_made, sessions_made;
        uint64_t sequence; /* of the record at hand */
        bool image;
        size_t unwanted;  /* changes of what is not to be kept any more */
        size_t malformed; /* and what is none of this program's */
        size_t crowded;   /* what the limits have no room for any more */
};

/* The oldest that waits for the session, and one more. */
bool mqtt_replay_take(const struct mqtt_replay *replay, const struct mqtt_replay_session *session,
                      struct mqtt_delivery *ret);
int mqtt_replay_queue(const struct mqtt_replay *replay, const struct mqtt_replay_session *session,
                      const struct mqtt_delivery *delivery); /* -ENOMEM */
