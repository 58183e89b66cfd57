/* broker/hooks.h - what the program answers its broker: who may come in, and what is told of those
 * who come and go. */
#pragma once

#include "broker/doors.h"
#include "broker/events.h"

struct broker_hooks {
        struct log *log;
        bool log_connections;
        struct broker_doors *doors; /* NULL: everybody may do everything */
        struct broker_events *events;
        struct mqtt_hooks access; /* theirs; filled by broker_hooks_make() */

        void (*on_stopped)(void *owner);
        void *owner;
};

/* For mqtt_broker_new() and mqtt_broker_change_hooks(). `hooks` outlives the broker. */
struct mqtt_hooks broker_hooks_make(struct broker_hooks *hooks);
