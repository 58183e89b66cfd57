/* MQTT 3.1.1 statement by statement: PUBLISH and what completes it (3.3 to 3.7, 4.3, 4.6).
 * tests/conformance/mqtt-3.1.1.tsv says which row proves which. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

/* A publisher p, and a subscriber s to "t" in that QoS. */
#define PAIR(qos)                                                                                  \
        "p@311\n"                                                                                  \
        "s@311\n"                                                                                  \
        "s> 82{0001 [t] " qos "}\n"                                                                \
        "s< 90{0001 " qos "}\n"

static const struct conversation_case headers[] = {
        {"[MQTT-3.3.1-1] what we send again is marked", "p@311\n"
                                                        "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                                        "s< 20{00 00}\n"
                                                        "s> 82{0001 [t] 02}\n"
                                                        "s< 90{0001 02}\n"
                                                        "p> 32{[t] 0001 '1'} 34{[t] 0002 '2'}\n"
                                                        "p< 40{0001} 50{0002}\n"
                                                        "s< 32{[t] 0001 '1'} 34{[t] 0002 '2'}\n"
                                                        "s.\n"
                                                        "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                                        "s< 20{01 00}\n"
                                                        "s< 3A{[t] 0001 '1'} 3C{[t] 0002 '2'}\n"},
        {"[MQTT-3.3.1-2] the mark with QoS 0", PAIR("00") "p> 38{[t] 'm'}\n"
                                                          "p|\n"},
        {"[MQTT-3.3.1-3] the publisher's mark is not the subscriber's",
         PAIR("02") "p> 3A{[t] 0001 '1'} 3C{[t] 0002 '2'}\n"
                    "p< 40{0001} 50{0002}\n"
                    "s< 32{[t] 0001 '1'} 34{[t] 0002 '2'}\n"},
        {"[MQTT-3.3.1-4] QoS 3", PAIR("00") "p> 36{[t] 0001 'm'}\n"
                                            "p|\n"},
        {"[MQTT-3.3.2-1] a name that is no UTF-8", PAIR("00") "p> 30{0002C328 'm'}\n"
                                                              "p|\n"},
        {"[MQTT-3.3.2-1] no name", PAIR("00") "p> 30{}\n"
                                              "p|\n"},
        {"[MQTT-3.3.2-2] a name with '#'", PAIR("00") "p> 30{[t/#] 'm'}\n"
                                                      "p|\n"},
        {"[MQTT-3.3.2-2] a name with '+'", PAIR("00") "p> 32{[+] 0001 'm'}\n"
                                                      "p|\n"},
        {"[MQTT-3.3.2-3] a subscriber gets the name as it was published",
         "p@311\n"
         "s@311\n"
         "s> 82{0001 [a/+/c/#] 00}\n"
         "s< 90{0001 00}\n"
         "p> 30{[a/b/c] '1'} 30{[a/b/d] '2'} 30{[a//c/D/e] '3'}\n"
         "s< 30{[a/b/c] '1'} 30{[a//c/D/e] '3'}\n"},
        {"[MQTT-3.3.4-1] no answer, PUBACK, PUBREC", PAIR("00") "p> 30{[u]}\n"
                                                                "p< \n"
                                                                "p> 32{[u] 0001}\n"
                                                                "p< 40{0001}\n"
                                                                "p> 34{[u] 0001}\n"
                                                                "p< 50{0001}\n"},
        {"[MQTT-3.3.5-1] overlapping filters: the highest QoS of them",
         "p@311\n"
         "s@311\n"
         "s> 82{0001 [t/#] 00 [t/+] 02 [t/x] 01}\n"
         "s< 90{0001 00 02 01}\n"
         "p> 34{[t/x] 0001 'm'}\n"
         "p< 50{0001}\n"
         "s< 34{[t/x] 0001 'm'}\n"},
        {"[MQTT-3.6.1-1] flags of PUBREL", "p@311\n"
                                           "p> 34{[t] 0001}\n"
                                           "p< 50{0001}\n"
                                           "p> 60{0001}\n"
                                           "p|\n"},
};

TEST(the_headers_of_publish_and_pubrel)
{
        conversation_run_all(headers, ARRAY_SIZE(headers), NULL);
}

