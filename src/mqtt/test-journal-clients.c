/* Clients while something of theirs waits for the disk: their session, or a message to them. */
#include "mqtt/clients.h"
#include "mqtt/journal-fixture.h"

#include <errno.h>

static void start(struct journal_fixture *f, const struct mqtt_limits *limits)
{
        journal_init(f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
        f->limits = limits;
        CHECK_EQ(journal_start(f), 0);
}

#define JOIN(id) id "> " KEEP_5(id) id "< " CONNACK_5

TEST(who_waits_for_its_session_counts_as_a_client)
{
        struct mqtt_limits limits = conversation_limits;
        struct journal_fixture f;

        limits.clients = 2;
        start(&f, &limits);
        journal_stall(&f);
        journal_run(&f, "a> " KEEP_5("a") "a<\n");
        journal_run(&f, "b> " KEEP_5("b") "b<\n");
        journal_run(&f, "c> " KEEP_5("c") "c< 20{00 89 ()}\nc|\n");
        /* Who takes one over needs no more than there is. */
        journal_run(&f, "d> " KEEP_5("b") "b|\nd<\n");
        journal_go_on(&f);
        journal_run(&f, "a< " CONNACK_5 "d< " PRESENT_5);
        CHECK_EQ(f.talk.broker->clients_count, 2);
        journal_run(&f, "a.\n"
                        "d.\n");
        CHECK_EQ(f.talk.broker->clients_count, 0);
        journal_done(&f);
}

TEST(who_waits_for_its_session_can_be_sent_away)
{
        static const struct mqtt_text a = {"a", 1}, b = {"b", 1};
        struct journal_fixture f;

        start(&f, NULL);
        journal_stall(&f);
        journal_run(&f, "a> " KEEP_5("a") "a<\n"
                                          "b> " KEEP_5("b") "b<\n");
        CHECK_EQ(mqtt_broker_kick(f.talk.broker, a, MQTT_ADMINISTRATIVE_ACTION), 0);
        CHECK_EQ(mqtt_broker_forget(f.talk.broker, b), 0);
        journal_run(&f, "+0\n"
                        "a|\n"
                        "b|\n");
        CHECK_EQ(f.talk.broker->journal->opening, 0);
        CHECK(mqtt_session_find(f.talk.broker, a) != NULL);
        CHECK(mqtt_session_find(f.talk.broker, b) == NULL);
        CHECK_EQ(mqtt_broker_kick(f.talk.broker, a, MQTT_ADMINISTRATIVE_ACTION), -ENOENT);
        journal_go_on(&f);
        journal_done(&f);
}

/* It is told nothing before its CONNACK, and after that what one who is away is told: all but
 * QoS 0. */
TEST(who_waits_for_a_session_that_goes_on_misses_nothing)
{
        struct journal_fixture f;

        start(&f, NULL);
        journal_run(&f, "p@5\n" JOIN("s") "s> 82{0001 () [t] 02}\n"
                                          "s< 90{0001 () 02}\n"
                                          "s.\n"
                                          "p> 34{[t]0001()'1'}\n"
                                          "p< 50{0001}\n");
        journal_stall(&f);
        journal_run(&f, "s> " KEEP_5("s") "s<\n"
                                          "p> 30{[t]()'2'} 32{[t]0002()'3'} 34{[t]0003()'4'}\n"
                                          "s> C0 00\n"
                                          "s<\n");
        journal_go_on(&f);
        journal_run(&f, "p< 40{0002} 50{0003}\n"
                        "s< " PRESENT_5 "s< 32{[t]0002()'3'} D0 00\n"
                        "s< 34{[t]0001()'1'} 34{[t]0003()'4'}\n");
        conversation_check_end(&f.talk);
        journal_done(&f);
}

/* It has 18 minutes of its hour left when it comes back; that counts when it was told so, whatever
 * comes then. */
TEST(a_session_that_goes_on_does_not_end_as_if_its_client_had_stayed_away)
{
        struct journal_fixture f;
        char path[64];

        start(&f, NULL);
        journal_run(&f, JOIN("s") "s.\n"
                                  "+2500000\n");
        journal_make_folder(path);
        journal_stall(&f);
        journal_run(&f, "s> " KEEP_5("s") "s<\n");
        journal_go_on(&f);
        journal_run(&f, "s< " PRESENT_5);
        journal_copy_folder(f.path, path);
        journal_stop(&f);
        journal_move(&f, path);
        CHECK_EQ(journal_start(&f), 0);
        journal_run(&f, "+1500000\n"
                        "s> " KEEP_5("s") "s< " PRESENT_5);
        journal_done(&f);
}

/* What was not sent yet is looked at like what waits in the queue. */
TEST(what_waited_for_the_disk_may_be_over_when_its_client_comes_back)
{
        struct journal_fixture f;

        start(&f, NULL);
        journal_run(&f, "p@5\n" JOIN("s") "s> 82{0001 () [t] 02}\n"
                                          "s< 90{0001 () 02}\n");
        journal_stall(&f);
        journal_run(&f, "p> 34{[t]0001(02 00000001)'1'} 34{[t]0002()'2'}\n"
                        "s<\n"
                        "s.\n");
        journal_go_on(&f);
        journal_run(&f, "p< 50{0001} 50{0002}\n"
                        "+1000\n"
                        "s> " KEEP_5("s") "s< " PRESENT_5 "s< 34{[t]0002()'2'}\n"
                                          "s> 50{0002}\n"
                                          "s< 62{0002}\n"
                                          "s> 70{0002}\n"
                                          "+2000\n");
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_DROPPED_EXPIRED), 1);
        journal_kill(&f);
        journal_run(&f, "s> " KEEP_5("s") "s< " PRESENT_5 "s<\n");
        journal_done(&f);
}
