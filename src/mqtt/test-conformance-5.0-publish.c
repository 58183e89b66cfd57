/* Statements of MQTT 5.0 about messages that no other test makes: PUBLISH and what completes
 * it, retries, order, flow control (3.3 to 3.7, 4.3 to 4.6, 4.9). */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

#define KEPT(id) "10{[MQTT] 05 00 0000 (11 0000FFFF) [" id "]}\n"
#define PRESENT "20{01 00 (22 0004 27 00001000 21 0008)}\n"
/* A publisher p and a subscriber s to "t", whose session outlives its connection. */
#define PAIR "p@5\ns> " KEPT("s") "s< " CONNACK_5 "s> 82{0001 () [t] 02}\ns< 90{0001 () 02}\n"
#define AGAIN "s.\ns> " KEPT("s") "s< " PRESENT
/* The same, but s takes one message at a time. */
#define NARROW(id) "10{[MQTT] 05 00 0000 (11 0000FFFF 21 0001) [" id "]}\n"
#define NARROW_PAIR                                                                                \
        "p@5\ns> " NARROW("s") "s< " CONNACK_5 "s> 82{0001 () [t] 02}\ns< 90{0001 () 02}\n"

/* As many as may be under way, in two reads; `h` begins their identifiers. */
#define FOUR(h, l)                                                                                 \
        "s> 34{[t]" h l "1()} 34{[t]" h l "2()} 34{[t]" h l "3()} 34{[t]" h l "4()}\n"             \
        "s< 50{" h l "1} 50{" h l "2} 50{" h l "3} 50{" h l "4}\n"
#define EIGHT(h) FOUR(h, "0") FOUR(h, "1")

