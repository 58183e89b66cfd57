/* SUBSCRIBE, UNSUBSCRIBE, their options, and retained messages, as bytes. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define TWO "p> " CONNECT_5("p") "p< " CONNACK_5 "s> " CONNECT_5("s") "s< " CONNACK_5

static const struct conversation_case cases[] = {
        {"[MQTT-3.8.4-6] a reason for each filter",
         TWO "s> 82{0001 () [a] 00 [b/+] 01 [#] 02 [b/#/c] 00 [$share/g] 00}\n"
             "s< 90{0001 () 00 01 02 8F 8F}\n"},
        {"of 3.1.1 [MQTT-3.9.3-2]: 0x80 for all that fail",
         "s> " CONNECT_311("s") "s< " CONNACK_311 "s> 82{0001 [a] 01 [$share/g] 00}\n"
                                "s< 90{0001 01 80}\n"},
        {"[MQTT-3.8.3-2] at least one filter", TWO "s> 82{0001 ()}\n"
                                                   "s< E00182\n"
                                                   "s|"},
        {"[MQTT-3.8.3-4] no local on a shared one", TWO "s> 82{0001 () [$share/g/t] 04}\n"
                                                        "s< E00182\n"
                                                        "s|"},
        {"[MQTT-3.8.3-5] reserved bits", TWO "s> 82{0001 () [t] 40}\n"
                                             "s< E00181\n"
                                             "s|"},
        {"[MQTT-3.8.1-1] flags", TWO "s> 80{0001 () [t] 00}\n"
                                     "s< E00181\n"
                                     "s|"},
        {"[MQTT-3.10.4-1], [MQTT-3.11.3-1] UNSUBSCRIBE", TWO "s> 82{0001 () [a] 00}\n"
                                                             "s< 90{0001 () 00}\n"
                                                             "s> A2{0002 () [a] [b] [#/b]}\n"
                                                             "s< B0{0002 () 00 11 8F}\n"
                                                             "p> 30{[a] () 'm'}\n"},
        {"of 3.1.1: no reasons", "s> " CONNECT_311("s") "s< " CONNACK_311 "s> A2{0002 [a] [b]}\n"
                                                        "s< B0{0002}\n"},
        {"[MQTT-3.8.3-3] no local", TWO "s> 82{0001 () [t] 04}\n"
                                        "s< 90{0001 () 00}\n"
                                        "s> 30{[t] () 'own'}\n"
                                        "p> 30{[t] () 'other'}\n"
                                        "s< 30{[t] () 'other'}\n"},
        {"[MQTT-3.3.1-12], [MQTT-3.3.1-13] retain as published",
         TWO "s> 82{0001 () [a] 08 [b] 00}\n"
             "s< 90{0001 () 00 00}\n"
             "p> 31{[a] () 'm'} 31{[b] () 'm'}\n"
             "s< 31{[a] () 'm'} 30{[b] () 'm'}\n"},
        {"[MQTT-3.8.4-3] again: new options, and retained messages again",
         TWO "p> 31{[t] () 'm'}\n"
             "s> 82{0001 () [t] 00}\n"
             "s< 90{0001 () 00} 31{[t] () 'm'}\n"
             "s> 82{0002 () [t] 01}\n"
             "s< 90{0002 () 01} 31{[t] () 'm'}\n"
             "p> 32{[t] 0001 () 'n'}\n"
             "p< 40{0001}\n"
             "s< 32{[t] 0001 () 'n'}\n"},
        {"[MQTT-3.3.1-10] retain handling 1: if it is new", TWO "p> 31{[t] () 'm'}\n"
                                                                "s> 82{0001 () [t] 10}\n"
                                                                "s< 90{0001 () 00} 31{[t] () 'm'}\n"
                                                                "s> 82{0002 () [t] 10}\n"
                                                                "s< 90{0002 () 00}\n"},
        {"[MQTT-3.3.1-11] retain handling 2: none", TWO "p> 31{[t] () 'm'}\n"
                                                        "s> 82{0001 () [t] 20}\n"
                                                        "s< 90{0001 () 00}\n"},
        {"[MQTT-3.3.1-5] to [MQTT-3.3.1-7] the last one, until an empty one",
         TWO "p> 31{[t] () '1'} 31{[t] () '2'} 31{[u] () '3'} 31{[u] ()}\n"
             "s> 82{0001 () [#] 00}\n"
             "s< 90{0001 () 00} 31{[t] () '2'}\n"},
        {"[MQTT-3.3.1-8] live messages are not retained ones", TWO "s> 82{0001 () [t] 00}\n"
                                                                   "s< 90{0001 () 00}\n"
                                                                   "p> 31{[t] () '1'}\n"
                                                                   "s< 30{[t] () '1'}\n"},
        {"retained ones with the lower QoS, and the subscription's identifier",
         TWO "p> 33{[t] 0001 () '1'}\n"
             "p< 40{0001 10}\n"
             "s> 82{0001 (0B 05) [t] 02}\n"
             "s< 90{0001 () 02} 33{[t] 0001 (0B 05) '1'}\n"},
        {"retained ones as the window allows",
         TWO "p> 33{[t/1]0001()'1'} 33{[t/2]0002()'2'} 33{[t/3]0003()'3'}\n"
             "p~\n"
             "r> 10{[MQTT] 05 02 0000 (21 0001) [r]}\n"
             "r< " CONNACK_5 "r> 82{0001 () [t/3] 01 [t/1] 01 [t/2] 01}\n"
             "r< 90{0001 () 01 01 01} 33{[t/3] 0001 () '3'}\n"
             "r> 40{0001}\n"
             "r< 33{[t/1] 0002 () '1'}\n"
             "r> A2{0002 () [t/2]}\n"
             "r< B0{0002 () 00}\n"
             "r> 40{0002}\n"},
        {"retained ones expire", TWO "p> 31{[t] (02 00000005) '1'}\n"
                                     "+4000\n"
                                     "s> 82{0001 () [t] 00}\n"
                                     "s< 90{0001 () 00} 31{[t] (02 00000001) '1'}\n"
                                     "+1000\n"
                                     "s> 82{0001 () [t] 00}\n"
                                     "s< 90{0001 () 00}\n"},
        {"[MQTT-4.7.2-1] wildcards leave out what begins with $",
         TWO "s> 82{0001 () [#] 00 [+/x] 00}\n"
             "s< 90{0001 () 00 00}\n"
             "p> 30{[$x/x] () 'm'}\n"},
        {"[MQTT-3.3.4-2] to [MQTT-3.3.4-5] overlapping filters: one message, all identifiers",
         TWO "s> 82{0001 (0B 01) [t/#] 00}\n"
             "s> 82{0002 (0B 02) [t/+] 02}\n"
             "s> 82{0003 () [t/x] 01}\n"
             "s< 90{0001 () 00} 90{0002 () 02} 90{0003 () 01}\n"
             "p> 30{[t/y] () 'm'}\n"
             "s< 30{[t/y] (0B 01 0B 02) 'm'}\n"
             "p> 34{[t/x] 0001 () 'm'}\n"
             "p< 50{0001}\n"
             "s< 34{[t/x] 0001 (0B 01 0B 02) 'm'}\n"},
        {"[MQTT-4.8.2-4] of a shared group one gets it, no retained ones",
         TWO "q> " CONNECT_5("q") "q< " CONNACK_5 "p> 31{[t] () 'old'}\n"
                                  "s> 82{0001 () [$share/g/t] 00}\n"
                                  "s< 90{0001 () 00}\n"
                                  "q> 82{0001 () [$share/g/t] 00}\n"
                                  "q< 90{0001 () 00}\n"
                                  "q> E000\n"
                                  "q|\n"
                                  "p> 30{[t] () '1'} 30{[t] () '2'}\n"
                                  "s< 30{[t] () '1'} 30{[t] () '2'}\n"},
};

TEST(subscriptions_are_as_the_standard_says)
{
        conversation_run_all(cases, ARRAY_SIZE(cases), NULL);
}

TEST(too_many_subscriptions_are_refused_one_by_one)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.subscriptions_per_session = 2;
        limits.subscriptions = 3;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, TWO "s> 82{0001 () [1] 00 [2] 00 [3] 00 [2] 01}\n"
                                    "s< 90{0001 () 00 00 97 01}\n"
                                    "p> 82{0001 () [1] 00 [2] 00}\n"
                                    "p< 90{0001 () 00 97}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_SUBSCRIPTIONS), 2);
        conversation_done(&talk);
}

TEST(more_than_may_be_retained_is_refused)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.retained_messages = 1;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, TWO "p> 33{[a]0001()'1'} 33{[b]0002()'2'} 35{[b]0003()'2'}\n"
                                    "p> 31{[b]()'2'} 33{[a]0004()'3'}\n"
                                    "p< 40{0001 10} 40{0002 97} 50{0003 97} 40{0004 10}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_RETAINED), 3);
        conversation_done(&talk);
}

/* Retained messages, more than a slice and a round can take. */
static void retain_many(struct conversation *talk, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                char name[16];
                struct mqtt_publish publish = {.retain = true,
                                               .payload = {(const uint8_t *)"0123456789", 10}};

                publish.topic.bytes = name;
                publish.topic.length = (uint16_t)snprintf(name, sizeof(name), "m/%05u", i);
                CHECK_EQ(mqtt_broker_publish(talk->broker, &publish), 0);
        }
}

