/* What operators are told of clients, connected and away, and of what they lost. */
#include "mqtt/clients.h"

#include "mqtt/client.h"
#include "mqtt/conversation-fixture.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((struct mqtt_text){literal, sizeof(literal) - 1})

/* The last that was shown, and the ids of all. */
struct seen {
        struct mqtt_client_info last;
        char id[32];
        char ids[256];
};

static void on_client(void *owner, const struct mqtt_client_info *info)
{
        struct seen *seen = owner;
        size_t length = strlen(seen->ids);

        seen->last = *info;
        snprintf(seen->ids + length, sizeof(seen->ids) - length, "%.*s ",
                 (int)info->client_id.length, info->client_id.bytes);
}

static struct mqtt_client_info info_of(struct conversation *talk, struct mqtt_text id)
{
        struct seen seen = {.ids = ""};

        CHECK_EQ(mqtt_broker_client(talk->broker, id, on_client, &seen), 0);
        return seen.last;
}

static const char *page(struct conversation *talk, uint64_t *cursor, uint32_t most)
{
        static struct seen seen;

        seen = (struct seen){.ids = ""};
        mqtt_broker_each_client(talk->broker, cursor, most, on_client, &seen);
        return seen.ids;
}

TEST(a_client_is_described_while_it_is_connected_and_while_it_is_away)
{
        struct mqtt_client_info info;
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        CHECK_EQ(mqtt_broker_client(talk.broker, TEXT("a"), on_client, NULL), -ENOENT);
        conversation_run(&talk,
                         "a> 10{[MQTT] 05 86 000A (11 00000064) [a] (18 00000009) [w] [] [me]}\n"
                         "a~\n"
                         "a> 82{0001 () [t] 01 [u] 00}\n"
                         "a~\n"
                         "+7000\n");
        info = info_of(&talk, TEXT("a"));
        CHECK(info.connected && info.has_will && !info.paused);
        CHECK_EQ(info.since_s, 7);
        CHECK_EQ(info.keep_alive_s, 10);
        CHECK_EQ(info.expiry_s, 100);
        CHECK_EQ(info.subscriptions, 2);
        CHECK_EQ(info.version, MQTT_VERSION_5);
        CHECK(info.user.length == 2 && memcmp(info.user.bytes, "me", 2) == 0);
        CHECK(info.peer != NULL && info.terms != NULL);

        conversation_run(&talk, "b@311\n"
                                "b> 32{[t] 0001 'one'} 30{[u] 'two!'}\n"
                                "b~\n"
                                "a~\n");
        info = info_of(&talk, TEXT("a"));
        CHECK_EQ(info.inflight, 1);
        CHECK_EQ(info.account.delivered, 2);
        CHECK_EQ(info.account.delivered_bytes, 7);
        info = info_of(&talk, TEXT("b"));
        CHECK_EQ(info.version, MQTT_VERSION_311);
        CHECK_EQ(info.account.received, 2);
        CHECK_EQ(info.account.received_bytes, 7);

        conversation_run(&talk, "a.\n"
                                "+3000\n"
                                "b> 34{[t] 0002 'three'}\n"
                                "b~\n"
                                "b> 30{[u] 'four'}\n");
        info = info_of(&talk, TEXT("a"));
        CHECK(!info.connected && info.has_will && info.peer == NULL && info.terms == NULL);
        CHECK_EQ(info.since_s, 3);
        CHECK_EQ(info.user.length, 0);
        CHECK_EQ(info.queued, 1);
        CHECK_EQ(info.queued_bytes, 6);
        CHECK_EQ(info.inflight, 1);
        /* It has outlived the connection. */
        CHECK_EQ(info.account.delivered, 2);
        CHECK_EQ(info.account.dropped[MQTT_COUNT_DROPPED_AWAY - MQTT_DROPPED_FIRST], 1);
        CHECK_EQ(info_of(&talk, TEXT("b")).inflight_own, 1);
        conversation_done(&talk);
}

