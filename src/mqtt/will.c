#include "mqtt/will.h"

#include "mqtt/account.h"
#include "mqtt/client.h"
#include "mqtt/route.h"
#include "mqtt/sys.h"

#include <errno.h>
#include <string.h>

struct mqtt_last_will {
        struct mqtt_broker *broker;
        struct mqtt_publish publish; /* points into `bytes` */
        uint32_t delay_s;
        void *identity;
        const struct mqtt_terms *terms; /* a reference; NULL: its connection is there */
        char *user;
        uint16_t user_length;
        uint8_t version;
        size_t bytes_count;
        char bytes[];
};

/* The same text in a copy of what it stands in. */
static void move_text(struct mqtt_text *text, const uint8_t *from, const char *to)
{
        if (text->bytes)
                text->bytes = to + (text->bytes - (const char *)from);
}

static void copy_properties(struct mqtt_properties *properties, char *to)
{
        const uint8_t *from = properties->whole.bytes;

        if (properties->whole.length > 0)
                memcpy(to, from, properties->whole.length);
        properties->whole.bytes = (const uint8_t *)to;
        move_text(&properties->content_type, from, to);
        move_text(&properties->response_topic, from, to);
        move_text(&properties->correlation_data, from, to);
        /* Ours to know, not the subscribers' (3.1.3.2.2). */
        properties->present &= ~mqtt_property_bit(MQTT_WILL_DELAY);
}

int mqtt_last_will_new(struct mqtt_broker *broker, const struct mqtt_will *will,
                       struct mqtt_last_will **ret)
{
        struct mqtt_last_will *copy =
                calloc(1, sizeof(*copy) + will->topic.length + will->payload.length +
                                  will->properties.whole.length + 1);
        char *payload;

        if (!copy)
                return -ENOMEM;
        copy->bytes_count =
                (size_t)will->topic.length + will->payload.length + will->properties.whole.length;
        mqtt_ledger_add(&broker->ledger, sizeof(*copy) + copy->bytes_count);
        payload = copy->bytes + will->topic.length;
        memcpy(copy->bytes, will->topic.bytes, will->topic.length);
        memcpy(payload, will->payload.bytes, will->payload.length);
        copy->broker = broker;
        copy->delay_s = will->properties.will_delay_s;
        copy->publish = (struct mqtt_publish){
                .retain = will->retain,
                .qos = will->qos,
                .topic = {copy->bytes, will->topic.length},
                .payload = {(const uint8_t *)payload, will->payload.length},
                .properties = will->properties,
        };
        copy_properties(&copy->publish.properties, payload + will->payload.length);
        *ret = copy;
        return 0;
}

struct mqtt_last_will *mqtt_last_will_free(struct mqtt_last_will *will)
{
        const struct mqtt_hooks *hooks;

        if (!will)
                return NULL;
        hooks = &will->broker->hooks;
        if (will->identity && hooks->on_forget)
                hooks->on_forget(hooks->owner, will->identity);
        mqtt_terms_unref(will->terms);
        mqtt_ledger_remove(&will->broker->ledger,
                           sizeof(*will) + will->bytes_count + will->user_length);
        free(will->user);
        free(will);
        return NULL;
}

void mqtt_last_will_view(const struct mqtt_last_will *will, struct mqtt_will_view *ret)
{
        *ret = (struct mqtt_will_view){
                .publish = will->publish,
                .user = {will->user ? will->user : "", will->user_length},
                .version = (enum mqtt_version)will->version,
                .delay_s = will->delay_s,
        };
}

int mqtt_last_will_restore(struct mqtt_broker *broker, const struct mqtt_will_view *view,
                           struct mqtt_last_will **ret)
{
        const struct mqtt_publish *publish = &view->publish;
        const struct mqtt_will will = {
                .topic = publish->topic,
                .payload = {(const char *)publish->payload.bytes,
                            (uint16_t)publish->payload.length},
                .qos = publish->qos,
                .retain = publish->retain,
                .properties = publish->properties,
        };
        AUTO(mqtt_last_will) struct mqtt_last_will *restored = NULL;
        int r;

        if (publish->payload.length > UINT16_MAX)
                return -EINVAL;
        r = mqtt_last_will_new(broker, &will, &restored);
        if (r < 0)
                return r;
        if (view->user.length > 0) {
                restored->user = malloc(view->user.length);
                if (!restored->user)
                        return -ENOMEM;
                memcpy(restored->user, view->user.bytes, view->user.length);
                restored->user_length = view->user.length;
                mqtt_ledger_add(&broker->ledger, restored->user_length);
        }
        restored->version = (uint8_t)view->version;
        restored->delay_s = view->delay_s;
        restored->terms = mqtt_terms_ref(broker->terms);
        *ret = TAKE(restored);
        return 0;
}

uint32_t mqtt_last_will_delay_s(const struct mqtt_last_will *will)
{
        return will->delay_s;
}

void mqtt_last_will_adopt(struct mqtt_last_will *will, struct mqtt_client *client)
{
        will->identity = TAKE(client->identity);
        will->terms = mqtt_terms_ref(client->terms);
        will->user = TAKE(client->user);
        will->user_length = client->user_length;
        will->version = client->version;
        client->user_length = 0;
}

void mqtt_last_will_publish(struct mqtt_last_will *will, struct mqtt_text client_id)
{
        struct mqtt_broker *broker = will->broker;
        const struct mqtt_hooks *hooks = &broker->hooks;
        struct mqtt_who who = {
                .client_id = client_id,
                .user = {will->user ? will->user : "", will->user_length},
                .version = (enum mqtt_version)will->version,
                .terms = will->terms,
                .identity = will->identity,
        };
        int r = MQTT_HOOK_PASS;

        if (mqtt_sys_is_ours(will->publish.topic))
                r = MQTT_NOT_AUTHORIZED;
        else if (hooks->on_publish)
                r = hooks->on_publish(hooks->owner, &who, &will->publish);
        if (r > MQTT_HOOK_HANDLED)
                mqtt_drop_of(broker, client_id, will->publish.topic, MQTT_COUNT_DROPPED_DENIED);
        /* Nobody is left to be told of a failure; it was counted. */
        if (r == MQTT_HOOK_PASS)
                (void)mqtt_route_will(broker, &will->publish, &who);
        broker->counters[MQTT_COUNT_WILLS]++;
        mqtt_last_will_free(will);
}