TEST(many_retained_messages_come_in_slices_between_which_others_are_served)
{
        enum { COUNT = 5000, BYTES = COUNT * (2 + 2 + 7 + 1 + 10) };
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;
        size_t heard = 0;

        limits.retained_messages = COUNT;
        limits.retained_bytes = 1024 * 1024;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, TWO);
        retain_many(&talk, COUNT);
        conversation_run(&talk, "s> 82{0001 () [#] 00}\n"
                                "s< 90{0001 () 00}\n");
        /* The rounds of one step are not enough for it. */
        CHECK(buffer_length(&talk.heard['s' - 'a']) < BYTES);
        conversation_run(&talk, "p> C000\n"
                                "p< D000\n");
        for (unsigned i = 0; i < 1000 && heard < BYTES; i++) {
                conversation_settle(&talk);
                heard += buffer_length(&talk.heard['s' - 'a']);
                conversation_run(&talk, "s~\n");
        }
        CHECK_EQ(heard, BYTES);
        conversation_done(&talk);
}

TEST(a_session_that_ends_in_the_middle_of_retained_messages_is_no_harm)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.retained_messages = 5000;
        limits.retained_bytes = 1024 * 1024;
        conversation_init(&talk, &limits, NULL);
        retain_many(&talk, 5000);
        conversation_run(&talk, TWO "s> 82{0001 () [#] 00}\n"
                                    "s> 82{0002 () [m/#] 00}\n"
                                    "s> A2{0003 () [#]}\n"
                                    "s.\n"
                                    "p> C000\n"
                                    "p< D000\n");
        conversation_settle(&talk);
        conversation_done(&talk);
}
