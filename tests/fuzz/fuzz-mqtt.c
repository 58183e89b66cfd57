/* Fuzzes a stream of MQTT packets: the first byte chooses the version, the rest is what a
 * connection brings. */
#include "fuzz/fuzz.h"
#include "fuzz/mqtt-packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        enum mqtt_version version = MQTT_VERSION_5;
        struct mqtt_frame frame;

        if (count == 0)
                return 0;
        if (bytes[0] & 1)
                version = MQTT_VERSION_311;
        bytes++;
        count--;
        while (mqtt_frame_next(bytes, count, MQTT_PACKET_CHECK_MAX, &frame) == MQTT_FRAME_FOUND) {
                mqtt_packet_check(&frame, &version);
                bytes += frame.length;
                count -= frame.length;
        }
        return 0;
}
