/* MQTT 3.1.1 statement by statement: what packets are made of, and what breaks the protocol
 * (1.5, 2, 4.8). tests/conformance/mqtt-3.1.1.tsv says which row proves which. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"
#include "support/allocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static const struct conversation_case texts[] = {
        {"[MQTT-1.5.3-1] in an id: a byte that goes on nothing", "a> 10{[MQTT] 04 02 0000 000180}\n"
                                                                 "a|\n"},
        {"[MQTT-1.5.3-1] in a will's topic: cut short",
         "a> 10{[MQTT] 04 06 0000 [a] 0002E282 [gone]}\n"
         "a|\n"},
        {"[MQTT-1.5.3-1] in a user's name: a surrogate", "a> 10{[MQTT] 04 82 0000 [a] 0003EDA080}\n"
                                                         "a|\n"
                                                         "b> 10{[MQTT] 04 82 0000 [b] 0003EDBFBF}\n"
                                                         "b|\n"},
        {"[MQTT-1.5.3-1] in a topic: longer than it need be", "a@311\n"
                                                              "a> 30{0002C0AF 'm'}\n"
                                                              "a|\n"},
        {"[MQTT-1.5.3-1] in a filter: beyond U+10FFFF", "a@311\n"
                                                        "a> 82{0001 0004F4908080 00}\n"
                                                        "a|\n"},
        {"[MQTT-1.5.3-1] in a filter of UNSUBSCRIBE: 0xFF", "a@311\n"
                                                            "a> A2{0001 0001FF}\n"
                                                            "a|\n"},
        {"[MQTT-1.5.3-2] U+0000 in an id", "a> 10{[MQTT] 04 02 0000 00026100}\n"
                                           "a|\n"},
        {"[MQTT-1.5.3-2] U+0000 in a will's topic", "a> 10{[MQTT] 04 06 0000 [a] 0001 00 [gone]}\n"
                                                    "a|\n"},
        {"[MQTT-1.5.3-2] U+0000 in a user's name", "a> 10{[MQTT] 04 82 0000 [a] 0001 00}\n"
                                                   "a|\n"},
        {"[MQTT-1.5.3-2] U+0000 in a topic", "a@311\n"
                                             "a> 30{0003610062 'm'}\n"
                                             "a|\n"},
        {"[MQTT-1.5.3-2] U+0000 in a filter", "a@311\n"
                                              "a> 82{0001 0003610062 00}\n"
                                              "a|\n"},
        {"[MQTT-1.5.3-2] U+0000 in a filter of UNSUBSCRIBE", "a@311\n"
                                                             "a> A2{0001 0003610062}\n"
                                                             "a|\n"},
        {"[MQTT-1.5.3-3] U+FEFF is a letter like others", "a@311\n"
                                                          "a> 82{0001 0004EFBBBF74 00 [t] 01}\n"
                                                          "a< 90{0001 00 01}\n"
                                                          "a> 30{0004EFBBBF74 'm'}\n"
                                                          "a< 30{0004EFBBBF74 'm'}\n"
                                                          "a> 30{[t] 'n'}\n"
                                                          "a< 30{[t] 'n'}\n"},
};

TEST(texts_are_utf_8)
{
        conversation_run_all(texts, ARRAY_SIZE(texts), NULL);
}

/* Each flag that a packet from a client has, the other way round. */
TEST(MQTT_2_2_2_2_invalid_flags_end_the_connection)
{
        static const struct {
                unsigned first;
                const char *rest;
        } packets[] = {
                {0x40, "{0001}"},        {0x50, "{0001}"},     {0x62, "{0001}"}, {0x70, "{0001}"},
                {0x82, "{0001 [t] 00}"}, {0xa2, "{0001 [t]}"}, {0xc0, "{}"},     {0xe0, "{}"},
        };
        char script[64];

        for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
                for (unsigned flags = 1; flags < 16; flags++) {
                        struct conversation talk;

                        conversation_init(&talk, NULL, NULL);
                        talk.name = script;
                        snprintf(script, sizeof(script), "a@311\na> %02X%s\na|\n",
                                 packets[i].first ^ flags, packets[i].rest);
                        conversation_run(&talk, script);
                        snprintf(script, sizeof(script), "a> %02X{[MQTT] 04 02 0000 [a]}\na|\n",
                                 0x10 | flags);
                        conversation_run(&talk, script);
                        conversation_done(&talk);
                }
}

