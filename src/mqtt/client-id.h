/* mqtt/client-id.h - by which name a client is known: its own, or one that it is given.
 * Inside of mqtt/ only. */
#pragma once

#include "mqtt/terms.h"
#include "proto/mqtt/decode.h"

/* A prefix and a UUID. */
enum { MQTT_ASSIGNED_ID_SIZE = MQTT_ASSIGNED_PREFIX_MAX + 36 + 1 };

/* The id that the CONNECT names, or the one in `assigned`, which is made if it is empty. 0, or
 * why the client is refused. */
int mqtt_client_id_choose(const struct mqtt_connect *connect, const struct mqtt_terms *terms,
                          uint16_t most_bytes, char assigned[MQTT_ASSIGNED_ID_SIZE],
                          struct mqtt_text *ret);

/* By which what is retained knows whose it is: the same for the same id, also after a restart.
 * Never 0. Whoever wants to can find two ids with the same, and gains that neither is sent with
 * No Local what the other retained. */
uint64_t mqtt_client_id_hash(struct mqtt_text id);
