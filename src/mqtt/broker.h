/* mqtt/broker.h - an MQTT broker, 3.1.1 and 5.0, as a library.
 *
 * All of it on the loop's thread, in memory, and, if it is to survive, in a log of its changes
 * beside (mqtt_broker_keep). Streams come from whoever accepts
 * connections; hooks decide who may do what; the program itself publishes and subscribes
 * from inside, over the same paths. Every bound is in limits.h with its answer.
 *
 * Sources: OASIS "MQTT Version 3.1.1" (2014) and "MQTT Version 5.0" (2019). */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "loop/loop.h"
#include "mqtt/hooks.h"
#include "mqtt/keep.h"
#include "mqtt/limits.h"
#include "mqtt/terms.h"
#include "net/stream.h"
#include "store/thread.h"

struct mqtt_broker;

/* `limits` and `hooks` are copied; NULL: the defaults, and everybody may do everything.
 * `net` is what its streams share with others of the loop, and outlives the broker.
 * -ENOMEM; -EIO: no random numbers. */
int mqtt_broker_new(struct loop *loop, struct net_context *net, const struct mqtt_limits *limits,
                    const struct mqtt_hooks *hooks, struct mqtt_broker **ret);
/* Other hooks from here on, copied: those that nobody needs any more cost nothing, and others may
 * be needed after all. Those about identities stay what they were. Not from inside a hook. */
void mqtt_broker_change_hooks(struct mqtt_broker *broker, const struct mqtt_hooks *hooks);
/* Closes what is left, without a word and without wills, and turns the loop until the
 * streams are gone and what is kept is written, however long the disk takes. Not from inside
 * a hook. */
struct mqtt_broker *mqtt_broker_free(struct mqtt_broker *broker);
DEFINE_CLEANUP(mqtt_broker)

/* From here on what may survive is kept as `options` say, and what was kept is there again.
 * Once, before anybody is attached or subscribes. `thread`: outlives the broker; may be NULL if
 * all is MQTT_DURABILITY_MEMORY, and then nothing is read or written. What is damaged is
 * reported, and no failure. A sentence for people (which may be NULL) with: -EBUSY: another
 * process has the folder; -EPROTONOSUPPORT: a later version has written it; -EINVAL: the
 * interval; -ENOMEM; -errno of the folder. The broker is then good for nothing but its end. */
int mqtt_broker_keep(struct mqtt_broker *broker, struct store_thread *thread,
                     const struct mqtt_keep_options *options, struct error *error);

/* A connection that was accepted; `tls` NULL: plain. Takes `fd` over on success only. `terms`
 * are what mqtt_terms_new() made, of which it takes a reference; NULL: those of the broker's
 * limits. -EBUSY: limits.connecting are waiting already, more come than terms.connects allow, or
 * memory is tight; -ENOMEM, -errno. */
int mqtt_broker_attach(struct mqtt_broker *broker, int fd, struct net_tls *tls,
                       const struct net_address *peer, const struct mqtt_terms *terms);
/* The same for a stream that somebody else began, such as a WebSocket (net/upgrade.h). It is
 * the broker's on success only. */
int mqtt_broker_adopt(struct mqtt_broker *broker, struct net_stream *stream,
                      const struct mqtt_terms *terms);
/* Whether there is room for one more of those: -EBUSY as above, and it is counted. */
int mqtt_broker_check_room(struct mqtt_broker *broker, const struct mqtt_terms *terms);
/* The answer to a CONNECT that on_connect put off. Not from inside a hook. -ENOENT: the
 * connection is gone or was answered, and the identity remains the caller's. */
int mqtt_broker_admit(struct mqtt_broker *broker, uint64_t ticket,
                      const struct mqtt_admission *answer);
/* DISCONNECT with `reason` to all clients (0x8b: shutting down), whose streams then write
 * out what they hold. Wills are not published: the clients did nothing wrong, and nobody is
 * left to be told. No more are attached. hooks.on_stopped tells when all of it is done. */
void mqtt_broker_stop(struct mqtt_broker *broker, enum mqtt_reason reason);
/* How many connections there are, those included that only write out their last. */
size_t mqtt_broker_connections(const struct mqtt_broker *broker);
/* Ends the connection of a client, if it is connected: -ENOENT. Its will is published. */
int mqtt_broker_kick(struct mqtt_broker *broker, struct mqtt_text client_id,
                     enum mqtt_reason reason);

/* Publishes from inside; no hook is asked. Topic, QoS, retain, payload and properties count;
 * copied. How many sessions get it; -ENOSPC: it could not be retained; -ENOMEM; -EINVAL: not
 * a topic name. */
int mqtt_broker_publish(struct mqtt_broker *broker, const struct mqtt_publish *publish);

/* For a hook that did what costs as much as routing so many bytes: counts for
 * limits.turn_bytes. */
void mqtt_broker_charge(struct mqtt_broker *broker, size_t bytes);

/* Subscribes from inside; no hook is asked. `on_message` is called at the end of the round
 * in which a message came, which lives until it returns; retained ones come first, with
 * `retain` set. limits.queue_messages and queue_bytes hold: beyond, the oldest are lost and
 * counted. */
struct mqtt_insider;
typedef void mqtt_insider_fn(void *owner, const struct mqtt_publish *publish);
/* -EINVAL: not a filter; -ENOSPC: limits.subscriptions; -ENOMEM. */
int mqtt_broker_subscribe(struct mqtt_broker *broker, const struct mqtt_subscription *subscription,
                          mqtt_insider_fn *on_message, void *owner, struct mqtt_insider **ret);
/* No more calls. May be called from its own on_message. NULL is fine; before the broker's
 * end. */
struct mqtt_insider *mqtt_insider_free(struct mqtt_insider *insider);

struct mqtt_broker_figures {
        size_t connections, clients, sessions, subscriptions, retained_messages;
        size_t clients_most;   /* that were ever connected at a time */
        size_t retained_bytes; /* as limits.retained_bytes counts them */
        size_t queued_messages, queued_bytes;
        size_t memory_bytes; /* as limits.memory_bytes counts */
        size_t memory_most;  /* that there ever was, looked at once a round when messages come */
        uint64_t counters[MQTT_COUNTERS];
};
void mqtt_broker_figures(const struct mqtt_broker *broker, struct mqtt_broker_figures *ret);
