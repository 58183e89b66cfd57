/* Which answers wait for the disk, which do not, and what happens when it is slow, full or
 * broken. */
#include "mqtt/journal-fixture.h"
#include "store/log-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void start(struct journal_fixture *f, enum mqtt_durability sessions,
                  enum mqtt_durability retained)
{
        journal_init(f, sessions, retained);
        CHECK_EQ(journal_start(f), 0);
}

static void both(struct journal_fixture *f)
{
        start(f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
}

#define JOIN(id) id "> " KEEP_5(id) id "< " CONNACK_5

TEST(what_survives_is_acknowledged_when_it_is_on_the_disk)
{
        struct journal_fixture f;
        uint64_t held;

        both(&f);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 02}\n"
                                  "s< 90{0001 () 02}\n"
                                  "p@5\n"
                                  "l@5\n"
                                  "l> 82{0001 () [#] 02}\n"
                                  "l< 90{0001 () 02}\n");
        held = conversation_count(&f.talk, MQTT_COUNT_JOURNAL_HELD);
        journal_stall(&f);
        journal_run(&f, "p> 32{[k]0001()'1'} 34{[k]0002()'2'} 33{[r]0003()'3'} 35{[r]0004()'4'}\n"
                        "p<\n"
                        "p> C0 00\n"
                        "p< D0 00\n"
                        /* Who has no session that survives is sent all of it at once, */
                        "l< 32{[k]0001()'1'} 34{[k]0002()'2'} 32{[r]0003()'3'} 34{[r]0004()'4'}\n"
                        /* and one that does QoS 1. */
                        "s< 32{[k]0001()'1'}\n"
                        "s<\n");
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_JOURNAL_HELD), held + 4);
        journal_go_on(&f);
        journal_run(&f, "p< 40{0001} 50{0002} 40{0003} 50{0004}\n"
                        "s< 34{[k]0002()'2'}\n");
        conversation_check_end(&f.talk);
        journal_done(&f);
}

TEST(what_does_not_survive_is_acknowledged_at_once)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, "s@5\n"
                        "s> 82{0001 () [t] 02}\n"
                        "s< 90{0001 () 02}\n"
                        "p@5\n");
        journal_stall(&f);
        journal_run(&f, "p> 32{[t]0001()'1'} 34{[t]0002()'2'} 62{0002}\n"
                        "p< 40{0001} 50{0002} 70{0002}\n"
                        "s< 32{[t]0001()'1'} 34{[t]0002()'2'}\n"
                        "s> 50{0002}\n"
                        "s< 62{0002}\n"
                        "s> 82{0002 () [u] 02}\n"
                        "s< 90{0002 () 02}\n"
                        "q@5\n");
        journal_go_on(&f);
        conversation_check_end(&f.talk);
        journal_done(&f);
}

TEST(acknowledgements_keep_their_order_behind_one_that_waits)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\n"
                                  "s< 90{0001 () 01}\n"
                                  "p@5\n");
        journal_stall(&f);
        journal_run(&f, "p> 32{[k]0001()'1'} 32{[t]0002()'2'} 34{[t]0003()'3'}\n"
                        "p<\n"
                        "s< 32{[k]0001()'1'}\n");
        journal_go_on(&f);
        journal_run(&f, "p< 40{0001} 40{0002 10} 50{0003}\n");
        journal_done(&f);
}

TEST(each_step_of_qos_2_waits_for_the_one_before)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, JOIN("p") JOIN("s") "s> 82{0001 () [t] 02}\n"
                                            "s< 90{0001 () 02}\n"
                                            "p> 34{[t]0001()'1'}\n"
                                            "p< 50{0001}\n"
                                            "s< 34{[t]0001()'1'}\n");
        journal_stall(&f);
        journal_run(&f, "p> 62{0001}\n"
                        "p<\n"
                        "s> 50{0001}\n"
                        "s<\n");
        journal_go_on(&f);
        journal_run(&f, "p< 70{0001}\n"
                        "s< 62{0001}\n");
        journal_stall(&f);
        /* It comes again, and nothing is noted: the answer waits all the same. */
        journal_run(&f, "p> 34{[x]0002()'1'} 3C{[x]0002()'1'} 62{0009}\n"
                        "p<\n");
        journal_go_on(&f);
        journal_run(&f, "p< 50{0002} 50{0002} 70{0009}\n");
        journal_done(&f);
}

