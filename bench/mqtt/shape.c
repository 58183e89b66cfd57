#include "bench/mqtt/shape.h"

#include <stdio.h>

void shape_print_filter(enum shape shape, unsigned number, char text[static SHAPE_TOPIC_SIZE])
{
        static const char *const fleet[SHAPE_FLEET_KINDS] = {"+/state", "gpio/17/set", "event/#"};

        switch (shape) {
        case SHAPE_FAN_IN:
                snprintf(text, SHAPE_TOPIC_SIZE, "fan-in/+/state");
                return;
        case SHAPE_FAN_OUT:
                snprintf(text, SHAPE_TOPIC_SIZE, "fan-out/news");
                return;
        case SHAPE_PAIRS:
                snprintf(text, SHAPE_TOPIC_SIZE, "pair/%06u/state", number);
                return;
        case SHAPE_FLEET:
                snprintf(text, SHAPE_TOPIC_SIZE, "fleet/pi-%06u/%s", number,
                         fleet[number % SHAPE_FLEET_KINDS]);
                return;
        }
}

void shape_print_topic(enum shape shape, unsigned publisher, char text[static SHAPE_TOPIC_SIZE])
{
        static const char *const fleet[SHAPE_FLEET_KINDS] = {"heat/state", "gpio/17/set",
                                                             "event/door"};

        switch (shape) {
        case SHAPE_FAN_IN:
                snprintf(text, SHAPE_TOPIC_SIZE, "fan-in/%06u/state", publisher);
                return;
        case SHAPE_FAN_OUT:
                snprintf(text, SHAPE_TOPIC_SIZE, "fan-out/news");
                return;
        case SHAPE_PAIRS:
                snprintf(text, SHAPE_TOPIC_SIZE, "pair/%06u/state", publisher);
                return;
        case SHAPE_FLEET:
                snprintf(text, SHAPE_TOPIC_SIZE, "fleet/pi-%06u/%s", 0U,
                         fleet[publisher % SHAPE_FLEET_KINDS]);
                return;
        }
}
