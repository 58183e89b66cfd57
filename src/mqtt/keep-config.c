#include "mqtt/keep-config.h"

const char *const mqtt_keep_choices[] = {"default", "memory", "interval", "fsync", NULL};

static void choose(int *choice, int by_default)
{
        if (*choice == MQTT_KEEP_DEFAULT)
                *choice = by_default;
}

void mqtt_keep_config_settle(struct mqtt_keep_config *config)
{
        choose(&config->retained,
               config->sessions == MQTT_KEEP_DEFAULT ? MQTT_KEEP_FSYNC : config->sessions);
        choose(&config->sessions, MQTT_KEEP_INTERVAL);
}

static enum mqtt_durability durability_of(int choice)
{
        switch ((enum mqtt_keep_choice)choice) {
        case MQTT_KEEP_FSYNC:
                return MQTT_DURABILITY_FSYNC;
        case MQTT_KEEP_INTERVAL:
                return MQTT_DURABILITY_INTERVAL;
        case MQTT_KEEP_DEFAULT:
        case MQTT_KEEP_MEMORY:
                break;
        }
        return MQTT_DURABILITY_MEMORY;
}

void mqtt_keep_config_apply(const struct mqtt_keep_config *config, struct mqtt_keep_options *ret)
{
        struct mqtt_keep_config settled = *config;

        mqtt_keep_config_settle(&settled);
        ret->sessions = durability_of(settled.sessions);
        ret->retained = durability_of(settled.retained);
        ret->interval_ms = (uint32_t)(settled.interval * 1000);
}
