#include "mqtt/levels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_MAX = 16 };

struct name {
        uint32_t references;
        uint16_t length;
        union {
                char here[SHORT_MAX];
                char *elsewhere; /* when it is longer */
        };
};

int mqtt_levels_init(struct mqtt_levels *levels)
{
        int r = siphash_key_draw(&levels->key);

        if (r < 0)
                return r;
        mqtt_pool_init(&levels->names, sizeof(struct name));
        mqtt_index_init(&levels->by_name);
        return 0;
}

static struct name *at(const struct mqtt_levels *levels, uint32_t number)
{
        return mqtt_pool_at(&levels->names, number);
}

static const char *bytes_of(const struct name *name)
{
        return name->length > SHORT_MAX ? name->elsewhere : name->here;
}

void mqtt_levels_done(struct mqtt_levels *levels)
{
        for (uint32_t i = 0; i < levels->by_name.capacity; i++) {
                uint32_t number = levels->by_name.places[i].number;

                if (number > 0 && at(levels, number)->length > SHORT_MAX)
                        free(at(levels, number)->elsewhere);
        }
        mqtt_index_done(&levels->by_name);
        mqtt_pool_done(&levels->names);
}

static uint32_t hash_of(const struct mqtt_levels *levels, struct mqtt_text name)
{
        return (uint32_t)siphash(&levels->key, name.bytes, name.length);
}

static uint32_t find(const struct mqtt_levels *levels, struct mqtt_text name, uint32_t hash)
{
        uint32_t place = mqtt_index_begin(&levels->by_name, hash), number;

        while ((number = mqtt_index_next(&levels->by_name, hash, &place)) > 0) {
                const struct name *there = at(levels, number);

                if (there->length == name.length &&
                    memcmp(bytes_of(there), name.bytes, name.length) == 0)
                        break;
        }
        return number;
}

uint32_t mqtt_levels_find(const struct mqtt_levels *levels, struct mqtt_text name)
{
        return find(levels, name, hash_of(levels, name));
}

static int copy(struct name *to, struct mqtt_text name)
{
        char *bytes = to->here;

        if (name.length > SHORT_MAX) {
                bytes = malloc(name.length);
                if (!bytes)
                        return -ENOMEM;
                to->elsewhere = bytes;
        }
        memcpy(bytes, name.bytes, name.length);
        to->length = name.length;
        return 0;
}

int mqtt_levels_hold(struct mqtt_levels *levels, struct mqtt_text name, uint32_t *ret)
{
        uint32_t hash = hash_of(levels, name), number = find(levels, name, hash);
        int r;

        if (number == 0) {
                r = mqtt_pool_take(&levels->names, &number);
                if (r < 0)
                        return r;
                r = copy(at(levels, number), name);
                if (r == 0) {
                        r = mqtt_index_add(&levels->by_name, hash, number);
                        if (r < 0 && name.length > SHORT_MAX)
                                free(at(levels, number)->elsewhere);
                }
                if (r < 0) {
                        mqtt_pool_give(&levels->names, number);
                        return r;
                }
        }
        at(levels, number)->references++;
        *ret = number;
        return 0;
}

void mqtt_levels_drop(struct mqtt_levels *levels, uint32_t number)
{
        struct name *name = at(levels, number);

        if (--name->references > 0)
                return;
        mqtt_index_remove(&levels->by_name, hash_of(levels, mqtt_levels_text(levels, number)),
                          number);
        if (name->length > SHORT_MAX)
                free(name->elsewhere);
        mqtt_pool_give(&levels->names, number);
}

struct mqtt_text mqtt_levels_text(const struct mqtt_levels *levels, uint32_t number)
{
        const struct name *name = at(levels, number);

        return (struct mqtt_text){bytes_of(name), name->length};
}
