/* mqtt/subscription.h - what a subscription asks for, 3.8.3.1 of 5.0; of 3.1.1 the QoS only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum mqtt_retain_handling {
        MQTT_RETAIN_SEND = 0,
        MQTT_RETAIN_SEND_IF_NEW = 1,
        MQTT_RETAIN_DO_NOT_SEND = 2,
};

struct mqtt_subscription_options {
        uint32_t id; /* subscription identifier; 0: none */
        uint8_t qos; /* 0 to 2 */
        uint8_t retain_handling;
        bool no_local;            /* not with a shared filter (asserted), [MQTT-3.8.3-4] */
        bool retain_as_published; /* else RETAIN is 0 in what is forwarded */
};
