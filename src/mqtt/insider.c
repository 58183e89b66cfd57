/* Messages wait in the queue of a session of its own until the end of the round, so that
 * whoever publishes is never called back in the middle of it. */
#include "mqtt/insider.h"

#include "base/attributes.h"
#include "mqtt/account.h"
#include "mqtt/broker-internal.h"
#include "mqtt/sys.h"
#include "mqtt/walk.h"
#include "proto/mqtt/topic.h"

#include <errno.h>

enum { CALLS_MOST = 1000 }; /* in a round */

struct mqtt_insider {
        struct list link;
        struct mqtt_session *session;
        struct loop_task task;
        mqtt_insider_fn *on_message;
        void *owner;
        bool calling; /* inside on_message */
        bool gone;    /* freed there */
};

struct mqtt_insider *mqtt_insider_from_link(struct list *link)
{
        return container_of(link, struct mqtt_insider, link);
}

struct mqtt_insider *mqtt_insider_free(struct mqtt_insider *insider)
{
        if (!insider)
                return NULL;
        if (insider->session) {
                list_remove(&insider->link);
                loop_task_cancel(&insider->task);
                insider->session = mqtt_session_free(insider->session);
        }
        insider->gone = true;
        if (!insider->calling)
                free(insider);
        return NULL;
}

static void call(struct mqtt_insider *insider, const struct mqtt_delivery *delivery)
{
        struct mqtt_publish publish;

        mqtt_message_view(delivery->message, &publish);
        publish.qos = delivery->qos;
        publish.retain = delivery->retain;
        insider->calling = true;
        insider->on_message(insider->owner, &publish);
        insider->calling = false;
}

static void insider_on_task(struct loop_task *task)
{
        struct mqtt_insider *insider = container_of(task, struct mqtt_insider, task);
        struct mqtt_broker *broker = insider->session->broker;
        uint64_t now = loop_now_ms(broker->loop);
        struct mqtt_delivery delivery;
        unsigned calls = 0;

        while (calls++ < CALLS_MOST &&
               mqtt_queue_take(&insider->session->queue, &insider->session->broker->queued,
                               &delivery)) {
                if (mqtt_message_has_expired(delivery.message, now))
                        mqtt_drop(insider->session, mqtt_message_topic(delivery.message),
                                  MQTT_COUNT_DROPPED_EXPIRED);
                else
                        call(insider, &delivery);
                mqtt_delivery_done(&delivery);
                if (insider->gone) {
                        free(insider);
                        return;
                }
        }
        if (mqtt_session_walks(insider->session))
                mqtt_walks_go_on(insider->session);
        if (insider->session->queue.count > 0)
                loop_task_post(task);
}

void mqtt_insider_deliver(struct mqtt_insider *insider, struct mqtt_delivery *delivery)
{
        /* It is never connected, so the oldest go when it is full: counted there. */
        (void)mqtt_session_queue(insider->session, delivery);
        loop_task_post(&insider->task);
}

static int subscribe(struct mqtt_insider *insider, const struct mqtt_subscription *subscription)
{
        struct mqtt_subscription_options options = {
                .qos = subscription->qos,
                .retain_handling = subscription->retain_handling,
                .retain_as_published = subscription->retain_as_published,
        };
        struct mqtt_session *session = insider->session;
        struct mqtt_text share, rest;
        int r;

        mqtt_sys_note_filter(session->broker->sys, &subscription->filter);
        r = mqtt_topic_tree_subscribe(session->broker->tree, &session->subscriber,
                                      subscription->filter, &options);
        if (r < 0)
                return r;
        if (options.retain_handling == MQTT_RETAIN_DO_NOT_SEND ||
            mqtt_topic_filter_split_shared(subscription->filter, &share, &rest))
                return 0;
        r = mqtt_walk_start(session, subscription->filter, &options);
        if (r == 0 && mqtt_session_walks(session))
                mqtt_walks_go_on(session);
        return r;
}

int mqtt_broker_subscribe(struct mqtt_broker *broker, const struct mqtt_subscription *subscription,
                          mqtt_insider_fn *on_message, void *owner, struct mqtt_insider **ret)
{
        struct mqtt_insider *insider;
        int r;

        if (!mqtt_topic_filter_is_valid(subscription->filter) || subscription->qos > 2)
                return -EINVAL;
        insider = calloc(1, sizeof(*insider));
        if (!insider)
                return -ENOMEM;
        list_init(&insider->link);
        loop_task_init(&insider->task, broker->loop, insider_on_task);
        insider->on_message = on_message;
        insider->owner = owner;
        r = mqtt_session_new_inside(broker, &insider->session);
        if (r == 0) {
                insider->session->insider = insider;
                list_append(&broker->insiders, &insider->link);
                r = subscribe(insider, subscription);
        }
        if (r < 0) {
                mqtt_insider_free(insider);
                return r;
        }
        *ret = insider;
        return 0;
}
