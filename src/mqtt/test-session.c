/* Sessions whose client is away, as bytes: what waits, what is sent again (4.1, 4.4). */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define KEPT_5(id) "10{[MQTT] 05 00 0000 (11 0000FFFF) [" id "]}\n"
#define PRESENT_5 "20{01 00 (22 0004 27 00001000 21 0008)}\n"
/* s subscribes to "t" and goes; p is there. */
#define AWAY                                                                                       \
        "p> " CONNECT_5("p") "p< " CONNACK_5 "s> " KEPT_5("s") "s< " CONNACK_5                     \
                                                               "s> 82{0001 () [t] 02}\n"           \
                                                               "s< 90{0001 () 02}\n"               \
                                                               "s.\n"

static const struct conversation_case cases[] = {
        {"[MQTT-3.1.2-4] QoS 1 and 2 wait, QoS 0 does not",
         AWAY "p> 32{[t]0001()'1'} 30{[t]()'0'} 34{[t]0002()'2'}\n"
              "p< 40{0001} 50{0002}\n"
              "s> " KEPT_5("s") "s< " PRESENT_5 "s< 32{[t]0001()'1'} 34{[t]0002()'2'}\n"},
        {"[MQTT-4.4.0-1] what was not acknowledged comes again, in order, with DUP",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "s> " KEPT_5(
                 "s") "s< " CONNACK_5 "s> 82{0001 () [t] 02}\n"
                      "s< 90{0001 () 02}\n"
                      "p> 32{[t]0001()'1'} 34{[t]0002()'2'} 34{[t]0003()'3'} 32{[t]0004()'4'}\n"
                      "p< 40{0001} 50{0002} 50{0003} 40{0004}\n"
                      "s< 32{[t]0001()'1'} 34{[t]0002()'2'} 34{[t]0003()'3'} 32{[t]0004()'4'}\n"
                      "s> 50{0002}\n"
                      "s< 62{0002}\n"
                      "s.\n"
                      "p> 32{[t]0005()'5'}\n"
                      "p< 40{0005}\n"
                      "s> " KEPT_5("s") "s< " PRESENT_5 "s< 62{0002} 3A{[t]0001()'1'} "
                                        "3C{[t]0003()'3'} 3A{[t]0004()'4'}\n"
                                        "s> 40{0001}\n"
                                        "s< 32{[t]0005()'5'}\n"
                                        "s> 70{0002}\n"},
        {"[MQTT-3.3.4-9] again, but no more than the new receive maximum",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "s> " KEPT_5(
                 "s") "s< " CONNACK_5 "s> 82{0001 () [t] 02}\n"
                      "s< 90{0001 () 02}\n"
                      "p> 32{[t]0001()'1'} 32{[t]0002()'2'} 32{[t]0003()'3'}\n"
                      "p< 40{0001} 40{0002} 40{0003}\n"
                      "s< 32{[t]0001()'1'} 32{[t]0002()'2'} 32{[t]0003()'3'}\n"
                      "s.\n"
                      "s> 10{[MQTT] 05 00 0000 (11 0000FFFF 21 0001) [s]}\n"
                      "s< " PRESENT_5 "s< 3A{[t]0001()'1'}\n"
                      "s> 40{0001}\n"
                      "s< 3A{[t]0002()'2'}\n"
                      "s> 40{0002}\n"
                      "s< 3A{[t]0003()'3'}\n"
                      "s> 40{0003}\n"},
        {"[MQTT-4.3.3-10] a QoS 2 of the client survives its connection",
         "s> " CONNECT_5("s") "s< " CONNACK_5 "s> 82{0001 () [t] 00}\n"
                              "s< 90{0001 () 00}\n"
                              "p> " KEPT_5("p") "p< " CONNACK_5 "p> 34{[t]0001()'1'}\n"
                                                "p< 50{0001}\n"
                                                "p.\n"
                                                "p> " KEPT_5("p") "p< " PRESENT_5
                                                                  "p> 3C{[t]0001()'1'}\n"
                                                                  "p< 50{0001}\n"
                                                                  "p> 62{0001}\n"
                                                                  "p< 70{0001}\n"
                                                                  "s< 30{[t]()'1'}\n"},
        {"[MQTT-3.1.4-4] a clean start forgets all of it",
         AWAY "p> 32{[t]0001()'1'}\n"
              "p< 40{0001}\n"
              "s> " CONNECT_5("s") "s< " CONNACK_5 "p> 30{[t]()'0'}\n"},
        {"a takeover goes on with what the other had not acknowledged",
         "p> " CONNECT_5("p") "p< " CONNACK_5 "s> " KEPT_5(
                 "s") "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
                      "s< 90{0001 () 01}\n"
                      "p> 32{[t]0001()'1'}\n"
                      "p< 40{0001}\n"
                      "s< 32{[t]0001()'1'}\n"
                      "r> " KEPT_5("s") "r< " PRESENT_5 "r< 3A{[t]0001()'1'}\n"
                                        "s< E0018E\n"
                                        "s|\n"
                                        "r> 40{0001}\n"},
        {"3.1.1 sessions that stay",
         "p> " CONNECT_311("p") "p< " CONNACK_311 "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                "s< " CONNACK_311 "s> 82{0001 [t] 01}\n"
                                "s< 90{0001 01}\n"
                                "s> E000\n"
                                "s|\n"
                                "p> 32{[t]0001'1'}\n"
                                "p< 40{0001}\n"
                                "s> 10{[MQTT] 04 00 0000 [s]}\n"
                                "s< 20{01 00}\n"
                                "s< 32{[t]0001'1'}\n"},
        {"a full queue of one who is away loses the oldest", AWAY
         "p> 32{[t]0001()'1'} 32{[t]0002()'2'} 32{[t]0003()'3'} 32{[t]0004()'4'}\n"
         "p> 32{[t]0005()'5'} 32{[t]0006()'6'}\n"
         "p< 40{0001} 40{0002} 40{0003} 40{0004} 40{0005} 40{0006}\n"
         "s> 10{[MQTT] 05 00 0000 () [s]}\n"
         "s< " PRESENT_5 "s< 32{[t]0001()'2'} 32{[t]0002()'3'} 32{[t]0003()'4'} 32{[t]0004()'5'}\n"
         "s> 40{0001}\n"
         "s< 32{[t]0005()'6'}\n"},
};