static const struct conversation_case messages[] = {
        {"[MQTT-3.3.1-3] the publisher's DUP does not go on", PAIR "p> 3A{[t] 0001 () 'm'}\n"
                                                                   "p< 40{0001}\n"
                                                                   "s< 32{[t] 0001 () 'm'}\n"},
        {"[MQTT-3.3.1-2] DUP with QoS 0", PAIR "p> 38{[t] () 'm'}\n"
                                               "p< E00181\n"
                                               "p|"},
        {"[MQTT-3.3.1-6] [MQTT-3.3.1-7] an empty retained message is sent on and not kept",
         PAIR "p> 31{[t] () '1'} 31{[t] ()}\n"
              "s< 30{[t] () '1'} 30{[t] ()}\n"
              "v@5\n"
              "v> 82{0001 () [t] 00}\n"
              "v< 90{0001 () 00}\n"},
        {"[MQTT-3.3.1-8] what is not to be retained leaves what is",
         "p@5\n"
         "p> 31{[t] () '1'} 30{[t] () '2'} 30{[t] ()}\n"
         "v@5\n"
         "v> 82{0001 () [t] 00}\n"
         "v< 90{0001 () 00} 31{[t] () '1'}\n"},
        {"[MQTT-3.3.2-1] a topic that is no UTF-8", PAIR "p> 30{[\xff] () 'm'}\n"
                                                         "p< E00181\n"
                                                         "p|"},
        {"[MQTT-3.3.2-5] what expires while it waits for a window is not sent",
         NARROW_PAIR "p> 32{[t] 0001 () '1'} 32{[t] 0002 (02 00000001) '2'}\n"
                     "p> 32{[t] 0003 (02 00000003) '3'}\n"
                     "p< 40{0001} 40{0002} 40{0003}\n"
                     "s< 32{[t] 0001 () '1'}\n"
                     "+2000\n"
                     "s> 40{0001}\n"
                     "s< 32{[t] 0003 (02 00000001) '3'}\n"},
        {"[MQTT-3.3.2-16] correlation data are any bytes",
         PAIR "p> 30{[t] (08[r] 09 0004 00FF0A80) 'm'}\n"
              "s< 30{[t] (08[r] 09 0004 00FF0A80) 'm'}\n"},
        {"[MQTT-3.3.2-14] a response topic with a wildcard", PAIR "p> 30{[t] (08[r/+]) 'm'}\n"
                                                                  "p< E00182\n"
                                                                  "p|"},
        {"[MQTT-3.3.2-7] a client's aliases end with its connection",
         "p> " KEPT("p") "p< " CONNACK_5 "p> 30{[t] (23 0001) 'm'}\n"
                         "p.\n"
                         "p> " KEPT("p") "p< " PRESENT "p> 30{[] (23 0001) 'm'}\n"
                                         "p< E00182\n"
                                         "p|"},
        {"[MQTT-3.3.2-7] ours towards a client too",
         "p@5\n"
         "s> 10{[MQTT] 05 00 0000 (11 0000FFFF 22 0001) [s]}\n"
         "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
         "s< 90{0001 () 01}\n"
         "p> 32{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
         "p< 40{0001} 40{0002}\n"
         "s< 32{[t] 0001 (23 0001) '1'} 32{[] 0002 (23 0001) '2'}\n"
         "s.\n"
         "s> 10{[MQTT] 05 00 0000 (11 0000FFFF 22 0001) [s]}\n"
         "s< " PRESENT "s< 3A{[t] 0001 (23 0001) '1'} 3A{[] 0002 (23 0001) '2'}\n"},
        {"[MQTT-3.1.2-27] no alias for one who allows none",
         PAIR "p> 30{[t] () '1'} 30{[t] () '2'}\n"
              "s< 30{[t] () '1'} 30{[t] () '2'}\n"},
        {"[MQTT-3.1.2-24] an alias is not given where it would make the packet too large",
         "p@5\n"
         "s> 10{[MQTT] 05 02 0000 (22 0001 27 00000010) [s]}\n"
         "s< " CONNACK_5 "s> 82{0001 () [t] 00}\n"
         "s< 90{0001 () 00}\n"
         "p> 30{[t] () '0123456789'} 30{[t] () '1'} 30{[t] () '2'} 30{[t] () '0123456789'}\n"
         "s< 30{[t] () '0123456789'} 30{[t] (23 0001) '1'} 30{[] (23 0001) '2'}\n"
         "s< 30{[t] () '0123456789'}\n"},
        {"[MQTT-3.3.2-12] every alias up to our maximum",
         PAIR "p> 30{[t] (23 0001) '1'} 30{[t] (23 0002) '2'} 30{[t] (23 0003) '3'}\n"
              "p> 30{[] (23 0003) '4'} 30{[t] (23 0004) '5'} 30{[] (23 0004) '6'}\n"
              "s< 30{[t] () '1'} 30{[t] () '2'} 30{[t] () '3'} 30{[t] () '4'}\n"
              "s< 30{[t] () '5'} 30{[t] () '6'}\n"},
        {"3.3.2.3.4 what came with an alias is retained under its topic",
         PAIR "p> 31{[t] (23 0001) '1'} 31{[] (23 0001) '2'}\n"
              "s< 30{[t] () '1'} 30{[t] () '2'}\n"
              "v@5\n"
              "v> 82{0001 () [t] 00}\n"
              "v< 90{0001 () 00} 31{[t] () '2'}\n"},
        {"[MQTT-4.5.0-1] a message is for every session that subscribed, here or away",
         PAIR "r@5\n"
              "r> 82{0001 () [+] 00}\n"
              "r< 90{0001 () 00}\n"
              "s.\n"
              "p> 32{[t] 0001 () 'm'}\n"
              "p< 40{0001}\n"
              "r< 30{[t] () 'm'}\n"
              "s> " KEPT("s") "s< " PRESENT "s< 32{[t] 0001 () 'm'}\n"},
};

TEST(messages_and_their_properties_are_as_5_0_says)
{
        conversation_run_all(messages, ARRAY_SIZE(messages), NULL);
}

