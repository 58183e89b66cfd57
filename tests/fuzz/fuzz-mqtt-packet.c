/* Fuzzes what is in one type of MQTT packet, PACKET (meson.build): bit 0 of the first byte
 * chooses the version, its upper half is a PUBLISH's flags, and the rest is the packet behind
 * its fixed header, so that no byte goes into finding a length. */
#include "fuzz/fuzz.h"
#include "fuzz/mqtt-packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        enum mqtt_version version;
        struct mqtt_frame frame = {.type = PACKET};

        if (count == 0 || count > MQTT_PACKET_CHECK_MAX)
                return 0;
        version = bytes[0] & 1 ? MQTT_VERSION_311 : MQTT_VERSION_5;
        if (PACKET == MQTT_PUBLISH)
                frame.flags = bytes[0] >> 4;
        frame.body = bytes + 1;
        frame.body_length = (uint32_t)(count - 1);
        mqtt_packet_check(&frame, &version);
        return 0;
}
