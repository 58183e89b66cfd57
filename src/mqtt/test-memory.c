/* All that a broker holds together has a ceiling: driven to it by each kind of what there is, it
 * answers as decided, and comes back when that goes. */
#include "mqtt/memory.h"

#include "mqtt/client.h"
#include "mqtt/clients.h"
#include "mqtt/conversation-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CEILING = 64 * 1024, TIGHT = CEILING - CEILING / 8, MOST = 1000 };

/* The only bound. z is connected, and listens to nothing. */
static size_t begin_below(struct conversation *talk, size_t ceiling)
{
        struct mqtt_limits limits = mqtt_limits_default;
        struct mqtt_broker_figures figures;

        limits.memory_bytes = ceiling;
        limits.sys_interval_s = 0;
        conversation_init(talk, &limits, NULL);
        conversation_run(talk, "z> " CONNECT_5("z") "z~\n");
        mqtt_broker_figures(talk->broker, &figures);
        CHECK(figures.memory_bytes > 0 && figures.memory_bytes < CEILING / 16);
        return figures.memory_bytes;
}

static size_t begin(struct conversation *talk)
{
        return begin_below(talk, CEILING);
}

static size_t used(struct conversation *talk)
{
        return mqtt_memory_used(talk->broker);
}

static struct mqtt_publish publish_of(const char *topic, size_t size)
{
        static const uint8_t bytes[CEILING];

        return (struct mqtt_publish){.topic = {topic, (uint16_t)strlen(topic)},
                                     .qos = 1,
                                     .payload = {bytes, (uint32_t)size}};
}

TEST(sessions_are_refused_and_one_that_goes_lets_another_in)
{
        struct conversation talk;
        size_t before = begin(&talk);
        char line[128];
        unsigned i;

        for (i = 0; i < MOST && conversation_count(&talk, MQTT_COUNT_REFUSED_SESSIONS) == 0; i++) {
                snprintf(line, sizeof(line), "a> 10{[MQTT] 04 00 0000 [%04u]}\na~\na.\n", i);
                conversation_run(&talk, line);
        }
        CHECK(i > 100 && i < MOST);
        CHECK(used(&talk) <= TIGHT);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [more]}\n"
                                "a< 20{00 03}\n"
                                "a|\n"
                                "a> " CONNECT_5("more") "a< 20{00 97 ()}\n"
                                                        "a|\n"
                                                        /* Who has one comes back to it. */
                                                        "a> 10{[MQTT] 04 00 0000 [0000]}\n"
                                                        "a< 20{01 00}\n"
                                                        "a.\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_SESSIONS), 3);
        while (i-- > 0) {
                snprintf(line, sizeof(line), "a> 10{[MQTT] 04 02 0000 [%04u]}\na~\na.\n", i);
                conversation_run(&talk, line);
        }
        CHECK_EQ(used(&talk), before);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [more]}\n"
                                "a< 20{00 00}\n");
        conversation_done(&talk);
}