TEST(subscriptions_of_a_session_that_survives_wait)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, JOIN("s"));
        journal_stall(&f);
        journal_run(&f, "s> 82{0001 () [t] 01} A2{0002 () [t]}\n"
                        "s<\n");
        journal_go_on(&f);
        journal_run(&f, "s< 90{0001 () 01} B0{0002 () 00}\n");
        journal_done(&f);
}

TEST(a_session_that_begins_goes_on_or_ends_is_told_of_when_it_has)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, JOIN("a") "a.\n" JOIN("b"));
        journal_stall(&f);
        journal_run(
                &f,
                "a> " KEEP_5("a") "a<\n"
                                  "b> 82{0001 () [t] 01}\n"
                                  "b<\n"
                                  "c> " KEEP_5(
                                          "c") "c<\n"
                                               /* Packets that it does not wait with wait, too. */
                                               "d> 10{[MQTT] 05 02 0000 (11 00000E10) [d]} 82{0001 "
                                               "() [t] 01} C0 00\n"
                                               "d<\n"
                                               "e> " CONNECT_5("e") "e< " CONNACK_5 "f> " CONNECT_5(
                                                       "b") "f<\n"
                                                            "b< E0{8E}\n"
                                                            "b|\n");
        journal_go_on(&f);
        journal_run(&f, "a< " PRESENT_5 "c< " CONNACK_5 "d< " CONNACK_5 "d< D0 00 90{0001 () 01}\n"
                        "f< " CONNACK_5);
        journal_done(&f);
}

TEST(who_waits_too_long_for_its_session_is_told_so)
{
        struct journal_fixture f;

        both(&f);
        journal_stall(&f);
        journal_run(&f, "a> " KEEP_5("a") "a<\n"
                                          "b> " KEEP_5("b") "b<\n"
                                                            "b.\n"
                                                            "+5000\n"
                                                            "a< 20{00 89 ()}\n"
                                                            "a|\n");
        CHECK_EQ(f.talk.broker->journal->opening, 0);
        journal_go_on(&f);
        journal_done(&f);
}

TEST(a_client_takes_its_session_over_while_it_waits)
{
        struct journal_fixture f;

        both(&f);
        journal_stall(&f);
        journal_run(&f, "a> " KEEP_5("a") "a<\n"
                                          "b> " KEEP_5("a") "a|\n"
                                                            "b<\n");
        CHECK_EQ(f.talk.broker->journal->opening, 1);
        journal_go_on(&f);
        journal_run(&f, "b< " PRESENT_5);
        CHECK_EQ(f.talk.broker->journal->opening, 0);
        journal_done(&f);
}

TEST(each_durability_goes_by_its_own)
{
        struct journal_fixture f;

        start(&f, MQTT_DURABILITY_INTERVAL, MQTT_DURABILITY_FSYNC);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 02}\n"
                                  "s< 90{0001 () 02}\n"
                                  "p@5\n");
        journal_stall(&f);
        journal_run(&f, "p> 32{[k]0001()'1'} 34{[k]0002()'2'} 62{0002}\n"
                        "p< 40{0001} 50{0002} 70{0002}\n"
                        "s< 32{[k]0001()'1'} 34{[k]0002()'2'}\n"
                        "p> 33{[r]0003()'3'}\n"
                        "p<\n");
        journal_go_on(&f);
        journal_run(&f, "p< 40{0003 10}\n");
        journal_done(&f);

        start(&f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_MEMORY);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\n"
                                  "s< 90{0001 () 01}\n"
                                  "p@5\n");
        journal_stall(&f);
        journal_run(&f, "p> 33{[r]0001()'1'}\n"
                        "p< 40{0001 10}\n"
                        "p> 32{[k]0002()'2'}\n"
                        "p<\n"
                        "s< 32{[k]0001()'2'}\n");
        journal_go_on(&f);
        journal_run(&f, "p< 40{0002}\n");
        journal_restart(&f);
        CHECK_EQ(mqtt_retained_count(f.talk.broker->retained), 0);
        journal_done(&f);
}

