/* mqtt/topic-tree.h - filters and who subscribed to them: who gets a message?
 *
 * A tree of topic levels (4.7 of both standards). Levels are stored once, children are
 * found by hashes keyed at random, so strangers may choose names. What a topic's match
 * found is remembered until a change of subscriptions could make it differ, so a topic that
 * comes again costs one look-up.
 *
 * Bounds: `subscriptions` of all together, and eight levels for each of them that are not
 * other filters' too; `cache_bytes` for what is remembered; what was not
 * asked for lately goes. A match visits each node of the tree that its topic reaches, that is
 * at most 2 to the power of its levels and at most all of them: `work` says how many, for
 * the caller to charge to whoever published.
 *
 * One thread. */
#pragma once

#include "base/cleanup.h"
#include "base/list.h"
#include "mqtt/subscription.h"
#include "proto/mqtt/topic.h"

struct mqtt_topic_tree;

/* Embedded in whoever subscribes (a session); only the tree looks inside. Stays where it is
 * from its first subscription until mqtt_topic_tree_remove(). */
struct mqtt_subscriber {
        uint32_t first; /* of its subscriptions */
        uint32_t count;
        uint32_t place; /* where a match that looks for it has put it */
};
static inline void mqtt_subscriber_init(struct mqtt_subscriber *subscriber)
{
        *subscriber = (struct mqtt_subscriber){0};
}

struct mqtt_topic_tree_config {
        uint32_t subscriptions; /* at most that many, of all subscribers */
        size_t cache_bytes;     /* 0: nothing is remembered */
        /* May this member of a shared group get the next message (is it connected, does it
         * keep up)? Asked of up to 64 members in turn; when none may, the next in turn gets
         * it. Must not call the tree. NULL: all may. */
        bool (*may_take)(void *owner, const struct mqtt_subscriber *subscriber);
        void *owner;
};

int mqtt_topic_tree_new(const struct mqtt_topic_tree_config *config,
                        struct mqtt_topic_tree **ret); /* -ENOMEM; -EIO: no random seed */
/* No match is under way. Subscribers are left alone, and need not be there any more. */
struct mqtt_topic_tree *mqtt_topic_tree_free(struct mqtt_topic_tree *tree);
DEFINE_CLEANUP(mqtt_topic_tree)

enum { MQTT_SUBSCRIBED = 0, MQTT_SUBSCRIBED_AGAIN = 1 };

/* `filter` is valid (topic.h), and may be "$share/NAME/FILTER". MQTT_SUBSCRIBED_AGAIN: it
 * was there, and has the new options ([MQTT-3.8.4-3]). -ENOSPC: the bounds;
 * -ENOMEM. After a failure all is as it was. */
int mqtt_topic_tree_subscribe(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                              struct mqtt_text filter,
                              const struct mqtt_subscription_options *options);
/* -ENOENT: it was not there. The filter is compared byte by byte ([MQTT-3.10.4-1]). */
int mqtt_topic_tree_unsubscribe(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                                struct mqtt_text filter);
/* Ends all subscriptions of one, in time that depends on their number only, and takes it out
 * of matches under way: it may be freed. */
void mqtt_topic_tree_remove(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber);

/* Walks over the subscriptions of one; *at begins as 0. `filter` has room for
 * MQTT_TEXT_MAX bytes and is not terminated. Returns its length, 0: no more. No changes
 * meanwhile. */
uint16_t mqtt_topic_tree_next(const struct mqtt_topic_tree *tree,
                              const struct mqtt_subscriber *subscriber, uint32_t *at, char *filter,
                              struct mqtt_subscription_options *ret);
/* Is there a filter, shared ones included, that is this one or begins with it and a '/'? */
bool mqtt_topic_tree_has_below(const struct mqtt_topic_tree *tree, struct mqtt_text begin);
uint32_t mqtt_topic_tree_count(const struct mqtt_topic_tree *tree); /* subscriptions of all */

/* Who gets a message, one after the other. Each subscriber comes once for all its filters
 * that match (3.3.4 of 5.0), and once more for each shared group that chose it (4.8.2).
 *
 *     struct mqtt_match match;
 *     r = mqtt_match_begin(&match, tree, topic, publisher);
 *     if (r < 0)
 *             return r;
 *     while (mqtt_match_next(&match, &receiver))
 *             …
 *     mqtt_match_end(&match);
 *
 * Between these calls subscriptions may come and go, and other matches may run: who came
 * later is not named, who unsubscribed may still be, who was removed is not. */
struct mqtt_match {
        struct list link; /* of the matches under way */
        struct mqtt_topic_tree *tree;
        struct mqtt_audience *audience;
        const struct mqtt_subscriber *publisher;
        uint32_t next_seat, next_share;
        uint32_t shared_id;
        uint32_t work; /* nodes visited; 0: it was remembered */
};

struct mqtt_receiver {
        struct mqtt_subscriber *subscriber;
        const uint32_t *ids; /* of its subscriptions, valid until the next call */
        uint32_t ids_count;
        uint8_t qos; /* the highest granted; the message's own may be lower */
        bool retain_as_published;
        bool shared;
};

/* `publisher` (NULL: no subscriber) is not given its own message by filters that asked for
 * that (no_local, [MQTT-3.8.3-3]). -ENOMEM. */
int mqtt_match_begin(struct mqtt_match *match, struct mqtt_topic_tree *tree, struct mqtt_text topic,
                     const struct mqtt_subscriber *publisher);
bool mqtt_match_next(struct mqtt_match *match, struct mqtt_receiver *ret); /* false: no more */
/* Nobody has subscribed to the topic, not even its publisher to what others publish. */
bool mqtt_match_is_empty(const struct mqtt_match *match);
void mqtt_match_end(struct mqtt_match *match);
