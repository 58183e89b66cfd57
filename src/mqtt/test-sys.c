/* Figures below "$SYS". */
#include "mqtt/sys.h"

#include "mqtt/broker-internal.h"
#include "mqtt/conversation-fixture.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdlib.h>

static void begin(struct conversation *talk)
{
        struct mqtt_limits limits = conversation_limits;

        limits.sys_interval_s = 10;
        limits.retained_messages = 1000;
        limits.retained_bytes = 1 << 20;
        limits.queue_messages = 1000;
        conversation_init(talk, &limits, NULL);
}

/* What is retained for a topic; "": nothing. */
static const char *value_of(struct conversation *talk, const char *topic)
{
        static char text[64];
        struct mqtt_message *message = mqtt_retained_get(
                talk->broker->retained, (struct mqtt_text){topic, (uint16_t)strlen(topic)},
                loop_now_ms(talk->loop));
        struct mqtt_bytes payload = {NULL, 0};

        if (message)
                payload = mqtt_message_payload(message);
        snprintf(text, sizeof(text), "%.*s", (int)payload.length, (const char *)payload.bytes);
        return text;
}

TEST(nothing_is_done_until_somebody_asks)
{
        struct conversation talk;

        begin(&talk);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [#] 00 [$x/#] 00}\n"
                                "a~\n"
                                "+100000\n");
        CHECK_EQ(mqtt_retained_count(talk.broker->retained), 0);
        conversation_run(&talk, "b@5\n"
                                "b> 82{0001 () [$SYS/broker/clients/connected] 00}\n"
                                "b< 90{0001 () 00} 31{[$SYS/broker/clients/connected] () '2'}\n"
                                "a<\n");
        CHECK_TEXT(value_of(&talk, "$SYS/broker/uptime"), "100 seconds");
        CHECK_TEXT(value_of(&talk, "$SYS/broker/version"), "pifleet version " PIFLEET_VERSION);
        CHECK_TEXT(value_of(&talk, "$SYS/broker/load/messages/received/1min"), "1.46");
        CHECK_TEXT(value_of(&talk, "$SYS/broker/publish/messages/dropped/slow"), "0");
        conversation_done(&talk);
}

TEST(what_changes_comes_at_the_interval_and_nothing_else)
{
        struct conversation talk;

        begin(&talk);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$SYS/broker/clients/+] 00}\n"
                                "a~\n"
                                "b@5\n"
                                "+9999\n"
                                "a<\n"
                                "+1\n"
                                "a< 30{[$SYS/broker/clients/total] () '2'}"
                                "30{[$SYS/broker/clients/connected] () '2'}"
                                "30{[$SYS/broker/clients/active] () '2'}"
                                "30{[$SYS/broker/clients/maximum] () '2'}\n"
                                "+10000\n"
                                "a<\n"
                                "b.\n"
                                "+10000\n"
                                "a< 30{[$SYS/broker/clients/total] () '1'}"
                                "30{[$SYS/broker/clients/connected] () '1'}"
                                "30{[$SYS/broker/clients/active] () '1'}\n");
        conversation_done(&talk);
}

TEST(when_the_last_subscription_is_gone_nothing_wakes_us_up)
{
        struct conversation talk;
        struct loop_timer *timer;

        begin(&talk);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$share/g/$SYS/#] 00}\n"
                                "a~\n"
                                "+10000\n"
                                "a~\n");
        /* The first of its fields but one. */
        timer = (struct loop_timer *)((char *)talk.broker->sys + sizeof(void *));
        CHECK(timer->loop == talk.loop);
        CHECK(timer->armed);
        conversation_run(&talk, "a> A2{0002 () [$share/g/$SYS/#]}\n"
                                "a~\n"
                                "+10000\n"
                                "a<\n");
        CHECK(!timer->armed);
        /* Right all the same, for the next one. */
        conversation_run(&talk, "+50000\n"
                                "b@5\n"
                                "b> 82{0001 () [$SYS/broker/uptime] 00}\n"
                                "b< 90{0001 () 00} 31{[$SYS/broker/uptime] () '70 seconds'}\n");
        CHECK(timer->armed);
        conversation_done(&talk);
}

/* Many who subscribe cost no more than one a second. */
TEST(subscriptions_bring_it_up_to_date_once_a_second_at_most)
{
        struct conversation talk;

        begin(&talk);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$SYS/broker/subscriptions/count] 00}\n"
                                "a< 90{0001 () 00} 31{[$SYS/broker/subscriptions/count] () '0'}\n"
                                "b@5\n"
                                "+999\n"
                                "b> 82{0001 () [$SYS/broker/clients/connected] 00}\n"
                                "b< 90{0001 () 00} 31{[$SYS/broker/clients/connected] () '1'}\n"
                                "+1\n"
                                "b> 82{0001 () [$SYS/broker/clients/connected] 00}\n"
                                "a< 30{[$SYS/broker/subscriptions/count] () '2'}\n"
                                "b< 30{[$SYS/broker/clients/connected] () '2'} 90{0001 () 00}"
                                "31{[$SYS/broker/clients/connected] () '2'}\n");
        conversation_done(&talk);
}

