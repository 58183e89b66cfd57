#include "mqtt/keep.h"

#include "base/attributes.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
        [MQTT_DURABILITY_MEMORY] = "memory",
        [MQTT_DURABILITY_INTERVAL] = "interval",
        [MQTT_DURABILITY_FSYNC] = "fsync",
};

int mqtt_durability_parse(const char *text, enum mqtt_durability *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (strcmp(text, names[i]) == 0) {
                        *ret = (enum mqtt_durability)i;
                        return 0;
                }
        }
        return -EINVAL;
}

const char *mqtt_durability_name(enum mqtt_durability durability)
{
        return names[durability];
}
