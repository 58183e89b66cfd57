/* fuzz/mqtt-packet.h - what a packet of MQTT must hold, whatever is in it. */
#pragma once

#include "proto/mqtt/decode.h"

enum { MQTT_PACKET_CHECK_MAX = 1 << 20 };

/* Decodes, encodes and decodes it. `version` is the connection's, which a CONNECT sets. */
void mqtt_packet_check(const struct mqtt_frame *frame, enum mqtt_version *version);
