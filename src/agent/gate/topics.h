/* agent/gate/topics.h - whose topic is that?
 *
 * Below the base topic (here `pi`) everything is the gate's: clients write what is named as
 * an input, and read the rest.
 *
 *     pi/rpc/request, pi/rpc/request/NAME    input: requests
 *     pi/rpc/response/CLIENTID, .../...      read by that client only
 *     pi/...                                 read by everybody
 *
 * Outside of it clients talk to each other: those that may change something write, all
 * read. '$' begins the broker's own, which nobody writes.
 *
 * Values and pure functions; any thread. */
#pragma once

#include "agent/gate/config.h"
#include "command/principal.h"
#include "proto/mqtt/packet.h"

#include <stdbool.h>

struct gate_topics {
        char base[GATE_TOPIC_MAX + sizeof("/rpc/response/")]; /* "pi/rpc/response/" */
        uint16_t base_length;                                 /* of "pi" in it */
        uint16_t response_length;
};

enum gate_place {
        GATE_PLACE_OUTSIDE,
        GATE_PLACE_SYSTEM, /* begins with '$' */
        GATE_PLACE_REQUEST,
        GATE_PLACE_RESPONSE,
        GATE_PLACE_INSIDE, /* any other of ours */
};

/* `base` as gate_config_check() found it good. */
void gate_topics_init(struct gate_topics *topics, const char *base);
/* Of a name, or of a filter up to its first wildcard. */
enum gate_place gate_topics_place(const struct gate_topics *topics, struct mqtt_text name);

/* Who a topic is judged for. */
struct gate_reader {
        enum command_role role;
        struct mqtt_text client_id;
};

/* Can it be a level of a topic? Not empty, no '/', '+' and '#'. */
bool gate_client_id_is_usable(struct mqtt_text client_id);

/* Requests among them: who may run what is the command's to say. */
bool gate_may_publish(const struct gate_topics *topics, enum command_role role,
                      struct mqtt_text name);
/* The filter as it came, "$share/" included. One that is wider than what its client may read
 * is good: what it may not have is left out at delivery. */
bool gate_may_subscribe(const struct gate_topics *topics, const struct gate_reader *reader,
                        struct mqtt_text filter);
bool gate_may_receive(const struct gate_topics *topics, const struct gate_reader *reader,
                      struct mqtt_text name);
/* Would requests be among what this filter brings to its reader? */
bool gate_sees_requests(const struct gate_topics *topics, const struct gate_reader *reader,
                        struct mqtt_text filter);
/* May replies to this client's requests be published there? */
bool gate_may_answer_at(const struct gate_topics *topics, const struct gate_reader *reader,
                        struct mqtt_text name);
