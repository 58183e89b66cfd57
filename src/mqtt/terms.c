#include "mqtt/terms.h"

#include "base/attributes.h"
#include "mqtt/entrance.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <string.h>

/* What callers know as its `terms`. */
struct granted {
        struct mqtt_terms terms;
        uint32_t references;
        struct mqtt_entrance *entrance; /* a reference */
        char *texts;                    /* of `terms` */
        const char *prefixes[];
};

void mqtt_terms_init(struct mqtt_terms *wanted, const struct mqtt_limits *limits)
{
        *wanted = (struct mqtt_terms){
                .name = "",
                .mount = {"", 0},
                .clients = limits->clients,
                .empty_client_ids = true,
                .assigned_prefix = "auto-",
                .qos_max = 2,
                .retain = true,
                .wildcards = true,
                .shared = true,
                .subscription_ids = true,
                .packet_bytes = limits->packet_bytes,
                .receive_maximum = limits->receive_maximum,
                .aliases = limits->aliases,
                .keep_alive_s = limits->keep_alive_s,
                .session_expiry_max_s = limits->session_expiry_max_s,
                .payload_bytes = UINT32_MAX,
                .inflight = limits->inflight,
                .inflight_bytes = SIZE_MAX,
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

static size_t prefixes_count(const struct mqtt_terms *terms)
{
        size_t count = 0;

        while (terms->client_id_prefixes && terms->client_id_prefixes[count])
                count++;
        return count;
}

static size_t texts_size(const struct mqtt_terms *terms, size_t count)
{
        size_t size = strlen(terms->name) + 1 + strlen(terms->assigned_prefix) + 1;

        size += terms->mount.length;
        for (size_t i = 0; i < count; i++)
                size += strlen(terms->client_id_prefixes[i]) + 1;
        return size;
}

/* The same text at `*at`, which goes on behind it. */
static const char *put_text(char **at, const char *text)
{
        size_t size = strlen(text) + 1;
        char *begin = memcpy(*at, text, size);

        *at += size;
        return begin;
}

static int copy_texts(struct granted *granted, size_t count)
{
        struct mqtt_terms *terms = &granted->terms;
        char *at = malloc(texts_size(terms, count));

        if (!at)
                return -ENOMEM;
        granted->texts = at;
        terms->name = put_text(&at, terms->name);
        terms->assigned_prefix = put_text(&at, terms->assigned_prefix);
        for (size_t i = 0; i < count; i++)
                granted->prefixes[i] = put_text(&at, terms->client_id_prefixes[i]);
        granted->prefixes[count] = NULL;
        if (terms->mount.length > 0)
                terms->mount.bytes = memcpy(at, terms->mount.bytes, terms->mount.length);
        terms->client_id_prefixes = count > 0 ? granted->prefixes : NULL;
        return 0;
}

static int open_entrance(struct granted *granted, const struct mqtt_terms *previous)
{
        struct mqtt_entrance *entrance =
                previous ? mqtt_entrance_of(previous) : calloc(1, sizeof(*entrance));

        if (!entrance)
                return -ENOMEM;
        if (!previous)
                list_init(&entrance->waiting);
        entrance->references++;
        granted->entrance = entrance;
        return 0;
}

static void granted_free(struct granted *granted)
{
        if (!granted)
                return;
        if (granted->entrance && --granted->entrance->references == 0)
                free(granted->entrance);
        free(granted->texts);
        free(granted);
}
DEFINE_CLEANUP(granted)

static bool mount_is_valid(struct mqtt_text mount)
{
        return mount.length == 0 ||
               (mount.length <= MQTT_MOUNT_MAX && mount.bytes[0] != '$' &&
                mount.bytes[mount.length - 1] == '/' && mqtt_topic_name_is_valid(mount));
}

static bool is_valid(const struct mqtt_terms *wanted)
{
        return wanted->qos_max <= 2 && prefixes_count(wanted) <= MQTT_CLIENT_ID_PREFIXES_MAX &&
               strlen(wanted->assigned_prefix) <= MQTT_ASSIGNED_PREFIX_MAX &&
               mount_is_valid(wanted->mount);
}

int mqtt_terms_new(const struct mqtt_terms *wanted, const struct mqtt_terms *previous,
                   const struct mqtt_terms **ret)
{
        size_t count = prefixes_count(wanted);
        AUTO(granted) struct granted *granted = NULL;
        int r;

        if (!is_valid(wanted))
                return -EINVAL;
        granted = calloc(1, sizeof(*granted) + (count + 1) * sizeof(granted->prefixes[0]));
        if (!granted)
                return -ENOMEM;
        granted->terms = *wanted;
        granted->references = 1;
        r = copy_texts(granted, count);
        if (r == 0)
                r = open_entrance(granted, previous);
        if (r < 0)
                return r;
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
        if (terms && --granted_of(terms)->references == 0)
                granted_free(granted_of(terms));
        return NULL;
}