TEST(all_clients_come_page_by_page_whoever_comes_and_goes_meanwhile)
{
        struct conversation talk;
        uint64_t cursor = 0, other = 0;

        conversation_init(&talk, NULL, NULL);
        CHECK_TEXT(page(&talk, &cursor, 10), "");
        CHECK_EQ(cursor, 0);
        conversation_run(&talk, "a@5\n"
                                "b@5\n"
                                "c> 10{[MQTT] 04 00 0000 [c]}\n"
                                "c~\n"
                                "d@5\n"
                                "e@5\n");
        CHECK_TEXT(page(&talk, &cursor, 2), "a b ");
        CHECK(cursor != 0);
        /* Another reads as well, and those where both have come to go. */
        CHECK_TEXT(page(&talk, &other, 3), "a b c ");
        conversation_run(&talk, "c.\n");
        CHECK_TEXT(page(&talk, &cursor, 1), "c ");
        conversation_run(&talk, "d.\n"
                                "a.\n"
                                "f@5\n");
        CHECK_TEXT(page(&talk, &cursor, 1), "e ");
        CHECK_TEXT(page(&talk, &cursor, 9), "f ");
        CHECK_EQ(cursor, 0);
        CHECK_TEXT(page(&talk, &other, 2), "e f ");
        CHECK_EQ(other, 0);
        conversation_done(&talk);
}

TEST(a_cursor_behind_the_last_one_is_the_end)
{
        struct conversation talk;
        uint64_t cursor = UINT64_MAX;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a@5\n");
        CHECK_TEXT(page(&talk, &cursor, 2), "");
        CHECK_EQ(cursor, 0);
        conversation_done(&talk);
}

static void on_subscription(void *owner, struct mqtt_text filter,
                            const struct mqtt_subscription_options *options)
{
        struct seen *seen = owner;
        size_t length = strlen(seen->ids);

        snprintf(seen->ids + length, sizeof(seen->ids) - length, "%.*s=%u ", (int)filter.length,
                 filter.bytes, options->qos);
}

TEST(the_subscriptions_of_a_client_are_shown)
{
        struct conversation talk;
        struct seen seen = {.ids = ""};

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$share/g/+/x] 02 [t/#] 01}\n"
                                "a~\n");
        CHECK_EQ(mqtt_broker_subscriptions(talk.broker, TEXT("a"), 10, on_subscription, &seen), 2);
        CHECK(strstr(seen.ids, "$share/g/+/x=2 ") != NULL && strstr(seen.ids, "t/#=1 ") != NULL);
        CHECK_EQ(strlen(seen.ids), strlen("$share/g/+/x=2 t/#=1 "));
        seen.ids[0] = '\0';
        CHECK_EQ(mqtt_broker_subscriptions(talk.broker, TEXT("a"), 0, on_subscription, &seen), 2);
        CHECK_TEXT(seen.ids, "");
        CHECK_EQ(mqtt_broker_subscriptions(talk.broker, TEXT("b"), 1, on_subscription, &seen),
                 -ENOENT);
        conversation_done(&talk);
}

TEST(a_session_can_be_ended_connected_or_away)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (11 00000064) [a]}\n"
                                "a~\n"
                                "b> 10{[MQTT] 04 04 0000 [b] [w] [x]}\n"
                                "b~\n"
                                "c@5\n"
                                "c> 82{0001 () [w] 00}\n"
                                "c~\n");
        CHECK_EQ(mqtt_broker_forget(talk.broker, TEXT("a")), 0);
        conversation_run(&talk, "+0\n"
                                "a< E00198\n"
                                "a|\n"
                                "b.\n"
                                "c< 30{[w] () 'x'}\n");
        CHECK_EQ(mqtt_broker_client(talk.broker, TEXT("a"), on_client, NULL), -ENOENT);
        CHECK_EQ(mqtt_broker_forget(talk.broker, TEXT("b")), 0);
        CHECK_EQ(mqtt_broker_client(talk.broker, TEXT("b"), on_client, NULL), -ENOENT);
        CHECK_EQ(mqtt_broker_forget(talk.broker, TEXT("b")), -ENOENT);
        conversation_done(&talk);
}

