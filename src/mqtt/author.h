/* mqtt/author.h - whose a retained message is, as the program's hooks know its client. */
#pragma once

#include "proto/mqtt/packet.h"

/* Any of them may be empty; what they say is the hooks' affair. */
struct mqtt_author {
        struct mqtt_text place; /* where it came in */
        struct mqtt_text user, client_id;
};