/* limits.receive_maximum is 8. */
TEST(with_as_many_as_its_receive_maximum_the_input_waits)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\n"
                                  "s< 90{0001 () 01}\n"
                                  "s.\n"
                                  "p> 10{[MQTT] 05 02 000A () [p]}\n"
                                  "p< " CONNACK_5);
        journal_stall(&f);
        for (unsigned i = 1; i <= 12; i++) {
                char line[64];

                snprintf(line, sizeof(line), "p> 32{[k]%04X()'1'}\n", i);
                journal_run(&f, line);
        }
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_RECEIVED), 8);
        /* Nor is it taken for dead meanwhile. */
        journal_run(&f, "+60000\n"
                        "p<\n");
        journal_go_on(&f);
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_RECEIVED), 12);
        journal_run(&f,
                    "p< 40{0001} 40{0002} 40{0003} 40{0004} 40{0005} 40{0006} 40{0007} 40{0008}\n"
                    "p< 40{0009} 40{000A} 40{000B} 40{000C}\n");
        journal_done(&f);
}

TEST(a_connection_that_ends_forgets_what_it_waited_for)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, JOIN("p") JOIN("s") "s> 82{0001 () [t] 02}\n"
                                            "s< 90{0001 () 02}\n");
        journal_stall(&f);
        journal_run(&f, "p> 34{[t]0001()'1'}\n"
                        "p.\n"
                        "s.\n");
        journal_go_on(&f);
        journal_run(&f,
                    "p> " KEEP_5("p") "p< " PRESENT_5 "p> 3C{[t]0001()'1'}\n"
                                      "p< 50{0001}\n"
                                      /* It was never sent, so it is no duplicate. */
                                      "s> " KEEP_5("s") "s< " PRESENT_5 "s< 34{[t]0001()'1'}\n");
        journal_done(&f);
}

/* Its own queue is full, and it is to be sent away: nothing tells it before the disk has it that
 * what it sent last is safe. */
TEST(who_is_sent_away_hears_of_nothing_that_is_not_on_the_disk)
{
        struct journal_fixture f;
        char line[64];

        both(&f);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\n"
                                  "s< 90{0001 () 01}\n"
                                  "p@5\n"
                                  "p> 82{0001 () [k] 01}\n"
                                  "p< 90{0001 () 01}\n");
        for (unsigned i = 1; i <= 9; i++) {
                snprintf(line, sizeof(line), "p> 32{[k]%04X()''}\ns~\np~\n", i);
                journal_run(&f, line);
                snprintf(line, sizeof(line), "s> 40{%04X}\n", i);
                journal_run(&f, line);
        }
        journal_stall(&f);
        journal_run(&f, "p> 32{[k]000A()'1'}\n"
                        "s~\n"
                        "p< E00197\n"
                        "p|\n");
        journal_go_on(&f);
        journal_done(&f);
}

TEST(what_waits_is_no_longer_than_its_client_takes)
{
        struct journal_fixture f;

        both(&f);
        journal_run(&f, "s> 10{[MQTT] 05 02 0000 (11 00000E10 27 00000014) [s]}\n"
                        "s< " CONNACK_5);
        journal_stall(&f);
        /* 16 reasons in 21 bytes. */
        journal_run(&f, "s> 82{0001 () [a]01 [b]01 [c]01 [d]01 [e]01 [f]01 [g]01 [h]01"
                        " [i]01 [j]01 [k]01 [l]01 [m]01 [n]01 [o]01 [p]01}\n"
                        "s< E00195\n"
                        "s|\n");
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_ANSWERS_LOST), 1);
        journal_go_on(&f);
        journal_done(&f);
}

