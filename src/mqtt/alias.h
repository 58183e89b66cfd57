/* mqtt/alias.h - topic aliases of one connection, 3.3.2.3.4 of 5.0: numbers that stand for
 * topics, one table for each direction.
 *
 * What a client sends names its own; what it is sent takes ours: the first topics that come
 * get the numbers there are and keep them. Made when the first alias is used. */
#pragma once

#include "base/cleanup.h"
#include "mqtt/ledger.h"
#include "proto/mqtt/packet.h"

struct mqtt_alias;

/* For numbers from 1 to `max`, which is not 0; the ledger outlives it. -ENOMEM. */
int mqtt_alias_new(uint16_t max, struct mqtt_ledger *ledger, struct mqtt_alias **ret);
struct mqtt_alias *mqtt_alias_free(struct mqtt_alias *alias);
DEFINE_CLEANUP(mqtt_alias)

/* `number` stands for `topic` from now on; 1 <= number <= max. -ENOMEM. */
int mqtt_alias_set(struct mqtt_alias *alias, uint16_t number, struct mqtt_text topic);
/* False: it stands for nothing yet, or is out of range. Valid until it is set anew. */
bool mqtt_alias_topic(const struct mqtt_alias *alias, uint16_t number, struct mqtt_text *ret);

/* The number of a topic that is to be sent. *ret_known: the client knows it already, and
 * the topic can be left out. 0: it has none, and there are none left. */
uint16_t mqtt_alias_give(struct mqtt_alias *alias, struct mqtt_text topic, bool *ret_known);
