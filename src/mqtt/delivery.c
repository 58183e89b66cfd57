#include "mqtt/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mqtt_delivery_init(struct mqtt_delivery *delivery, struct mqtt_message *message, uint8_t qos,
                       bool retain, const uint32_t ids[], uint32_t ids_count)
{
        struct mqtt_more_ids *more = NULL;

        if (ids_count > 1) {
                more = malloc(sizeof(*more) + ids_count * sizeof(more->ids[0]));
                if (!more)
                        return -ENOMEM;
                more->count = ids_count;
                memcpy(more->ids, ids, ids_count * sizeof(more->ids[0]));
        }
        *delivery = (struct mqtt_delivery){
                .message = mqtt_message_ref(message),
                .more_ids = more,
                .subscription_id = ids_count > 0 ? ids[0] : 0,
                .qos = qos,
                .retain = retain,
        };
        return 0;
}

void mqtt_delivery_done(struct mqtt_delivery *delivery)
{
        if (delivery->message)
                delivery->message = mqtt_message_unref(delivery->message);
        free(delivery->more_ids);
        delivery->more_ids = NULL;
}
