/* Clients that send more than their listener lets them: they wait, others do not, and nothing is
 * lost. */
#include "mqtt/client.h"
#include "mqtt/conversation-fixture.h"
#include "mqtt/entrance.h"
#include "support/allocation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct mqtt_terms defaults(void)
{
        struct mqtt_terms wanted;

        mqtt_terms_init(&wanted, &conversation_limits);
        return wanted;
}

/* z has subscribed to all, and came without terms. */
static void begin(struct conversation *talk, const struct mqtt_terms *wanted)
{
        conversation_init(talk, NULL, NULL);
        conversation_run(talk, "z@5\n"
                               "z> 82{0001 () [#] 00}\n"
                               "z~\n");
        CHECK_EQ(mqtt_terms_new(wanted, NULL, &talk->terms), 0);
}

static void end(struct conversation *talk)
{
        conversation_check_end(talk);
        talk->terms = mqtt_terms_unref(talk->terms);
        conversation_done(talk);
}

TEST(messages_of_a_client_come_at_its_rate_and_none_is_lost)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.client_messages = (struct mqtt_rate){.per_s = 10, .burst = 2};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "b@5\n"
                                "a> 30{[t] () '1'} 30{[t] () '2'} 30{[t] () '3'} 30{[t] () '4'}"
                                "C000\n"
                                "z< 30{[t] () '1'} 30{[t] () '2'}\n"
                                "a<\n"
                                /* Another has a rate of its own. */
                                "b> 30{[t] () 'b'}\n"
                                "z< 30{[t] () 'b'}\n"
                                "+99\n"
                                "z<\n"
                                "+1\n"
                                "z< 30{[t] () '3'}\n"
                                "+99\n"
                                "z<\n"
                                "a<\n"
                                "+1\n"
                                "z< 30{[t] () '4'}\n"
                                "a< D000\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_THROTTLED), 2);
        end(&talk);
}

/* A PUBLISH of t and one byte is 7 bytes. */
TEST(bytes_of_a_client_come_at_its_rate)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.client_bytes = (struct mqtt_rate){.per_s = 1000, .burst = 10};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "a> 30{[t] () '1'} 30{[t] () '2'} C000\n"
                                "z< 30{[t] () '1'} 30{[t] () '2'}\n"
                                "a<\n"
                                "+4\n"
                                "a<\n"
                                "+1\n"
                                "a< D000\n");
        end(&talk);
}

TEST(what_is_no_message_does_not_wait_for_one)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.client_messages = wanted.messages = (struct mqtt_rate){.per_s = 1, .burst = 1};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "a> 30{[t] () '1'} C000\n"
                                "z< 30{[t] () '1'}\n"
                                "a< D000\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_THROTTLED), 0);
        end(&talk);
}

/* First come, first served, one packet each. */
TEST(a_listeners_clients_share_its_rate_in_turn)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.messages = (struct mqtt_rate){.per_s = 10, .burst = 1};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "b@5\n"
                                "c@5\n"
                                "a> 30{[t] () '1'} 30{[t] () '2'} 30{[t] () '5'}\n"
                                "b> 30{[t] () '3'} 30{[t] () '6'}\n"
                                "c> 30{[t] () '4'}\n"
                                "z< 30{[t] () '1'}\n"
                                "+100\n"
                                "z< 30{[t] () '2'}\n"
                                "+100\n"
                                "z< 30{[t] () '3'}\n"
                                /* Who has left waits no more. */
                                "c.\n"
                                "+100\n"
                                "z~\n"
                                "+1000\n"
                                "z~\n");
        /* Nothing wakes us up any more. */
        CHECK(!mqtt_entrance_of(talk.terms)->timer.armed);
        CHECK(list_is_empty(&mqtt_entrance_of(talk.terms)->waiting));
        end(&talk);
}

TEST(bytes_of_a_listener_are_shared_too)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.bytes = (struct mqtt_rate){.per_s = 1000, .burst = 1};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "b@5\n"
                                "a> 30{[t] () '1'}\n"
                                "b> 30{[t] () '2'}\n"
                                "z< 30{[t] () '1'}\n"
                                "+6\n"
                                "z<\n"
                                "+1\n"
                                "z< 30{[t] () '2'}\n");
        end(&talk);
}

/* The one who waits for its own rate does not keep the place of others in line. */
TEST(who_waits_for_itself_does_not_hold_up_the_others)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.client_messages = (struct mqtt_rate){.per_s = 1, .burst = 1};
        wanted.messages = (struct mqtt_rate){.per_s = 10, .burst = 10};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "b@5\n"
                                "a> 30{[t] () '1'} 30{[t] () '3'}\n"
                                "b> 30{[t] () '2'}\n"
                                "z< 30{[t] () '1'} 30{[t] () '2'}\n"
                                "+1000\n"
                                "z< 30{[t] () '3'}\n");
        end(&talk);
}

/* We do not listen, so silence is ours; afterwards it counts again. */
TEST(who_is_held_back_is_not_ended_for_its_silence)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.client_messages = (struct mqtt_rate){.per_s = 1, .burst = 1};
        wanted.client_bytes = (struct mqtt_rate){.per_s = 1, .burst = 1};
        begin(&talk, &wanted);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0001 () [a]}\n"
                                "a~\n"
                                "a> 30{[t] () '1'} 30{[t] () '2'}\n"
                                "z< 30{[t] () '1'}\n"
                                "+6900\n"
                                "a<\n"
                                "z<\n"
                                "+100\n"
                                "z< 30{[t] () '2'}\n"
                                "+1499\n"
                                "a<\n"
                                "+2\n"
                                "a< E0018D\n"
                                "a|\n");
        end(&talk);
}

TEST(who_goes_while_it_waits_leaves_nothing_behind)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.client_messages = (struct mqtt_rate){.per_s = 1, .burst = 1};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "a> 30{[t] () '1'} 30{[t] () '2'}\n"
                                "z~\n"
                                /* Taken over. */
                                "b> " CONNECT_5("a") "a< E0018E\n"
                                                     "a|\n"
                                                     "b~\n"
                                                     "+5000\n"
                                                     "z<\n"
                                                     "b> C000\n"
                                                     "b< D000\n");
        end(&talk);
}

TEST(more_connections_than_a_listener_may_have_in_a_second_are_closed)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.connects = (struct mqtt_rate){.per_s = 2, .burst = 2};
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n"
                                "b@5\n"
                                "c!\n"
                                "c|\n"
                                "+499\n"
                                "c!\n"
                                "c|\n"
                                "+1\n"
                                "c@5\n"
                                "d!\n"
                                "d|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_RATE), 3);
        end(&talk);
}

TEST(without_memory_for_its_rate_a_client_is_refused)
{
        size_t count, n = 0;
        uint8_t *bytes = conversation_bytes(CONNECT_5("a"), &count);
        struct mqtt_terms wanted = defaults();
        bool failed;

        wanted.client_messages.per_s = 1;
        do {
                struct conversation talk;

                begin(&talk, &wanted);
                conversation_dial(&talk, 0);
                allocation_fail_at(++n);
                CHECK_EQ(send(talk.fds[0], bytes, count, MSG_NOSIGNAL), count);
                loop_run_once(talk.loop, 0);
                loop_run_once(talk.loop, 0);
                failed = allocation_end();
                conversation_settle(&talk);
                conversation_run(&talk, "a~\n"
                                        "z> C000\n"
                                        "z< D000\n");
                end(&talk);
        } while (failed);
        free(bytes);
}
