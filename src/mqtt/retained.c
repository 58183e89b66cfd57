#include "mqtt/retained-internal.h"

#include "proto/mqtt/topic.h"

#include <assert.h>
#include <errno.h>

/* A node, its place in the table of children, and its name if no other has it. */
#define NODE_BYTES (sizeof(struct mqtt_retained_node) + 48)

int mqtt_retained_new(uint32_t names, size_t bytes, struct mqtt_retained **ret)
{
        struct mqtt_retained *retained = calloc(1, sizeof(*retained));
        int r;

        if (!retained)
                return -ENOMEM;
        r = mqtt_level_tree_init(&retained->tree, sizeof(struct mqtt_retained_node));
        if (r < 0) {
                free(retained);
                return r;
        }
        retained->names_max = names;
        retained->bytes_max = bytes;
        *ret = retained;
        return 0;
}

struct mqtt_retained *mqtt_retained_free(struct mqtt_retained *retained)
{
        const struct mqtt_retained_node *node;
        uint32_t at = 0;

        if (!retained)
                return NULL;
        assert(retained->cursors == 0);
        /* What was given back to the pool has no message (pool.h). */
        while ((node = mqtt_pool_next(&retained->tree.nodes, &at)))
                mqtt_message_unref(node->message);
        free(retained->heap.places);
        mqtt_level_tree_done(&retained->tree);
        free(retained);
        return NULL;
}

uint32_t mqtt_retained_count(const struct mqtt_retained *retained)
{
        return retained->names;
}

size_t mqtt_retained_tree_bytes(const struct mqtt_retained *retained)
{
        return retained->tree.nodes.count * NODE_BYTES;
}

size_t mqtt_retained_bytes(const struct mqtt_retained *retained)
{
        return retained->bytes + mqtt_retained_tree_bytes(retained);
}

void mqtt_retained_watch(struct mqtt_retained *retained, mqtt_retained_fn *on_change, void *owner)
{
        retained->on_change = on_change;
        retained->owner = owner;
}

struct mqtt_message *mqtt_retained_next(const struct mqtt_retained *retained, uint32_t *at)
{
        const struct mqtt_retained_node *node;

        /* What was given back to the pool has no message (pool.h). */
        while ((node = mqtt_pool_next(&retained->tree.nodes, at)) != NULL)
                if (node->message)
                        return node->message;
        return NULL;
}

static uint32_t find(const struct mqtt_retained *retained, struct mqtt_text topic)
{
        uint32_t number = retained->tree.root, at = 0;
        struct mqtt_text level;

        while (number > 0 && mqtt_topic_level_next(topic, &at, &level))
                number = mqtt_level_tree_find(&retained->tree, number, level, 0);
        return number;
}

static void link_child(struct mqtt_retained *retained, uint32_t parent_number, uint32_t number)
{
        struct mqtt_retained_node *parent = mqtt_retained_at(retained, parent_number);

        mqtt_retained_at(retained, number)->next = parent->first;
        if (parent->first > 0)
                mqtt_retained_at(retained, parent->first)->previous = number;
        parent->first = number;
}

static void unlink_child(struct mqtt_retained *retained, const struct mqtt_retained_node *node)
{
        if (node->next > 0)
                mqtt_retained_at(retained, node->next)->previous = node->previous;
        if (node->previous > 0)
                mqtt_retained_at(retained, node->previous)->next = node->next;
        else
                mqtt_retained_at(retained, node->branch.parent)->first = node->next;
}

void mqtt_retained_prune(struct mqtt_retained *retained, uint32_t number)
{
        while (number != retained->tree.root) {
                const struct mqtt_retained_node *node = mqtt_retained_at(retained, number);
                uint32_t parent = node->branch.parent;

                if (node->message || node->first > 0 || node->cursors > 0)
                        return;
                unlink_child(retained, node);
                mqtt_level_tree_remove(&retained->tree, number);
                number = parent;
        }
}

static int make(struct mqtt_retained *retained, struct mqtt_text topic, uint32_t *ret)
{
        uint32_t number = retained->tree.root, at = 0, child;
        struct mqtt_text level;
        int r;

        while (mqtt_topic_level_next(topic, &at, &level)) {
                child = mqtt_level_tree_find(&retained->tree, number, level, 0);
                if (child == 0) {
                        r = mqtt_level_tree_add(&retained->tree, number, level, 0, &child);
                        if (r < 0) {
                                mqtt_retained_prune(retained, number);
                                return r;
                        }
                        link_child(retained, number, child);
                }
                number = child;
        }
        *ret = number;
        return 0;
}

/* NULL: it has none any more. */
static void replace(struct mqtt_retained *retained, uint32_t number, struct mqtt_message *message)
{
        struct mqtt_retained_node *node = mqtt_retained_at(retained, number);

        if (retained->on_change)
                retained->on_change(retained->owner, node->message, message);
        if (node->message) {
                retained->bytes -= mqtt_message_size(node->message);
                retained->names--;
        }
        mqtt_retained_heap_set(retained, number,
                               message ? message->expires_ms : MQTT_NEVER_EXPIRES);
        mqtt_message_unref(node->message);
        node->message = message;
        if (message) {
                retained->bytes += mqtt_message_size(message);
                retained->names++;
                node->set_at = retained->sets++;
        }
}

/* Names that differ in all of their levels cost more than their bytes. */
static size_t nodes_bytes(struct mqtt_text topic)
{
        size_t levels = 1;

        for (uint16_t i = 0; i < topic.length; i++)
                levels += topic.bytes[i] == '/';
        return levels * NODE_BYTES;
}

/* In place of what is at that node; 0: there is none yet. */
static bool fits(const struct mqtt_retained *retained, const struct mqtt_message *message,
                 uint32_t number)
{
        size_t bytes = mqtt_retained_bytes(retained), size = mqtt_message_size(message);
        const struct mqtt_message *before =
                number > 0 ? mqtt_retained_at(retained, number)->message : NULL;

        if (!before && retained->names >= retained->names_max)
                return false;
        if (before)
                bytes -= mqtt_message_size(before);
        if (number == 0)
                size += nodes_bytes(mqtt_message_topic(message));
        return bytes <= retained->bytes_max && size <= retained->bytes_max - bytes;
}

int mqtt_retained_set(struct mqtt_retained *retained, struct mqtt_message *message)
{
        struct mqtt_text topic = mqtt_message_topic(message);
        uint32_t number;
        int r = 0;

        if (message->payload_length == 0) {
                mqtt_retained_clear(retained, topic);
                return 0;
        }
        number = find(retained, topic);
        if (!fits(retained, message, number))
                return -ENOSPC;
        if (message->expires_ms != MQTT_NEVER_EXPIRES)
                r = mqtt_retained_heap_reserve(retained);
        if (r == 0 && number == 0)
                r = make(retained, topic, &number);
        if (r < 0)
                return r;
        replace(retained, number, mqtt_message_ref(message));
        return 0;
}

bool mqtt_retained_clear(struct mqtt_retained *retained, struct mqtt_text topic)
{
        uint32_t number = find(retained, topic);

        if (number == 0 || !mqtt_retained_at(retained, number)->message)
                return false;
        replace(retained, number, NULL);
        mqtt_retained_prune(retained, number);
        return true;
}

struct mqtt_message *mqtt_retained_get(const struct mqtt_retained *retained, struct mqtt_text topic,
                                       uint64_t now_ms)
{
        uint32_t number = find(retained, topic);
        struct mqtt_message *message =
                number > 0 ? mqtt_retained_at(retained, number)->message : NULL;

        return message && !mqtt_message_has_expired(message, now_ms) ? message : NULL;
}
