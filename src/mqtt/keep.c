#include "mqtt/keep.h"

static const char *const names[] = {
        [MQTT_DURABILITY_MEMORY] = "memory",
        [MQTT_DURABILITY_INTERVAL] = "interval",
        [MQTT_DURABILITY_FSYNC] = "fsync",
};

const char *mqtt_durability_name(enum mqtt_durability durability)
{
        return names[durability];
}
