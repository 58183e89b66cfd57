#include "mqtt/topic-nodes.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* In a node's `members`: the rest is the number of a list. */
#define IS_LIST UINT32_C(0x80000000)

enum { CAPACITY_FIRST = 4, SHRINK_AT = 4 };

struct member_list {
        uint32_t count, capacity;
        uint32_t *entries;
};
_Static_assert(offsetof(struct member_list, entries) >= sizeof(uint32_t),
               "NULL in one that was given back to the pool");

void mqtt_members_init(struct mqtt_nodes *nodes)
{
        mqtt_pool_init(&nodes->lists, sizeof(struct member_list));
}

static struct member_list *list_at(const struct mqtt_nodes *nodes, uint32_t members)
{
        return mqtt_pool_at(&nodes->lists, members & ~IS_LIST);
}

void mqtt_members_done(struct mqtt_nodes *nodes)
{
        const struct member_list *list;
        uint32_t at = 0;

        /* What was given back has none (pool.h). */
        while ((list = mqtt_pool_next(&nodes->lists, &at)))
                free(list->entries);
        mqtt_pool_done(&nodes->lists);
}

static int grow(struct member_list *list)
{
        uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : CAPACITY_FIRST;
        uint32_t *entries = reallocarray(list->entries, capacity, sizeof(*entries));

        if (!entries)
                return -ENOMEM;
        list->entries = entries;
        list->capacity = capacity;
        return 0;
}

/* The one that is there becomes the first of a list. */
static int make_list(struct mqtt_nodes *nodes, struct mqtt_node *node)
{
        uint32_t number;
        int r = mqtt_pool_take(&nodes->lists, &number);

        if (r < 0)
                return r;
        r = grow(list_at(nodes, number));
        if (r < 0) {
                mqtt_pool_give(&nodes->lists, number);
                return r;
        }
        list_at(nodes, number)->entries[0] = node->members;
        list_at(nodes, number)->count = 1;
        node->members = number | IS_LIST;
        return 0;
}

int mqtt_members_add(struct mqtt_nodes *nodes, uint32_t number, uint32_t entry)
{
        struct mqtt_node *node = mqtt_node_at(nodes, number);
        struct member_list *list;
        int r = 0;

        if (node->members == 0) {
                node->members = entry;
                mqtt_entry_at(nodes, entry)->position = 0;
                return 0;
        }
        if (!(node->members & IS_LIST))
                r = make_list(nodes, node);
        if (r < 0)
                return r;
        list = list_at(nodes, node->members);
        if (list->count == list->capacity)
                r = grow(list);
        if (r < 0)
                return r;
        mqtt_entry_at(nodes, entry)->position = list->count;
        list->entries[list->count++] = entry;
        return 0;
}

/* A list of one is none. */
static void end_list(struct mqtt_nodes *nodes, struct mqtt_node *node, struct member_list *list)
{
        uint32_t number = node->members & ~IS_LIST;

        node->members = list->entries[0];
        free(list->entries);
        mqtt_pool_give(&nodes->lists, number);
}

static void shrink(struct member_list *list)
{
        uint32_t capacity = list->capacity / 2;
        uint32_t *entries = reallocarray(list->entries, capacity, sizeof(*entries));

        /* Without memory it stays as large as it is. */
        if (entries) {
                list->entries = entries;
                list->capacity = capacity;
        }
}

void mqtt_members_remove(struct mqtt_nodes *nodes, uint32_t number, uint32_t entry)
{
        struct mqtt_node *node = mqtt_node_at(nodes, number);
        uint32_t position = mqtt_entry_at(nodes, entry)->position, last;
        struct member_list *list;

        if (!(node->members & IS_LIST)) {
                node->members = 0;
                return;
        }
        list = list_at(nodes, node->members);
        last = list->entries[--list->count];
        list->entries[position] = last;
        mqtt_entry_at(nodes, last)->position = position;
        if (list->count == 1)
                end_list(nodes, node, list);
        else if (list->count < list->capacity / SHRINK_AT && list->capacity > CAPACITY_FIRST)
                shrink(list);
}

const uint32_t *mqtt_members_of(const struct mqtt_nodes *nodes, const struct mqtt_node *node,
                                uint32_t *ret_count)
{
        const struct member_list *list;

        if (!(node->members & IS_LIST)) {
                *ret_count = node->members > 0;
                return &node->members;
        }
        list = list_at(nodes, node->members);
        *ret_count = list->count;
        return list->entries;
}
