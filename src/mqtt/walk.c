#include "mqtt/walk.h"

#include "base/attributes.h"
#include "mqtt/account.h"
#include "mqtt/client-id.h"
#include "mqtt/client.h"
#include "mqtt/route.h"
#include "mqtt/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
        STEPS = 1000,       /* names that a slice looks at, whether they match or not */
        MESSAGE_BYTES = 32, /* what sending one costs beside its own bytes */
};

/* Of one subscription. */
struct walk {
        struct list link;
        struct mqtt_retained_cursor *cursor;
        struct mqtt_subscription_options options;
        uint16_t length;
        char filter[];
};

/* Of one session. */
struct mqtt_walks {
        struct list link; /* of the broker's `walking`, while there is something to do */
        struct mqtt_session *session;
        struct list walks;
};

static struct walk *walk_free(struct walk *walk)
{
        list_remove(&walk->link);
        mqtt_retained_cursor_free(walk->cursor);
        free(walk);
        return NULL;
}

static void drop_if_done(struct mqtt_session *session)
{
        struct mqtt_walks *walks = mqtt_session_walks(session);

        if (!walks || !list_is_empty(&walks->walks))
                return;
        list_remove(&walks->link);
        free(walks);
        session->more->walks = NULL;
}

static int open_walks(struct mqtt_session *session)
{
        struct mqtt_session_more *more = mqtt_session_more(session);
        struct mqtt_walks *walks;

        if (!more)
                return -ENOMEM;
        if (more->walks)
                return 0;
        walks = malloc(sizeof(*walks));
        if (!walks)
                return -ENOMEM;
        walks->session = session;
        list_init(&walks->link);
        list_init(&walks->walks);
        more->walks = walks;
        return 0;
}

static int add_walk(struct mqtt_session *session, struct mqtt_text filter,
                    const struct mqtt_subscription_options *options)
{
        AUTO_FREE struct walk *walk = malloc(sizeof(*walk) + filter.length);
        int r;

        if (!walk)
                return -ENOMEM;
        r = mqtt_retained_cursor_new(session->broker->retained, filter, &walk->cursor);
        if (r < 0)
                return r;
        walk->options = *options;
        walk->length = filter.length;
        memcpy(walk->filter, filter.bytes, filter.length);
        list_append(&mqtt_session_walks(session)->walks, &walk->link);
        (void)TAKE(walk);
        return 0;
}

int mqtt_walk_start(struct mqtt_session *session, struct mqtt_text filter,
                    const struct mqtt_subscription_options *options)
{
        int r;

        if (mqtt_retained_count(session->broker->retained) == 0)
                return 0;
        mqtt_walk_stop(session, filter);
        r = open_walks(session);
        if (r == 0)
                r = add_walk(session, filter, options);
        drop_if_done(session);
        return r;
}

void mqtt_walk_stop(struct mqtt_session *session, struct mqtt_text filter)
{
        if (!mqtt_session_walks(session))
                return;
        list_for_each (&mqtt_session_walks(session)->walks, position) {
                struct walk *walk = container_of(position, struct walk, link);

                if (walk->length == filter.length &&
                    memcmp(walk->filter, filter.bytes, filter.length) == 0) {
                        walk_free(walk);
                        break;
                }
        }
        drop_if_done(session);
}

void mqtt_walks_drop(struct mqtt_session *session)
{
        if (!mqtt_session_walks(session))
                return;
        list_for_each (&mqtt_session_walks(session)->walks, position)
                walk_free(container_of(position, struct walk, link));
        drop_if_done(session);
}

static bool can_take_more(const struct mqtt_session *session)
{
        if (session->insider)
                return session->queue.bytes < session->broker->limits.slice_bytes;
        return session->queue.count == 0 && mqtt_sender_is_ready(session);
}

/* May its author still publish it, as the hooks say now? Counted when not. */
static bool is_current(struct mqtt_session *session, const struct mqtt_message *message)
{
        const struct mqtt_hooks *hooks = &session->broker->hooks;
        struct mqtt_author author;

        if (!message->has_author || !hooks->on_retained)
                return true;
        mqtt_message_author(message, &author);
        if (hooks->on_retained(hooks->owner, &author, mqtt_message_topic(message)))
                return true;
        mqtt_drop(session, mqtt_message_topic(message), MQTT_COUNT_DROPPED_DENIED);
        return false;
}

/* [MQTT-3.3.1-8]: as a retained message. What the subscriber published itself is not for it
 * if it said so ([MQTT-3.8.3-3]). */
static void send_one(struct mqtt_session *session, const struct walk *walk,
                     struct mqtt_message *message)
{
        struct mqtt_receiver receiver = {
                .subscriber = &session->subscriber,
                .ids = &walk->options.id,
                .ids_count = walk->options.id > 0 ? 1 : 0,
                .qos = walk->options.qos,
                .retain_as_published = true,
        };

        if (walk->options.no_local &&
            message->publisher == mqtt_client_id_hash(mqtt_session_id(session)))
                return;
        if (is_current(session, message))
                mqtt_sender_deliver(session, message, &receiver, true);
}

/* True: there may be more, now. */
static bool send_slice(struct mqtt_session *session)
{
        struct mqtt_broker *broker = session->broker;
        uint64_t now = loop_now_ms(broker->loop);
        uint32_t steps = STEPS;
        size_t sent = 0;

        while (mqtt_session_walks(session) && can_take_more(session)) {
                struct walk *walk =
                        container_of(mqtt_session_walks(session)->walks.next, struct walk, link);
                struct mqtt_message *message;

                if (sent >= broker->limits.slice_bytes)
                        return true;
                switch (mqtt_retained_cursor_next(walk->cursor, now, &steps, &message)) {
                case MQTT_RETAINED_FOUND:
                        send_one(session, walk, message);
                        sent += mqtt_message_size(message) + MESSAGE_BYTES;
                        broker->walked += mqtt_message_size(message) + MESSAGE_BYTES;
                        break;
                case MQTT_RETAINED_PAUSE:
                        broker->walked += broker->limits.slice_bytes;
                        return true;
                default:
                        walk_free(walk);
                        drop_if_done(session);
                }
        }
        /* An acknowledgement, or room in the stream, will call again. */
        return false;
}

static void take_turn(struct mqtt_session *session)
{
        struct mqtt_broker *broker = session->broker;

        if (!send_slice(session))
                return;
        list_remove(&mqtt_session_walks(session)->link);
        list_append(&broker->walking, &mqtt_session_walks(session)->link);
        loop_task_post(&broker->walk_task);
}

void mqtt_walks_go_on(struct mqtt_session *session)
{
        struct mqtt_broker *broker = session->broker;

        if (!list_is_empty(&mqtt_session_walks(session)->link))
                return;
        if (!mqtt_walks_are_enough(broker)) {
                take_turn(session);
        } else {
                list_append(&broker->walking, &mqtt_session_walks(session)->link);
                loop_task_post(&broker->walk_task);
        }
}

void mqtt_walks_on_task(struct loop_task *task)
{
        struct mqtt_broker *broker = container_of(task, struct mqtt_broker, walk_task);
        struct list batch, *link;

        list_init(&batch);
        list_splice(&batch, &broker->walking);
        while (!mqtt_walks_are_enough(broker) && (link = list_take_first(&batch)) != NULL)
                take_turn(container_of(link, struct mqtt_walks, link)->session);
        /* Those that were not served are first next time. */
        list_splice(&batch, &broker->walking);
        list_splice(&broker->walking, &batch);
        if (!list_is_empty(&broker->walking))
                loop_task_post(task);
}