static const struct conversation_case identifiers[] = {
        {"[MQTT-2.3.1-1] 0 in SUBSCRIBE", "a@311\n"
                                          "a> 82{0000 [t] 00}\n"
                                          "a|\n"},
        {"[MQTT-2.3.1-1] 0 in UNSUBSCRIBE", "a@311\n"
                                            "a> A2{0000 [t]}\n"
                                            "a|\n"},
        {"[MQTT-2.3.1-1] 0 in PUBLISH", "a@311\n"
                                        "a> 32{[t] 0000 'm'}\n"
                                        "a|\n"
                                        "b@311\n"
                                        "b> 34{[t] 0000 'm'}\n"
                                        "b|\n"},
        {"[MQTT-2.3.1-3] what is acknowledged gives its identifier back",
         "a@311\n"
         "a> 82{0001 [t] 00}\n"
         "a< 90{0001 00}\n"
         "a> 32{[t] 0001 '1'}\n"
         "a< 30{[t] '1'} 40{0001}\n"
         "a> 34{[t] 0001 '2'}\n"
         "a< 50{0001} 30{[t] '2'}\n"
         "a> 62{0001}\n"
         "a< 70{0001}\n"
         "a> 34{[t] 0001 '3'}\n"
         "a< 50{0001} 30{[t] '3'}\n"},
        {"[MQTT-2.3.1-4] our identifiers are not those that are under way",
         "s@311\n"
         "s> 82{0001 [t] 02}\n"
         "s< 90{0001 02}\n"
         "p@311\n"
         "p> 32{[t] 0009 '1'} 34{[t] 0009 '2'} 32{[t] 000A '3'}\n"
         "p< 40{0009} 50{0009} 40{000A}\n"
         "s< 32{[t] 0001 '1'} 34{[t] 0002 '2'} 32{[t] 0003 '3'}\n"
         "s> 40{0001} 50{0002}\n"
         "s< 62{0002}\n"
         "p> 32{[t] 0009 '4'}\n"
         "p< 40{0009}\n"
         "s< 32{[t] 0004 '4'}\n"},
        {"[MQTT-2.3.1-5] QoS 0 has none", "s@311\n"
                                          "s> 82{0001 [t] 02}\n"
                                          "s< 90{0001 02}\n"
                                          "s> 30{[t] 0007 'm'}\n"
                                          "s< 30{[t] 0007 'm'}\n"},
        {"[MQTT-2.3.1-6] PUBACK, PUBREC and PUBCOMP have the message's", "a@311\n"
                                                                         "a> 32{[t] FFFF}\n"
                                                                         "a< 40{FFFF}\n"
                                                                         "a> 34{[t] 0100}\n"
                                                                         "a< 50{0100}\n"
                                                                         "a> 62{0100}\n"
                                                                         "a< 70{0100}\n"},
        {"[MQTT-2.3.1-6] and so has our PUBREL", "a@311\n"
                                                 "a> 82{0001 [t] 02}\n"
                                                 "a< 90{0001 02}\n"
                                                 "a> 34{[t] 0100}\n"
                                                 "a< 50{0100} 34{[t] 0001}\n"
                                                 "a> 50{0001}\n"
                                                 "a< 62{0001}\n"},
        {"[MQTT-2.3.1-7] SUBACK and UNSUBACK have the request's", "a@311\n"
                                                                  "a> 82{ABCD [t] 00}\n"
                                                                  "a< 90{ABCD 00}\n"
                                                                  "a> A2{FFFF [t]}\n"
                                                                  "a< B0{FFFF}\n"},
};

TEST(packet_identifiers)
{
        conversation_run_all(identifiers, ARRAY_SIZE(identifiers), NULL);
}