TEST(filters_are_refused)
{
        struct conversation talk;
        size_t before = begin(&talk);
        char line[128];

        conversation_run(&talk, "a> " CONNECT_5("a") "a~\n");
        for (unsigned i = 0; i < MOST && used(&talk) <= TIGHT; i++) {
                snprintf(line, sizeof(line), "a> 82{0001 () [%04u] 00}\na< 90{0001 () 00}\n", i);
                conversation_run(&talk, line);
        }
        conversation_run(&talk, "a> 82{0001 () [more] 00}\n"
                                "a< 90{0001 () 97}\n"
                                "z> 82{0001 () [more] 00}\n"
                                "z< 90{0001 () 97}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_SUBSCRIPTIONS), 2);
        conversation_run(&talk, "a.\n");
        CHECK_EQ(used(&talk), before);
        conversation_run(&talk, "z> 82{0001 () [more] 00}\n"
                                "z< 90{0001 () 00}\n");
        conversation_done(&talk);
}

TEST(retained_messages_are_refused_but_those_that_take_no_more)
{
        struct conversation talk;
        struct mqtt_publish publish = publish_of("", 1000);
        struct mqtt_broker_figures figures;
        size_t before = begin(&talk);
        char topic[16];
        unsigned i = 0;
        int r;

        publish.retain = true;
        do {
                publish.topic.bytes = topic;
                publish.topic.length = (uint16_t)snprintf(topic, sizeof(topic), "kept/%02u", i++);
                r = mqtt_broker_publish(talk.broker, &publish);
                CHECK(used(&talk) <= CEILING);
        } while (r == 0 && i < MOST);
        CHECK_EQ(r, -ENOSPC);
        CHECK(i > 20 && i < MOST);
        publish.payload.length = 1;
        do {
                publish.topic.length = (uint16_t)snprintf(topic, sizeof(topic), "kept/%02u", i++);
                r = mqtt_broker_publish(talk.broker, &publish);
        } while (r == 0 && i < MOST);
        CHECK_EQ(r, -ENOSPC);
        conversation_run(&talk, "z> 33{[x] 0001 () 'y'}\n"
                                "z< 40{0001 97}\n"
                                /* What is there may change, */
                                "z> 33{[kept/01] 0002 () 'y'}\n"
                                "z< 40{0002 10}\n"
                                /* and what is not retained passes. */
                                "z> 32{[x] 0003 () 'y'}\n"
                                "z< 40{0003 10}\n");
        mqtt_broker_figures(talk.broker, &figures);
        CHECK(figures.memory_most >= figures.memory_bytes && figures.memory_most <= CEILING);
        publish.payload.length = 0;
        while (i-- > 0) {
                publish.topic.length = (uint16_t)snprintf(topic, sizeof(topic), "kept/%02u", i);
                CHECK_EQ(mqtt_broker_publish(talk.broker, &publish), 0);
        }
        CHECK_EQ(used(&talk), before);
        mqtt_broker_figures(talk.broker, &figures);
        CHECK(figures.memory_most > TIGHT - 2000);
        conversation_run(&talk, "z> 33{[x] 0001 () 'y'}\n"
                                "z< 40{0001 10}\n");
        conversation_done(&talk);
}

/* The oldest of those who are away go for what is new, of everybody. */
TEST(what_waits_for_those_who_are_away_makes_room)
{
        struct mqtt_publish first = publish_of("a", 1000), second = publish_of("b", 1000);
        struct conversation talk;
        size_t before = begin(&talk);

        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a~\n"
                                "a> 82{0001 [a] 01}\n"
                                "a~\n"
                                "a.\n"
                                "b> 10{[MQTT] 04 00 0000 [b]}\n"
                                "b~\n"
                                "b> 82{0001 [b] 01}\n"
                                "b~\n"
                                "b.\n");
        for (unsigned i = 0; i < 200; i++) {
                CHECK_EQ(mqtt_broker_publish(talk.broker, i < 100 ? &first : &second), 1);
                CHECK(used(&talk) <= CEILING);
        }
        CHECK(conversation_count(&talk, MQTT_COUNT_DROPPED_MEMORY) > 100);
        CHECK(talk.broker->queued.messages > 20);
        CHECK_EQ(mqtt_broker_forget(talk.broker, (struct mqtt_text){"a", 1}), 0);
        CHECK_EQ(mqtt_broker_forget(talk.broker, (struct mqtt_text){"b", 1}), 0);
        CHECK_EQ(used(&talk), before);
        conversation_done(&talk);
}

/* It is on its way out already when its will is published. */
TEST(the_will_of_a_session_that_ends_finds_room_like_any_message)
{
        static const struct mqtt_text w = {"w", 1};
        struct mqtt_publish publish = publish_of("b", 1000);
        struct conversation talk;
        char line[16 * 1024];

        begin(&talk);
        snprintf(line, sizeof(line),
                 "w> 10{[MQTT] 05 06 0000 (11 00000064) [w] (18 00000064) [w] [%010000d]}\n"
                 "w~\n"
                 "w.\n"
                 "b> 10{[MQTT] 04 00 0000 [b]}\n"
                 "b~\n"
                 "b> 82{0001 [b] 01}\n"
                 "b~\n"
                 "b.\n"
                 "z> 82{0001 () [w] 00}\n"
                 "z~\n",
                 0);
        conversation_run(&talk, line);
        while (used(&talk) + 10000 <= CEILING)
                CHECK_EQ(mqtt_broker_publish(talk.broker, &publish), 1);
        talk.broker->next_shed = mqtt_session_find(talk.broker, w);
        CHECK_EQ(mqtt_broker_forget(talk.broker, w), 0);
        snprintf(line, sizeof(line), "+0\nz< 30{[w] () '%010000d'}\n", 0);
        conversation_run(&talk, line);
        conversation_done(&talk);
}

