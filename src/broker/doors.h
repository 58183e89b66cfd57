/* broker/doors.h - who may come in through which listener, and what they may do there.
 *
 * A door is a listener's policy, its users and its rules. It stays when its listener goes, for
 * those who came through it, and when another configuration is loaded; what counts for them
 * is then what the new one says. Loop thread. */
#pragma once

#include "access/mqtt-hooks.h"
#include "base/log.h"
#include "broker/config.h"

struct broker_doors;

struct broker_door {
        struct access_policy policy;
        bool mqtt_3_1, mqtt_3_1_1, mqtt_5;
        char *place;               /* by which it is known again */
        struct access_rules rules; /* its own, or those of all */
};

int broker_doors_new(struct loop *loop, struct log *log, struct broker_doors **ret); /* -ENOMEM */
/* After the broker. */
struct broker_doors *broker_doors_free(struct broker_doors *doors);
DEFINE_CLEANUP(broker_doors)

/* Reads users and rules of all listeners, all of them or none: -EINVAL, -errno of a file, with a
 * sentence; -ENOMEM. Blocks, for as long as files are read. */
int broker_doors_load(struct broker_doors *doors, const struct broker_config *config,
                      struct error *error);
/* That of a listener, for the broker's terms (mqtt_terms.owner); valid until the end. NULL: not
 * loaded. */
struct broker_door *broker_doors_find(const struct broker_doors *doors,
                                      const struct broker_listener *listener);

/* The broker's hooks, as far as they are about who may do what, with an owner of their own. They
 * change with what is loaded: mqtt_broker_change_hooks(). */
void broker_doors_hooks(const struct broker_doors *doors, struct mqtt_hooks *ret);
/* Before the first client. */
void broker_doors_start(struct broker_doors *doors, struct mqtt_broker *broker);

/* For logins elsewhere: those who are users of all listeners, and how they are verified. */
const struct access_rules *broker_doors_rules(const struct broker_doors *doors);
const struct login *broker_doors_login(const struct broker_doors *doors);
