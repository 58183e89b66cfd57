/* PUBLISH in both directions and what completes it, as bytes: the flows of 4.3. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

/* A publisher p and a subscriber s to "t", both 5.0, and both 3.1.1. */
#define PAIR_5(qos)                                                                                \
        "p> " CONNECT_5("p") "p< " CONNACK_5 "s> " CONNECT_5("s") "s< " CONNACK_5                  \
                                                                  "s> 82{0001 () [t] " qos "}\n"   \
                                                                  "s< 90{0001 () " qos "}\n"
#define PAIR_311(qos)                                                                              \
        "p> " CONNECT_311("p") "p< " CONNACK_311 "s> " CONNECT_311("s") "s< " CONNACK_311          \
                                                                        "s> 82{0001 [t] " qos      \
                                                                        "}\n"                      \
                                                                        "s< 90{0001 " qos "}\n"

static const struct conversation_case flows[] = {
        {"4.3.1 at most once", PAIR_5("02") "p> 30{[t] () 'm'}\n"
                                            "s< 30{[t] () 'm'}\n"},
        {"4.3.1 of 3.1.1", PAIR_311("02") "p> 30{[t] 'm'}\n"
                                          "s< 30{[t] 'm'}\n"},
        {"4.3.2 at least once, [MQTT-4.3.2-4]", PAIR_5("02") "p> 32{[t] 0007 () 'm'}\n"
                                                             "p< 40{0007}\n"
                                                             "s< 32{[t] 0001 () 'm'}\n"
                                                             "s> 40{0001}\n"},
        {"4.3.3 exactly once, [MQTT-4.3.3-8] to [MQTT-4.3.3-11]",
         PAIR_5("02") "p> 34{[t] 0007 () 'm'}\n"
                      "p< 50{0007}\n"
                      "s< 34{[t] 0001 () 'm'}\n"
                      "p> 62{0007}\n"
                      "p< 70{0007}\n"
                      "s> 50{0001}\n"
                      "s< 62{0001}\n"
                      "s> 70{0001}\n"},
        {"4.3.3 of 3.1.1", PAIR_311("02") "p> 34{[t] 0007 'm'}\n"
                                          "p< 50{0007}\n"
                                          "s< 34{[t] 0001 'm'}\n"
                                          "p> 62{0007}\n"
                                          "p< 70{0007}\n"
                                          "s> 50{0001}\n"
                                          "s< 62{0001}\n"
                                          "s> 70{0001}\n"},
        {"[MQTT-4.3.3-10] what comes again before PUBREL is delivered once",
         PAIR_5("02") "p> 34{[t] 0007 () 'm'}\n"
                      "p< 50{0007}\n"
                      "p> 3C{[t] 0007 () 'm'}\n"
                      "p< 50{0007}\n"
                      "s< 34{[t] 0001 () 'm'}\n"},
        {"[MQTT-4.3.3-12] after PUBREL the identifier is a new message's",
         PAIR_5("00") "p> 34{[t] 0007 () 'm'}\n"
                      "p< 50{0007}\n"
                      "p> 62{0007}\n"
                      "p< 70{0007}\n"
                      "p> 34{[t] 0007 () 'n'}\n"
                      "p< 50{0007}\n"
                      "s< 30{[t] () 'm'}30{[t] () 'n'}\n"},
        {"3.6.2.1 PUBREL of an identifier that is not known",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "p> 62{0009}\n"
                              "p< 70{0009}\n"},
        {"4.3.3 PUBREC that refuses what is not known has no answer",
         PAIR_5("00") "p> 50{0009 80} C000\n"
                      "p< D000\n"},
        {"3.4.2.1 who subscribed, but not to its own, is a subscriber",
         "p@5\n"
         "p> 82{0001 () [t] 05}\n"
         "p< 90{0001 () 01}\n"
         "p> 32{[t] 0001 () 'm'} 32{[u] 0002 () 'm'}\n"
         "p< 40{0001} 40{0002 10}\n"},
        {"4.7.2 nobody publishes what the broker says of itself, or to a share",
         "p@5\n"
         "p> 82{0001 () [$SYS/#] 00}\n"
         "p< 90{0001 () 00}\n"
         "p> 30{[$SYS/x] () 'm'} 32{[$SYS/x] 0001 () 'm'} 34{[$share/g/t] 0002 () 'm'}\n"
         "p< 40{0001 87} 50{0002 87}\n"
         "p> 30{[$SYS/broker/connection/b/state] () '1'} 32{[$SYSx] 0003 () 'm'}\n"
         "p< 30{[$SYS/broker/connection/b/state] () '1'} 40{0003 10}\n"},
        {"3.5.2.1 PUBREC of an identifier that is not known",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "p> 50{0009}\n"
                              "p< 62{0009}\n"},
        {"PUBACK and PUBCOMP of identifiers that are not known do no harm",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "p> 40{0009} 70{0009} C000\n"
                              "p< D000\n"},
        {"PUBACK for a message of QoS 2", PAIR_5("02") "p> 34{[t] 0007 () 'm'}\n"
                                                       "p< 50{0007}\n"
                                                       "s< 34{[t] 0001 () 'm'}\n"
                                                       "s> 40{0001}\n"
                                                       "s< E00182\n"
                                                       "s|"},
        {"PUBREC for a message of QoS 1", PAIR_5("01") "p> 32{[t] 0007 () 'm'}\n"
                                                       "p< 40{0007}\n"
                                                       "s< 32{[t] 0001 () 'm'}\n"
                                                       "s> 50{0001}\n"
                                                       "s< E00182\n"
                                                       "s|"},
        {"PUBCOMP before PUBREC", PAIR_5("02") "p> 34{[t] 0007 () 'm'}\n"
                                               "p< 50{0007}\n"
                                               "s< 34{[t] 0001 () 'm'}\n"
                                               "s> 70{0001}\n"
                                               "s< E00182\n"
                                               "s|"},
        {"3.5.2.1 a PUBREC that refuses ends it", PAIR_5("02") "p> 34{[t] 0007 () 'm'}\n"
                                                               "p< 50{0007}\n"
                                                               "s< 34{[t] 0001 () 'm'}\n"
                                                               "s> 50{0001 97}\n"
                                                               "s> 50{0001}\n"
                                                               "s< 62{0001}\n"},
        {"[MQTT-3.8.4-8] the lower of both QoS", PAIR_5("01") "p> 34{[t] 0001 () 'm'}\n"
                                                              "p< 50{0001}\n"
                                                              "s< 32{[t] 0001 () 'm'}\n"
                                                              "p> 30{[t] () 'n'}\n"
                                                              "s< 30{[t] () 'n'}\n"},
        {"3.4.2.1 nobody has subscribed",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "p> 32{[t] 0007 () 'm'}\n"
                              "p< 40{0007 10}\n"
                              "p> 34{[t] 0008 () 'm'}\n"
                              "p< 50{0008}\n"},
        {"[MQTT-4.6.0-6] messages keep their order",
         PAIR_5("01") "p> 32{[t] 0001 () '1'} 32{[t] 0002 () '2'} 32{[t] 0003 () '3'}\n"
                      "p< 40{0001} 40{0002} 40{0003}\n"
                      "s< 32{[t] 0001 () '1'} 32{[t] 0002 () '2'} 32{[t] 0003 () '3'}\n"},
        {"between the versions, properties are left out for 3.1.1",
         PAIR_311("01") "q> " CONNECT_5("q") "q< " CONNACK_5
                                             "q> 32{[t] 0001 (01 01 26[a][b]) 'm'}\n"
                                             "q< 40{0001}\n"
                                             "s< 32{[t] 0001 'm'}\n"},
};

