#include "broker/texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void broker_texts_done(struct config_texts *texts)
{
        for (size_t i = 0; i < texts->count; i++)
                free(texts->items[i]);
        free(texts->items);
        *texts = (struct config_texts){.count = 0};
}

int broker_texts_copy(struct config_texts *to, const struct config_texts *from)
{
        struct config_texts made = {.count = 0};

        if (from->count > 0) {
                made.items = calloc(from->count, sizeof(*made.items));
                if (!made.items)
                        return -ENOMEM;
        }
        for (; made.count < from->count; made.count++) {
                made.items[made.count] = strdup(from->items[made.count]);
                if (!made.items[made.count]) {
                        broker_texts_done(&made);
                        return -ENOMEM;
                }
        }
        broker_texts_done(to);
        *to = made;
        return 0;
}