/* Why, and of which topic. */
struct witness {
        char text[512];
};

static void on_drop(void *owner, struct mqtt_text client_id, struct mqtt_text topic,
                    enum mqtt_counter why)
{
        struct witness *witness = owner;
        size_t length = strlen(witness->text);

        snprintf(witness->text + length, sizeof(witness->text) - length, "%.*s:%.*s:%s ",
                 (int)client_id.length, client_id.bytes, (int)topic.length, topic.bytes,
                 mqtt_counter_name(why));
}

static int deny(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        (void)owner;
        (void)who;
        return publish->topic.bytes[0] == 'd' ? MQTT_NOT_AUTHORIZED : MQTT_HOOK_PASS;
}

TEST(why_a_message_was_dropped_is_told)
{
        struct witness witness = {""};
        struct mqtt_hooks hooks = {.owner = &witness, .on_drop = on_drop, .on_publish = deny};
        struct mqtt_limits limits = conversation_limits;
        struct mqtt_client_info info;
        struct conversation talk;

        limits.queue_messages = 1;
        conversation_init(&talk, &limits, &hooks);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (11 00000064 27 00000014) [a]}\n"
                                "a~\n"
                                "a> 82{0001 () [t] 01}\n"
                                "a~\n"
                                "p@5\n"
                                "p> 30{[t] () '1234567890123456'} 30{[d] () ''}\n"
                                "a.\n"
                                "p> 30{[t] () ''} 32{[t] 0001 (02 00000001) 'x'}"
                                "32{[t] 0002 (02 00000001) 'x'}\n"
                                "p~\n"
                                "+2000\n"
                                "a> 10{[MQTT] 05 00 0000 () [a]}\n"
                                "a~\n");
        CHECK_TEXT(witness.text, "a:t:dropped_too_large p:d:dropped_denied a:t:dropped_away "
                                 "a:t:dropped_queue a:t:dropped_expired ");
        info = info_of(&talk, TEXT("a"));
        CHECK_EQ(info.account.dropped[MQTT_COUNT_DROPPED_TOO_LARGE - MQTT_DROPPED_FIRST], 1);
        CHECK_EQ(info.account.dropped[MQTT_COUNT_DROPPED_AWAY - MQTT_DROPPED_FIRST], 1);
        CHECK_EQ(info.account.dropped[MQTT_COUNT_DROPPED_QUEUE - MQTT_DROPPED_FIRST], 1);
        CHECK_EQ(info.account.dropped[MQTT_COUNT_DROPPED_EXPIRED - MQTT_DROPPED_FIRST], 1);
        CHECK_EQ(info_of(&talk, TEXT("p"))
                         .account.dropped[MQTT_COUNT_DROPPED_DENIED - MQTT_DROPPED_FIRST],
                 1);
        conversation_done(&talk);
}

TEST(who_is_idle_has_nothing_to_be_counted)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [t] 01} C000\n"
                                "a~\n");
        CHECK(mqtt_session_find(talk.broker, TEXT("a"))->more == NULL);
        CHECK_EQ(info_of(&talk, TEXT("a")).account.delivered, 0);
        conversation_done(&talk);
}

TEST(packets_and_bytes_are_counted)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> " CONNECT_311("a") "a< " CONNACK_311 "a> 82{0001 [t] 01} C000\n"
                                                       "a< 90{0001 01} D000\n"
                                                       "a> 32{[t] 0001 'xyz'}\n"
                                                       "a< 32{[t] 0001 'xyz'} 40{0001}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_PACKETS_RECEIVED), 4);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_BYTES_RECEIVED), 15 + 8 + 2 + 10);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_PAYLOAD_RECEIVED), 3);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_PACKETS_SENT), 5);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_BYTES_SENT), 4 + 5 + 2 + 10 + 4);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_PAYLOAD_DELIVERED), 3);
        conversation_done(&talk);
}

TEST(an_answer_that_a_client_cannot_take_is_counted)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (27 00000005) [a]}\n"
                                "a|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_ANSWERS_LOST), 1);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_TOO_LARGE), 0);
        conversation_done(&talk);
}
