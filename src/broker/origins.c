#include "broker/origins.h"

#include "broker/texts.h"

#include <string.h>
#include <strings.h>

int broker_origins_set(struct broker_origins *origins, const struct config_texts *list, bool all)
{
        int r = broker_texts_copy(&origins->list, list);

        if (r < 0)
                return r;
        origins->all = all;
        for (size_t i = 0; i < list->count; i++)
                origins->all = origins->all || strcmp(list->items[i], "*") == 0;
        return 0;
}

void broker_origins_done(struct broker_origins *origins)
{
        broker_texts_done(&origins->list);
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