TEST(what_waited_counts_as_sent)
{
        struct journal_fixture f;
        uint64_t packets, bytes;

        both(&f);
        journal_run(&f, "p@5\n");
        packets = conversation_count(&f.talk, MQTT_COUNT_PACKETS_SENT);
        bytes = conversation_count(&f.talk, MQTT_COUNT_BYTES_SENT);
        journal_run(&f, "p> 33{[r]0001()'1'}\n"
                        "p< 40{0001 10}\n");
        CHECK(conversation_count(&f.talk, MQTT_COUNT_JOURNAL_HELD) > 0);
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_PACKETS_SENT), packets + 1);
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_BYTES_SENT), bytes + 5);
        journal_done(&f);
}

/* --- a disk that is full, or fails --- */

TEST(answers_that_wait_count_as_memory)
{
        struct journal_fixture f;
        size_t before;

        both(&f);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\n"
                                  "s< 90{0001 () 01}\n"
                                  "p@5\n"
                                  /* The table of what is under way stays. */
                                  "p> 32{[k]0009()''}\n"
                                  "p< 40{0009}\n"
                                  "s< 32{[k]0001()''}\n"
                                  "s> 40{0001}\n");
        for (unsigned goes = 0; goes < 2; goes++) {
                before = f.talk.broker->ledger.bytes;
                journal_stall(&f);
                journal_run(&f, "p> 32{[k]0001()''}\n"
                                "p<\n"
                                "s~\n"
                                "s> 40{0002} 40{0003}\n");
                CHECK(f.talk.broker->ledger.bytes > before);
                if (goes)
                        journal_run(&f, "p.\n");
                journal_go_on(&f);
                if (!goes)
                        journal_run(&f, "p< 40{0001}\n");
                CHECK_EQ(f.talk.broker->ledger.bytes, before);
        }
        journal_done(&f);
}

TEST(nothing_changes_and_nothing_is_written)
{
        struct journal_fixture f;
        uint64_t written;

        both(&f);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\n"
                                  "s< 90{0001 () 01}\n"
                                  "p@5\n"
                                  "+120000\n");
        written = f.talk.broker->journal->log->written_bytes;
        journal_run(&f, "p> 32{[x]0001()'1'} 34{[x]0002()'1'} 30{[k]()'0'} 62{0002}\n"
                        "p< 40{0001 10} 50{0002} 70{0002}\n"
                        "s< 30{[k]()'0'}\n"
                        "p> 31{[r]()}\n"
                        "+120000\n");
        CHECK_EQ(f.talk.broker->journal->log->written_bytes, written);
        journal_done(&f);
}

TEST(a_message_for_many_is_written_once)
{
        struct journal_fixture f;
        uint64_t before, after;
        char line[128];
        static char payload[3001];

        both(&f);
        for (int c = 'a'; c <= 'h'; c++) {
                snprintf(line, sizeof(line),
                         "%c> 10{[MQTT] 05 00 0000 (11 00000E10) [%c]} 82{0001 () [t] "
                         "01}\n%c~\n%c.\n",
                         c, c, c, c);
                journal_run(&f, line);
        }
        memset(payload, 'x', sizeof(payload) - 1);
        before = f.talk.broker->journal->log->written_bytes;
        {
                char script[3200];

                snprintf(script, sizeof(script), "p@5\np> 32{[t]0001()'%s'}\np< 40{0001}\n",
                         payload);
                journal_run(&f, script);
        }
        after = f.talk.broker->journal->log->written_bytes;
        CHECK(after - before > 3000 && after - before < 3000 + 400);
        journal_done(&f);
}