static const struct conversation_case violations[] = {
        {"[MQTT-4.8.0-1] what only a server sends", "a@311\n"
                                                    "a> 20{00 00}\n"
                                                    "a|\n"
                                                    "b@311\n"
                                                    "b> 90{0001 00}\n"
                                                    "b|\n"
                                                    "c@311\n"
                                                    "c> B0{0001}\n"
                                                    "c|\n"
                                                    "d@311\n"
                                                    "d> D000\n"
                                                    "d|\n"},
        {"[MQTT-4.8.0-1] types that 3.1.1 does not have", "a@311\n"
                                                          "a> 0000\n"
                                                          "a|\n"
                                                          "b@311\n"
                                                          "b> F000\n"
                                                          "b|\n"},
        {"[MQTT-4.8.0-1] a length of more than four bytes", "a@311\n"
                                                            "a> 30FFFFFFFF7F\n"
                                                            "a|\n"},
        {"[MQTT-4.8.0-1] packets with less than they must have", "a@311\n"
                                                                 "a> 40{00}\n"
                                                                 "a|\n"
                                                                 "b@311\n"
                                                                 "b> 32{[t] 00}\n"
                                                                 "b|\n"
                                                                 "c@311\n"
                                                                 "c> 82{0001 [t]}\n"
                                                                 "c|\n"
                                                                 "d@311\n"
                                                                 "d> 30{0005't'}\n"
                                                                 "d|\n"
                                                                 "e@311\n"
                                                                 "e> A2{00}\n"
                                                                 "e|\n"},
        {"[MQTT-4.8.0-1] packets with more than they may have", "a@311\n"
                                                                "a> 40{0001 00}\n"
                                                                "a|\n"
                                                                "b@311\n"
                                                                "b> 62{0001 00}\n"
                                                                "b|\n"
                                                                "c@311\n"
                                                                "c> C0{00}\n"
                                                                "c|\n"
                                                                "d@311\n"
                                                                "d> E0{00}\n"
                                                                "d|\n"},
        {"[MQTT-4.8.0-1] an acknowledgement of another QoS", "a@311\n"
                                                             "a> 82{0001 [t] 02}\n"
                                                             "a< 90{0001 02}\n"
                                                             "a> 34{[t] 0001}\n"
                                                             "a< 50{0001} 34{[t] 0001}\n"
                                                             "a> 40{0001}\n"
                                                             "a|\n"},
};

TEST(a_violation_of_the_protocol_ends_the_connection)
{
        conversation_run_all(violations, ARRAY_SIZE(violations), NULL);
}

/* A message that cannot be taken is not acknowledged, so that its sender has it still. */
TEST(MQTT_4_8_0_2_without_memory_a_packet_is_handled_or_ends_the_connection)
{
        unsigned handled = 0, ended = 0;
        bool failed = true;
        size_t count;
        uint8_t *bytes = conversation_bytes("33{[t/1] 0001 'm'}", &count);

        for (size_t n = 1; failed; n++) {
                struct conversation talk;
                char byte;

                conversation_init(&talk, NULL, NULL);
                conversation_run(&talk, "a@311\n");
                CHECK_EQ(send(talk.fds[0], bytes, count, MSG_NOSIGNAL), count);
                allocation_fail_at(n);
                loop_run_once(talk.loop, 0);
                loop_run_once(talk.loop, 0);
                failed = allocation_end();
                conversation_settle(&talk);
                if (recv(talk.fds[0], &byte, 1, MSG_DONTWAIT) == 0) {
                        CHECK_EQ(buffer_length(&talk.heard[0]), 0);
                        ended++;
                } else {
                        conversation_run(&talk, "a< 40{0001}\n"
                                                "b@311\n"
                                                "b> 82{0001 [t/1] 01}\n"
                                                "b< 90{0001 01} 33{[t/1] 0001 'm'}\n");
                        handled++;
                }
                conversation_done(&talk);
        }
        free(bytes);
        CHECK(handled > 0);
        CHECK(ended > 0);
}
