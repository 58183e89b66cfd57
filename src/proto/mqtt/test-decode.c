/* Each row is a packet in hexadecimal, the clause that judges it, and the verdict.
 * Rows without a mark of 3.1.1 ("311:") name statements of 5.0. */
#include "base/attributes.h"
#include "proto/mqtt/decode-fixture.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

#define V4 MQTT_VERSION_311
#define V5 MQTT_VERSION_5

struct row {
        const char *clause;
        enum mqtt_version version;
        const char *hex;
        int verdict; /* as packet_judge() says it */
};

static void judge_all(const struct row rows[], size_t count)
{
        for (size_t i = 0; i < count; i++) {
                int verdict = packet_judge(rows[i].hex, rows[i].version);

                if (verdict != rows[i].verdict)
                        FAIL("%s: %s: 0x%02x instead of 0x%02x", rows[i].clause, rows[i].hex,
                             (unsigned)verdict, (unsigned)rows[i].verdict);
        }
}

TEST(fixed_headers)
{
        static const struct row rows[] = {
                {"2.1.2 type 0 is forbidden", V5, "0000", PACKET_NONE},
                {"MQTT-2.1.3-1 CONNECT flags", V5, "1100", PACKET_NONE},
                {"MQTT-2.1.3-1 CONNACK flags", V5, "2103 000000", PACKET_NONE},
                {"MQTT-2.1.3-1 PUBACK flags", V5, "4202 0001", PACKET_NONE},
                {"MQTT-2.1.3-1 PUBREC flags", V5, "5102 0001", PACKET_NONE},
                {"MQTT-3.6.1-1 PUBREL without 0010", V5, "6002 0001", PACKET_NONE},
                {"MQTT-3.6.1-1 PUBREL with 0011", V5, "6302 0001", PACKET_NONE},
                {"MQTT-3.6.1-1 PUBREL with 0010", V5, "6202 0001", 0},
                {"3.6 of 3.1: PUBREL again", V4, "6a02 0001", 0},
                {"MQTT-2.1.3-1 PUBCOMP flags", V5, "7802 0001", PACKET_NONE},
                {"MQTT-3.8.1-1 SUBSCRIBE without 0010", V5, "8007 0001 00 0001 61 00", PACKET_NONE},
                {"MQTT-2.1.3-1 SUBACK flags", V5, "9204 0001 00 00", PACKET_NONE},
                {"MQTT-3.10.1-1 UNSUBSCRIBE without 0010", V5, "a006 0001 00 0001 61", PACKET_NONE},
                {"MQTT-2.1.3-1 UNSUBACK flags", V5, "b104 0001 00 00", PACKET_NONE},
                {"MQTT-2.1.3-1 PINGREQ flags", V5, "c100", PACKET_NONE},
                {"MQTT-2.1.3-1 PINGRESP flags", V5, "d800", PACKET_NONE},
                {"MQTT-3.14.1-1 DISCONNECT flags", V5, "e100", PACKET_NONE},
                {"MQTT-3.15.1-1 AUTH flags", V5, "f100", PACKET_NONE},
                {"2.1.4 a length of five bytes", V5, "c08080808001", PACKET_NONE},
                {"MQTT-1.5.5-1 a length in a longer form", V5, "c08000", PACKET_NONE},
                {"3.12 PINGREQ", V5, "c000", 0},
                {"3.13 PINGRESP", V4, "d000", 0},
                {"3.12 PINGREQ with a body", V5, "c00100", MQTT_MALFORMED_PACKET},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(connect_of_5_0)
{
        static const struct row rows[] = {
                {"3.1 least", V5, "100d 0004 4d515454 05 02 0000 00 0000", 0},
                {"3.1 with an id", V5, "100e 0004 4d515454 05 00 000a 00 0001 61", 0},
                {"MQTT-3.1.2-1 another name", V5, "100d 0004 4d515458 05 02 0000 00 0000",
                 MQTT_UNSUPPORTED_VERSION},
                {"MQTT-3.1.2-1 a name in small letters", V5,
                 "100d 0004 6d717474 05 02 0000 00 0000", MQTT_UNSUPPORTED_VERSION},
                {"MQTT-3.1.2-2 version 6", V5, "100d 0004 4d515454 06 02 0000 00 0000",
                 MQTT_UNSUPPORTED_VERSION},
                {"MQTT-3.1.2-2 version 3", V5, "100c 0004 4d515454 03 02 0000 0000",
                 MQTT_UNSUPPORTED_VERSION},
                {"3.1: MQIsdp", V5, "100e 0006 4d5149736470 03 02 0000 0000", 0},
                {"3.1: the reserved flag", V5, "100f 0006 4d5149736470 03 03 0000 0001 61", 0},
                {"3.1: another level", V5, "100e 0006 4d5149736470 06 02 0000 0000",
                 MQTT_UNSUPPORTED_VERSION},
                {"3.1.3.1 an id with a control character", V5,
                 "100f 0004 4d515454 05 02 0000 00 0002 61 01", MQTT_CLIENT_ID_NOT_VALID},
                {"3.1.3.1 an id that is no UTF-8", V5, "100e 0004 4d515454 05 02 0000 00 0001 ff",
                 MQTT_CLIENT_ID_NOT_VALID},
                {"1.5.4 a user with a control character", V5,
                 "1010 0004 4d515454 05 82 0000 00 0000 0001 7f", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-3 the reserved flag", V5, "100d 0004 4d515454 05 03 0000 00 0000",
                 MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-11 will QoS without a will", V5,
                 "100d 0004 4d515454 05 0a 0000 00 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-13 will retain without a will", V5,
                 "100d 0004 4d515454 05 22 0000 00 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-12 will QoS 3", V5,
                 "1013 0004 4d515454 05 1e 0000 00 0000 00 0001 61 0000", MQTT_MALFORMED_PACKET},
                {"3.1.3.2 a will", V5, "1013 0004 4d515454 05 06 0000 00 0000 00 0001 61 0000", 0},
                {"3.1.3.3 a will's topic with a wildcard", V5,
                 "1013 0004 4d515454 05 06 0000 00 0000 00 0001 2b 0000", MQTT_MALFORMED_PACKET},
                {"3.1.3.3 a will without a topic", V5,
                 "1012 0004 4d515454 05 06 0000 00 0000 00 0000 0000", MQTT_MALFORMED_PACKET},
                {"3.1.3.2.2 a will's delay", V5,
                 "1018 0004 4d515454 05 06 0000 00 0000 05 1800000005 0001 61 0000", 0},
                {"2.2.2.2 a session's expiry among a will's properties", V5,
                 "1018 0004 4d515454 05 06 0000 00 0000 05 1100000005 0001 61 0000",
                 MQTT_MALFORMED_PACKET},
                {"MQTT-3.3.2-14 a will's response topic with a wildcard", V5,
                 "1017 0004 4d515454 05 06 0000 00 0000 04 08 0001 23 0001 61 0000",
                 MQTT_PROTOCOL_ERROR},
                {"MQTT-3.1.3-11 a will's topic that is no UTF-8", V5,
                 "1013 0004 4d515454 05 06 0000 00 0000 00 0001 ff 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-9 a will's flag, and no will", V5,
                 "100d 0004 4d515454 05 06 0000 00 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-9 a will without its payload", V5,
                 "1011 0004 4d515454 05 06 0000 00 0000 00 0001 61", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-16 a user without its flag", V5,
                 "1010 0004 4d515454 05 02 0000 00 0000 0001 75", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-17 a user's flag, and no user", V5,
                 "100d 0004 4d515454 05 82 0000 00 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-18 a password without its flag", V5,
                 "1013 0004 4d515454 05 82 0000 00 0000 0001 75 0001 70", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.2-19 a password's flag, and no password", V5,
                 "1010 0004 4d515454 05 c2 0000 00 0000 0001 75", MQTT_MALFORMED_PACKET},
                {"3.1.2.9 a password alone is 5.0's", V5,
                 "100f 0004 4d515454 05 42 0000 00 0000 0000", 0},
                {"3.1.3.5 user and password", V5,
                 "1013 0004 4d515454 05 c2 0000 00 0000 0001 75 0001 ff", 0},
                {"MQTT-3.1.3-12 a user that is no UTF-8", V5,
                 "1010 0004 4d515454 05 82 0000 00 0000 0001 ff", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.3-4 an id that is no UTF-8", V5,
                 "100e 0004 4d515454 05 02 0000 00 0001 80", MQTT_CLIENT_ID_NOT_VALID},
                {"MQTT-1.5.4-2 an id with U+0000", V5, "100e 0004 4d515454 05 02 0000 00 0001 00",
                 MQTT_CLIENT_ID_NOT_VALID},
                {"MQTT-1.5.4-1 an id with a surrogate", V5,
                 "1010 0004 4d515454 05 02 0000 00 0003 eda080", MQTT_CLIENT_ID_NOT_VALID},
                {"MQTT-1.5.4-1 an id in a longer form than it needs", V5,
                 "100f 0004 4d515454 05 02 0000 00 0002 c1a1", MQTT_CLIENT_ID_NOT_VALID},
                {"MQTT-1.5.4-1 an id beyond U+10FFFF", V5,
                 "1011 0004 4d515454 05 02 0000 00 0004 f4908080", MQTT_CLIENT_ID_NOT_VALID},
                {"MQTT-1.5.4-1 an id of U+10FFFF", V5,
                 "1011 0004 4d515454 05 02 0000 00 0004 f48fbfbf", 0},
                {"MQTT-1.5.4-1 an id that ends within a character", V5,
                 "100f 0004 4d515454 05 02 0000 00 0002 e282", MQTT_CLIENT_ID_NOT_VALID},
                {"MQTT-1.5.4-3 U+FEFF stays", V5, "1010 0004 4d515454 05 02 0000 00 0003 efbbbf",
                 0},
                {"MQTT-1.5.7-1 a user property whose name is no UTF-8", V5,
                 "1014 0004 4d515454 05 02 0000 07 26 0001 ff 0001 62 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-1.5.7-1 a user property whose value has U+0000", V5,
                 "1014 0004 4d515454 05 02 0000 07 26 0001 61 0001 00 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-3.1.3-1 a user before the id", V5,
                 "1013 0004 4d515454 05 82 0000 00 0003 757365 0001 ff", MQTT_MALFORMED_PACKET},
                {"3.1.3 bytes behind the payload", V5, "100e 0004 4d515454 05 02 0000 00 0000 00",
                 MQTT_MALFORMED_PACKET},
                {"3.1.3 without its id", V5, "100b 0004 4d515454 05 02 0000 00",
                 MQTT_MALFORMED_PACKET},
                {"3.1.3 an id that is cut", V5, "100e 0004 4d515454 05 02 0000 00 0002 61",
                 MQTT_MALFORMED_PACKET},
                {"3.1.2 nothing behind the name", V5, "1006 0004 4d515454", MQTT_MALFORMED_PACKET},
                {"3.1 empty", V5, "1000", MQTT_MALFORMED_PACKET},
                {"3.1.2.11 all properties once", V5,
                 "1030 0004 4d515454 05 02 0000 23 1100000001 210001 2700000001 220001 1901 1701 "
                 "26 0001 61 0001 62 15 0001 61 16 0001 00 0000",
                 0},
                {"3.1.2.11.2 a session's expiry twice", V5,
                 "1017 0004 4d515454 05 02 0000 0a 1100000001 1100000001 0000",
                 MQTT_PROTOCOL_ERROR},
                {"3.1.2.11.3 a receive maximum of 0", V5,
                 "1010 0004 4d515454 05 02 0000 03 210000 0000", MQTT_PROTOCOL_ERROR},
                {"3.1.2.11.4 a maximum packet size of 0", V5,
                 "1012 0004 4d515454 05 02 0000 05 2700000000 0000", MQTT_PROTOCOL_ERROR},
                {"3.1.2.11.6 request response information of 2", V5,
                 "100f 0004 4d515454 05 02 0000 02 1902 0000", MQTT_PROTOCOL_ERROR},
                {"3.1.2.11.7 request problem information of 2", V5,
                 "100f 0004 4d515454 05 02 0000 02 1702 0000", MQTT_PROTOCOL_ERROR},
                {"3.1.2.11.10 authentication data without a method", V5,
                 "1011 0004 4d515454 05 02 0000 04 16 0001 00 0000", MQTT_PROTOCOL_ERROR},
                {"2.2.2.2 a topic alias in a CONNECT", V5,
                 "1010 0004 4d515454 05 02 0000 03 230001 0000", MQTT_MALFORMED_PACKET},
                {"2.2.2.2 a property that there is not", V5,
                 "100f 0004 4d515454 05 02 0000 02 0401 0000", MQTT_MALFORMED_PACKET},
                {"2.2.2.2 a property number beyond all", V5,
                 "1010 0004 4d515454 05 02 0000 03 ff0101 0000", MQTT_MALFORMED_PACKET},
                {"2.2.2.1 properties longer than the packet", V5,
                 "100d 0004 4d515454 05 02 0000 7f 0000", MQTT_MALFORMED_PACKET},
                {"2.2.2.2 a property that ends early", V5,
                 "100f 0004 4d515454 05 02 0000 02 1100 0000", MQTT_MALFORMED_PACKET},
                {"MQTT-1.5.5-1 a properties' length in a longer form", V5,
                 "100e 0004 4d515454 05 02 0000 8000 0000", MQTT_MALFORMED_PACKET},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(connect_of_3_1_1)
{
        static const struct row rows[] = {
                {"311: 3.1 least", V4, "100c 0004 4d515454 04 02 0000 0000", 0},
                {"311: MQTT-3.1.2-22 a password without a user", V4,
                 "100e 0004 4d515454 04 42 0000 0000 0000", MQTT_MALFORMED_PACKET},
                {"311: 3.1.3 user and password", V4,
                 "1012 0004 4d515454 04 c2 0000 0000 0001 75 0001 ff", 0},
                {"311: a will", V4, "1011 0004 4d515454 04 06 0000 0000 0001 61 0000", 0},
                {"311: there are no properties", V4, "100d 0004 4d515454 04 02 0000 00 0000",
                 MQTT_MALFORMED_PACKET},
                {"311: MQTT-3.1.2-14 will QoS 3", V4,
                 "1011 0004 4d515454 04 1e 0000 0000 0001 61 0000", MQTT_MALFORMED_PACKET},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(connack)
{
        static const struct row rows[] = {
                {"3.2 success", V5, "2003 00 00 00", 0},
                {"3.2.2.1.1 session present", V5, "2003 01 00 00", 0},
                {"MQTT-3.2.2-1 reserved flags", V5, "2003 02 00 00", MQTT_MALFORMED_PACKET},
                {"MQTT-3.2.2-6 a session with a refusal", V5, "2003 01 87 00",
                 MQTT_MALFORMED_PACKET},
                {"3.2.2.2 not a reason of CONNACK", V5, "2003 00 8b 00", MQTT_PROTOCOL_ERROR},
                {"3.2.2.3 maximum QoS 2", V5, "2005 00 00 02 2402", MQTT_PROTOCOL_ERROR},
                {"3.2.2.3 its properties", V5,
                 "2024 00 00 21 1100000001 210001 2401 2501 2700000010 12 0001 61 220001 2801 2901 "
                 "2a01 130001",
                 0},
                {"2.2.2.2 a will's delay in a CONNACK", V5, "2008 00 00 05 1800000001",
                 MQTT_MALFORMED_PACKET},
                {"3.2 without properties", V5, "2002 00 00", MQTT_MALFORMED_PACKET},
                {"3.2 bytes behind", V5, "2004 00 00 00 00", MQTT_MALFORMED_PACKET},
                {"311: 3.2 success", V4, "2002 00 00", 0},
                {"311: table 3.1 not authorized", V4, "2002 00 05", 0},
                {"311: table 3.1 reserved", V4, "2002 00 06", MQTT_MALFORMED_PACKET},
                {"311: MQTT-3.2.2-4 a session with a refusal", V4, "2002 01 05",
                 MQTT_MALFORMED_PACKET},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(publish)
{
        static const struct row rows[] = {
                {"3.3 QoS 0", V5, "3005 0001 61 00 78", 0},
                {"3.3 without a payload", V5, "3004 0001 61 00", 0},
                {"3.3 QoS 1", V5, "3206 0001 61 0001 00", 0},
                {"3.3 QoS 2, again, retained", V5, "3d06 0001 61 ffff 00", 0},
                {"MQTT-3.3.1-4 QoS 3", V5, "3606 0001 61 0001 00", MQTT_MALFORMED_PACKET},
                {"MQTT-3.3.1-2 again with QoS 0", V5, "3804 0001 61 00", MQTT_MALFORMED_PACKET},
                {"MQTT-2.2.1-3 identifier 0", V5, "3206 0001 61 0000 00", MQTT_PROTOCOL_ERROR},
                {"MQTT-2.2.1-2 without its identifier", V5, "3203 0001 61", MQTT_MALFORMED_PACKET},
                {"MQTT-2.2.2-1 PUBLISH without the length of its properties", V5, "3003 0001 61",
                 MQTT_MALFORMED_PACKET},
                {"1.5.4 a control character in a name", V5, "3005 0002 61 1f 00",
                 MQTT_MALFORMED_PACKET},
                {"1.5.4 U+0080 in a name of some length", V5, "300d 000a 6161616161616161 c280 00",
                 MQTT_MALFORMED_PACKET},
                {"1.5.4 U+00A0 in a name of some length", V5, "300d 000a 6161616161616161 c2a0 00",
                 0},
                {"1.5.4 a line end in a user property's value", V5,
                 "300c 0001 61 08 26 0001 61 0002 0d0a", 0},
                {"MQTT-3.3.2-2 '+' in a name", V5, "3004 0001 2b 00", MQTT_MALFORMED_PACKET},
                {"MQTT-3.3.2-2 '#' in a name", V5, "3006 0003 612f23 00", MQTT_MALFORMED_PACKET},
                {"MQTT-3.3.2-1 a name that is no UTF-8", V5, "3004 0001 ff 00",
                 MQTT_MALFORMED_PACKET},
                {"MQTT-1.5.4-2 a name with U+0000", V5, "3004 0001 00 00", MQTT_MALFORMED_PACKET},
                {"3.3.2.1 neither name nor alias", V5, "3003 0000 00", MQTT_PROTOCOL_ERROR},
                {"3.3.2.3.4 an alias in place of a name", V5, "3006 0000 03 230001", 0},
                {"MQTT-3.3.2-8 alias 0", V5, "3007 0001 61 03 230000", MQTT_TOPIC_ALIAS_INVALID},
                {"3.3.2.3.4 an alias twice", V5, "300a 0001 61 06 230001 230001",
                 MQTT_PROTOCOL_ERROR},
                {"3.3.2.3.2 payload format 1", V5, "3006 0001 61 02 0101", 0},
                {"3.3.2.3.2 payload format 2", V5, "3006 0001 61 02 0102", MQTT_PROTOCOL_ERROR},
                {"3.3.2.3.3 expiry", V5, "3009 0001 61 05 0200000000", 0},
                {"3.3.2.3.3 expiry twice", V5, "300e 0001 61 0a 0200000000 0200000001",
                 MQTT_PROTOCOL_ERROR},
                {"3.3.2.3.5 a response topic", V5, "3008 0001 61 04 08 0001 62", 0},
                {"MQTT-3.3.2-14 a response topic with a wildcard", V5, "3008 0001 61 04 08 0001 2b",
                 MQTT_PROTOCOL_ERROR},
                {"MQTT-3.3.2-14 a response topic with a wildcard, and an alias", V5,
                 "300a 0000 07 08 0001 23 230001", MQTT_PROTOCOL_ERROR},
                {"MQTT-4.7.3-1 an empty response topic", V5, "3007 0001 61 03 08 0000",
                 MQTT_PROTOCOL_ERROR},
                {"MQTT-3.3.2-13 a response topic that is no UTF-8", V5,
                 "3008 0001 61 04 08 0001 ff", MQTT_MALFORMED_PACKET},
                {"3.3.2.3.8 identifiers may repeat", V5, "3008 0001 61 04 0b01 0b02", 0},
                {"3.3.2.3.8 identifier 0", V5, "3006 0001 61 02 0b00", MQTT_PROTOCOL_ERROR},
                {"3.3.2.3.8 the highest identifier", V5, "3009 0001 61 05 0bffffff7f", 0},
                {"3.3.2.3.7 a user property twice", V5,
                 "3012 0001 61 0e 26 0001 61 0001 62 26 0001 61 0001 62", 0},
                {"3.3.2.3.7 a user property without its value", V5, "3008 0001 61 04 26 0001 61",
                 MQTT_MALFORMED_PACKET},
                {"MQTT-3.3.2-19 a content type that is no UTF-8", V5, "3008 0001 61 04 03 0001 ff",
                 MQTT_MALFORMED_PACKET},
                {"3.3.2.3.6 correlation data are any bytes", V5, "3008 0001 61 04 09 0001 ff", 0},
                {"2.2.2.2 a reason string", V5, "3008 0001 61 04 1f 0001 61",
                 MQTT_MALFORMED_PACKET},
                {"3.3.2 empty", V5, "3000", MQTT_MALFORMED_PACKET},
                {"3.3.2 a name that is cut", V5, "3003 0002 61", MQTT_MALFORMED_PACKET},
                {"311: QoS 0", V4, "3004 0001 61 78", 0},
                {"311: QoS 1", V4, "3205 0001 61 0001", 0},
                {"311: MQTT-3.3.1-4 QoS 3", V4, "3605 0001 61 0001", MQTT_MALFORMED_PACKET},
                {"311: MQTT-4.7.3-1 an empty name", V4, "3002 0000", MQTT_PROTOCOL_ERROR},
                {"311: MQTT-3.3.2-2 a wildcard", V4, "3003 0001 23", MQTT_MALFORMED_PACKET},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(acknowledgements)
{
        static const struct row rows[] = {
                {"3.4.2.1 the identifier alone", V5, "4002 0001", 0},
                {"3.4.2.1 with a reason", V5, "4003 0001 10", 0},
                {"3.4.2.2.1 with a reason and no properties", V5, "4004 0001 00 00", 0},
                {"3.4.2.2 with properties", V5, "4008 0001 87 04 1f 0001 61", 0},
                {"MQTT-3.4.2-1 not a reason of PUBACK", V5, "4003 0001 92", MQTT_PROTOCOL_ERROR},
                {"MQTT-3.5.2-1 not a reason of PUBREC", V5, "5003 0001 01", MQTT_PROTOCOL_ERROR},
                {"MQTT-3.6.2-1 a reason of PUBREL", V5, "6203 0001 92", 0},
                {"MQTT-3.6.2-1 not a reason of PUBREL", V5, "6203 0001 80", MQTT_PROTOCOL_ERROR},
                {"MQTT-3.7.2-1 not a reason of PUBCOMP", V5, "7003 0001 10", MQTT_PROTOCOL_ERROR},
                {"2.2.1 an answer to identifier 0", V5, "5002 0000", MQTT_PROTOCOL_ERROR},
                {"3.4.2.2.2 a reason string twice", V5, "400c 0001 87 08 1f 0001 61 1f 0001 61",
                 MQTT_PROTOCOL_ERROR},
                {"2.2.2.2 another packet's property", V5, "4007 0001 00 03 230001",
                 MQTT_MALFORMED_PACKET},
                {"3.4.2 bytes behind the properties", V5, "4005 0001 00 00 00",
                 MQTT_MALFORMED_PACKET},
                {"3.4.2 cut", V5, "4001 00", MQTT_MALFORMED_PACKET},
                {"311: 3.4", V4, "4002 0001", 0},
                {"311: 3.4 there is no reason", V4, "4003 0001 00", MQTT_MALFORMED_PACKET},
                {"311: 3.6", V4, "6202 0001", 0},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(subscribe_and_unsubscribe)
{
        static const struct row rows[] = {
                {"3.8 one filter", V5, "8207 0001 00 0001 61 00", 0},
                {"3.8 two filters", V5, "820b 0001 00 0001 61 2e 0001 23 02", 0},
                {"MQTT-3.8.3-2 no filter", V5, "8203 0001 00", MQTT_PROTOCOL_ERROR},
                {"MQTT-3.8.3-5 reserved bits", V5, "8207 0001 00 0001 61 40",
                 MQTT_MALFORMED_PACKET},
                {"3.8.3.1 QoS 3", V5, "8207 0001 00 0001 61 03", MQTT_MALFORMED_PACKET},
                {"3.8.3.1 retain handling 3", V5, "8207 0001 00 0001 61 30", MQTT_PROTOCOL_ERROR},
                {"MQTT-3.8.3-4 no local on a shared one", V5,
                 "8210 0001 00 000a 2473686172652f672f61 04", MQTT_PROTOCOL_ERROR},
                {"4.8.2 a shared one", V5, "8210 0001 00 000a 2473686172652f672f61 01", 0},
                {"3.8.2.1.2 an identifier", V5, "8209 0001 02 0b01 0001 61 00", 0},
                {"3.8.2.1.2 identifier 0", V5, "8209 0001 02 0b00 0001 61 00", MQTT_PROTOCOL_ERROR},
                {"3.8.2.1.2 an identifier twice", V5, "820b 0001 04 0b01 0b02 0001 61 00",
                 MQTT_PROTOCOL_ERROR},
                {"MQTT-2.2.1-3 packet identifier 0", V5, "8207 0000 00 0001 61 00",
                 MQTT_MALFORMED_PACKET},
                {"MQTT-3.8.3-1 a filter that is no UTF-8", V5, "8207 0001 00 0001 ff 00",
                 MQTT_MALFORMED_PACKET},
                {"3.8.3 a filter without its options", V5, "8206 0001 00 0001 61",
                 MQTT_MALFORMED_PACKET},
                {"4.7 a filter that is not valid is answered by SUBACK", V5,
                 "8208 0001 00 0002 2361 00", 0},
                {"311: 3.8", V4, "8206 0001 0001 61 01", 0},
                {"311: MQTT-3.8.3-4 reserved bits", V4, "8206 0001 0001 61 04",
                 MQTT_MALFORMED_PACKET},
                {"311: MQTT-4.7.1-2 '#' is not alone", V4, "8207 0001 0002 6123 01",
                 MQTT_TOPIC_FILTER_INVALID},
                {"311: MQTT-4.7.1-3 '+' is not alone", V4, "a206 0001 0002 2b61",
                 MQTT_TOPIC_FILTER_INVALID},
                {"311: MQTT-4.7.3-1 a filter of no character", V4, "8205 0001 0000 01",
                 MQTT_MALFORMED_PACKET},
                {"311: MQTT-3.8.3-3 no filter", V4, "8202 0001", MQTT_PROTOCOL_ERROR},
                {"3.10 one filter", V5, "a206 0001 00 0001 61", 0},
                {"MQTT-3.10.3-2 no filter", V5, "a203 0001 00", MQTT_PROTOCOL_ERROR},
                {"MQTT-3.10.3-1 a filter that is no UTF-8", V5, "a206 0001 00 0001 ff",
                 MQTT_MALFORMED_PACKET},
                {"3.10.2.1 a subscription's identifier", V5, "a208 0001 02 0b01 0001 61",
                 MQTT_MALFORMED_PACKET},
                {"311: 3.10", V4, "a205 0001 0001 61", 0},
                {"311: MQTT-3.10.3-2 no filter", V4, "a202 0001", MQTT_PROTOCOL_ERROR},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(suback_and_unsuback)
{
        static const struct row rows[] = {
                {"3.9", V5, "9006 0001 00 00 01 02", 0},
                {"3.9.3 refusals", V5, "900c 0001 00 80 83 87 8f 91 97 9e a1 a2", 0},
                {"MQTT-3.9.3-2 not a reason of SUBACK", V5, "9004 0001 00 03", MQTT_PROTOCOL_ERROR},
                {"3.9.3 no reason at all", V5, "9003 0001 00", MQTT_MALFORMED_PACKET},
                {"3.9.2.1 a reason string", V5, "9008 0001 04 1f 0001 61 00", 0},
                {"3.11", V5, "b005 0001 00 00 11", 0},
                {"MQTT-3.11.3-2 not a reason of UNSUBACK", V5, "b004 0001 00 01",
                 MQTT_PROTOCOL_ERROR},
                {"311: 3.9", V4, "9006 0001 00 01 02 80", 0},
                {"311: MQTT-3.9.3-2 other codes", V4, "9003 0001 87", MQTT_PROTOCOL_ERROR},
                {"311: 3.11", V4, "b002 0001", 0},
                {"311: 3.11 has no payload", V4, "b003 0001 00", MQTT_MALFORMED_PACKET},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(disconnect_and_auth)
{
        static const struct row rows[] = {
                {"3.14.2.1 nothing", V5, "e000", 0},
                {"3.14.2.1 a reason", V5, "e001 04", 0},
                {"3.14.2.2 a reason and no properties", V5, "e002 00 00", 0},
                {"3.14.2.2.2 a session's expiry", V5, "e007 00 05 1100000001", 0},
                {"MQTT-3.14.2-1 not a reason of DISCONNECT", V5, "e001 01", MQTT_PROTOCOL_ERROR},
                {"3.14.2.2 bytes behind", V5, "e003 00 00 00", MQTT_MALFORMED_PACKET},
                {"311: 3.14", V4, "e000", 0},
                {"311: 3.14 has no reason", V4, "e001 00", MQTT_MALFORMED_PACKET},
                {"3.15.2.1 nothing", V5, "f000", 0},
                {"3.15.2 goes on", V5, "f006 18 04 15 0001 61", 0},
                {"MQTT-3.15.2-1 not a reason of AUTH", V5, "f006 01 04 15 0001 61",
                 MQTT_PROTOCOL_ERROR},
                {"3.15.2.2.2 without a method", V5, "f002 18 00", MQTT_PROTOCOL_ERROR},
                {"311: there is no AUTH", V4, "f000", MQTT_PROTOCOL_ERROR},
        };

        judge_all(rows, ARRAY_SIZE(rows));
}

TEST(a_packet_that_is_not_whole_says_how_long_it_will_be)
{
        struct packet packet = packet_of("3005 0001 61 00 78");
        struct mqtt_frame frame;

        for (size_t count = 0; count < packet.length; count++) {
                CHECK_EQ(mqtt_frame_next(packet.bytes, count, SIZE_MAX, &frame),
                         MQTT_FRAME_NEED_MORE);
                CHECK_EQ(frame.length, count < 2 ? 0 : packet.length);
        }
        CHECK_EQ(mqtt_frame_next(packet.bytes, packet.length, SIZE_MAX, &frame), MQTT_FRAME_FOUND);
        CHECK_EQ(frame.length, packet.length);
        free(packet.bytes);
}

TEST(a_packet_beyond_the_limit_is_refused_before_it_has_come)
{
        static const uint8_t header[] = {0x30, 0xff, 0xff, 0xff, 0x7f};
        struct mqtt_frame frame;

        CHECK_EQ(mqtt_frame_next(header, sizeof(header), 1 << 20, &frame), -EMSGSIZE);
        CHECK_EQ(mqtt_frame_next(header, sizeof(header), SIZE_MAX, &frame), MQTT_FRAME_NEED_MORE);
        CHECK_EQ(frame.length, MQTT_REMAINING_MAX + 5);
}

TEST(what_is_read_is_what_was_sent)
{
        struct packet packet = packet_of("3d1c 0001 61 0102 15 0200000064 08 0001 62 0b07 26 0001 "
                                         "6b 0001 76 230005 78");
        struct mqtt_user_property user;
        struct mqtt_publish publish;
        struct mqtt_frame frame;
        uint32_t at = 0, id;

        CHECK_EQ(mqtt_frame_next(packet.bytes, packet.length, SIZE_MAX, &frame), MQTT_FRAME_FOUND);
        CHECK_EQ(mqtt_decode_publish(&frame, V5, &publish), 0);
        CHECK(publish.duplicate && publish.retain);
        CHECK_EQ(publish.qos, 2);
        CHECK_EQ(publish.packet_id, 0x0102);
        CHECK_EQ(publish.topic.length, 1);
        CHECK_EQ(publish.payload.length, 1);
        CHECK_EQ(*publish.payload.bytes, 'x');
        CHECK_EQ(publish.properties.message_expiry_s, 100);
        CHECK_EQ(publish.properties.topic_alias, 5);
        CHECK_EQ(publish.properties.response_topic.bytes[0], 'b');
        CHECK(mqtt_user_property_next(&publish.properties, &at, &user));
        CHECK_EQ(user.name.bytes[0], 'k');
        CHECK_EQ(user.value.bytes[0], 'v');
        CHECK(!mqtt_user_property_next(&publish.properties, &at, &user));
        at = 0;
        CHECK(mqtt_subscription_id_next(&publish.properties, &at, &id));
        CHECK_EQ(id, 7);
        CHECK(!mqtt_subscription_id_next(&publish.properties, &at, &id));
        free(packet.bytes);
}

TEST(what_is_absent_has_its_default)
{
        struct packet packet = packet_of("100d 0004 4d515454 05 02 0000 00 0000");
        struct mqtt_connect connect;
        struct mqtt_frame frame;

        CHECK_EQ(mqtt_frame_next(packet.bytes, packet.length, SIZE_MAX, &frame), MQTT_FRAME_FOUND);
        CHECK_EQ(mqtt_decode_connect(&frame, &connect), 0);
        CHECK_EQ(connect.properties.receive_maximum, 65535);
        CHECK_EQ(connect.properties.session_expiry_s, 0);
        CHECK(connect.properties.request_problem_information);
        CHECK(!connect.properties.request_response_information);
        CHECK(connect.clean_start && !connect.has_will);
        free(packet.bytes);
}