TEST(a_client_that_comes_back_to_its_subscription_gets_new_figures)
{
        struct conversation talk;

        begin(&talk);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a~\n"
                                "a> 82{0001 [$SYS/broker/clients/maximum] 00}\n"
                                "a~\n"
                                "a> 82{0001 [other] 00}\n"
                                "a~\n"
                                "a.\n"
                                "b@5\n"
                                "c@5\n"
                                "+10000\n"
                                "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a< 20{01 00}\n"
                                "+10000\n"
                                "a< 30{[$SYS/broker/clients/maximum] '3'}\n");
        conversation_done(&talk);
}

TEST(nobody_but_the_program_publishes_there)
{
        struct mqtt_publish own = {.topic = {"$SYS/own", 8}, .payload = {(const uint8_t *)"x", 1}};
        struct conversation talk;

        begin(&talk);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$SYS/own] 00 [$SYSTEM] 00 [$SYS] 00}\n"
                                "a~\n"
                                "b> 10{[MQTT] 05 06 0000 () [b] () [$SYS/own] [w]}\n"
                                "b~\n"
                                "b> 32{[$SYS/own] 0001 () 'x'} 33{[$SYS] 0002 () 'x'}"
                                "32{[$SYSTEM] 0003 () 'x'}\n"
                                "b< 40{0001 87} 40{0002 87} 40{0003}\n"
                                "a< 30{[$SYSTEM] () 'x'}\n"
                                "b.\n"
                                "a<\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_DENIED), 3);
        CHECK_EQ(mqtt_broker_publish(talk.broker, &own), 1);
        conversation_run(&talk, "+0\n"
                                "a< 30{[$SYS/own] () 'x'}\n");
        conversation_done(&talk);
}

/* What mosquitto's bridges leave, so that others hear of their end. */
TEST(a_bridge_tells_of_itself_and_of_its_end)
{
        struct conversation talk;

        begin(&talk);
        conversation_run(&talk,
                         "a@5\n"
                         "a> 82{0001 () [$SYS/broker/connection/+/state] 00}\n"
                         "a< 90{0001 () 00}\n"
                         "b> 10{[MQTT] 04 26 0000 [b] [$SYS/broker/connection/b/state] [0]}\n"
                         "b< " CONNACK_311 "b> 31{[$SYS/broker/connection/b/state] '1'}\n"
                         "a< 30{[$SYS/broker/connection/b/state] () '1'}\n"
                         "b.\n"
                         "a< 30{[$SYS/broker/connection/b/state] () '0'}\n"
                         "a> 82{0002 () [$SYS/broker/connection/b/state] 00}\n"
                         "a< 90{0002 () 00} 31{[$SYS/broker/connection/b/state] () '0'}\n"
                         /* As little as by PUBLISH. */
                         "c> 10{[MQTT] 05 06 0000 () [c] () [$share/g/t] [w]}\n"
                         "c~\n"
                         "c.\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_DENIED), 1);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

TEST(averages_fade)
{
        struct conversation talk;

        begin(&talk);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$SYS/broker/load/publish/received/#] 00}\n"
                                "a~\n"
                                "a> 30{[t] () ''} 30{[t] () ''} 30{[t] () ''}\n"
                                "+10000\n"
                                /* 18 a minute, for a sixth of one. */
                                "a< 30{[$SYS/broker/load/publish/received/1min] () '2.76'}"
                                "30{[$SYS/broker/load/publish/received/5min] () '0.59'}"
                                "30{[$SYS/broker/load/publish/received/15min] () '0.20'}\n"
                                "+60000\n"
                                "a~\n");
        CHECK_TEXT(value_of(&talk, "$SYS/broker/load/publish/received/1min"), "1.02");
        conversation_run(&talk, "+600000\n"
                                "a~\n");
        CHECK_TEXT(value_of(&talk, "$SYS/broker/load/publish/received/1min"), "0.00");
        CHECK_TEXT(value_of(&talk, "$SYS/broker/load/publish/received/15min"), "0.10");
        conversation_done(&talk);
}

TEST(an_interval_of_0_is_none)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        CHECK(talk.broker->sys == NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$SYS/#] 00} 32{[$SYS/x] 0002 () 'x'}\n"
                                "a< 90{0001 () 00} 40{0002 87}\n"
                                "+100000\n"
                                "a<\n");
        conversation_done(&talk);
}

/* Each allocation in turn: something may be missing, and nothing else is. */
TEST(without_memory_figures_are_missing_and_nothing_else)
{
        static const struct mqtt_text filter = {"$SYS/broker/uptime", 18};
        size_t n = 0;
        bool failed;

        do {
                struct conversation talk;

                begin(&talk);
                conversation_run(&talk, "a@5\n");
                allocation_fail_at(++n);
                mqtt_sys_note_filter(talk.broker->sys, &filter);
                failed = allocation_end();
                conversation_run(&talk, "a> 82{0001 () [$SYS/broker/uptime] 00}\n"
                                        "a~\n"
                                        "+10000\n"
                                        "a< 30{[$SYS/broker/uptime] () '10 seconds'}\n");
                conversation_done(&talk);
        } while (failed);
}
