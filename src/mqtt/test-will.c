/* The will: when it is published, when it is not (3.1.2.5, 3.1.3.2, 3.14.4). */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

/* w hears of wills on "w". */
#define WATCH                                                                                      \
        "w> " CONNECT_5("watch") "w< " CONNACK_5 "w> 82{0001 () [w] 02}\n"                         \
                                 "w< 90{0001 () 02}\n"
#define PLAIN_WILL "10{[MQTT] 05 06 0000 () [a] () [w] [gone]}\n"
#define DELAYED "10{[MQTT] 05 06 0000 (11 0000000A) [a] (18 00000003) [w] [gone]}\n"
#define RESUMED "10{[MQTT] 05 00 0000 (11 0000000A) [a]}\n"

static const struct conversation_case cases[] = {
        {"[MQTT-3.1.2-8] at the end of the connection",
         WATCH "a> " PLAIN_WILL "a< " CONNACK_5 "a.\n"
               "w< 30{[w] () 'gone'}\n"},
        {"[MQTT-3.1.2-8] after a protocol error", WATCH "a> " PLAIN_WILL "a< " CONNACK_5 "a> D000\n"
                                                        "a< E00182\n"
                                                        "a|\n"
                                                        "w< 30{[w] () 'gone'}\n"},
        {"[MQTT-3.14.4-3] not after DISCONNECT", WATCH "a> " PLAIN_WILL "a< " CONNACK_5 "a> E000\n"
                                                       "a|\n"},
        {"3.14.2.1 after DISCONNECT with 0x04", WATCH "a> " PLAIN_WILL "a< " CONNACK_5 "a> E00104\n"
                                                      "a|\n"
                                                      "w< 30{[w] () 'gone'}\n"},
        {"of 3.1.1 [MQTT-3.14.4-3]", WATCH "a> 10{[MQTT] 04 06 0000 [a] [w] [gone]}\n"
                                           "a< " CONNACK_311 "a> E000\n"
                                           "a|\n"
                                           "b> 10{[MQTT] 04 06 0000 [b] [w] [gone]}\n"
                                           "b< " CONNACK_311 "b.\n"
                                           "w< 30{[w] () 'gone'}\n"},
        {"after silence", WATCH "a> 10{[MQTT] 05 06 0001 () [a] () [w] [gone]}\n"
                                "a< " CONNACK_5 "+1500\n"
                                "a< E0018D\n"
                                "a|\n"
                                "w< 30{[w] () 'gone'}\n"},
        {"[MQTT-3.1.2-12] with its QoS, properties, expiry from then on",
         WATCH "a> 10{[MQTT] 05 16 0000 () [a] (01 01 02 00000009 03[c] 26[k][v]) [w] [gone]}\n"
               "a< " CONNACK_5 "+60000\n"
               "a.\n"
               "w< 34{[w] 0001 (01 01 02 00000009 03[c] 26[k][v]) 'gone'}\n"},
        {"[MQTT-3.1.2-15] retained",
         "a> 10{[MQTT] 05 26 0000 () [a] () [w] [gone]}\n"
         "a< " CONNACK_5 "a.\n"
         "w> " CONNECT_5("watch") "w< " CONNACK_5 "w> 82{0001 () [w] 00}\n"
                                  "w< 90{0001 () 00} 31{[w] () 'gone'}\n"},
        {"3.1.3.2.2 never before the delay has passed, to the millisecond",
         WATCH "a> " DELAYED "a< " CONNACK_5 "a.\n"
               "+3000\n"
               "w< \n"
               "+1\n"
               "w< 30{[w] () 'gone'}\n"},
        {"[MQTT-3.1.3-9] not when the session goes on before",
         WATCH "a> " DELAYED "a< " CONNACK_5 "a.\n"
               "+3000\n"
               "a> " RESUMED "a< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
               "+100000\n"},
        {"3.1.3.2.2 when the session ends before",
         WATCH "a> 10{[MQTT] 05 06 0000 (11 00000002) [a] (18 000000FF) [w] [gone]}\n"
               "a< " CONNACK_5 "a.\n"
               "+2000\n"
               "w< \n"
               "+1\n"
               "w< 30{[w] () 'gone'}\n"},
        {"3.1.3.2.2 at once when the session ends with the connection",
         WATCH "a> 10{[MQTT] 05 06 0000 () [a] (18 00000003) [w] [gone]}\n"
               "a< " CONNACK_5 "a.\n"
               "w< 30{[w] () 'gone'}\n"},
        {"3.1.3.2.2 at once when a clean start ends the session",
         WATCH "a> " DELAYED "a< " CONNACK_5 "a.\n"
               "+1000\n"
               "a> " CONNECT_5("a") "a< " CONNACK_5 "w< 30{[w] () 'gone'}\n"
                                    "+100000\n"},
        {"at a takeover: without delay at once, with one not at all",
         WATCH "a> " PLAIN_WILL "a< " CONNACK_5 "b> " DELAYED "b< " CONNACK_5 "a< E0018E\n"
               "a|\n"
               "w< 30{[w] () 'gone'}\n"
               "c> " RESUMED "c< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
               "b< E0018E\n"
               "b|\n"
               "+100000\n"},
        {"of sessions that stay longer, the delay counts once",
         WATCH "a> " DELAYED "a< " CONNACK_5 "a.\n"
               "+3001\n"
               "w< 30{[w] () 'gone'}\n"
               "+100000\n"},
        {"[MQTT-3.8.3-3] not to its own session where that wants nothing of its own",
         "a> 10{[MQTT] 05 26 0000 (11 0000000A) [a] () [w] [gone]}\n"
         "a< " CONNACK_5 "a> 82{0001 () [w] 05 [+] 05}\n"
         "a< 90{0001 () 01 01}\n"
         "a.\n"
         "a> " RESUMED "a< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
         "a> 82{0002 () [w] 05}\n"
         "a< 90{0002 () 01}\n"
         "b@5\n"
         "b> 82{0001 () [w] 04}\n"
         "b< 90{0001 () 00} 31{[w] () 'gone'}\n"},
        {"[MQTT-3.1.2-9] a topic that is none", "a> 10{[MQTT] 05 06 0000 () [a] () [w/#] [gone]}\n"
                                                "a< 20{00 81 ()}\n"
                                                "a|"},
};

TEST(wills_are_published_when_they_should_be)
{
        conversation_run_all(cases, ARRAY_SIZE(cases), NULL);
}
