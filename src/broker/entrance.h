/* broker/entrance.h - one listener: its sockets, its certificate, and the terms of those who come
 * through it. Loop thread. */
#pragma once

#include "base/log.h"
#include "broker/config.h"
#include "broker/doors.h"
#include "broker/operations.h"
#include "mqtt/broker.h"

/* What all of them hand connections to, and take things from; all of it outlives them. */
struct broker_entrance_options {
        struct loop *loop;
        struct net_context *net;
        struct mqtt_broker *broker;
        struct broker_doors *doors; /* NULL: none are closed to anybody */
        struct broker_operations *operations;
        struct log *log;
};

struct broker_entrance;

/* `config` and `listener` are copied from, or not used beyond the call. The listener's door, if
 * there are doors, is loaded. -errno with a sentence. */
int broker_entrance_new(const struct broker_entrance_options *options,
                        const struct broker_config *config, const struct broker_listener *listener,
                        struct broker_entrance **ret, struct error *error);
/* Whether that is the same place with the same protocol, so that it can become what the listener
 * says now. */
bool broker_entrance_is(const struct broker_entrance *entrance,
                        const struct broker_listener *listener);
/* For those who come from now on: certificates, what is granted. On failure all stays as it is:
 * -errno with a sentence. */
int broker_entrance_reload(struct broker_entrance *entrance, const struct broker_config *config,
                           const struct broker_listener *listener, struct error *error);
/* No more connections come, and no more requests over HTTP; those there are go on. */
void broker_entrance_close(struct broker_entrance *entrance);
/* After the broker. */
struct broker_entrance *broker_entrance_free(struct broker_entrance *entrance);
DEFINE_CLEANUP(broker_entrance)

/* Where it listens, and how. */
void broker_entrance_log(const struct broker_entrance *entrance);
bool broker_entrance_is_open(const struct broker_entrance *entrance);
/* What it is called. */
const char *broker_entrance_name(const struct broker_entrance *entrance);