static const struct conversation_case flows[] = {
        {"[MQTT-4.3.2-5] after PUBACK its identifier is a new message's, with DUP or without",
         PAIR "p> 32{[t] 0007 () '1'} 3A{[t] 0007 () '2'} 32{[t] 0007 () '3'}\n"
              "p< 40{0007} 40{0007} 40{0007}\n"
              "s< 32{[t] 0001 () '1'} 32{[t] 0002 () '2'} 32{[t] 0003 () '3'}\n"},
        {"[MQTT-4.3.2-1] [MQTT-4.3.3-1] identifiers that are in use are not given again",
         PAIR "p> 32{[t] 0001 () '1'} 34{[t] 0002 () '2'} 32{[t] 0003 () '3'}\n"
              "p< 40{0001} 50{0002} 40{0003}\n"
              "s< 32{[t] 0001 () '1'} 34{[t] 0002 () '2'} 32{[t] 0003 () '3'}\n"
              "s> 40{0003}\n"
              "p> 32{[t] 0003 () '4'}\n"
              "p< 40{0003}\n"
              "s< 32{[t] 0004 () '4'}\n"},
        {"[MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.3.3-5] unacknowledged until it is acknowledged",
         PAIR "p> 32{[t] 0001 () '1'} 34{[t] 0002 () '2'}\n"
              "p< 40{0001} 50{0002}\n"
              "s< 32{[t] 0001 () '1'} 34{[t] 0002 () '2'}\n" AGAIN
              "s< 3A{[t] 0001 () '1'} 3C{[t] 0002 () '2'}\n"
              "s> 40{0001} 50{0002}\n"
              "s< 62{0002}\n" AGAIN "s< 62{0002}\n"
              "s> 70{0002}\n" AGAIN},
        {"[MQTT-4.3.3-6] what is released is not sent again",
         PAIR "p> 34{[t] 0001 () 'm'}\n"
              "p< 50{0001}\n"
              "s< 34{[t] 0001 () 'm'}\n"
              "s> 50{0001}\n"
              "s< 62{0001}\n" AGAIN "s< 62{0001}\n"},
        {"[MQTT-4.3.3-7] what was sent does not expire",
         PAIR "p> 34{[t] 0001 (02 00000001) 'm'} 32{[t] 0002 (02 00000001) 'n'}\n"
              "p< 50{0001} 40{0002}\n"
              "s< 34{[t] 0001 (02 00000001) 'm'} 32{[t] 0002 (02 00000001) 'n'}\n"
              "s.\n"
              "+5000\n"
              "s> " KEPT("s") "s< " PRESENT
                              "s< 3C{[t] 0001 (02 00000000) 'm'} 3A{[t] 0002 (02 00000000) 'n'}\n"},
        {"[MQTT-4.3.3-13] the sequence goes on though the message has expired",
         PAIR "p> 34{[t] 0001 (02 00000001) 'm'}\n"
              "p< 50{0001}\n"
              "s< 34{[t] 0001 (02 00000001) 'm'}\n"
              "+5000\n"
              "p> 62{0001}\n"
              "p< 70{0001}\n"
              "s> 50{0001}\n"
              "s< 62{0001}\n"
              "s> 70{0001}\n" AGAIN},
        {"[MQTT-4.4.0-1] nothing is sent again without a new connection",
         PAIR "p> 32{[t] 0001 () '1'} 34{[t] 0002 () '2'}\n"
              "p< 40{0001} 50{0002}\n"
              "s< 32{[t] 0001 () '1'} 34{[t] 0002 () '2'}\n"
              "s> 50{0002}\n"
              "s< 62{0002}\n"
              "+100000000\n"},
        {"[MQTT-4.4.0-2] what the client refused is not sent again",
         PAIR "p> 32{[t] 0001 () '1'} 34{[t] 0002 () '2'}\n"
              "p< 40{0001} 50{0002}\n"
              "s< 32{[t] 0001 () '1'} 34{[t] 0002 () '2'}\n"
              "s> 40{0001 87} 50{0002 97}\n" AGAIN},
        {"[MQTT-4.6.0-5] order within topic and QoS, over windows and connections", NARROW_PAIR
         "p> 32{[t]0001()'1'} 34{[t]0002()'2'} 32{[t]0003()'3'} 34{[t]0004()'4'}\n"
         "p< 40{0001} 50{0002} 40{0003} 50{0004}\n"
         "s< 32{[t]0001()'1'}\n"
         "s> 40{0001}\n"
         "s< 34{[t]0002()'2'}\n"
         "s.\n"
         "p> 32{[t]0005()'5'}\n"
         "p< 40{0005}\n"
         "s> " KEPT("s") "s< " PRESENT "s< 3C{[t]0002()'2'} 32{[t]0003()'3'} 34{[t]0004()'4'}\n"
                         "s< 32{[t]0005()'5'}\n"},
};

TEST(deliveries_are_completed_as_5_0_says)
{
        conversation_run_all(flows, ARRAY_SIZE(flows), NULL);
}

