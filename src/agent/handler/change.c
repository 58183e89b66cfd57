#include "agent/handler/change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const commands[] = {"update_handler", "rollback_handler", "remove_handler"};
static const char *const results[] = {"updated", "rolled_back", "removed"};

int handler_change_new(struct handler_change **ret)
{
        struct handler_change *change = calloc(1, sizeof(*change));

        if (!change)
                return -ENOMEM;
        list_init(&change->link);
        *ret = change;
        return 0;
}

struct handler_change *handler_change_free(struct handler_change *change)
{
        if (change)
                list_remove(&change->link);
        free(change);
        return NULL;
}

struct handler_change *handler_change_find(const struct list *changes, uint64_t id)
{
        list_for_each (changes, position) {
                struct handler_change *change = container_of(position, struct handler_change, link);

                if (change->id == id)
                        return change;
        }
        return NULL;
}

struct handler_change *handler_change_of(const struct list *changes, const char *filename)
{
        list_for_each (changes, position) {
                struct handler_change *change = container_of(position, struct handler_change, link);

                if (strcmp(change->filename, filename) == 0)
                        return change;
        }
        return NULL;
}

void handler_change_set_origin(struct handler_change *change, const struct handler_origin *origin)
{
        snprintf(change->who, sizeof(change->who), "%s", origin->who ? origin->who : "");
        snprintf(change->from, sizeof(change->from), "%s", origin->from ? origin->from : "");
}

const char *handler_action_command(enum handler_action action)
{
        return commands[action];
}

const char *handler_action_result(enum handler_action action)
{
        return results[action];
}
