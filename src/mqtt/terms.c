#include "mqtt/terms.h"

#include "base/attributes.h"
#include "mqtt/entrance.h"

#include <errno.h>
#include <string.h>

/* What callers know as its `terms`. */
struct granted {
        struct mqtt_terms terms;
        uint32_t references;
        struct mqtt_entrance *entrance; /* a reference */
        char texts[];
};

void mqtt_terms_init(struct mqtt_terms *wanted, const struct mqtt_limits *limits)
{
        *wanted = (struct mqtt_terms){
                .name = "",
                .clients = limits->clients,
                .packet_bytes = limits->packet_bytes,
                .receive_maximum = limits->receive_maximum,
                .aliases = limits->aliases,
                .keep_alive_s = limits->keep_alive_s,
                .session_expiry_max_s = limits->session_expiry_max_s,
                .inflight = limits->inflight,
                .aliases_granted = limits->aliases_granted,
        };
}

/* Ours to change: nobody is given these but as a constant. */
static struct granted *granted_of(const struct mqtt_terms *terms)
{
        return (struct granted *)(uintptr_t)terms;
}

struct mqtt_entrance *mqtt_entrance_of(const struct mqtt_terms *terms)
{
        return granted_of(terms)->entrance;
}

static struct mqtt_entrance *open_entrance(const struct mqtt_terms *previous)
{
        struct mqtt_entrance *entrance =
                previous ? mqtt_entrance_of(previous) : calloc(1, sizeof(*entrance));

        if (entrance)
                entrance->references++;
        return entrance;
}

int mqtt_terms_new(const struct mqtt_terms *wanted, const struct mqtt_terms *previous,
                   const struct mqtt_terms **ret)
{
        size_t name_size = strlen(wanted->name) + 1;
        AUTO_FREE struct granted *granted = malloc(sizeof(*granted) + name_size);

        if (!granted)
                return -ENOMEM;
        *granted = (struct granted){
                .terms = *wanted, .references = 1, .entrance = open_entrance(previous)};
        if (!granted->entrance)
                return -ENOMEM;
        granted->terms.name = memcpy(granted->texts, wanted->name, name_size);
        *ret = &TAKE(granted)->terms;
        return 0;
}

const struct mqtt_terms *mqtt_terms_ref(const struct mqtt_terms *terms)
{
        granted_of(terms)->references++;
        return terms;
}

const struct mqtt_terms *mqtt_terms_unref(const struct mqtt_terms *terms)
{
        struct granted *granted;

        if (!terms)
                return NULL;
        granted = granted_of(terms);
        if (--granted->references > 0)
                return NULL;
        if (--granted->entrance->references == 0)
                free(granted->entrance);
        free(granted);
        return NULL;
}