static const struct conversation_case retained[] = {
        {"[MQTT-3.3.1-5] kept with its QoS", "p@311\n"
                                             "p> 31{[a] '0'} 33{[b] 0001 '1'} 35{[c] 0002 '2'}\n"
                                             "p< 40{0001} 50{0002}\n"
                                             "p.\n"
                                             "s@311\n"
                                             "s> 82{0001 [a] 02}\n"
                                             "s< 90{0001 02} 31{[a] '0'}\n"
                                             "s> 82{0002 [b] 02}\n"
                                             "s< 90{0002 02} 33{[b] 0001 '1'}\n"
                                             "s> 82{0003 [c] 02}\n"
                                             "s< 90{0003 02} 35{[c] 0002 '2'}\n"},
        {"[MQTT-3.3.1-6] the last one of each topic that matches",
         "p@311\n"
         "p> 31{[a] 'old'} 31{[a] 'new'} 31{[b] 'other'}\n"
         "s@311\n"
         "s> 82{0001 [a] 00}\n"
         "s< 90{0001 00} 31{[a] 'new'}\n"
         "s> 82{0002 [b] 00}\n"
         "s< 90{0002 00} 31{[b] 'other'}\n"
         "s> 82{0003 [c] 00}\n"
         "s< 90{0003 00}\n"},
        {"[MQTT-3.3.1-7] one of QoS 0 takes the place of one of QoS 2", "p@311\n"
                                                                        "p> 35{[t] 0001 'old'}\n"
                                                                        "p< 50{0001}\n"
                                                                        "p> 31{[t] 'new'}\n"
                                                                        "s@311\n"
                                                                        "s> 82{0001 [t] 02}\n"
                                                                        "s< 90{0001 02}\n"
                                                                        "s< 31{[t] 'new'}\n"},
        {"[MQTT-3.3.1-8] marked for a new subscription", "p@311\n"
                                                         "p> 31{[t] 'm'}\n"
                                                         "s@311\n"
                                                         "s> 82{0001 [#] 00}\n"
                                                         "s< 90{0001 00} 31{[t] 'm'}\n"},
        {"[MQTT-3.3.1-9] not marked for one that was there", PAIR("01") "p> 33{[t] 0001 'm'}\n"
                                                                        "p< 40{0001}\n"
                                                                        "s< 32{[t] 0001 'm'}\n"},
        {"[MQTT-3.3.1-10] an empty one goes to subscribers, and removes",
         PAIR("00") "p> 31{[t] 'm'}\n"
                    "s< 30{[t] 'm'}\n"
                    "p> 31{[t]}\n"
                    "s< 30{[t]}\n"
                    "r@311\n"
                    "r> 82{0001 [t] 00}\n"
                    "r< 90{0001 00}\n"},
        {"[MQTT-3.3.1-11] an empty one is not kept", "p@311\n"
                                                     "p> 33{[t] 0001}\n"
                                                     "p< 40{0001}\n"
                                                     "s@311\n"
                                                     "s> 82{0001 [#] 00}\n"
                                                     "s< 90{0001 00}\n"},
        {"[MQTT-3.3.1-12] what is not marked is not kept, and replaces nothing",
         "p@311\n"
         "p> 31{[a] 'kept'}\n"
         "p> 30{[a] 'passing'} 30{[b] 'passing'} 30{[a]}\n"
         "s@311\n"
         "s> 82{0001 [#] 00}\n"
         "s< 90{0001 00} 31{[a] 'kept'}\n"},
};

TEST(retained_messages)
{
        conversation_run_all(retained, ARRAY_SIZE(retained), NULL);
}

