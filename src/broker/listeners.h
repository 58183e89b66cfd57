/* broker/listeners.h - where a broker listens: the sockets, certificates and terms of each
 * listener of a configuration.
 *
 * One listener may have several sockets: "localhost" and an interface have an address of each
 * family. Everything on the loop's thread. */
#pragma once

#include "base/log.h"
#include "broker/config.h"
#include "broker/doors.h"
#include "mqtt/broker.h"

struct broker_listeners;

/* What they hand connections to; all of it outlives them. */
struct broker_listeners_options {
        struct loop *loop;
        struct net_context *net;
        struct mqtt_broker *broker;
        struct broker_doors *doors; /* NULL: none are closed to anybody */
        struct log *log;
        const struct broker_config *config; /* until the next reload */
};

/* Opens all of them, or none. What listens is logged. -errno with a sentence that names the
 * listener. */
int broker_listeners_new(const struct broker_listeners_options *options,
                         struct broker_listeners **ret, struct error *error);
/* No more connections come, and no more requests over HTTP; those there are go on. */
void broker_listeners_close(struct broker_listeners *listeners);
/* After the broker: its clients' streams use what is freed here. */
struct broker_listeners *broker_listeners_free(struct broker_listeners *listeners);
DEFINE_CLEANUP(broker_listeners)
