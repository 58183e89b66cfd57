/* mqtt/entrance.h - a listener as the broker knows it: what all who came through it share,
 * whichever terms they came with. Inside of mqtt/ only. */
#pragma once

#include "mqtt/terms.h"

struct mqtt_entrance {
        uint32_t references; /* of terms */
        uint32_t clients;    /* that are logged in */
};

/* Of terms that mqtt_terms_new() made. */
struct mqtt_entrance *mqtt_entrance_of(const struct mqtt_terms *terms);
