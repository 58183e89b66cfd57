/* base/list.h - a circular doubly linked list whose links live in the items.
 *
 *     struct list clients;                  list_init(&clients);
 *     struct client { struct list link; };  list_append(&clients, &c->link);
 *     list_for_each(&clients, position)     container_of(position, struct client, link)
 *
 * A link that is initialised or was removed may be removed again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
        struct list *previous;
        struct list *next;
};

static inline void list_init(struct list *list)
{
        list->previous = list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
        return list->next == list;
}

static inline void list_append(struct list *list, struct list *item)
{
        item->previous = list->previous;
        item->next = list;
        list->previous->next = item;
        list->previous = item;
}

static inline void list_remove(struct list *item)
{
        item->previous->next = item->next;
        item->next->previous = item->previous;
        list_init(item);
}

/* Takes the first item off; NULL when there is none. */
static inline struct list *list_take_first(struct list *list)
{
        struct list *first = list->next;

        if (first == list)
                return NULL;
        list_remove(first);
        return first;
}

/* Moves all items of `from` to the end of `list`; `from` is empty afterwards. */
static inline void list_splice(struct list *list, struct list *from)
{
        if (list_is_empty(from))
                return;
        from->next->previous = list->previous;
        from->previous->next = list;
        list->previous->next = from->next;
        list->previous = from->previous;
        list_init(from);
}

/* The current item may be removed inside the loop, no other. */
#define list_for_each(head, position)                                                              \
        for (struct list *position = (head)->next, *position##_next = position->next;              \
             position != (head); position = position##_next, position##_next = position->next)
