/* MQTT 3.1.1 statement by statement: SUBSCRIBE, UNSUBSCRIBE, names and filters (3.8 to 3.11,
 * 4.5, 4.7). tests/conformance/mqtt-3.1.1.tsv says which row proves which. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

#include <stdio.h>
#include <stdlib.h>

static const struct conversation_case subscribes[] = {
        {"[MQTT-3.8.1-1] flags", "a@311\n"
                                 "a> 80{0001 [t] 00}\n"
                                 "a|\n"},
        {"[MQTT-3.8.3-1] a filter that is no UTF-8", "a@311\n"
                                                     "a> 82{0001 [t] 00 0001FF 00}\n"
                                                     "a|\n"},
        {"[MQTT-3.8.3-3] no filter", "a@311\n"
                                     "a> 82{0001}\n"
                                     "a|\n"},
        {"[MQTT-3.8.3-4] QoS 3", "a@311\n"
                                 "a> 82{0001 [t] 03}\n"
                                 "a|\n"},
        {"[MQTT-3.8.3-4] reserved bits, which 5.0 has a use for", "a@311\n"
                                                                  "a> 82{0001 [t] 04}\n"
                                                                  "a|\n"
                                                                  "b@311\n"
                                                                  "b> 82{0001 [t] 08}\n"
                                                                  "b|\n"
                                                                  "c@311\n"
                                                                  "c> 82{0001 [t] 11}\n"
                                                                  "c|\n"
                                                                  "d@311\n"
                                                                  "d> 82{0001 [t] 80}\n"
                                                                  "d|\n"},
        {"[MQTT-3.8.4-1] SUBACK is the answer, [MQTT-3.8.4-2] with the same identifier",
         "a@311\n"
         "a> 82{1234 [t] 00}\n"
         "a< 90{1234 00}\n"},
        {"[MQTT-3.8.4-3] the same filter again: the new QoS, and retained messages again",
         "a@311\n"
         "a> 31{[t] 'kept'}\n"
         "a> 82{0001 [t] 00}\n"
         "a< 90{0001 00} 31{[t] 'kept'}\n"
         "a> 82{0002 [t] 01}\n"
         "a< 90{0002 01} 31{[t] 'kept'}\n"
         "a> 32{[t] 0003 'live'}\n"
         "a< 32{[t] 0001 'live'} 40{0003}\n"},
        {"[MQTT-3.8.4-4] several filters are several subscriptions with one answer",
         "a@311\n"
         "a> 31{[x] 'X'} 31{[y] 'Y'}\n"
         "a> 82{0001 [x] 00 [y] 01 [z] 02}\n"
         "a< 90{0001 00 01 02} 31{[x] 'X'} 31{[y] 'Y'}\n"
         "a> 34{[z] 0001 'Z'}\n"
         "a< 50{0001} 34{[z] 0001 'Z'}\n"},
        {"[MQTT-3.8.4-5] a code for each filter: the QoS, or a failure",
         "a@311\n"
         "a> 82{0001 [t] 02 [$share/+/t] 01 [u] 00}\n"
         "a< 90{0001 02 80 00}\n"},
        {"[MQTT-3.8.4-6] the lower QoS of message and subscription",
         "s@311\n"
         "s> 82{0001 [0] 00 [1] 01 [2] 02}\n"
         "s< 90{0001 00 01 02}\n"
         "p@311\n"
         "p> 30{[0]} 30{[1]} 30{[2]}\n"
         "s< 30{[0]} 30{[1]} 30{[2]}\n"
         "p> 32{[0]0001} 32{[1]0002} 32{[2]0003}\n"
         "p< 40{0001} 40{0002} 40{0003}\n"
         "s< 30{[0]} 32{[1]0001} 32{[2]0002}\n"
         "p> 34{[0]0004} 34{[1]0005} 34{[2]0006}\n"
         "p< 50{0004} 50{0005} 50{0006}\n"
         "s< 30{[0]} 32{[1]0003} 34{[2]0004}\n"},
        {"[MQTT-3.8.4-6] and of a retained message", "p@311\n"
                                                     "p> 35{[t] 0001 'm'}\n"
                                                     "p< 50{0001}\n"
                                                     "s@311\n"
                                                     "s> 82{0001 [t] 01}\n"
                                                     "s< 90{0001 01} 33{[t] 0001 'm'}\n"},
        {"[MQTT-3.9.3-1] codes in the order of the filters",
         "a@311\n"
         "a> 82{0001 [z] 02 [a] 00 [m] 01 [z] 00}\n"
         "a< 90{0001 02 00 01 00}\n"},
        {"[MQTT-3.9.3-2] whatever fails is 0x80",
         "a@311\n"
         "a> 82{0001 [1] 00 [2] 00 [3] 00 [4] 00 [5] 00 [6] 00 [7] 00 [8] 00 [9] 00}\n"
         "a< 90{0001 00 00 00 00 00 00 00 00 80}\n"},
        {"[MQTT-4.5.0-1] what is published goes to those that are connected and those that stay",
         "r> 10{[MQTT] 04 00 0000 [r]}\n"
         "r< 20{00 00}\n"
         "r> 82{0001 [t] 01}\n"
         "r< 90{0001 01}\n"
         "r.\n"
         "s@311\n"
         "s> 82{0001 [t/#] 01}\n"
         "s< 90{0001 01}\n"
         "p@311\n"
         "p> 32{[t] 0001 'm'}\n"
         "p< 40{0001}\n"
         "s< 32{[t] 0001 'm'}\n"
         "r> 10{[MQTT] 04 00 0000 [r]}\n"
         "r< 20{01 00} 32{[t] 0001 'm'}\n"},
};

TEST(subscriptions)
{
        conversation_run_all(subscribes, ARRAY_SIZE(subscribes), NULL);
}

static const struct conversation_case unsubscribes[] = {
        {"[MQTT-3.10.1-1] flags of UNSUBSCRIBE", "a@311\n"
                                                 "a> A0{0001 [t]}\n"
                                                 "a|\n"},
        {"[MQTT-3.10.3-1] a filter of UNSUBSCRIBE that is no UTF-8", "a@311\n"
                                                                     "a> A2{0001 [t] 0001FF}\n"
                                                                     "a|\n"},
        {"[MQTT-3.10.3-2] UNSUBSCRIBE without a filter", "a@311\n"
                                                         "a> A2{0001}\n"
                                                         "a|\n"},
        {"[MQTT-3.10.4-1] only the very same filter is taken away",
         "a@311\n"
         "a> 82{0001 [t/x] 00 [t/+] 00 [T/x] 00}\n"
         "a< 90{0001 00 00 00}\n"
         "a> A2{0002 [t/#]}\n"
         "a< B0{0002}\n"
         "a> A2{0003 [t/+]}\n"
         "a< B0{0003}\n"
         "a> 30{[t/x] '1'} 30{[t/y] '2'} 30{[T/x] '3'}\n"
         "a< 30{[t/x] '1'} 30{[T/x] '3'}\n"},
        {"[MQTT-3.10.4-2] no new messages afterwards", "a@311\n"
                                                       "a> 82{0001 [t] 01}\n"
                                                       "a< 90{0001 01}\n"
                                                       "a> A2{0002 [t]} 32{[t] 0003 'm'}\n"
                                                       "a< B0{0002} 40{0003}\n"},
        {"[MQTT-3.10.4-3] what is under way is completed, and sent again",
         "p@311\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{00 00}\n"
         "s> 82{0001 [t] 02}\n"
         "s< 90{0001 02}\n"
         "p> 34{[t] 0001 '2'} 32{[t] 0002 '1'}\n"
         "p< 50{0001} 40{0002}\n"
         "s< 34{[t] 0001 '2'} 32{[t] 0002 '1'}\n"
         "s> A2{0002 [t]} 50{0001}\n"
         "s< B0{0002} 62{0001}\n"
         "s> 70{0001}\n"
         "s.\n"
         "s> 10{[MQTT] 04 00 0000 [s]}\n"
         "s< 20{01 00} 3A{[t] 0002 '1'}\n"},
        {"[MQTT-3.10.4-4] UNSUBACK is the answer, with the same identifier", "a@311\n"
                                                                             "a> 82{0001 [t] 00}\n"
                                                                             "a< 90{0001 00}\n"
                                                                             "a> A2{FEDC [t]}\n"
                                                                             "a< B0{FEDC}\n"},
        {"[MQTT-3.10.4-5] also when nothing was subscribed", "a@311\n"
                                                             "a> A2{0001 [t]}\n"
                                                             "a< B0{0001}\n"},
        {"[MQTT-3.10.4-6] several filters are taken away with one answer",
         "a@311\n"
         "a> 82{0001 [x] 00 [y] 00 [z] 00}\n"
         "a< 90{0001 00 00 00}\n"
         "a> A2{0002 [x] [none] [z]}\n"
         "a< B0{0002}\n"
         "a> 30{[x]} 30{[y]} 30{[z]}\n"
         "a< 30{[y]}\n"},
};

TEST(unsubscribing)
{
        conversation_run_all(unsubscribes, ARRAY_SIZE(unsubscribes), NULL);
}

static const struct conversation_case topics[] = {
        {"[MQTT-4.7.1-1] wildcards are in filters, and not in names", "a@311\n"
                                                                      "a> 82{0001 [+/#] 00}\n"
                                                                      "a< 90{0001 00}\n"
                                                                      "a> 30{[a/+] 'm'}\n"
                                                                      "a|\n"
                                                                      "b@311\n"
                                                                      "b> 30{[#] 'm'}\n"
                                                                      "b|\n"},
        {"[MQTT-4.7.1-2] '#' that is not the last, or not a level of its own",
         "a@311\n"
         "a> 82{0001 [t/#/u] 00}\n"
         "a|\n"
         "b@311\n"
         "b> 82{0001 [t#] 00}\n"
         "b|\n"
         "c@311\n"
         "c> 82{0001 [t/#u] 00}\n"
         "c|\n"
         "d@311\n"
         "d> A2{0001 [##]}\n"
         "d|\n"},
        {"[MQTT-4.7.1-2] '#' is a level, its parent and all below",
         "a@311\n"
         "a> 82{0001 [t/#] 00}\n"
         "a< 90{0001 00}\n"
         "a> 30{[t]} 30{[t/]} 30{[t/u/v]}\n"
         "a> 30{[tu]} 30{[u/t]}\n"
         "a< 30{[t]} 30{[t/]} 30{[t/u/v]}\n"},
        {"[MQTT-4.7.1-3] '+' that is not a level of its own", "a@311\n"
                                                              "a> 82{0001 [t+] 00}\n"
                                                              "a|\n"
                                                              "b@311\n"
                                                              "b> 82{0001 [t/+u/v] 00}\n"
                                                              "b|\n"},
        {"[MQTT-4.7.1-3] '+' at the beginning, in the middle and at the end",
         "a@311\n"
         "a> 82{0001 [+/b/+/d/+] 00}\n"
         "a< 90{0001 00}\n"
         "a> 30{[a/b/c/d/e]} 30{[/b//d/]} 30{[a/b/c/d]} 30{[a/b/c/d/e/f]}\n"
         "a< 30{[a/b/c/d/e]} 30{[/b//d/]}\n"},
        {"[MQTT-4.7.2-1] wildcards at the beginning leave out what begins with $",
         "a@311\n"
         "a> 82{0001 [#] 00 [+/x] 00 [+] 00}\n"
         "a< 90{0001 00 00 00}\n"
         "a> 30{[$DEV/x]} 30{[$x]}\n"
         "a> 82{0002 [$DEV/#] 00}\n"
         "a< 90{0002 00}\n"
         "a> 30{[$DEV/x]} 30{[x]}\n"
         "a< 30{[$DEV/x]} 30{[x]}\n"},
        {"[MQTT-4.7.2-1] nor do they find what is retained there", "a@311\n"
                                                                   "a> 31{[$DEV/x] 'm'}\n"
                                                                   "a> 82{0001 [#] 00 [+/x] 00}\n"
                                                                   "a< 90{0001 00 00}\n"},
        {"[MQTT-4.7.3-1] names and filters of no character", "a@311\n"
                                                             "a> 30{[] 'm'}\n"
                                                             "a|\n"
                                                             "b@311\n"
                                                             "b> 82{0001 [] 00}\n"
                                                             "b|\n"
                                                             "c@311\n"
                                                             "c> A2{0001 []}\n"
                                                             "c|\n"
                                                             "d> 10{[MQTT] 04 06 0000 [d] [] [m]}\n"
                                                             "d|\n"},
        {"[MQTT-4.7.3-2] U+0000 in a name", "a@311\n"
                                            "a> 30{0001 00 'm'}\n"
                                            "a|\n"},
        {"[MQTT-4.7.3-2] U+0000 in a filter", "a@311\n"
                                              "a> 82{0001 0002 2300 00}\n"
                                              "a|\n"},
        {"[MQTT-4.7.3-4] letters are compared as they are",
         "a@311\n"
         "a> 82{0001 [a//b] 00 [a/b/] 00 [A] 00 [ c] 00 [\xc3\xa9] 00}\n"
         "a< 90{0001 00 00 00 00 00}\n"
         "a> 30{[a/b]} 30{[a//b]} 30{[a/b/]} 30{[a]} 30{[A]} 30{[c]} 30{[ c]}\n"
         "a> 30{[e\xcc\x81]} 30{[\xc3\xa9]}\n"
         "a< 30{[a//b]} 30{[a/b/]} 30{[A]} 30{[ c]} 30{[\xc3\xa9]}\n"},
};

TEST(names_and_filters)
{
        conversation_run_all(topics, ARRAY_SIZE(topics), NULL);
}

/* The length has two bytes, so that there are no longer ones. */
TEST(MQTT_4_7_3_3_names_and_filters_of_65535_bytes)
{
        enum { LENGTH = 65535, PACKET = 0x11000, SCRIPT = 4 * LENGTH };
        static char topic[LENGTH + 1], script[SCRIPT];
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        memset(topic, 't', LENGTH);
        snprintf(script, sizeof(script),
                 "a> 82{0001 [%s] 00}\n"
                 "a< 90{0001 00}\n"
                 "a> 30{[%s] 'm'}\n"
                 "a< 30{[%s] 'm'}\n",
                 topic, topic, topic);
        limits.packet_bytes = PACKET;
        limits.output_bytes = 4 * PACKET;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "a@311\n");
        conversation_run(&talk, script);
        conversation_check_end(&talk);
        conversation_done(&talk);
}