/* All that is there is under way to a client that does not acknowledge: nothing more is taken,
 * which 3.1.1 cannot be told but by the end of its connection. */
TEST(messages_are_refused_while_others_are_under_way)
{
        struct mqtt_publish publish = publish_of("a", 1000);
        struct conversation talk;
        char line[64];
        unsigned i = 0;

        (void)begin(&talk);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a~\n"
                                "a> 82{0001 [a] 01}\n"
                                "a~\n");
        while (i < MOST && mqtt_broker_publish(talk.broker, &publish) == 1) {
                conversation_run(&talk, "+0\na~\n");
                CHECK(used(&talk) <= CEILING);
                i++;
        }
        CHECK(i > 20 && i < MOST);
        publish.payload.length = 64;
        while (i < MOST && mqtt_broker_publish(talk.broker, &publish) == 1) {
                conversation_run(&talk, "+0\na~\n");
                i++;
        }
        conversation_run(&talk, "z> 32{[a] 0001 () '1234567890123456789012345678901234567890123456"
                                "789012345678901234567890'}\n"
                                "z< 40{0001 97}\n");
        snprintf(line, sizeof(line), "a> 40{%04x}\na~\n", 1);
        conversation_run(&talk, line);
        conversation_run(&talk, "z> 32{[a] 0001 () '1234567890123456789012345678901234567890123456"
                                "789012345678901234567890'}\n"
                                "z< 40{0001}\n"
                                "a~\n");
        CHECK_EQ(mqtt_broker_forget(talk.broker, (struct mqtt_text){"a", 1}), 0);
        conversation_run(&talk, "+0\n"
                                "a|\n");
        CHECK(mqtt_memory_shortage(talk.broker) == MQTT_MEMORY_PLENTY);
        conversation_done(&talk);
}

/* What a slow reader has not read counts too: it loses QoS 0 before others are refused. */
TEST(what_is_not_read_is_bounded_and_costs_its_reader_qos_0)
{
        struct mqtt_publish publish = publish_of("a", 4000);
        struct conversation talk;

        (void)begin_below(&talk, 16 * CEILING);
        publish.qos = 0;
        conversation_run(&talk, "a> 10{[MQTT] 04 02 0000 [a]}\n"
                                "a~\n"
                                "a> 82{0001 [a] 00}\n"
                                "a~\n");
        /* All in one round: nothing of it is written before its end. */
        for (unsigned i = 0; i < 1000; i++)
                CHECK_EQ(mqtt_broker_publish(talk.broker, &publish), 1);
        CHECK(used(&talk) <= 16 * CEILING);
        CHECK(conversation_count(&talk, MQTT_COUNT_DROPPED_MEMORY) > 500);
        CHECK(conversation_count(&talk, MQTT_COUNT_DELIVERED) > 50);
        conversation_run(&talk, "+0\n"
                                "a~\n"
                                "z> C000\n"
                                "z< D000\n"
                                "a~\n");
        CHECK(mqtt_memory_shortage(talk.broker) == MQTT_MEMORY_PLENTY);
        conversation_done(&talk);
}

