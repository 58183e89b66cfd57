/* proto/mqtt/decode-fixture.h - for tests: packets in hexadecimal, and what their decoder
 * says of them. */
#pragma once

#include "proto/mqtt/decode.h"

struct packet {
        uint8_t *bytes; /* of exactly its length, so that a byte beyond is found; freed by the
                           caller */
        size_t length;
};

/* Small letters; blanks are left out. */
struct packet packet_of(const char *hex);

enum { PACKET_NONE = -1 };
/* 0, a reason, or PACKET_NONE: not even a packet. */
int packet_judge(const char *hex, enum mqtt_version version);
