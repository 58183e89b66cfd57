/* Clients that do not read, or not fast enough, and what is kept for them. */
#include "mqtt/conversation-fixture.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAYLOAD = 1024, FLOOD = 2000 };

/* Sends `count` messages of 1 KiB from p, one a round; who else listens does not read. */
static void flood(struct conversation *talk, unsigned count, unsigned qos)
{
        static uint8_t zeros[PAYLOAD];
        struct mqtt_publish publish = {
                .topic = {"t", 1}, .payload = {zeros, PAYLOAD}, .qos = (uint8_t)qos};

        for (unsigned i = 0; i < count; i++) {
                CHECK(mqtt_broker_publish(talk->broker, &publish) >= 0);
                loop_run_once(talk->loop, 0);
        }
}

TEST(qos_0_is_dropped_and_counted_and_the_client_stays)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "s> " CONNECT_5("s") "s< " CONNACK_5 "s> 82{0001 () [t] 00}\n"
                                                     "s< 90{0001 () 00}\n");
        flood(&talk, FLOOD, 0);
        CHECK(conversation_count(&talk, MQTT_COUNT_DROPPED_SLOW) > 0);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_SLOW) +
                         conversation_count(&talk, MQTT_COUNT_DELIVERED),
                 FLOOD);
        /* What is kept for it is bounded, and goes when it reads. */
        CHECK(net_context_budget(talk.net)->used <= 4 * conversation_limits.output_bytes);
        conversation_settle(&talk);
        conversation_settle(&talk);
        conversation_run(&talk, "s~\n"
                                "s> C000\n"
                                "s< D000\n");
        CHECK_EQ(net_context_budget(talk.net)->used, 0);
        conversation_done(&talk);
}

TEST(qos_0_is_dropped_when_memory_is_tight_and_nobody_is_closed)
{
        struct conversation talk;
        struct net_budget *budget;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "s> " CONNECT_5("s") "s< " CONNACK_5 "s> 82{0001 () [t] 00}\n"
                                                     "s< 90{0001 () 00}\n");
        budget = net_context_budget(talk.net);
        CHECK_EQ(net_budget_take(budget, budget->limit - 16 * 1024), 0);
        conversation_run(&talk, "s> 30{[t] () 'm'}\n"
                                "s> C000\n"
                                "s< D000\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_MEMORY), 1);
        net_budget_give(budget, budget->limit - 16 * 1024);
        conversation_done(&talk);
}

TEST(qos_1_waits_and_then_the_client_is_sent_away_with_a_reason)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.inflight = 60000;
        limits.queue_messages = 100;
        limits.queue_bytes = 1024 * 1024;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "s> 10{[MQTT] 05 00 0000 (11 0000FFFF) [s]}\n"
                                "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
                                "s< 90{0001 () 01}\n");
        flood(&talk, FLOOD, 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_SLOW_CLIENTS), 1);
        CHECK(conversation_count(&talk, MQTT_COUNT_DROPPED_QUEUE) > 0);
        conversation_settle(&talk);
        conversation_settle(&talk);
        /* The last it hears is DISCONNECT with 0x97. */
        {
                const struct buffer *heard = &talk.heard['s' - 'a'];
                const char *end = buffer_data(heard) + buffer_length(heard);

                CHECK(memcmp(end - 3, "\xe0\x01\x97", 3) == 0);
        }
        conversation_run(&talk, "s~\n"
                                "s|\n");
        conversation_done(&talk);
}

