#include "mqtt/meter.h"

#include "base/attributes.h"
#include "mqtt/client.h"
#include "mqtt/entrance.h"

#include <errno.h>

static bool is_bounded(const struct mqtt_terms *terms)
{
        return terms->client_messages.per_s > 0 || terms->client_bytes.per_s > 0 ||
               terms->messages.per_s > 0 || terms->bytes.per_s > 0;
}

static void go_on(struct mqtt_meter *meter)
{
        meter->client->throttled = false;
        mqtt_client_hear(meter->client);
}

static void meter_on_time(struct loop_timer *timer)
{
        go_on(container_of(timer, struct mqtt_meter, timer));
}

int mqtt_meter_open(struct mqtt_client *client)
{
        struct mqtt_client_more *more;
        struct mqtt_meter *meter;

        if (!is_bounded(client->terms))
                return 0;
        more = mqtt_client_more(client);
        meter = more ? calloc(1, sizeof(*meter)) : NULL;
        if (!meter)
                return -ENOMEM;
        meter->client = client;
        list_init(&meter->link);
        loop_timer_init(&meter->timer, client->broker->loop, meter_on_time);
        more->meter = meter;
        return 0;
}

struct mqtt_meter *mqtt_meter_free(struct mqtt_meter *meter)
{
        struct mqtt_entrance *entrance;

        if (!meter)
                return NULL;
        entrance = mqtt_entrance_of(meter->client->terms);
        list_remove(&meter->link);
        if (list_is_empty(&entrance->waiting) && entrance->timer.loop)
                loop_timer_stop(&entrance->timer);
        loop_timer_stop(&meter->timer);
        free(meter);
        return NULL;
}

/* What costs no message need not wait for one. */
static uint64_t wait_ms(struct mqtt_bucket *messages, struct mqtt_rate messages_rate,
                        struct mqtt_bucket *bytes, struct mqtt_rate bytes_rate,
                        const struct mqtt_cost *cost, uint64_t now)
{
        uint64_t for_bytes = mqtt_bucket_wait_ms(bytes, bytes_rate, now);
        uint64_t for_messages =
                cost->messages > 0 ? mqtt_bucket_wait_ms(messages, messages_rate, now) : 0;

        return for_bytes > for_messages ? for_bytes : for_messages;
}

static uint64_t own_wait_ms(struct mqtt_meter *meter, const struct mqtt_cost *cost, uint64_t now)
{
        const struct mqtt_terms *terms = meter->client->terms;

        return wait_ms(&meter->messages, terms->client_messages, &meter->bytes, terms->client_bytes,
                       cost, now);
}

static uint64_t common_wait_ms(const struct mqtt_terms *terms, const struct mqtt_cost *cost,
                               uint64_t now)
{
        struct mqtt_entrance *entrance = mqtt_entrance_of(terms);

        return wait_ms(&entrance->messages, terms->messages, &entrance->bytes, terms->bytes, cost,
                       now);
}

static void take_common(const struct mqtt_terms *terms, const struct mqtt_cost *cost)
{
        struct mqtt_entrance *entrance = mqtt_entrance_of(terms);

        mqtt_bucket_take(&entrance->messages, terms->messages, cost->messages);
        mqtt_bucket_take(&entrance->bytes, terms->bytes, cost->bytes);
}

/* Who may go on has its share counted here, so that nobody else gets it meanwhile. */
static void entrance_on_time(struct loop_timer *timer)
{
        struct mqtt_entrance *entrance = container_of(timer, struct mqtt_entrance, timer);
        uint64_t now = loop_now_ms(timer->loop);

        while (!list_is_empty(&entrance->waiting)) {
                struct mqtt_meter *first =
                        container_of(entrance->waiting.next, struct mqtt_meter, link);
                uint64_t wait = common_wait_ms(first->client->terms, &first->cost, now);

                if (wait > 0) {
                        loop_timer_start(timer, wait);
                        break;
                }
                take_common(first->client->terms, &first->cost);
                first->granted = true;
                list_remove(&first->link);
                go_on(first);
        }
}

static void wait_in_line(struct mqtt_meter *meter, const struct mqtt_cost *cost, uint64_t wait)
{
        struct mqtt_entrance *entrance = mqtt_entrance_of(meter->client->terms);

        meter->cost = *cost;
        /* Terms know no loop, and may outlive one. */
        if (list_is_empty(&entrance->waiting))
                loop_timer_init(&entrance->timer, meter->client->broker->loop, entrance_on_time);
        list_append(&entrance->waiting, &meter->link);
        if (!entrance->timer.armed)
                loop_timer_start(&entrance->timer, wait);
}

static void hold(struct mqtt_client *client)
{
        client->throttled = true;
        client->broker->counters[MQTT_COUNT_THROTTLED]++;
        net_stream_pause(client->stream);
}

bool mqtt_meter_lets(struct mqtt_meter *meter, const struct mqtt_frame *frame)
{
        const struct mqtt_terms *terms = meter->client->terms;
        struct mqtt_cost cost = {.messages = frame->type == MQTT_PUBLISH,
                                 .bytes = (uint32_t)frame->length};
        uint64_t now = loop_now_ms(meter->client->broker->loop);
        uint64_t wait = own_wait_ms(meter, &cost, now);

        if (wait > 0) {
                loop_timer_start(&meter->timer, wait);
                hold(meter->client);
                return false;
        }
        if (!meter->granted) {
                wait = common_wait_ms(terms, &cost, now);
                if (wait > 0 || !list_is_empty(&mqtt_entrance_of(terms)->waiting)) {
                        wait_in_line(meter, &cost, wait);
                        hold(meter->client);
                        return false;
                }
                take_common(terms, &cost);
        }
        meter->granted = false;
        mqtt_bucket_take(&meter->messages, terms->client_messages, cost.messages);
        mqtt_bucket_take(&meter->bytes, terms->client_bytes, cost.bytes);
        return true;
}