TEST(sessions_outlive_their_connections)
{
        conversation_run_all(cases, ARRAY_SIZE(cases), NULL);
}

TEST(a_client_that_never_acknowledges_is_sent_away_when_its_queue_is_full)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(
                &talk,
                "p> " CONNECT_5("p") "p< " CONNACK_5 "s> " KEPT_5(
                        "s") "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
                             "s< 90{0001 () 01}\n"
                             "p> 32{[t]0001()'1'}32{[t]0002()'2'}32{[t]0003()'3'}\n"
                             "p> 32{[t]0004()'4'}32{[t]0005()'5'}32{[t]0006()'6'}\n"
                             "p> 32{[t]0007()'7'}32{[t]0008()'8'}32{[t]0009()'9'}\n"
                             "s~\n"
                             "p> 32{[t]000A()'A'}\n"
                             "s< E00197\n"
                             "s|\n"
                             "s> " KEPT_5(
                                     "s") "s< " PRESENT_5
                                          "s< 3A{[t]0001()'1'}3A{[t]0002()'2'}3A{[t]0003()'3'}\n"
                                          "s< 3A{[t]0004()'4'}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_SLOW_CLIENTS), 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_QUEUE), 1);
        conversation_done(&talk);
}

/* More than one read of the stream may hold, so that it comes in pieces. */
TEST(what_a_client_says_after_its_end_was_decided_is_not_listened_to)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;
        static char pings[32 * 1024];

        for (size_t i = 0; i < sizeof(pings); i += 4)
                memcpy(pings + i, "C000", 4);
        pings[sizeof(pings) - 1] = '\0';
        pings[sizeof(pings) - 2] = ' ';
        pings[sizeof(pings) - 3] = ' ';
        pings[sizeof(pings) - 4] = ' ';
        limits.packet_bytes = 64;
        limits.queue_messages = 1;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "s> 10{[MQTT] 05 02 0000 (21 0001) [s]}\n"
                                "s~\n"
                                "s> 82{0001 () [t] 01}\n"
                                "s< 90{0001 () 01}\n"
                                "s> 32{[t]0001()'1'}32{[t]0002()'2'}32{[t]0003()'3'}\n"
                                "s< 32{[t]0001()'1'}40{0001}40{0002}40{0003}E00197\n"
                                "s|\n");
        {
                size_t length = strlen(pings) + 200;
                char *script = malloc(length);

                CHECK(script != NULL);
                snprintf(script, length,
                         "s> 10{[MQTT] 05 02 0000 (21 0001) [s]}\n"
                         "s~\n"
                         "s> 82{0001 () [t] 01}\n"
                         "s~\n"
                         "s> 32{[t]0001()'1'}32{[t]0002()'2'}32{[t]0003()'3'}%s\n"
                         "s< 32{[t]0001()'1'}40{0001}40{0002}40{0003}E00197\n"
                         "s|\n",
                         pings);
                conversation_run(&talk, script);
                free(script);
        }
        conversation_done(&talk);
}