/* By a client: its will, its user's name, the names its topic aliases stand for. */
TEST(what_clients_leave_counts_until_they_go)
{
        struct conversation talk;
        size_t before = begin(&talk), with_client;

        conversation_run(&talk, "a> " CONNECT_5("a") "a~\n");
        with_client = used(&talk);
        conversation_run(&talk,
                         "b> 10{[MQTT] 05 86 0000 (22 0005) [b] () [will] [payload] [user]}\n"
                         "b~\n");
        CHECK(used(&talk) - with_client >= with_client - before + 4 + 7 + 4);
        with_client = used(&talk);
        conversation_run(&talk, "b> 30{[topic] (23 0001) 'x'} 30{[longer topic] (23 0001) 'x'}\n");
        CHECK_EQ(used(&talk) - with_client, 12);
        conversation_run(&talk, "b> 82{0001 () [t] 00} 30{[t] () 'x'}\n"
                                "b~\n");
        CHECK(used(&talk) - with_client >= 12 + 1);
        /* Places for what is under way, in both directions. */
        with_client = used(&talk);
        conversation_run(&talk, "b> 34{[x] 0001 () ''}\n"
                                "b~\n");
        CHECK(used(&talk) - with_client >= sizeof(uint16_t));
        with_client = used(&talk);
        conversation_run(&talk, "b> 82{0002 () [x] 01} 32{[x] 0003 () ''}\n"
                                "b~\n");
        CHECK(used(&talk) - with_client >= sizeof(struct mqtt_delivery));
        conversation_run(&talk, "a.\n"
                                "b.\n");
        CHECK_EQ(used(&talk), before);
        conversation_done(&talk);
}

TEST(no_bound_is_none)
{
        struct mqtt_publish publish = publish_of("a", CEILING);
        struct mqtt_limits limits = mqtt_limits_default;
        struct conversation talk;

        limits.memory_bytes = 0;
        conversation_init(&talk, &limits, NULL);
        CHECK_EQ(mqtt_memory_shortage(talk.broker), MQTT_MEMORY_PLENTY);
        CHECK(mqtt_memory_make_room(talk.broker, SIZE_MAX));
        publish.retain = true;
        CHECK_EQ(mqtt_broker_publish(talk.broker, &publish), 0);
        conversation_done(&talk);
}

/* A form that ten receivers made worth having counts as well. */
TEST(a_message_counts_once_with_all_its_forms)
{
        struct mqtt_source source = {.version = MQTT_VERSION_5};
        struct mqtt_publish publish = publish_of("topic", 100);
        struct mqtt_copy copy = {.version = MQTT_VERSION_311};
        struct mqtt_ledger ledger = {0};
        struct mqtt_message *message;
        uint8_t bytes[256];
        size_t alone;

        CHECK_EQ(mqtt_message_new(&publish, &source, &message), 0);
        mqtt_message_charge(message, &ledger);
        alone = ledger.bytes;
        CHECK(alone >= sizeof(*message) + 105);
        mqtt_message_ref(message);
        for (unsigned i = 0; i < 20; i++)
                mqtt_message_put(message, &copy, bytes);
        CHECK(ledger.bytes >= alone + 105);
        mqtt_message_unref(message);
        CHECK(ledger.bytes >= alone + 105);
        mqtt_message_unref(message);
        CHECK_EQ(ledger.bytes, 0);
}

static uint32_t random_below(uint32_t *state, uint32_t most)
{
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return *state % most;
}

/* One thing that a client does, as bytes of a script; ".": it goes away. */
static void do_something(char line[256], char client, bool is_there, uint32_t *state)
{
        static const char *const topics[] = {"a", "b", "a/b", "c/d/e", "$x"};
        static const char *const filters[] = {"#", "+/b", "a", "$share/g/#", "c/+/e", "b"};
        static const char content[] =
                "1234567890123456789012345678901234567890123456789012345678901";
        const char *topic = topics[random_below(state, 5)];
        unsigned qos = random_below(state, 3), retain = random_below(state, 4) == 0;
        unsigned size = random_below(state, 4) == 0 ? 0 : random_below(state, 60);
        uint32_t what = is_there ? random_below(state, 12) : 0;

        if (what == 0 && !is_there)
                sprintf(line, "10{[MQTT] 04 %02x 0000 [%c] [%s] [will] [user]}",
                        0x84U | random_below(state, 2) << 1 | (retain ? 0x20U : 0), client, topic);
        else if (what == 0)
                sprintf(line, ".");
        else if (what <= 2)
                sprintf(line, "82{0001 [%s] %02u}", filters[random_below(state, 6)], qos);
        else if (what == 3)
                sprintf(line, "A2{0001 [%s]}", filters[random_below(state, 6)]);
        else if (what <= 5)
                sprintf(line, "%u0{%04x}", 4 + random_below(state, 2), 1 + random_below(state, 20));
        else if (qos == 0)
                sprintf(line, "3%u{[%s] '%.*s'}", retain, topic, (int)size, content);
        else
                sprintf(line, "3%u{[%s] %04x '%.*s'}", qos << 1 | retain, topic,
                        1 + random_below(state, 8), (int)size, content);
}

