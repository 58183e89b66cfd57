/* agent/gate/quoted.h - what a client calls itself or a topic, for a line of the log.
 *
 *     struct gate_quoted id;
 *     log_info(..., "connected client=\"%s\" origin=%s", gate_quote(client_id, &id), origin);
 *
 * Stands between quotes, and cannot end them: else a client id could write `origin` or `who`
 * itself. Control characters are the log's own affair. */
#pragma once

#include "proto/mqtt/packet.h"

struct gate_quoted {
        char text[256]; /* terminated; cut to that, and then with "..." at its end */
};

/* Quotes and backslashes become '?'. Returns ret->text. */
const char *gate_quote(struct mqtt_text text, struct gate_quoted *ret);