TEST(a_client_that_reads_again_is_sent_what_waited_in_order)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;
        unsigned heard = 0;

        limits.inflight = 60000;
        limits.queue_messages = FLOOD;
        limits.queue_bytes = limits.queued_bytes = (size_t)FLOOD * 2 * PAYLOAD;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "s> " CONNECT_5("s") "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
                                                     "s< 90{0001 () 01}\n");
        flood(&talk, FLOOD, 1);
        for (unsigned i = 0; i < 100; i++)
                conversation_settle(&talk);
        {
                const struct buffer *all = &talk.heard['s' - 'a'];
                const uint8_t *at = (const uint8_t *)buffer_data(all);
                size_t left = buffer_length(all);
                struct mqtt_frame frame;

                while (mqtt_frame_next(at, left, SIZE_MAX, &frame) == MQTT_FRAME_FOUND) {
                        struct mqtt_publish publish;

                        CHECK_EQ(mqtt_decode_publish(&frame, MQTT_VERSION_5, &publish), 0);
                        CHECK_EQ(publish.packet_id, ++heard);
                        at += frame.length;
                        left -= frame.length;
                }
        }
        CHECK_EQ(heard, FLOOD);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_QUEUE), 0);
        conversation_done(&talk);
}

/* Asks for answers and never reads them: what it says is not listened to any more. */
TEST(a_client_that_never_reads_its_answers_is_paused_and_then_sent_away)
{
        enum { PINGS = 32 * 1024 };
        static uint8_t pings[2 * PINGS];
        struct conversation talk;
        size_t sent = 0;

        for (size_t i = 0; i < sizeof(pings); i += 2)
                pings[i] = 0xc0;
        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "s> " CONNECT_5("s") "s< " CONNACK_5);
        for (unsigned i = 0; i < 200; i++) {
                ssize_t n = send(talk.fds['s' - 'a'], pings, sizeof(pings),
                                 MSG_DONTWAIT | MSG_NOSIGNAL);

                sent += n > 0 ? (size_t)n : 0;
                loop_run_once(talk.loop, 0);
        }
        CHECK(sent < 100 * sizeof(pings));
        CHECK(net_context_budget(talk.net)->used <= 8 * conversation_limits.output_bytes);
        loop_advance_ms(talk.loop, 59999);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_SLOW_CLIENTS), 0);
        loop_advance_ms(talk.loop, 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_SLOW_CLIENTS), 1);
        conversation_done(&talk);
}

/* Whatever allocation fails, clients are answered or closed, and nothing is left behind. */
TEST(a_lack_of_memory_is_an_answer_or_an_end_and_leaks_nothing)
{
        static const char *const said[] = {
                "10{[MQTT] 05 06 0000 (11 0000000A 22 0002) [a] (18 00000003) [w] [gone]}",
                "82{0001 (0B 01) [t/#] 02 [t/+] 01 [$share/g/t/x] 02}",
                "35{[t/x] 0001 (23 0001 26[k][v]) 'm'}",
                "35{[] 0002 (23 0001) 'm'}",
                "A2{0003 () [t/#]}",
                "82{0004 () [#] 01}",
                "50{0001} 62{0001} 62{0002}",
        };
        enum { SAID = sizeof(said) / sizeof(said[0]) };
        uint8_t *bytes[SAID];
        size_t counts[SAID], n = 0;
        bool failed;

        for (size_t i = 0; i < SAID; i++)
                bytes[i] = conversation_bytes(said[i], &counts[i]);
        do {
                struct conversation talk;

                conversation_init(&talk, NULL, NULL);
                conversation_run(&talk, "b> " CONNECT_5("b") "b< " CONNACK_5);
                allocation_fail_at(++n);
                conversation_dial(&talk, 0);
                for (size_t i = 0; i < SAID; i++) {
                        (void)!send(talk.fds[0], bytes[i], counts[i], MSG_NOSIGNAL);
                        loop_run_once(talk.loop, 0);
                        loop_run_once(talk.loop, 0);
                }
                failed = allocation_end();
                conversation_settle(&talk);
                conversation_run(&talk, "a~\n"
                                        "b> C000\n"
                                        "b< D000\n"
                                        "a.\n"
                                        "+20000\n");
                conversation_done(&talk);
        } while (failed);
        for (size_t i = 0; i < SAID; i++)
                free(bytes[i]);
        CHECK(n > 20);
}
