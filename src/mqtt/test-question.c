/* CONNECT whose answer comes later. */
#include "mqtt/conversation-fixture.h"

#include <errno.h>
#include <stdio.h>

/* Puts every answer off. */
struct porter {
        uint64_t ticket; /* the last */
        unsigned asked, forgotten;
        char client_id[64];
        int identity;
};

static void on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        struct porter *porter = owner;

        (void)connect;
        porter->asked++;
        CHECK(answer->ticket != porter->ticket);
        porter->ticket = answer->ticket;
        snprintf(porter->client_id, sizeof(porter->client_id), "%.*s", (int)who->client_id.length,
                 who->client_id.bytes);
        answer->later = true;
}

static void on_forget(void *owner, void *identity)
{
        struct porter *porter = owner;

        CHECK(identity == &porter->identity);
        porter->forgotten++;
}

static void begin(struct conversation *talk, struct porter *porter)
{
        struct mqtt_hooks hooks = {
                .owner = porter, .on_connect = on_connect, .on_forget = on_forget};

        *porter = (struct porter){0};
        conversation_init(talk, NULL, &hooks);
}

static int admit(struct conversation *talk, struct porter *porter, enum mqtt_reason reason)
{
        struct mqtt_admission answer = {.reason = reason, .identity = &porter->identity};
        int r = mqtt_broker_admit(talk->broker, porter->ticket, &answer);

        conversation_settle(talk);
        return r;
}

TEST(nothing_of_a_connection_is_looked_at_before_it_is_admitted)
{
        struct conversation talk;
        struct porter porter;

        begin(&talk, &porter);
        conversation_run(&talk, "a> " CONNECT_5("a") "a> 82{0001 () [t] 00} 30{[t] () 'm'}\n"
                                                     "+1000\n");
        conversation_check_end(&talk);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_RECEIVED), 0);
        CHECK_EQ(admit(&talk, &porter, MQTT_SUCCESS), 0);
        conversation_run(&talk, "a< " CONNACK_5 "a< 90{0001 () 00} 30{[t] () 'm'}\n"
                                "a> C000\n"
                                "a< D000\n");
        CHECK_EQ(porter.asked, 1);
        CHECK_EQ(porter.forgotten, 0);
        conversation_done(&talk);
        CHECK_EQ(porter.forgotten, 1);
}

