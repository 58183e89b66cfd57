#include "broker/origins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void broker_origins_done(struct broker_origins *origins)
{
        for (size_t i = 0; i < origins->list.count; i++)
                free(origins->list.items[i]);
        free(origins->list.items);
        *origins = (struct broker_origins){.all = false};
}

int broker_origins_set(struct broker_origins *origins, const struct config_texts *list, bool all)
{
        struct broker_origins made = {.all = all};

        if (list->count > 0) {
                made.list.items = calloc(list->count, sizeof(*made.list.items));
                if (!made.list.items)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < list->count; i++) {
                made.list.items[i] = strdup(list->items[i]);
                if (!made.list.items[i]) {
                        broker_origins_done(&made);
                        return -ENOMEM;
                }
                made.list.count++;
                made.all = made.all || strcmp(list->items[i], "*") == 0;
        }
        broker_origins_done(origins);
        *origins = made;
        return 0;
}

bool broker_origins_trust(void *owner, struct http_text origin)
{
        const struct broker_origins *origins = owner;

        for (size_t i = 0; i < origins->list.count; i++) {
                const char *item = origins->list.items[i];

                /* Scheme and host know no case (RFC 6454, 4). */
                if (strlen(item) == origin.length &&
                    strncasecmp(item, origin.bytes, origin.length) == 0)
                        return true;
        }
        return origins->all;
}
