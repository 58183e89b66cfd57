/* Each bound is reached: who went beyond gets the decided answer, it is counted, and two
 * clients beside go on as if nothing were. Bounds on what waits for a client are in
 * test-slow-reader.c and test-session.c; tests/broker/README.md says where each is. */
#include "base/attributes.h"
#include "mqtt/client.h"
#include "mqtt/conversation-fixture.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#define BOUND(field, most)                                                                         \
#field, offsetof(struct mqtt_limits, field), sizeof(((struct mqtt_limits *)0)->field), most

struct bound_case {
        const char *name;
        size_t offset, size;
        uint64_t most;
        enum mqtt_counter counter;
        uint64_t counted;
        const char *script; /* of others than y and z, who are connected, and one has subscribed */
};

/* The first that is beyond is told, and gets no further. */
static const struct bound_case cases[] = {
        {BOUND(clients, 3), MQTT_COUNT_REFUSED_CLIENTS, 2,
         "a@5\n"
         "b> " CONNECT_5("b") "b< 20{00 89 ()}\n"
                              "b|\n"
                              "c> " CONNECT_311("c") "c< 20{00 03}\n"
                                                     "c|"},
        {BOUND(sessions, 3), MQTT_COUNT_REFUSED_SESSIONS, 2,
         "a> 10{[MQTT] 04 00 0000 [a]}\n"
         "a< " CONNACK_311 "a.\n"
         "b> " CONNECT_5("b") "b< 20{00 89 ()}\n"
                              "b|\n"
                              "c> " CONNECT_311("c") "c< 20{00 03}\n"
                                                     "c|"},
        {BOUND(connecting, 2), MQTT_COUNT_REFUSED_CONNECTING, 1,
         "a> 10\n"
         "b> 10\n"
         "c!\n"
         "c|\n"
         "a.\n"
         "d@5\n"},
        {BOUND(connect_ms, 100), MQTT_COUNT_CONNECT_TIMEOUTS, 1,
         "a> 10\n"
         "+99\n"
         "a> 0E\n"
         "+1\n"
         "a|"},
        {BOUND(client_id_bytes, 4), MQTT_COUNT_REFUSED_CLIENT_IDS, 2,
         "a> " CONNECT_5("four") "a< " CONNACK_5 "b> " CONNECT_5(
                 "fiver") "b< 20{00 85 ()}\n"
                          "b|\n"
                          "c> " CONNECT_311("fiver") "c< 20{00 02}\n"
                                                     "c|"},
        {BOUND(subscriptions_per_session, 1), MQTT_COUNT_REFUSED_SUBSCRIPTIONS, 1,
         "a@5\n"
         "a> 82{0001 () [b] 00 [c] 00 [b] 01}\n"
         "a< 90{0001 () 00 97 01}\n"},
        {BOUND(subscriptions, 2), MQTT_COUNT_REFUSED_SUBSCRIPTIONS, 1,
         "a@311\n"
         "a> 82{0001 [b] 00 [c] 00}\n"
         "a< 90{0001 00 80}\n"},
        {BOUND(retained_messages, 1), MQTT_COUNT_REFUSED_RETAINED, 3,
         "a@5\n"
         "a> 33{[r] 0001 () 'x'} 33{[s] 0002 () 'x'} 35{[s] 0003 () 'x'}"
         "31{[s] () 'x'} 33{[r] 0004 () 'y'}\n"
         "a< 40{0001 10} 40{0002 97} 50{0003 97} 40{0004 10}\n"},
        {BOUND(retained_bytes, 64), MQTT_COUNT_REFUSED_RETAINED, 1,
         "a@5\n"
         "a> 33{[r] 0001 () 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}\n"
         "a< 40{0001 97}\n"},
        {BOUND(packet_bytes, 64), MQTT_COUNT_PACKET_TOO_LARGE, 2,
         "a> " CONNECT_5("a") "a~\n"
                              "a> 303F\n"
                              "a< E00195\n"
                              "a|\n"
                              "b> " CONNECT_311("b") "b~\n"
                                                     "b> 30FFFFFF7F\n"
                                                     "b|"},
        {BOUND(receive_maximum, 1), MQTT_COUNT_RECEIVE_MAXIMUM_EXCEEDED, 1,
         "a> " CONNECT_5("a") "a~\n"
                              "a> 34{[t] 0001 () 'x'} 34{[t] 0002 () 'x'}\n"
                              "a< 50{0001} E00193\n"
                              "a|"},
        {BOUND(aliases, 1), MQTT_COUNT_ALIAS_INVALID, 1,
         "a> " CONNECT_5("a") "a~\n"
                              "a> 30{[t] (23 0001) 'x'} 30{[t] (23 0002) 'x'}\n"
                              "a< E00194\n"
                              "a|"},
        /* Nobody is refused here: the second waits. */
        {BOUND(inflight, 1), MQTT_COUNT_DROPPED_QUEUE, 0,
         "a@5\n"
         "a> 82{0001 () [t] 01}\n"
         "a< 90{0001 () 01}\n"
         "z> 32{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
         "z< 40{0001} 40{0002}\n"
         "a< 32{[t] 0001 () '1'}\n"
         "a<\n"
         "a> 40{0001}\n"
         "a< 32{[t] 0002 () '2'}\n"},
};