static const struct conversation_case windows[] = {
        {"[MQTT-3.3.4-10] [MQTT-4.9.0-3] a full window holds back PUBLISH and nothing else",
         NARROW_PAIR "p> 32{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
                     "p< 40{0001} 40{0002}\n"
                     "s< 32{[t] 0001 () '1'}\n"
                     "s> C000\n"
                     "s< D000\n"
                     "s> 82{0002 () [u] 01}\n"
                     "s< 90{0002 () 01}\n"
                     "s> A2{0003 () [u]}\n"
                     "s< B0{0003 () 00}\n"
                     "s> 34{[v] 0009 () 'm'}\n"
                     "s< 50{0009}\n"
                     "s> 62{0009}\n"
                     "s< 70{0009}\n"
                     "s> 40{0001}\n"
                     "s< 32{[t] 0002 () '2'}\n"},
        {"[MQTT-3.3.4-10] nor any PUBREL of an earlier connection",
         PAIR "p> 32{[t] 0001 () '1'} 34{[t] 0002 () '2'} 34{[t] 0003 () '3'}\n"
              "p< 40{0001} 50{0002} 50{0003}\n"
              "s< 32{[t] 0001 () '1'} 34{[t] 0002 () '2'} 34{[t] 0003 () '3'}\n"
              "s> 50{0003} 50{0002}\n"
              "s< 62{0003} 62{0002}\n"
              "s.\n"
              "s> " NARROW("s") "s< " PRESENT "s< 62{0002} 62{0003} 3A{[t] 0001 () '1'}\n"
                                "s> 70{0003} 70{0002} 40{0001}\n"
                                "p> 32{[t] 0004 () '4'}\n"
                                "p< 40{0004}\n"
                                "s< 32{[t] 0004 () '4'}\n"},
        {"[MQTT-4.9.0-1] [MQTT-4.9.0-2] a window is the connection's, and is filled again",
         PAIR "p> 32{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
              "p< 40{0001} 40{0002}\n"
              "s< 32{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
              "s.\n"
              "s> " NARROW("s") "s< " PRESENT "s< 3A{[t] 0001 () '1'}\n"
                                "s> 40{0001}\n"
                                "s< 3A{[t] 0002 () '2'}\n"
                                "p> 30{[t] () '0'}\n"
                                "s< 30{[t] () '0'}\n"},
        /* Who has forgotten them releases none of them. */
        {"[MQTT-4.9.0-1] [MQTT-4.9.0-2] nor does what an earlier connection left open take of it",
         "s> " KEPT("s") "s< " CONNACK_5 EIGHT(
                 "10") "s.\n"
                       "s> " KEPT("s") "s< " PRESENT EIGHT(
                               "20") "s> 34{[t]3001()}\n"
                                     "s< E00193\n"
                                     "s|\n"
                                     "s> " KEPT("s") "s< " PRESENT "s> 62{1001} 62{2001}\n"
                                                     "s< 70{1001} 70{2001}\n" EIGHT(
                                                             "30") "s> 34{[t]4001()}\n"
                                                                   "s< E00193\n"
                                                                   "s|"},
};

TEST(windows_hold_back_what_5_0_says)
{
        conversation_run_all(windows, ARRAY_SIZE(windows), NULL);
}

/* Only one message may be retained: a second is refused, in a PUBACK or PUBREC. */
static const struct conversation_case refusals[] = {
        {"[MQTT-4.3.3-9] what PUBREC refused does not keep its identifier",
         PAIR "p> 33{[a] 0001 () '1'} 35{[b] 0002 () '2'} 34{[t] 0002 () '3'}\n"
              "p< 40{0001 10} 50{0002 97} 50{0002}\n"
              "s< 34{[t] 0001 () '3'}\n"
              "p> 62{0002}\n"
              "p< 70{0002}\n"},
        {"[MQTT-3.4.2-2] [MQTT-3.4.2-3] PUBACK has words that fit, and no more",
         "p> 10{[MQTT] 05 02 0000 (17 01 27 00000020) [p]}\n"
         "p< " CONNACK_5 "p> 33{[a] 0001 () '1'} 33{[b] 0002 () '2'}\n"
         "p< 40{0001 10} 40{0002 97 (1F[Quota exceeded])}\n"
         "p.\n"
         "p> 10{[MQTT] 05 02 0000 (17 01 27 00000016) [p]}\n"
         "p< " CONNACK_5 "p> 33{[b] 0003 () '2'}\n"
         "p< 40{0003 97}\n"},
        {"[MQTT-3.5.2-2] [MQTT-3.5.2-3] PUBREC has words that fit, and no more",
         "p> 10{[MQTT] 05 02 0000 (17 01 27 00000020) [p]}\n"
         "p< " CONNACK_5 "p> 35{[a] 0001 () '1'} 35{[b] 0002 () '2'}\n"
         "p< 50{0001} 50{0002 97 (1F[Quota exceeded])}\n"
         "p.\n"
         "p> 10{[MQTT] 05 02 0000 (17 01 27 00000016) [p]}\n"
         "p< " CONNACK_5 "p> 35{[b] 0003 () '2'}\n"
         "p< 50{0003 97}\n"},
};

TEST(a_refused_message_is_answered_as_5_0_says)
{
        struct mqtt_limits limits = conversation_limits;

        limits.retained_messages = 1;
        conversation_run_all(refusals, ARRAY_SIZE(refusals), &limits);
}
