/* mqtt/will.h - the message that a client leaves for the end of its connection (3.1.2.5,
 * 3.1.3.2). Inside of mqtt/ only. */
#pragma once

#include "base/cleanup.h"
#include "proto/mqtt/decode.h"

struct mqtt_broker;
struct mqtt_client;

struct mqtt_last_will;

/* A copy. -ENOMEM. */
int mqtt_last_will_new(struct mqtt_broker *broker, const struct mqtt_will *will,
                       struct mqtt_last_will **ret);
struct mqtt_last_will *mqtt_last_will_free(struct mqtt_last_will *will);
DEFINE_CLEANUP(mqtt_last_will)

/* What there is to be known of one that waits, to be written down. */
struct mqtt_will_view {
        struct mqtt_publish publish; /* these live as long as the will */
        struct mqtt_text user;
        enum mqtt_version version;
        uint32_t delay_s;
};
void mqtt_last_will_view(const struct mqtt_last_will *will, struct mqtt_will_view *ret);
/* The same will again, after a restart: whose identity it was is not known any more, and the
 * terms are the broker's. A copy. -EINVAL: a payload that no will has; -ENOMEM. */
int mqtt_last_will_restore(struct mqtt_broker *broker, const struct mqtt_will_view *view,
                           struct mqtt_last_will **ret);

uint32_t mqtt_last_will_delay_s(const struct mqtt_last_will *will);
/* Takes over who the client is, for the time after its connection. */
void mqtt_last_will_adopt(struct mqtt_last_will *will, struct mqtt_client *client);
/* Publishes it as the client would have, and frees it. */
void mqtt_last_will_publish(struct mqtt_last_will *will, struct mqtt_text client_id);
