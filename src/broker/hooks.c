#include "broker/hooks.h"

#include "mqtt/clients-json.h"
#include "proto/mqtt/quoted.h"

#include <string.h>

static const char *text_of(const struct net_peer *peer, char text[NET_ADDRESS_TEXT_MAX])
{
        struct net_address address;

        net_peer_address(peer, &address);
        return net_address_text(&address, text);
}

/* The name that counts: who has shown none is not called as it likes to be. */
static struct mqtt_text user_of(const struct broker_hooks *hooks, const struct mqtt_who *who)
{
        return hooks->doors && who->identity ? access_mqtt_user(who->identity) : who->user;
}

static void log_connected(const struct broker_hooks *hooks, const struct mqtt_who *who)
{
        struct mqtt_quoted id, user;
        char text[NET_ADDRESS_TEXT_MAX];

        log_write(hooks->log, hooks->log_connections ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "broker",
                  "connect client=%s user=%s version=%s peer=%s listener=%s",
                  mqtt_quote_unless_word(who->client_id, &id),
                  mqtt_quote_unless_word(user_of(hooks, who), &user),
                  mqtt_version_text(who->version), text_of(who->peer, text), who->terms->name);
}

static void on_connected(void *owner, const struct mqtt_who *who)
{
        const struct broker_hooks *hooks = owner;

        broker_events_connected(hooks->events, who, user_of(hooks, who));
        if (hooks->log_connections || log_enabled(hooks->log, LOG_LEVEL_DEBUG))
                log_connected(hooks, who);
}

static void on_disconnect(void *owner, const struct mqtt_who *who, enum mqtt_reason reason,
                          int failure)
{
        const struct broker_hooks *hooks = owner;
        struct mqtt_quoted id;

        broker_events_disconnected(hooks->events, who, reason, failure);
        if (!hooks->log_connections && !log_enabled(hooks->log, LOG_LEVEL_DEBUG))
                return;
        log_write(hooks->log, hooks->log_connections ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "broker",
                  "disconnect client=%s reason=0x%02x why=\"%s\"",
                  mqtt_quote_unless_word(who->client_id, &id), (unsigned)reason,
                  failure < 0 ? strerror(-failure) : mqtt_reason_name(reason));
}

static void on_drop(void *owner, struct mqtt_text client_id, struct mqtt_text topic,
                    enum mqtt_counter why)
{
        const struct broker_hooks *hooks = owner;

        broker_events_dropped(hooks->events, client_id, topic, why);
}

static void on_stopped(void *owner)
{
        const struct broker_hooks *hooks = owner;

        hooks->on_stopped(hooks->owner);
}

/* Those of the doors have an owner of their own. */

static void on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        const struct mqtt_hooks *access = &((struct broker_hooks *)owner)->access;

        access->on_connect(access->owner, who, connect, answer);
}

static int on_publish(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        const struct mqtt_hooks *access = &((struct broker_hooks *)owner)->access;

        return access->on_publish(access->owner, who, publish);
}

static int on_subscribe(void *owner, const struct mqtt_who *who,
                        const struct mqtt_subscription *subscription)
{
        const struct mqtt_hooks *access = &((struct broker_hooks *)owner)->access;

        return access->on_subscribe(access->owner, who, subscription);
}

static bool on_deliver(void *owner, const struct mqtt_who *who, struct mqtt_text topic)
{
        const struct mqtt_hooks *access = &((struct broker_hooks *)owner)->access;

        return access->on_deliver(access->owner, who, topic);
}

static bool on_retain(void *owner, const struct mqtt_who *who, struct mqtt_author *ret)
{
        const struct mqtt_hooks *access = &((struct broker_hooks *)owner)->access;

        return access->on_retain(access->owner, who, ret);
}

static bool on_retained(void *owner, const struct mqtt_author *author, struct mqtt_text topic)
{
        const struct mqtt_hooks *access = &((struct broker_hooks *)owner)->access;

        return access->on_retained(access->owner, author, topic);
}

static void on_forget(void *owner, void *identity)
{
        const struct mqtt_hooks *access = &((struct broker_hooks *)owner)->access;

        access->on_forget(access->owner, identity);
}

struct mqtt_hooks broker_hooks_make(struct broker_hooks *hooks)
{
        struct mqtt_hooks made = {.owner = hooks,
                                  .on_connected = on_connected,
                                  .on_disconnect = on_disconnect,
                                  .on_drop = on_drop,
                                  .on_stopped = on_stopped};

        if (!hooks->doors)
                return made;
        broker_doors_hooks(hooks->doors, &hooks->access);
        made.on_connect = on_connect;
        made.on_publish = on_publish;
        made.on_subscribe = on_subscribe;
        made.on_deliver = hooks->access.on_deliver ? on_deliver : NULL;
        made.on_retain = hooks->access.on_retain ? on_retain : NULL;
        made.on_retained = hooks->access.on_retained ? on_retained : NULL;
        made.on_forget = on_forget;
        return made;
}