static bool is_closed(const struct conversation *talk, size_t client)
{
        char byte;

        return talk->fds[client] < 0 ||
               recv(talk->fds[client], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* Whoever was turned away meanwhile is not heard. */
static void say(struct conversation *talk, size_t client, const char *text)
{
        size_t count;
        uint8_t *bytes = conversation_bytes(text, &count);

        if (talk->fds[client] < 0)
                conversation_dial(talk, client);
        (void)!send(talk->fds[client], bytes, count, MSG_NOSIGNAL);
        free(bytes);
        conversation_settle(talk);
}

static void hang_up(struct conversation *talk, size_t client)
{
        if (talk->fds[client] >= 0)
                close(talk->fds[client]);
        talk->fds[client] = -1;
        conversation_settle(talk);
}

static void take_all_away(struct conversation *talk)
{
        static const char *const topics[] = {"a",   "b",   "a/b",   "c/d/e",   "$x",
                                             "m/a", "m/b", "m/a/b", "m/c/d/e", "m/$x"};
        char id;

        conversation_run(talk, "+0\n");
        for (id = 'a'; id <= 'f'; id++)
                (void)mqtt_broker_forget(talk->broker, (struct mqtt_text){&id, 1});
        conversation_run(talk, "+0\n");
        for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
                struct mqtt_publish clear = publish_of(topics[i], 0);

                clear.retain = true;
                CHECK(mqtt_broker_publish(talk->broker, &clear) >= 0);
        }
        for (size_t client = 0; client < 6; client++)
                hang_up(talk, client);
        conversation_run(talk, "+100000\n");
}

/* Six clients do what comes, half of them below a mount point and held to rates, near the ceiling;
 * when all is taken away again, as much is there as at the beginning. */
TEST(whatever_clients_do_what_is_counted_is_what_is_there)
{
        const struct mqtt_terms *terms = NULL;
        struct mqtt_terms wanted;
        struct conversation talk;
        uint64_t refused = 0, held = 0;
        uint32_t state = 20261121;
        char line[256];

        mqtt_terms_init(&wanted, &mqtt_limits_default);
        wanted.mount = (struct mqtt_text){"m/", 2};
        wanted.client_messages = wanted.messages = (struct mqtt_rate){.per_s = 5};
        wanted.inflight = 3;
        CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), 0);
        for (unsigned round = 0; round < 6; round++) {
                size_t before = begin_below(&talk, round % 2 == 0 ? CEILING / 8 : 16 * CEILING);

                for (unsigned i = 0; i < 2000; i++) {
                        size_t client = random_below(&state, 6);

                        if (is_closed(&talk, client))
                                hang_up(&talk, client);
                        talk.terms = client % 2 == 0 ? terms : NULL;
                        do_something(line, (char)('a' + client), talk.fds[client] >= 0, &state);
                        if (line[0] == '.')
                                hang_up(&talk, client);
                        else
                                say(&talk, client, line);
                        buffer_truncate(&talk.heard[client], 0);
                        sprintf(line, "+%u\n", random_below(&state, 30));
                        conversation_run(&talk, line);
                }
                refused += conversation_count(&talk, MQTT_COUNT_DROPPED_MEMORY) +
                           conversation_count(&talk, MQTT_COUNT_REFUSED_SESSIONS);
                held += conversation_count(&talk, MQTT_COUNT_THROTTLED);
                take_all_away(&talk);
                CHECK_EQ(used(&talk), before);
                conversation_done(&talk);
        }
        CHECK(refused > 100 && held > 100);
        mqtt_terms_unref(terms);
}
