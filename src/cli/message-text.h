/* cli/message-text.h - an MQTT message as `pifleet sub` prints it. */
#pragma once

#include "base/buffer.h"
#include "client/message.h"

#include <stdint.h>

enum message_shape {
        MESSAGE_PAYLOAD, /* the payload, and a line break */
        MESSAGE_VERBOSE, /* topic, blank, payload, line break */
        MESSAGE_RAW,     /* the payload's bytes, nothing else, on a terminal too */
        MESSAGE_JSON,    /* an object in a line */
};

/* Appends one message. `printable`: what could harm a terminal, and line breaks within a
 * payload, are escaped (not of MESSAGE_RAW); else payloads are as they came. Of MESSAGE_JSON
 * the members are time (`time_ns` since the epoch, in seconds), topic, qos, retain, payload or,
 * when that is not text, payload_base64, and properties with those that there are.
 * -EMSGSIZE, -ENOMEM: the buffer is as it was before. */
int message_text_append(struct buffer *out, const struct client_message *message,
                        enum message_shape shape, bool printable, int64_t time_ns);
