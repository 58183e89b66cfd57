/* Depth first over the nodes that the filter's levels lead to. A cursor keeps the node that
 * it stands on from going, and with it the way to the next. */
#include "mqtt/retained-internal.h"

#include "proto/mqtt/topic.h"

#include <errno.h>

struct mqtt_retained_cursor {
        struct mqtt_retained *retained;
        uint32_t at;    /* 0: the end */
        uint32_t depth; /* of it; the root's is 0 */
        uint64_t start; /* what was set from then on is left out */
        uint32_t count;
        uint32_t levels[]; /* of the filter: numbers of names that it holds, or wildcards */
};

static bool is_wild(uint32_t level)
{
        return level == MQTT_LEVEL_PLUS || level == MQTT_LEVEL_HASH;
}

static int read_level(struct mqtt_retained_cursor *cursor, struct mqtt_text level)
{
        uint32_t *number = &cursor->levels[cursor->count];
        int r = 0;

        if (level.length == 1 && level.bytes[0] == '+')
                *number = MQTT_LEVEL_PLUS;
        else if (level.length == 1 && level.bytes[0] == '#')
                *number = MQTT_LEVEL_HASH;
        else
                r = mqtt_levels_hold(&cursor->retained->tree.levels, level, number);
        cursor->count += r == 0;
        return r;
}

static uint32_t count_levels(struct mqtt_text filter)
{
        struct mqtt_text level;
        uint32_t at = 0, count = 0;

        while (mqtt_topic_level_next(filter, &at, &level))
                count++;
        return count;
}

int mqtt_retained_cursor_new(struct mqtt_retained *retained, struct mqtt_text filter,
                             struct mqtt_retained_cursor **ret)
{
        AUTO(mqtt_retained_cursor) struct mqtt_retained_cursor *cursor = NULL;
        struct mqtt_text level;
        uint32_t at = 0;
        int r;

        cursor = calloc(1, sizeof(*cursor) + count_levels(filter) * sizeof(cursor->levels[0]));
        if (!cursor)
                return -ENOMEM;
        cursor->retained = retained;
        cursor->at = retained->tree.root;
        cursor->start = retained->sets;
        mqtt_retained_at(retained, cursor->at)->cursors++;
        retained->cursors++;
        while (mqtt_topic_level_next(filter, &at, &level)) {
                r = read_level(cursor, level);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(cursor);
        return 0;
}

static void leave(struct mqtt_retained_cursor *cursor)
{
        if (cursor->at == 0)
                return;
        mqtt_retained_at(cursor->retained, cursor->at)->cursors--;
        mqtt_retained_prune(cursor->retained, cursor->at);
}

struct mqtt_retained_cursor *mqtt_retained_cursor_free(struct mqtt_retained_cursor *cursor)
{
        if (!cursor)
                return NULL;
        leave(cursor);
        for (uint32_t i = 0; i < cursor->count; i++)
                if (!is_wild(cursor->levels[i]))
                        mqtt_levels_drop(&cursor->retained->tree.levels, cursor->levels[i]);
        cursor->retained->cursors--;
        free(cursor);
        return NULL;
}

static bool ends_in_hash(const struct mqtt_retained_cursor *cursor)
{
        return cursor->levels[cursor->count - 1] == MQTT_LEVEL_HASH;
}

/* What the filter asks of names below a node of that depth; 0: there shall be none. */
static uint32_t level_below(const struct mqtt_retained_cursor *cursor, uint32_t depth)
{
        if (depth < cursor->count)
                return cursor->levels[depth];
        return ends_in_hash(cursor) ? MQTT_LEVEL_HASH : 0;
}

/* A wildcard does not stand for a first level that begins with '$' ([MQTT-4.7.2-1]): one
 * that it led to is passed over with all that is below it. */
static bool is_closed(const struct mqtt_retained_cursor *cursor)
{
        const struct mqtt_level_tree *tree = &cursor->retained->tree;
        struct mqtt_text name;

        if (cursor->depth != 1 || !is_wild(cursor->levels[0]))
                return false;
        name = mqtt_levels_text(&tree->levels,
                                mqtt_retained_at(cursor->retained, cursor->at)->branch.level);
        return name.length > 0 && name.bytes[0] == '$';
}

static uint32_t first_below(const struct mqtt_retained_cursor *cursor)
{
        uint32_t level = level_below(cursor, cursor->depth);

        if (level == 0 || is_closed(cursor))
                return 0;
        if (is_wild(level))
                return mqtt_retained_at(cursor->retained, cursor->at)->first;
        return mqtt_level_tree_child(&cursor->retained->tree, cursor->at, level);
}

/* The next that is not below, with its depth; 0: the end. */
static uint32_t next_beside(const struct mqtt_retained_cursor *cursor, uint32_t *ret_depth)
{
        uint32_t at = cursor->at, depth = cursor->depth;

        for (; depth > 0; depth--) {
                const struct mqtt_retained_node *node = mqtt_retained_at(cursor->retained, at);

                if (is_wild(level_below(cursor, depth - 1)) && node->next > 0) {
                        *ret_depth = depth;
                        return node->next;
                }
                at = node->branch.parent;
        }
        *ret_depth = 0;
        return 0;
}

static void advance(struct mqtt_retained_cursor *cursor)
{
        uint32_t next = first_below(cursor), depth = cursor->depth + 1;

        if (next == 0)
                next = next_beside(cursor, &depth);
        if (next > 0)
                mqtt_retained_at(cursor->retained, next)->cursors++;
        leave(cursor);
        cursor->at = next;
        cursor->depth = depth;
}

static struct mqtt_message *message_here(const struct mqtt_retained_cursor *cursor, uint64_t now_ms)
{
        const struct mqtt_retained_node *node = mqtt_retained_at(cursor->retained, cursor->at);
        bool here = ends_in_hash(cursor) ? cursor->depth + 1 >= cursor->count
                                         : cursor->depth == cursor->count;

        if (!here || !node->message || node->set_at >= cursor->start || is_closed(cursor) ||
            mqtt_message_has_expired(node->message, now_ms))
                return NULL;
        return node->message;
}

int mqtt_retained_cursor_next(struct mqtt_retained_cursor *cursor, uint64_t now_ms, uint32_t *steps,
                              struct mqtt_message **ret)
{
        while (cursor->at > 0) {
                struct mqtt_message *message;

                if (*steps == 0)
                        return MQTT_RETAINED_PAUSE;
                --*steps;
                advance(cursor);
                message = cursor->at > 0 ? message_here(cursor, now_ms) : NULL;
                if (message) {
                        *ret = message;
                        return MQTT_RETAINED_FOUND;
                }
        }
        return MQTT_RETAINED_END;
}