TEST(a_late_refusal_is_told_like_any_other)
{
        struct conversation talk;
        struct porter porter;

        begin(&talk, &porter);
        conversation_run(&talk, "a> " CONNECT_5("a"));
        CHECK_EQ(admit(&talk, &porter, MQTT_BAD_CREDENTIALS), 0);
        conversation_run(&talk, "a< 20{00 86 ()}\n"
                                "a|\n"
                                "b> " CONNECT_311("b"));
        CHECK_EQ(admit(&talk, &porter, MQTT_NOT_AUTHORIZED), 0);
        conversation_run(&talk, "b< 20{00 05}\n"
                                "b|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_BY_HOOK), 2);
        CHECK_EQ(porter.forgotten, 0);
        conversation_done(&talk);
}

TEST(who_is_not_admitted_in_the_time_for_a_connect_is_told_to_come_again)
{
        struct conversation talk;
        struct porter porter;

        begin(&talk, &porter);
        conversation_run(&talk, "a> 10\n"
                                "+2000\n"
                                "a> {[MQTT] 05 02 0000 () [a]}\n"
                                "+2999\n"
                                "a~\n"
                                "+1\n"
                                "a< 20{00 89 ()}\n"
                                "a|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_CONNECT_TIMEOUTS), 1);
        CHECK_EQ(admit(&talk, &porter, MQTT_SUCCESS), -ENOENT);
        conversation_run(&talk, "b> " CONNECT_311("b") "+5000\n"
                                                       "b< 20{00 03}\n"
                                                       "b|\n");
        CHECK_EQ(porter.forgotten, 0);
        conversation_done(&talk);
}

TEST(the_time_of_one_that_waits_holds_up_no_other)
{
        struct conversation talk;
        struct porter porter;

        begin(&talk, &porter);
        conversation_run(&talk, "a> 10\n"
                                "+1000\n"
                                "b> 10\n"
                                "+1000\n"
                                "a> {[MQTT] 05 02 0000 () [a]}\n"
                                "+3000\n"
                                "a< 20{00 89 ()}\n"
                                "a|\n"
                                "+999\n"
                                "b~\n"
                                "+1\n"
                                "b|\n");
        conversation_done(&talk);
}

TEST(who_went_before_the_answer_is_forgotten_once)
{
        struct conversation talk;
        struct porter porter;

        begin(&talk, &porter);
        conversation_run(&talk, "a> " CONNECT_5("a") "a.\n");
        CHECK_EQ(admit(&talk, &porter, MQTT_SUCCESS), 0);
        CHECK_EQ(porter.forgotten, 1);
        CHECK_EQ(mqtt_broker_connections(talk.broker), 0);
        conversation_done(&talk);
}

TEST(an_answer_counts_once)
{
        struct mqtt_admission answer = {.reason = MQTT_SUCCESS};
        struct conversation talk;
        struct porter porter;

        begin(&talk, &porter);
        conversation_run(&talk, "a> " CONNECT_5("a"));
        CHECK_EQ(mqtt_broker_admit(talk.broker, porter.ticket + 1, &answer), -ENOENT);
        CHECK_EQ(mqtt_broker_admit(talk.broker, porter.ticket, &answer), 0);
        CHECK_EQ(mqtt_broker_admit(talk.broker, porter.ticket, &answer), -ENOENT);
        conversation_settle(&talk);
        conversation_run(&talk, "a< " CONNACK_5);
        CHECK_EQ(mqtt_broker_admit(talk.broker, porter.ticket, &answer), -ENOENT);
        conversation_done(&talk);
}

TEST(a_broker_that_ends_between_answer_and_turn_forgets)
{
        struct conversation talk;
        struct porter porter;
        struct mqtt_admission answer = {.identity = &porter.identity};

        begin(&talk, &porter);
        conversation_run(&talk, "a> " CONNECT_5("a"));
        CHECK_EQ(mqtt_broker_admit(talk.broker, porter.ticket, &answer), 0);
        mqtt_broker_stop(talk.broker, MQTT_SERVER_SHUTTING_DOWN);
        CHECK_EQ(porter.forgotten, 1);
        conversation_settle(&talk);
        conversation_run(&talk, "a|\n");
        conversation_done(&talk);
        CHECK_EQ(porter.forgotten, 1);
}

TEST(a_broker_that_stops_takes_no_answers)
{
        struct conversation talk;
        struct porter porter;

        begin(&talk, &porter);
        conversation_run(&talk, "a> " CONNECT_5("a"));
        mqtt_broker_stop(talk.broker, MQTT_SERVER_SHUTTING_DOWN);
        CHECK_EQ(admit(&talk, &porter, MQTT_SUCCESS), -ENOENT);
        CHECK_EQ(porter.forgotten, 0);
        conversation_done(&talk);
}

static bool is_a_random_uuid(const char *id, const char *prefix)
{
        const char *form = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
        size_t length = strlen(prefix), i = 0;

        if (strncmp(id, prefix, length) != 0 || strlen(id) != length + strlen(form))
                return false;
        for (const char *at = id + length; *at; at++, i++) {
                const char *allowed = form[i] == 'x' ? "0123456789abcdef" : "89ab";

                if (form[i] == 'x' || form[i] == 'y' ? !strchr(allowed, *at) : *at != form[i])
                        return false;
        }
        return true;
}

TEST(MQTT_3_2_2_16_the_id_that_is_told_is_the_one_the_hook_saw)
{
        struct conversation talk;
        struct porter porter;
        char expected[128];

        begin(&talk, &porter);
        conversation_run(&talk, "a> " CONNECT_5(""));
        CHECK(is_a_random_uuid(porter.client_id, "auto-"));
        CHECK_EQ(admit(&talk, &porter, MQTT_SUCCESS), 0);
        snprintf(expected, sizeof(expected), "a< 20{00 00 (22 0004 12 [%s] 27 00001000 21 0008)}\n",
                 porter.client_id);
        conversation_run(&talk, expected);
        conversation_done(&talk);
}

TEST(the_clients_that_wait_are_bounded_with_those_that_connect)
{
        struct mqtt_limits limits = conversation_limits;
        struct porter porter = {0};
        struct mqtt_hooks hooks = {.owner = &porter, .on_connect = on_connect};
        struct mqtt_admission answer = {.reason = MQTT_SUCCESS};
        struct conversation talk;

        limits.connecting = 2;
        conversation_init(&talk, &limits, &hooks);
        conversation_run(&talk, "a> " CONNECT_5("a") "b> " CONNECT_5("b"));
        CHECK_EQ(mqtt_broker_attach(talk.broker, 0, NULL, NULL, NULL), -EBUSY);
        CHECK_EQ(mqtt_broker_admit(talk.broker, porter.ticket, &answer), 0);
        conversation_settle(&talk);
        conversation_run(&talk, "b< " CONNACK_5 "c> " CONNECT_5("c"));
        CHECK_EQ(porter.asked, 3);
        conversation_done(&talk);
}
