/* Requests that are many, whose client goes, whose gate stops, and without memory. */
#include "agent/gate/request-fixture.h"
#include "support/allocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(the_requests_of_a_client_under_way_are_bounded)
{
        struct fixture f;

        begin(&f);
        for (unsigned i = 0; i < GATE_PENDING_MAX; i++)
                conversation_run(&f.talk, "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                          "'{\"command\":\"hold\"}'}\n");
        CHECK_EQ(f.held_count, GATE_PENDING_MAX);
        conversation_run(&f.talk, "a<\n"
                                  "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\",\"id\":9}'}\n");
        CHECK_EQ(f.held_count, GATE_PENDING_MAX);
        CHECK(heard(&f, 'a', "\"id\":9,"));
        CHECK(heard(&f, 'a', "\"code\":\"BUSY\""));
        /* Others are not. */
        conversation_run(&f.talk, "b> " LOGIN_5("b") "b< " WELCOME_5
                                                     "b> 30{[pi/rpc/request] () " PING "}\n");
        CHECK_EQ(f.pings, 1);
        release_held(&f, 0);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] () " PING "}\n");
        CHECK_EQ(f.pings, 2);
        fixture_close(&f);
}

TEST(who_asks_a_lot_at_once_lets_others_go_between)
{
        static const char one[] = "\x30\x26\0\x0epi/rpc/request\0{\"command\":\"ping\"}   ";
        enum { MANY = 400 };
        static char all[MANY * (sizeof(one) - 1)];
        struct fixture f;
        unsigned before, rounds = 0;

        begin(&f);
        conversation_run(&f.talk, "b> " LOGIN_5("b") "b< " WELCOME_5);
        for (unsigned i = 0; i < MANY; i++)
                memcpy(all + i * (sizeof(one) - 1), one, sizeof(one) - 1);
        CHECK_EQ(write(f.talk.fds[0], all, sizeof(all)), sizeof(all));
        loop_run_once(f.talk.loop, 0);
        /* The rest of the round: one more of each. */
        CHECK(f.pings >= 64 && f.pings <= GATE_REQUESTS_PER_ROUND + 1);
        CHECK_EQ(write(f.talk.fds[1], one, sizeof(one) - 1), sizeof(one) - 1);
        do {
                before = f.pings;
                loop_run_once(f.talk.loop, 0);
                rounds++;
        } while (f.pings > before);
        CHECK_EQ(f.pings, MANY + 1);
        CHECK(rounds >= 3);
        fixture_close(&f);
}

TEST(a_client_that_goes_before_its_reply_is_not_answered)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n"
                                  "a.\n");
        CHECK_EQ(f.gate->requests_count, 0);
        release_held(&f, 0);
        CHECK_EQ(f.gate->counts.bytes_out, 0);
        fixture_close(&f);
}

TEST(who_takes_a_session_over_gets_no_replies_of_the_one_before)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n"
                                  "b> " LOGIN_5("a") "b< " WELCOME_5 "a< E0018E\n"
                                                     "a|\n"
                                                     "b> 82{0001 () [pi/rpc/response/a/#] 00}\n"
                                                     "b< 90{0001 () 00}\n");
        release_held(&f, 0);
        conversation_run(&f.talk, "b<\n");
        CHECK_EQ(f.gate->counts.connections, 1);
        fixture_close(&f);
}

TEST(a_client_id_is_its_users)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "b> " LOGIN_5_AS("a", "admin", "admin") "b< 20{00 87 ()}\n"
                                                                          "b|\n"
                                                                          "a> C000\n"
                                                                          "a< D000\n");
        fixture_close(&f);
}

TEST(a_gate_that_stops_answers_what_is_under_way)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 82{0002 () [pi/status] 01}\n"
                                  "a< 90{0002 () 01} 33{[pi/status] 0001 () 'online'}\n"
                                  "a> 40{0001}\n"
                                  "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n");
        gate_stop(f.gate, on_stopped, &f);
        conversation_settle(&f.talk);
        conversation_run(&f.talk, "a< 32{[pi/status] 0002 () 'offline'}\n"
                                  "a> 40{0002}\n"
                                  "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) " PING "}\n");
        CHECK(heard(&f, 'a', "\"code\":\"NOT_READY\""));
        CHECK(!f.stopped);
        conversation_run(&f.talk, "a~\n");
        release_held(&f, 0);
        CHECK(heard(&f, 'a', "\"type\":\"hold\""));
        conversation_run(&f.talk, "a~\n"
                                  "+0\n"
                                  "a< E0018B\n"
                                  "a.\n"
                                  "+1000\n"
                                  "+10\n");
        CHECK(f.stopped);
        fixture_close(&f);
}

TEST(a_gate_without_requests_stops_at_once)
{
        struct fixture f;

        fixture_open(&f);
        gate_stop(f.gate, on_stopped, &f);
        CHECK(!f.stopped);
        loop_advance_ms(f.talk.loop, 0);
        CHECK(f.stopped);
        fixture_close(&f);
}

/* Whatever fails: no crash, no leak, and the client has a reply, an acknowledgement with a
 * reason, or the end of its connection; or its reply is counted as dropped. */
static void ask_without_memory(const char *payload, const char *reply)
{
        char packet[512];
        bool failed;
        size_t n = 0;

        snprintf(packet, sizeof(packet),
                 "32{[pi/rpc/request] 0001 (08[pi/rpc/response/a] 09 0001 41) '%s'}", payload);
        do {
                struct fixture f;
                size_t count;
                uint8_t *bytes;
                char byte;

                begin(&f);
                conversation_run(&f.talk,
                                 "b> " LOGIN_5_AS("b", "admin",
                                                  "admin") "b< " WELCOME_5
                                                           "b> 82{0001 () [pi/rpc/request] 00}\n"
                                                           "b< 90{0001 () 00}\n");
                bytes = conversation_bytes(packet, &count);
                CHECK_EQ(write(f.talk.fds[0], bytes, count), count);
                free(bytes);
                allocation_fail_at(++n);
                for (unsigned i = 0; i < 4; i++)
                        loop_run_once(f.talk.loop, 0);
                failed = allocation_end();
                conversation_settle(&f.talk);
                if (!heard(&f, 'a', "{\"success\":") && !heard(&f, 'a', "{\"v\":1,") &&
                    !heard(&f, 'a', "\x40\x03") && !heard(&f, 'a', "\xe0") &&
                    recv(f.talk.fds[0], &byte, 1, MSG_DONTWAIT) != 0 &&
                    conversation_count(&f.talk, MQTT_COUNT_DROPPED_MEMORY) == 0)
                        FAIL("nothing was said at allocation %zu", n);
                if (!failed)
                        CHECK(heard(&f, 'a', reply));
                fixture_close(&f);
        } while (failed);
        CHECK(n > 10);
}

TEST(without_memory_a_request_is_answered_refused_or_cut_off)
{
        cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
        ask_without_memory("{\"command\":\"ping\",\"token\":\"t\",\"reply\":true}", PONG);
        ask_without_memory("{\"v\":1,\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[7],\"b\":2}}",
                           "\"said\":{\"a\":[7],\"b\":2}");
}
