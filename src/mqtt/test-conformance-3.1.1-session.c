/* MQTT 3.1.1 statement by statement: what stays of a client and what comes again (3.1.2.4,
 * 4.1, 4.4). tests/conformance/mqtt-3.1.1.tsv says which row proves which. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

/* s, whose session stays, is there for the first time, goes, and comes back. */
#define FIRST                                                                                      \
        "s> 10{[MQTT] 04 00 0000 [s]}\n"                                                           \
        "s< 20{00 00}\n"
#define AGAIN                                                                                      \
        "s.\n"                                                                                     \
        "s> 10{[MQTT] 04 00 0000 [s]}\n"                                                           \
        "s< 20{01 00}\n"

static const struct conversation_case kept[] = {
        {"[MQTT-3.1.2-4] subscriptions are kept without clean session",
         "p@311\n" FIRST "s> 82{0001 [t] 01 [u/#] 02}\n"
         "s< 90{0001 01 02}\n" AGAIN "p> 32{[t] 0001 '1'} 34{[u/v] 0002 '2'}\n"
         "p< 40{0001} 50{0002}\n"
         "s< 32{[t] 0001 '1'} 34{[u/v] 0002 '2'}\n"},
        {"[MQTT-3.1.2-4] without a session there is a new one", "p@311\n" FIRST "p> 30{[t] 'm'}\n"
                                                                "s> C000\n"
                                                                "s< D000\n"},
        {"[MQTT-3.1.2-4] it is kept after DISCONNECT too", "p@311\n" FIRST "s> 82{0001 [t] 01}\n"
                                                           "s< 90{0001 01}\n"
                                                           "s> E000\n"
                                                           "s|\n"
                                                           "+1000000000\n"
                                                           "p> 32{[t] 0001 '1'}\n"
                                                           "p< 40{0001}\n"
                                                           "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                                           "s< 20{01 00} 32{[t] 0001 '1'}\n"},
        {"[MQTT-3.1.2-5] QoS 1 and 2 wait for who is away",
         "p@311\n" FIRST "s> 82{0001 [t] 02 [u] 01}\n"
         "s< 90{0001 02 01}\n"
         "s.\n"
         "p> 32{[t] 0001 '1'} 34{[t] 0002 '2'} 34{[u] 0003 '3'} 32{[v] 0004 '4'}\n"
         "p< 40{0001} 50{0002} 50{0003} 40{0004}\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{01 00} 32{[t] 0001 '1'} 34{[t] 0002 '2'} 32{[u] 0003 '3'}\n"},
        {"[MQTT-3.1.2-6] a clean session begins without what was there",
         "p@311\n" FIRST "s> 82{0001 [t] 01}\n"
         "s< 90{0001 01}\n"
         "p> 32{[t] 0001 '1'}\n"
         "p< 40{0001}\n"
         "s< 32{[t] 0001 '1'}\n"
         "s.\n"
         "p> 32{[t] 0002 '2'}\n"
         "p< 40{0002}\n"
         "s@311\n"
         "p> 32{[t] 0003 '3'}\n"
         "p< 40{0003}\n"},
        {"[MQTT-3.1.2-6] and ends with its connection, [MQTT-3.1.4-3]",
         "p@311\n"
         "s@311\n"
         "s> 82{0001 [t] 01}\n"
         "s< 90{0001 01}\n"
         "s.\n"
         "p> 32{[t] 0001 '1'}\n"
         "p< 40{0001}\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{00 00}\n"
         "p> 32{[t] 0002 '2'}\n"
         "p< 40{0002}\n"},
        {"[MQTT-3.1.2-7] what is retained is no session's", "p@311\n"
                                                            "p> 31{[t] 'kept'}\n"
                                                            "p.\n"
                                                            "p@311\n"
                                                            "p.\n"
                                                            "s@311\n"
                                                            "s> 82{0001 [t] 00}\n"
                                                            "s< 90{0001 00} 31{[t] 'kept'}\n"},
        {"[MQTT-4.1.0-1] what a client is sending is kept",
         "r@311\n"
         "r> 82{0001 [t] 00}\n"
         "r< 90{0001 00}\n" FIRST "s> 34{[t] 0005 'm'}\n"
         "s< 50{0005}\n"
         "r< 30{[t] 'm'}\n" AGAIN "s> 3C{[t] 0005 'm'}\n"
         "s< 50{0005}\n"
         "s> 62{0005}\n"
         "s< 70{0005}\n"},
        {"[MQTT-4.1.0-2] a session lasts as long as its connection", "p@311\n"
                                                                     "s@311\n"
                                                                     "s> 82{0001 [t] 01}\n"
                                                                     "s< 90{0001 01}\n"
                                                                     "+1000000000\n"
                                                                     "p> 32{[t] 0001 '1'}\n"
                                                                     "p< 40{0001}\n"
                                                                     "s< 32{[t] 0001 '1'}\n"},
        {"[MQTT-4.4.0-1] PUBLISH that was not acknowledged comes again as it was",
         "p@311\n" FIRST "s> 82{0001 [t] 02}\n"
         "s< 90{0001 02}\n"
         "p> 32{[t] 0001 '1'} 34{[t] 0002 '2'} 32{[t] 0003 '3'}\n"
         "p< 40{0001} 50{0002} 40{0003}\n"
         "s< 32{[t] 0001 '1'} 34{[t] 0002 '2'} 32{[t] 0003 '3'}\n"
         "s> 40{0001}\n" AGAIN "s< 3C{[t] 0002 '2'} 3A{[t] 0003 '3'}\n"
         "s> 40{0003} 50{0002}\n"
         "s< 62{0002}\n"
         "s> 70{0002}\n" AGAIN},
        {"[MQTT-4.4.0-1] PUBREL that was not acknowledged comes again",
         "p@311\n" FIRST "s> 82{0001 [t] 02}\n"
         "s< 90{0001 02}\n"
         "p> 34{[t] 0001 '1'} 34{[t] 0002 '2'}\n"
         "p< 50{0001} 50{0002}\n"
         "s< 34{[t] 0001 '1'} 34{[t] 0002 '2'}\n"
         "s> 50{0001} 50{0002}\n"
         "s< 62{0001} 62{0002}\n"
         "s> 70{0001}\n" AGAIN "s< 62{0002}\n"
         "s> 70{0002}\n" AGAIN},
        {"[MQTT-4.4.0-1] QoS 0 never comes again", "p@311\n" FIRST "s> 82{0001 [t] 02}\n"
                                                   "s< 90{0001 02}\n"
                                                   "p> 30{[t] '0'}\n"
                                                   "s< 30{[t] '0'}\n" AGAIN},
};

TEST(what_stays_of_a_client_and_what_does_not)
{
        conversation_run_all(kept, ARRAY_SIZE(kept), NULL);
}
