/* mqtt/meter.h - holds a client to the rates of its listener (terms.h): when it has sent what it
 * may, its input is paused until it may send more. Nothing is lost, and nothing wakes us up
 * while nobody waits. Inside of mqtt/ only.
 *
 * Those who wait for their listener's common share are let go on in the order they came, each
 * with one packet. */
#pragma once

#include "base/list.h"
#include "loop/timer.h"
#include "mqtt/bucket.h"
#include "proto/mqtt/decode.h"

struct mqtt_client;

/* Of a client whose terms have rates. */
struct mqtt_meter {
        struct list link; /* of the entrance's `waiting` */
        struct mqtt_client *client;
        struct mqtt_bucket messages, bytes;
        struct loop_timer timer; /* while its own rate is what it waits for */
        struct mqtt_cost {
                uint32_t messages, bytes;
        } cost;       /* of the packet that waits in line */
        bool granted; /* it has its share of the listener's already */
};

/* Where its client's terms have rates. -ENOMEM. */
int mqtt_meter_open(struct mqtt_client *client);
struct mqtt_meter *mqtt_meter_free(struct mqtt_meter *meter); /* NULL is fine */

/* May this packet be handled now? Then it counts; else the client's input is paused, and it
 * comes again. */
bool mqtt_meter_lets(struct mqtt_meter *meter, const struct mqtt_frame *frame);
