/* agent/gate/repeats.h - requests of QoS 1 that were carried out, for those that come again.
 *
 * A client whose PUBACK got lost sends the same message once more, with DUP (MQTT 5.0, 4.4). That
 * is the same message when its client, user, packet identifier, topic, payload and all that a reply
 * goes by are the same, and the first has come within GATE_REPEATS_MS. The newest GATE_REPEATS_MAX
 * of all clients are known; of their replies those up to GATE_REPEATS_REPLY_MAX bytes. What a
 * client sends without DUP is never a repeat. */
#pragma once

#include "command/principal.h"
#include "proto/mqtt/decode.h"

enum { GATE_REPEATS_MAX = 4096, GATE_REPEATS_MS = 60000, GATE_REPEATS_REPLY_MAX = 1024 };

struct gate_repeats;

/* -ENOMEM; -EIO: no random numbers. */
int gate_repeats_new(struct gate_repeats **ret);
struct gate_repeats *gate_repeats_free(struct gate_repeats *repeats); /* NULL is fine */

/* Where a request stands; `sum` 0: nowhere. */
struct gate_repeats_place {
        uint64_t sum;
        size_t slot;
};

/* Has this message come before? True: *ret is where, and it is not to be carried out. Otherwise it
 * stands at *ret from now on. */
bool gate_repeats_meet(struct gate_repeats *repeats, struct mqtt_text client_id,
                       const struct command_principal *principal,
                       const struct mqtt_publish *publish, uint64_t now_ms,
                       struct gate_repeats_place *ret);
/* Its reply. One that is too long, or finds no memory, is not kept. */
void gate_repeats_keep_reply(struct gate_repeats *repeats, const struct gate_repeats_place *place,
                             const char *json, size_t length);
/* NULL: it has none, or none is kept. Valid until the next call. */
const char *gate_repeats_reply(const struct gate_repeats *repeats,
                               const struct gate_repeats_place *place, size_t *ret_length);