TEST(messages_flow_as_the_diagrams_of_the_standard_say)
{
        conversation_run_all(flows, ARRAY_SIZE(flows), NULL);
}

static const struct conversation_case refusals[] = {
        {"[MQTT-3.3.1-4] QoS 3", PAIR_5("00") "p> 36{[t] 0001 () 'm'}\n"
                                              "p< E00181\n"
                                              "p|"},
        {"[MQTT-3.3.2-2] a topic with a wildcard", PAIR_5("00") "p> 30{[t/#] () 'm'}\n"
                                                                "p< E00181\n"
                                                                "p|"},
        {"[MQTT-2.2.1-3] identifier 0", PAIR_5("00") "p> 32{[t] 0000 () 'm'}\n"
                                                     "p< E00182\n"
                                                     "p|"},
        {"[MQTT-3.3.4-6] a subscription identifier from a client",
         PAIR_5("00") "p> 30{[t] (0B 01) 'm'}\n"
                      "p< E00182\n"
                      "p|"},
        {"[MQTT-3.3.4-7] more than the receive maximum",
         "p> " CONNECT_5("p") "p< " CONNACK_5
                              "p> 34{[t]0001()}34{[t]0002()}34{[t]0003()}34{[t]0004()}\n"
                              "p< 50{0001}50{0002}50{0003}50{0004}\n"
                              "p> 34{[t]0005()}34{[t]0006()}34{[t]0007()}34{[t]0008()}\n"
                              "p< 50{0005}50{0006}50{0007}50{0008}\n"
                              "p> 34{[t]0009()}\n"
                              "p< E00193\n"
                              "p|"},
        {"[MQTT-3.3.2-8] alias 0", PAIR_5("00") "p> 30{[t] (23 0000) 'm'}\n"
                                                "p< E00194\n"
                                                "p|"},
        {"[MQTT-3.3.2-9] an alias beyond the maximum", PAIR_5("00") "p> 30{[t] (23 0005) 'm'}\n"
                                                                    "p< E00194\n"
                                                                    "p|"},
        {"3.3.2.3.4 an alias that stands for nothing", PAIR_5("00") "p> 30{[] (23 0001) 'm'}\n"
                                                                    "p< E00182\n"
                                                                    "p|"},
        {"3.3.2.1 neither topic nor alias", PAIR_5("00") "p> 30{[] () 'm'}\n"
                                                         "p< E00182\n"
                                                         "p|"},
};

