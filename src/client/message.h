/* client/message.h - an MQTT message with those of its properties that applications use. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_pair {
        const char *name, *value;
};

/* One to be sent borrows its texts from the caller. One that was received owns them, until
 * client_message_free(). All texts are UTF-8; NULL: there is none. */
struct client_message {
        const char *topic;
        const void *payload; /* NULL when there are no bytes */
        size_t payload_length;
        int qos; /* 0 to 2 */
        bool retain;

        bool is_text; /* Payload Format Indicator */
        bool has_expiry;
        uint32_t expiry_seconds;
        const char *content_type;
        const char *response_topic;
        const void *correlation; /* NULL: none */
        uint16_t correlation_length;
        const struct client_pair *pairs; /* User Properties, in their order */
        size_t pair_count;
};

enum { CLIENT_PAYLOAD_MAX = 255 << 20 }; /* bytes; 256 MiB is a packet's bound (MQTT 5, 1.5.5) */

/* About what one that was received takes, in bytes. */
size_t client_message_size(const struct client_message *message);

/* Only for messages that were received. */
struct client_message *client_message_free(struct client_message *message);
DEFINE_CLEANUP(client_message)
