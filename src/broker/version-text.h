/* broker/version-text.h - versions of MQTT, for people. */
#pragma once

#include "proto/mqtt/packet.h"

static inline const char *broker_version_text(enum mqtt_version version)
{
        switch (version) {
        case MQTT_VERSION_31:
                return "3.1";
        case MQTT_VERSION_311:
                return "3.1.1";
        case MQTT_VERSION_5:
                return "5.0";
        }
        return "?";
}
