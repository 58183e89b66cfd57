/* proto/mqtt/quoted.h - what a client calls itself or a topic, for a line of the log.
 *
 *     struct mqtt_quoted id;
 *     log_info(..., "connected client=\"%s\" origin=%s", mqtt_quote(client_id, &id), origin);
 *     log_info(..., "connect client=%s peer=%s", mqtt_quote_unless_word(client_id, &id), peer);
 *
 * Cannot end its member: else a client id could write `origin` or `peer` itself, or be so long
 * that they are cut off. Control characters are the log's own affair. */
#pragma once

#include "proto/mqtt/packet.h"

struct mqtt_quoted {
        char text[256]; /* terminated; cut to that, and then with "..." at its end */
};

/* To stand between quotes: those and backslashes become '?'. Returns ret->text. */
const char *mqtt_quote(struct mqtt_text text, struct mqtt_quoted *ret);
/* As it is when it is nothing, or one word of ASCII without quotes, backslashes and '='; else the
 * same as above with the quotes around it. Returns ret->text. */
const char *mqtt_quote_unless_word(struct mqtt_text text, struct mqtt_quoted *ret);