TEST(a_publish_that_breaks_the_rules_ends_the_connection)
{
        conversation_run_all(refusals, ARRAY_SIZE(refusals), NULL);
}

static const struct conversation_case properties[] = {
        {"[MQTT-3.3.2-17], [MQTT-3.3.2-18] what goes on unchanged and in order",
         PAIR_5("00") "p> 30{[t] (01 01 03[text] 08[r] 09[id] 26[k][2] 26[k][1]) 'm'}\n"
                      "s< 30{[t] (01 01 03[text] 08[r] 09[id] 26[k][2] 26[k][1]) 'm'}\n"},
        {"[MQTT-3.3.2-7] an alias is the connection's own",
         PAIR_5("00") "p> 30{[t] (23 0001) '1'}\n"
                      "p> 30{[] (23 0001) '2'}\n"
                      "p> 30{[u] (23 0001) 'x'}\n"
                      "p> 30{[] (23 0001) 'x'}\n"
                      "p> 30{[t] (23 0004) '3'}\n"
                      "p> 30{[] (23 0004) '4'}\n"
                      "s< 30{[t] () '1'}30{[t] () '2'}30{[t] () '3'}30{[t] () '4'}\n"},
        {"3.3.2.3.4 our aliases: as many as the client allows, and no more",
         "p> " CONNECT_5(
                 "p") "p< " CONNACK_5 "s> 10{[MQTT] 05 02 0000 (22 0001) [s]}\n"
                      "s< " CONNACK_5 "s> 82{0001 () [#] 01}\n"
                      "s< 90{0001 () 01}\n"
                      "p> 30{[t] () '1'} 30{[t] () '2'} 30{[u] () '3'} 32{[t] 0001 () '4'}\n"
                      "p< 40{0001}\n"
                      "s< 30{[t] (23 0001) '1'} 30{[] (23 0001) '2'} 30{[u] () '3'}\n"
                      "s< 32{[] 0001 (23 0001) '4'}\n"},
        {"[MQTT-3.3.2-6] an expiry is less what the message waited",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "s> 10{[MQTT] 05 00 0000 (11 0000FFFF) [s]}\n"
                              "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
                              "s< 90{0001 () 01}\n"
                              "s> E000\n"
                              "s|\n"
                              "p> 32{[t] 0001 (02 0000000A) '10'}\n"
                              "p< 40{0001}\n"
                              "p> 32{[t] 0001 (02 00000005) '5'}\n"
                              "p< 40{0001}\n"
                              "+6000\n"
                              "s> 10{[MQTT] 05 00 0000 () [s]}\n"
                              "s< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
                              "s< 32{[t] 0001 (02 00000004) '10'}\n"},
        {"[MQTT-3.1.2-24], [MQTT-3.1.2-25] too large for the subscriber: as if delivered",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "s> 10{[MQTT] 05 02 0000 (27 00000010) [s]}\n"
                              "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
                              "s< 90{0001 () 01}\n"
                              "p> 32{[t] 0001 () '0123456789'}\n"
                              "p< 40{0001}\n"
                              "p> 32{[t] 0002 () '01234567'}\n"
                              "p< 40{0002}\n"
                              "s< 32{[t] 0002 () '01234567'}\n"},
};

