#include "mqtt/alias.h"

#include <errno.h>
#include <string.h>

struct name {
        char *bytes; /* NULL: stands for nothing */
        uint16_t length;
        uint16_t check; /* of the bytes: most others are told apart by it */
};

struct mqtt_alias {
        struct mqtt_ledger *ledger;
        uint16_t max;
        uint16_t given; /* the numbers from 1 to here */
        struct name names[];
};

int mqtt_alias_new(uint16_t max, struct mqtt_ledger *ledger, struct mqtt_alias **ret)
{
        struct mqtt_alias *alias = calloc(1, sizeof(*alias) + max * sizeof(alias->names[0]));

        if (!alias)
                return -ENOMEM;
        alias->max = max;
        alias->ledger = ledger;
        *ret = alias;
        return 0;
}

struct mqtt_alias *mqtt_alias_free(struct mqtt_alias *alias)
{
        if (!alias)
                return NULL;
        for (uint16_t i = 0; i < alias->max; i++) {
                mqtt_ledger_remove(alias->ledger, alias->names[i].length);
                free(alias->names[i].bytes);
        }
        free(alias);
        return NULL;
}

/* The end of a topic is where devices differ. */
static uint16_t check_of(struct mqtt_text topic)
{
        enum { LOOKED_AT = 8 };
        uint16_t check = 0;
        uint16_t from = topic.length > LOOKED_AT ? (uint16_t)(topic.length - LOOKED_AT) : 0;

        for (uint16_t i = from; i < topic.length; i++)
                check = (uint16_t)(check * 31 + (uint8_t)topic.bytes[i]);
        return check;
}

int mqtt_alias_set(struct mqtt_alias *alias, uint16_t number, struct mqtt_text topic)
{
        struct name *name = &alias->names[number - 1];
        char *bytes = malloc(topic.length > 0 ? topic.length : 1);

        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, topic.bytes, topic.length);
        mqtt_ledger_remove(alias->ledger, name->length);
        mqtt_ledger_add(alias->ledger, topic.length);
        free(name->bytes);
        *name = (struct name){bytes, topic.length, check_of(topic)};
        return 0;
}

bool mqtt_alias_topic(const struct mqtt_alias *alias, uint16_t number, struct mqtt_text *ret)
{
        const struct name *name;

        if (number == 0 || number > alias->max)
                return false;
        name = &alias->names[number - 1];
        if (!name->bytes)
                return false;
        *ret = (struct mqtt_text){name->bytes, name->length};
        return true;
}

uint16_t mqtt_alias_give(struct mqtt_alias *alias, struct mqtt_text topic, bool *ret_known)
{
        uint16_t check = check_of(topic);

        *ret_known = true;
        for (uint16_t i = 0; i < alias->given; i++) {
                const struct name *name = &alias->names[i];

                if (name->check == check && name->length == topic.length &&
                    memcmp(name->bytes, topic.bytes, topic.length) == 0)
                        return (uint16_t)(i + 1);
        }
        *ret_known = false;
        /* Without memory the topic is sent in full. */
        if (alias->given == alias->max ||
            mqtt_alias_set(alias, (uint16_t)(alias->given + 1), topic) < 0)
                return 0;
        return ++alias->given;
}
