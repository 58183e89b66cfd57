/* Requests that come again. */
#include "agent/gate/repeats.h"
#include "agent/gate/request-fixture.h"

#define PING_1 "'{\"command\":\"ping\",\"id\":1}'"
#define REQUEST "{[pi/rpc/request] 0001 (08[pi/rpc/response/a] 09 0001 41) " PING_1 "}\n"

/* With QoS 0, so that replies need no answer. */
static void follow(struct fixture *f)
{
        fixture_open(f);
        conversation_run(&f->talk, FOLLOW_REPLIES("0"));
}

TEST(qos_1_that_comes_again_is_acknowledged_and_answered_but_not_carried_out)
{
        struct fixture f;

        follow(&f);
        conversation_run(&f.talk, "a> 32" REQUEST);
        CHECK(heard(&f, 'a', PONG));
        conversation_run(&f.talk, "a~\n");
        for (unsigned i = 0; i < 3; i++) {
                conversation_run(&f.talk, "+1000\n"
                                          "a> 3A" REQUEST);
                /* The reply of the first, with its time and the correlation data. */
                CHECK(heard(&f, 'a', PONG "1.000"));
                CHECK(heard(&f, 'a',
                            "\x40\x02"
                            "\x00\x01"));
                conversation_run(&f.talk, "a~\n");
        }
        CHECK_EQ(f.pings, 1);
        fixture_close(&f);
}

TEST(it_is_known_again_after_another_connection)
{
        struct fixture f;

        follow(&f);
        conversation_run(&f.talk, "a> 32" REQUEST "a~\n"
                                  "a.\n"
                                  "a> " LOGIN_5("a") "a< " WELCOME_5
                                                     "a> 82{0001 () [pi/rpc/response/a/#] 00}\n"
                                                     "a< 90{0001 () 00}\n"
                                                     "a> 3A" REQUEST);
        CHECK(heard(&f, 'a', PONG));
        conversation_run(&f.talk, "a~\n");
        CHECK_EQ(f.pings, 1);
        fixture_close(&f);
}

TEST(another_client_with_the_same_words_is_no_repeat)
{
        struct fixture f;

        follow(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 () " PING_1 "}\n"
                                  "a< 40{0001}\n"
                                  "b> " LOGIN_5("b") "b< " WELCOME_5
                                                     "b> 3A{[pi/rpc/request] 0001 () " PING_1 "}\n"
                                                     "b< 40{0001}\n");
        CHECK_EQ(f.pings, 2);
        fixture_close(&f);
}

TEST(a_repeat_of_what_is_under_way_waits_for_that_reply)
{
        struct fixture f;

        follow(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n"
                                  "a< 40{0001}\n"
                                  "a> 3A{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n"
                                  "a< 40{0001}\n"
                                  "a<\n");
        CHECK_EQ(f.held_count, 1);
        release_held(&f, 0);
        conversation_settle(&f.talk);
        CHECK(heard(&f, 'a', "{\"success\":true"));
        conversation_run(&f.talk, "a~\n"
                                  "a<\n");
        fixture_close(&f);
}

TEST(what_was_refused_is_carried_out_when_it_comes_again)
{
        struct fixture f;

        follow(&f);
        /* Expired when it came. */
        conversation_run(&f.talk,
                         "a> 32{[pi/rpc/request] 0001 (02 00000000 08[pi/rpc/response/a]) " PING_1
                         "}\n");
        CHECK(heard(&f, 'a', "EXPIRED"));
        conversation_run(&f.talk,
                         "a~\n"
                         "a> 3A{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) " PING_1 "}\n");
        CHECK(heard(&f, 'a', PONG));
        CHECK_EQ(f.pings, 1);
        conversation_run(&f.talk, "a~\n");
        fixture_close(&f);
}

TEST(without_a_duplicate_flag_the_same_words_are_another_request)
{
        struct fixture f;

        follow(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 () " PING_1 "}\n"
                                  "a< 40{0001}\n"
                                  "a> 32{[pi/rpc/request] 0001 () " PING_1 "}\n"
                                  "a< 40{0001}\n");
        CHECK_EQ(f.pings, 2);
        fixture_close(&f);
}

TEST(after_a_minute_nobody_remembers)
{
        struct fixture f;

        follow(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 () " PING_1 "}\n"
                                  "a< 40{0001}\n"
                                  "+60000\n"
                                  "a> 3A{[pi/rpc/request] 0001 () " PING_1 "}\n"
                                  "a< 40{0001}\n");
        CHECK_EQ(f.pings, 1);
        conversation_run(&f.talk, "+1\n"
                                  "a> 3A{[pi/rpc/request] 0001 () " PING_1 "}\n"
                                  "a< 40{0001}\n");
        CHECK_EQ(f.pings, 2);
        fixture_close(&f);
}