static void set_bound(struct mqtt_limits *limits, const struct bound_case *bound)
{
        char *field = (char *)limits + bound->offset;

        if (bound->size == sizeof(uint16_t))
                *(uint16_t *)(void *)field = (uint16_t)bound->most;
        else if (bound->size == sizeof(uint32_t))
                *(uint32_t *)(void *)field = (uint32_t)bound->most;
        else
                *(uint64_t *)(void *)field = bound->most;
}

static void check_bound(const struct bound_case *bound)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        set_bound(&limits, bound);
        conversation_init(&talk, &limits, NULL);
        talk.name = bound->name;
        conversation_run(&talk, "y> " CONNECT_5("y") "y~\n"
                                                     "y> 82{0001 () [beside] 01}\n"
                                                     "y< 90{0001 () 01}\n"
                                                     "z> " CONNECT_5("z") "z~\n");
        conversation_run(&talk, bound->script);
        conversation_run(&talk, "z> 32{[beside] 0001 () 'x'}\n"
                                "z< 40{0001}\n"
                                "y< 32{[beside] 0001 () 'x'}\n"
                                "y> 40{0001}\n");
        conversation_check_end(&talk);
        CHECK_EQ(conversation_count(&talk, bound->counter), bound->counted);
        conversation_done(&talk);
}

TEST(who_goes_beyond_a_bound_is_told_and_counted_and_nobody_else_notices)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check_bound(&cases[i]);
}

/* What one sends in a burst is routed in turns; others come between, and nothing is lost to a
 * client that reads. */
TEST(a_burst_is_routed_in_turns_between_which_others_are_served)
{
        enum { COUNT = 200, PAYLOAD = 512 };
        static uint8_t burst[COUNT * (PAYLOAD + 16)];
        struct conversation talk;
        size_t length = 0;
        uint64_t rounds;
        char answer[8];

        for (unsigned i = 0; i < COUNT; i++) {
                static const uint8_t header[] = {0x30, 0x84, 0x04, 0, 1, 't', 0};

                memcpy(burst + length, header, sizeof(header));
                length += sizeof(header) + PAYLOAD;
        }
        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk,
                         "s> " CONNECT_5("s") "s~\n"
                                              "s> 82{0001 () [t] 00}\n"
                                              "s< 90{0001 () 00}\n"
                                              "p> " CONNECT_5("p") "p~\n"
                                                                   "q> " CONNECT_5("q") "q~\n");
        CHECK_EQ(send(talk.fds['p' - 'a'], burst, length, MSG_NOSIGNAL), length);
        CHECK_EQ(send(talk.fds['q' - 'a'], "\xc0\x00", 2, MSG_NOSIGNAL), 2);
        rounds = loop_round(talk.loop);
        loop_run_once(talk.loop, 0);
        rounds = loop_round(talk.loop) - rounds + 1;
        CHECK(conversation_count(&talk, MQTT_COUNT_RECEIVED) > 0);
        CHECK(conversation_count(&talk, MQTT_COUNT_RECEIVED) <=
              rounds * (conversation_limits.turn_bytes / PAYLOAD + 1));
        CHECK(conversation_count(&talk, MQTT_COUNT_RECEIVED) < COUNT);
        CHECK_EQ(recv(talk.fds['q' - 'a'], answer, sizeof(answer), MSG_DONTWAIT), 2);
        for (unsigned i = 0; i < COUNT; i++)
                conversation_settle(&talk);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DELIVERED), COUNT);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_SLOW), 0);
        CHECK_EQ(buffer_length(&talk.heard['s' - 'a']), length);
        conversation_done(&talk);
}