static const struct conversation_case flows[] = {
        {"[MQTT-4.3.1-1] QoS 0 is sent once, unmarked", PAIR("02") "p> 30{[t] 'm'}\n"
                                                                   "s< 30{[t] 'm'}\n"
                                                                   "+100000\n"},
        {"[MQTT-4.3.2-1] QoS 1 is under way until PUBACK", "p@311\n"
                                                           "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                                           "s< 20{00 00}\n"
                                                           "s> 82{0001 [t] 01}\n"
                                                           "s< 90{0001 01}\n"
                                                           "p> 32{[t] 0007 '1'} 32{[t] 0007 '2'}\n"
                                                           "p< 40{0007} 40{0007}\n"
                                                           "s< 32{[t] 0001 '1'} 32{[t] 0002 '2'}\n"
                                                           "s> 40{0001}\n"
                                                           "s.\n"
                                                           "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                                           "s< 20{01 00} 3A{[t] 0002 '2'}\n"
                                                           "s> 40{0002}\n"
                                                           "s.\n"
                                                           "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                                           "s< 20{01 00}\n"},
        {"[MQTT-4.3.2-2] after PUBACK the identifier is a new message's, marked or not",
         PAIR("01") "p> 32{[t] 0007 '1'}\n"
                    "p< 40{0007}\n"
                    "s< 32{[t] 0001 '1'}\n"
                    "p> 3A{[t] 0007 '2'}\n"
                    "p< 40{0007}\n"
                    "s< 32{[t] 0002 '2'}\n"},
        {"[MQTT-4.3.3-1] QoS 2: PUBLISH, and PUBREL for PUBREC", PAIR("02") "p> 34{[t] 0007 'm'}\n"
                                                                            "p< 50{0007}\n"
                                                                            "s< 34{[t] 0001 'm'}\n"
                                                                            "s> 50{0001}\n"
                                                                            "s< 62{0001}\n"
                                                                            "s> 50{0001}\n"
                                                                            "s< 62{0001}\n"
                                                                            "s> 70{0001}\n"},
        {"[MQTT-4.3.3-1] after PUBREC PUBREL is sent again, and PUBLISH never",
         "p@311\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{00 00}\n"
         "s> 82{0001 [t] 02}\n"
         "s< 90{0001 02}\n"
         "p> 34{[t] 0007 'm'}\n"
         "p< 50{0007}\n"
         "s< 34{[t] 0001 'm'}\n"
         "s> 50{0001}\n"
         "s< 62{0001}\n"
         "s.\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{01 00} 62{0001}\n"
         "s> 70{0001}\n"
         "s.\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{01 00}\n"},
        {"[MQTT-4.3.3-2] before PUBREL what comes again is answered and not delivered",
         PAIR("00") "p> 34{[t] 0007 'm'}\n"
                    "p< 50{0007}\n"
                    "s< 30{[t] 'm'}\n"
                    "p> 3C{[t] 0007 'm'} 34{[t] 0007 'm'}\n"
                    "p< 50{0007} 50{0007}\n"
                    "p> 62{0007}\n"
                    "p< 70{0007}\n"},
        {"[MQTT-4.3.3-2] after PUBCOMP the identifier is a new message's",
         PAIR("00") "p> 34{[t] 0007 '1'}\n"
                    "p< 50{0007}\n"
                    "p> 62{0007}\n"
                    "p< 70{0007}\n"
                    "p> 3C{[t] 0007 '2'}\n"
                    "p< 50{0007}\n"
                    "s< 30{[t] '1'} 30{[t] '2'}\n"},
        {"[MQTT-4.3.3-2] PUBREL that comes again is answered again",
         PAIR("00") "p> 34{[t] 0007 '1'}\n"
                    "p< 50{0007}\n"
                    "p> 62{0007} 62{0007}\n"
                    "p< 70{0007} 70{0007}\n"
                    "s< 30{[t] '1'}\n"},
};

TEST(the_flows_of_each_qos)
{
        conversation_run_all(flows, ARRAY_SIZE(flows), NULL);
}

static const struct conversation_case orders[] = {
        {"[MQTT-4.6.0-1] what is sent again comes in its order",
         "p@311\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{00 00}\n"
         "s> 82{0001 [t] 02}\n"
         "s< 90{0001 02}\n"
         "p> 32{[t]0001'1'} 34{[t]0002'2'} 34{[t]0003'3'} 32{[t]0004'4'}\n"
         "p< 40{0001} 50{0002} 50{0003} 40{0004}\n"
         "s< 32{[t]0001'1'} 34{[t]0002'2'} 34{[t]0003'3'} 32{[t]0004'4'}\n"
         "s.\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{01 00}\n"
         "s< 3A{[t]0001'1'} 3C{[t]0002'2'} 3C{[t]0003'3'} 3A{[t]0004'4'}\n"},
        {"[MQTT-4.6.0-2] PUBACK in the order of PUBLISH",
         PAIR("00") "p> 32{[u]0009} 32{[v]0001} 32{[t]0005}\n"
                    "p< 40{0009} 40{0001} 40{0005}\n"
                    "s< 30{[t]}\n"},
        {"[MQTT-4.6.0-3] PUBREC in the order of PUBLISH",
         PAIR("00") "p> 34{[u]0009} 34{[v]0001} 34{[t]0005}\n"
                    "p< 50{0009} 50{0001} 50{0005}\n"
                    "s< 30{[t]}\n"},
        {"[MQTT-4.6.0-4] PUBREL in the order of PUBREC",
         PAIR("02") "p> 34{[t]0001'1'} 34{[t]0002'2'} 34{[t]0003'3'}\n"
                    "p< 50{0001} 50{0002} 50{0003}\n"
                    "s< 34{[t]0001'1'} 34{[t]0002'2'} 34{[t]0003'3'}\n"
                    "s> 50{0002} 50{0003} 50{0001}\n"
                    "s< 62{0002} 62{0003} 62{0001}\n"},
        {"[MQTT-4.6.0-5] messages of a topic keep their order in each QoS",
         PAIR("02") "q@311\n"
                    "p> 30{[t]'1'} 30{[t]'2'}\n"
                    "q> 30{[t]'3'}\n"
                    "p> 32{[t]0001'4'} 32{[t]0002'5'}\n"
                    "q> 34{[t]0001'6'}\n"
                    "p> 34{[t]0003'7'}\n"
                    "p< 40{0001} 40{0002} 50{0003}\n"
                    "q< 50{0001}\n"
                    "s< 30{[t]'1'} 30{[t]'2'} 30{[t]'3'} 32{[t]0001'4'} 32{[t]0002'5'}\n"
                    "s< 34{[t]0003'6'} 34{[t]0004'7'}\n"},
        {"[MQTT-4.6.0-6] also what had to wait, for each subscriber",
         PAIR("01") "r@311\n"
                    "r> 82{0001 [#] 01}\n"
                    "r< 90{0001 01}\n"
                    "p> 32{[t]0001'1'} 32{[t]0002'2'} 32{[t]0003'3'} 32{[t]0004'4'}\n"
                    "p> 32{[t]0005'5'} 32{[t]0006'6'}\n"
                    "p< 40{0001} 40{0002} 40{0003} 40{0004} 40{0005} 40{0006}\n"
                    "s< 32{[t]0001'1'} 32{[t]0002'2'} 32{[t]0003'3'} 32{[t]0004'4'}\n"
                    "s> 40{0001} 40{0002} 40{0003}\n"
                    "s< 32{[t]0005'5'} 32{[t]0006'6'}\n"
                    "r< 32{[t]0001'1'} 32{[t]0002'2'} 32{[t]0003'3'} 32{[t]0004'4'}\n"
                    "r> 40{0001}\n"
                    "r< 32{[t]0005'5'}\n"
                    "r> 40{0002}\n"
                    "r< 32{[t]0006'6'}\n"},
};

TEST(messages_and_answers_keep_their_order)
{
        conversation_run_all(orders, ARRAY_SIZE(orders), NULL);
}

static int deny(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        (void)owner;
        (void)who;
        (void)publish;
        return MQTT_NOT_AUTHORIZED;
}

TEST(MQTT_3_3_5_2_what_may_not_be_published_is_acknowledged_and_goes_to_nobody)
{
        struct mqtt_hooks hooks = {.on_publish = deny};
        struct conversation talk;

        conversation_init(&talk, NULL, &hooks);
        conversation_run(&talk, PAIR("02") "p> 30{[t]} 32{[t]0001} 34{[t]0002}\n"
                                           "p< 40{0001} 50{0002}\n"
                                           "p> 62{0002}\n"
                                           "p< 70{0002}\n");
        conversation_check_end(&talk);
        conversation_done(&talk);
}