TEST(a_queue_is_bounded_in_bytes_as_well)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.queue_bytes = 10;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, AWAY "p> 32{[t]0001()'12345'} 32{[t]0002()'6789'}\n"
                                     "p> 32{[t]0003()'longer than ten'}\n"
                                     "p~\n"
                                     "s> 10{[MQTT] 05 00 0000 () [s]}\n"
                                     "s< " PRESENT_5 "s< 32{[t]0001()'longer than ten'}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_QUEUE), 2);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

TEST(what_waits_for_all_sessions_is_bounded_too)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.queued_bytes = 4;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "r> " KEPT_5("r") "r< " CONNACK_5 "r> 82{0001 () [u] 01}\n"
                                                  "r~\n"
                                                  "r.\n");
        /* Two messages for s, then one for r, for which s loses nothing. */
        conversation_run(&talk, AWAY "p> 32{[t]0001()'1'} 32{[t]0002()'2'} 32{[t]0003()'3'}\n"
                                     "p> 32{[u]0004()'4'}\n"
                                     "p~\n"
                                     "s> " KEPT_5("s") "s< " PRESENT_5
                                                       "s< 32{[t]0001()'2'} 32{[t]0002()'3'}\n"
                                                       "r> " KEPT_5("r") "r< " PRESENT_5);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_QUEUE), 2);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

TEST(what_is_dropped_for_one_who_is_away_is_counted)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, AWAY "p> 30{[t]()'0'} 32{[t]0001(02 00000001)'1'}\n"
                                     "p~\n"
                                     "+1000\n"
                                     "s> 10{[MQTT] 05 00 0000 () [s]}\n"
                                     "s< " PRESENT_5 "s.\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_AWAY), 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_EXPIRED), 1);
        conversation_run(&talk, "r> 10{[MQTT] 05 02 0000 (11 00000001) [r]}\n"
                                "r< " CONNACK_5 "r.\n"
                                "+1001\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_SESSIONS_EXPIRED), 1);
        conversation_done(&talk);
}

/* In the order they came, before those that come when the client is back; and no longer than
 * the queue. */
TEST(qos_0_may_wait_for_who_is_away_as_well)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.queue_qos_0 = true;
        limits.queue_messages = 3;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a~\n"
                                "a> 82{0001 [t] 01}\n"
                                "a~\n"
                                "a.\n"
                                "b@5\n"
                                "b> 30{[t] () '1'} 30{[t] () '2'} 32{[t] 0001 () '3'}"
                                "30{[t] () '4'}\n"
                                "b~\n"
                                "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a< 20{01 00} 30{[t] '2'} 32{[t] 0001 '3'} 30{[t] '4'}\n"
                                "b> 30{[t] () '5'}\n"
                                "a< 30{[t] '5'}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_QUEUE), 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_AWAY), 0);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

/* The window is full, so those before it wait, and it is the one that does not fit. */
TEST(qos_0_that_does_not_fit_behind_others_is_dropped_and_sends_nobody_away)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.queue_qos_0 = true;
        limits.queue_messages = 1;
        limits.inflight = 1;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "a@311\n"
                                "a> 82{0001 [t] 01}\n"
                                "a~\n"
                                "b@5\n"
                                "b> 32{[t] 0001 () '1'} 32{[t] 0002 () '2'} 30{[t] () '3'}\n"
                                "b~\n"
                                "a< 32{[t] 0001 '1'}\n"
                                "a> 40{0001}\n"
                                "a< 32{[t] 0002 '2'}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_QUEUE), 1);
        conversation_check_end(&talk);
        conversation_done(&talk);
}
