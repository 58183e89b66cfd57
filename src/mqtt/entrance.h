/* mqtt/entrance.h - a listener as the broker knows it: what all who came through it share,
 * whichever terms they came with. Inside of mqtt/ only. */
#pragma once

#include "base/list.h"
#include "loop/timer.h"
#include "mqtt/terms.h"

struct mqtt_entrance {
        uint32_t references; /* of terms */
        uint32_t clients;    /* that are logged in */
        struct mqtt_bucket messages, bytes, connects;
        struct list waiting;     /* struct mqtt_meter, for the first two, first come first served */
        struct loop_timer timer; /* of the first of them; begun when one waits */
};

/* Of terms that mqtt_terms_new() made. */
struct mqtt_entrance *mqtt_entrance_of(const struct mqtt_terms *terms);