/* 1,024 bytes for each client that is idle: this, what libuv, the table of sessions and the
 * tree of filters take, and malloc()'s own. */
TEST(what_there_is_of_each_client_is_small)
{
        CHECK(sizeof(struct mqtt_client) <= 120);
        CHECK(sizeof(struct mqtt_session) <= 248);
}

static const struct {
        const char *name;
        enum mqtt_counter counter;
        uint64_t counted;
        const char *script;
} counts[] = {
        {"who was let in, again or not", MQTT_COUNT_CONNECTS, 3,
         "a@5\n"
         "b@311\n"
         "a.\n"
         "a@5\n"
         "c> 10{[MQTT] 05 03 0000 () [c]}\n"
         "c|"},
        {"wills that were published, not those that were taken back", MQTT_COUNT_WILLS, 1,
         "a> 10{[MQTT] 05 06 0000 () [a] () [w] [gone]}\n"
         "a~\n"
         "b> 10{[MQTT] 05 06 0000 () [b] () [w] [gone]}\n"
         "b~\n"
         "b> E000\n"
         "b|\n"
         "a."},
        {"clients that fell silent", MQTT_COUNT_KEEP_ALIVE_TIMEOUTS, 2,
         "a> 10{[MQTT] 05 02 0001 () [a]}\n"
         "a~\n"
         "b> 10{[MQTT] 04 02 0001 [b]}\n"
         "b~\n"
         "+1500\n"
         "a< E0018D\n"
         "a|\n"
         "b|"},
        {"what the standard does not know", MQTT_COUNT_PROTOCOL_ERRORS, 2,
         "a@5\n"
         "a> D000\n"
         "a< E00182\n"
         "a|\n"
         "b> C000\n"
         "b|"},
};

TEST(who_comes_and_why_they_go_is_counted)
{
        for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
                struct conversation talk;

                conversation_init(&talk, NULL, NULL);
                talk.name = counts[i].name;
                conversation_run(&talk, counts[i].script);
                conversation_check_end(&talk);
                CHECK_EQ(conversation_count(&talk, counts[i].counter), counts[i].counted);
                conversation_done(&talk);
        }
}

/* 5 MiB in five messages, that go again; and 20,000 filters. */
TEST(what_a_burst_took_is_given_back)
{
        enum { MESSAGES = 5, SIZE = 1024 * 1024, FILTERS = 20000, PACKET = 100 };
        static uint8_t payload[SIZE];
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;
        char topic[8];

        limits.retained_bytes = 2 * MESSAGES * SIZE;
        limits.subscriptions = limits.subscriptions_per_session = FILTERS;
        limits.packet_bytes = 64 * 1024;
        conversation_init(&talk, &limits, NULL);
        for (size_t size = SIZE;; size = 0) {
                for (unsigned i = 0; i < MESSAGES; i++) {
                        struct mqtt_publish publish = {.payload = {payload, (uint32_t)size},
                                                       .retain = true};

                        publish.topic.bytes = topic;
                        publish.topic.length =
                                (uint16_t)snprintf(topic, sizeof(topic), "kept/%u", i);
                        CHECK_EQ(mqtt_broker_publish(talk.broker, &publish), 0);
                }
                if (size == 0)
                        break;
        }
        loop_advance_ms(talk.loop, LOOP_TRIM_AFTER_MS);
        CHECK_EQ(talk.broker->trim.trims, 1);

        conversation_run(&talk, "s> " CONNECT_5("s") "s~\n");
        for (unsigned i = 0; i < FILTERS; i += PACKET) {
                char line[PACKET * 16], *end = line + sprintf(line, "s> 82{0001 ()");

                for (unsigned j = i; j < i + PACKET; j++)
                        end += sprintf(end, "[%u]00", j);
                strcpy(end, "}\ns~\n");
                conversation_run(&talk, line);
        }
        conversation_run(&talk, "s.");
        loop_advance_ms(talk.loop, LOOP_TRIM_AFTER_MS);
        CHECK_EQ(talk.broker->trim.trims, 2);
        CHECK(!talk.broker->trim.timer.armed);
        conversation_done(&talk);
}