TEST(properties_reach_subscribers_as_the_standard_says)
{
        conversation_run_all(properties, ARRAY_SIZE(properties), NULL);
}

static const struct conversation_case windows[] = {
        {"[MQTT-3.3.4-9] no more than the client's receive maximum",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "s> 10{[MQTT] 05 02 0000 (21 0002) [s]}\n"
                              "s< " CONNACK_5 "s> 82{0001 () [t] 02}\n"
                              "s< 90{0001 () 02}\n"
                              "p> 32{[t]0001()'1'} 34{[t]0002()'2'} 32{[t]0003()'3'} 30{[t]()'0'} "
                              "32{[t]0004()'4'}\n"
                              "p< 40{0001} 50{0002} 40{0003} 40{0004}\n"
                              "s< 32{[t]0001()'1'} 34{[t]0002()'2'} 30{[t]()'0'}\n"
                              "s> 40{0001}\n"
                              "s< 32{[t]0003()'3'}\n"
                              "s> 50{0002}\n"
                              "s< 62{0002}\n"
                              "s> 70{0002}\n"
                              "s< 32{[t]0004()'4'}\n"
                              "s> 40{0004} 40{0003}\n"
                              "p> 32{[t]0005()'5'}\n"
                              "p< 40{0005}\n"
                              "s< 32{[t]0005()'5'}\n"},
        {"4.9 a PUBREC that refuses gives room",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "s> 10{[MQTT] 05 02 0000 (21 0001) [s]}\n"
                              "s< " CONNACK_5 "s> 82{0001 () [t] 02}\n"
                              "s< 90{0001 () 02}\n"
                              "p> 34{[t]0001()'1'} 34{[t]0002()'2'}\n"
                              "p< 50{0001} 50{0002}\n"
                              "s< 34{[t]0001()'1'}\n"
                              "s> 50{0001 80}\n"
                              "s< 34{[t]0002()'2'}\n"},
};

TEST(the_receive_maximum_of_a_client_is_kept_to)
{
        conversation_run_all(windows, ARRAY_SIZE(windows), NULL);
}

TEST(what_was_refused_and_dropped_is_counted)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, refusals[4].script);
        conversation_run(&talk, properties[4].script);
        conversation_run(&talk, "q> " CONNECT_5("q") "q< " CONNACK_5 "q> 3C{[x] 0001 ()}\n"
                                                     "q< 50{0001}\n"
                                                     "q> 3C{[x] 0001 ()}\n"
                                                     "q< 50{0001}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_RECEIVE_MAXIMUM_EXCEEDED), 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_TOO_LARGE), 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DUPLICATES), 1);
        conversation_done(&talk);
}
