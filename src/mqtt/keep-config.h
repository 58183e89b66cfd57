/* mqtt/keep-config.h - how safely a broker keeps what it keeps, as keys of a configuration.
 *
 * Used as mqtt/limits-config.h is:
 *
 *     static const struct config_key keys[] = {
 *             MQTT_KEEP_KEYS(struct gate_config, keep),
 *             ...
 *     }; */
#pragma once

#include "data/config.h"
#include "mqtt/keep.h"

enum mqtt_keep_choice {
        MQTT_KEEP_DEFAULT, /* see mqtt_keep_config_settle() */
        MQTT_KEEP_MEMORY,
        MQTT_KEEP_INTERVAL,
        MQTT_KEEP_FSYNC,
};

struct mqtt_keep_config {
        int sessions, retained; /* enum mqtt_keep_choice */
        double interval;        /* seconds */
};

extern const char *const mqtt_keep_choices[]; /* their names */

#define MQTT_KEEP_KEYS(struct_type, member)                                                        \
        CONFIG_CHOICE(struct_type, member.sessions, "durability", MQTT_KEEP_DEFAULT,               \
                      mqtt_keep_choices, "of sessions: default, memory, interval or fsync"),       \
                CONFIG_CHOICE(struct_type, member.retained, "retained_durability",                 \
                              MQTT_KEEP_DEFAULT, mqtt_keep_choices,                                \
                              "of retained messages: default, memory, interval or fsync"),         \
                CONFIG_SECONDS(struct_type, member.interval, "durability_interval", 1, 0.01, 3600, \
                               "seconds, 0.01 to 3600")

/* What is left to us: `interval` for sessions, `fsync` for retained messages; but who has said how
 * safe sessions are has said it of these, too. */
void mqtt_keep_config_settle(struct mqtt_keep_config *config);
/* What it says, settled; the rest of the options stays. */
void mqtt_keep_config_apply(const struct mqtt_keep_config *config, struct mqtt_keep_options *ret);
