/* Who comes in, and as whom. */
#include "agent/gate/gate-fixture.h"
#include "agent/gate/gate-internal.h"
#include "base/attributes.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(who_shows_no_password_is_what_anybody_is)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(&f.talk,
                         "a> " LOGIN_5("a") "a< " WELCOME_5
                                            /* A user name alone proves nothing. */
                                            "b> 10{[MQTT] 05 82 0000 () [b] [admin]}\n"
                                            "b< " WELCOME_5 "b> 82{0001 () [pi/rpc/request] 00}\n"
                                            "b< 90{0001 () 87}\n");
        f.anybody.role = COMMAND_ROLE_NONE;
        conversation_run(&f.talk, "c> " LOGIN_5("c") "c< 20{00 87 ()}\n"
                                                     "c|\n"
                                                     "d> " CONNECT_311("d") "d< 20{00 05}\n"
                                                                            "d|\n");
        CHECK_EQ(f.gate->counts.connections, 2);
        CHECK_EQ(f.gate->counts.refused, 2);
        fixture_close(&f);
}

TEST(a_password_is_a_token_and_a_user_name_its_name)
{
        static const char *const scripts[] = {
                "a> " LOGIN_5_AS("a", "admin", "admin") "a< " WELCOME_5,
                "b> " LOGIN_311_AS("b", "viewer", "viewer") "b< " WELCOME_311,
                /* 5.0 knows passwords without a name (3.1.2.9). */
                "c> 10{[MQTT] 05 42 0000 () [c] [admin]}\nc< " WELCOME_5,
                "d> " LOGIN_5_AS("d", "admin", "operator") "d< 20{00 87 ()}\nd|\n",
                "e> " LOGIN_5_AS("e", "admin", "nonsense") "e< 20{00 87 ()}\ne|\n",
                "f> " LOGIN_311_AS("f", "admin", "nonsense") "f< 20{00 05}\nf|\n",
                "g> " LOGIN_5_AS("g", "admin", "slowed") "g< 20{00 89 ()}\ng|\n",
        };
        struct fixture f;

        fixture_open(&f);
        f.anybody.role = COMMAND_ROLE_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
                conversation_run(&f.talk, scripts[i]);
        CHECK_EQ(f.gate->counts.connections, 3);
        fixture_close(&f);
}

TEST(who_gets_what_anybody_gets_may_have_any_name)
{
        struct fixture f;

        fixture_open(&f);
        snprintf(f.anybody.name, sizeof(f.anybody.name), "operator");
        conversation_run(&f.talk, "a> " LOGIN_5_AS("a", "someone", "operator") "a< " WELCOME_5);
        fixture_close(&f);
}

TEST(a_password_that_cannot_be_a_token_is_wrong)
{
        struct fixture f;
        char script[2048], text[700];

        fixture_open(&f);
        conversation_run(&f.talk, "a> 10{[MQTT] 05 C2 0000 () [a] [admin] 0006 61646D69 00 6E}\n"
                                  "a< 20{00 87 ()}\n"
                                  "a|\n");
        CHECK_TEXT(f.token, "");
        /* Its length is access' to judge, and to count. */
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        snprintf(script, sizeof(script),
                 "a> 10{[MQTT] 05 C2 0000 () [a] [admin] [%s]}\n"
                 "a< 20{00 87 ()}\n"
                 "a|\n",
                 text);
        conversation_run(&f.talk, script);
        CHECK_EQ(strlen(f.token), 513);
        /* No user has a name of that length. */
        f.token[0] = '\0';
        text[64] = '\0';
        snprintf(script, sizeof(script),
                 "a> 10{[MQTT] 05 C2 0000 () [a] [%s] [admin]}\n"
                 "a< 20{00 87 ()}\n"
                 "a|\n",
                 text);
        conversation_run(&f.talk, script);
        CHECK_TEXT(f.token, "");
        fixture_close(&f);
}

TEST(a_password_that_takes_time_holds_up_its_client_only)
{
        struct fixture f;

        fixture_open(&f);
        f.slow = true;
        conversation_run(
                &f.talk,
                "a> " LOGIN_5_AS("a", "operator",
                                 "operator") "a> 30{[pi/rpc/request] () '{\"command\":\"ping\"}'}\n"
                                             "b> " LOGIN_5("b") "b< " WELCOME_5 "a<\n");
        CHECK_EQ(f.pings, 0);
        fixture_identify(&f);
        conversation_run(&f.talk, "a< " WELCOME_5);
        CHECK_EQ(f.pings, 1);
        conversation_run(&f.talk, "c> " LOGIN_5_AS("c", "operator", "nonsense"));
        fixture_identify(&f);
        conversation_run(&f.talk, "c< 20{00 87 ()}\n"
                                  "c|\n");
        fixture_close(&f);
}

TEST(who_does_not_wait_for_the_answer_is_forgotten)
{
        struct fixture f;

        fixture_open(&f);
        f.slow = true;
        conversation_run(&f.talk, "a> " LOGIN_5_AS("a", "operator", "operator") "a.\n");
        fixture_identify(&f);
        CHECK_EQ(f.gate->counts.connections, 0);
        conversation_run(&f.talk, "b> " LOGIN_5_AS("b", "operator", "operator") "+5000\n"
                                                                                "b< 20{00 89 ()}\n"
                                                                                "b|\n");
        fixture_identify(&f);
        CHECK_EQ(f.gate->counts.connections, 0);
        fixture_close(&f);
}

TEST(an_answer_that_comes_after_the_gate_went_is_nobodys)
{
        struct fixture f;

        fixture_open(&f);
        f.slow = true;
        conversation_run(&f.talk, "a> " LOGIN_5_AS("a", "operator", "operator"));
        fixture_close(&f); /* tells, after the gate is gone */
}

TEST(a_will_is_no_command_and_not_a_viewers)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(&f.talk, "a> 10{[MQTT] 05 06 0000 () [a] () [pi/rpc/request] [m]}\n"
                                  "a< 20{00 87 ()}\n"
                                  "a|\n"
                                  "b> 10{[MQTT] 05 06 0000 () [b] () [pi/status] [offline]}\n"
                                  "b< 20{00 87 ()}\n"
                                  "b|\n"
                                  "c> 10{[MQTT] 05 06 0000 () [c] () [gone] [m]}\n"
                                  "c< " WELCOME_5 "d> " LOGIN_5("d") "d< " WELCOME_5
                                                                     "d> 82{0001 () [gone] 00}\n"
                                                                     "d< 90{0001 () 00}\n"
                                                                     "c.\n"
                                                                     "d< 30{[gone] () 'm'}\n");
        f.anybody.role = COMMAND_ROLE_VIEWER;
        conversation_run(&f.talk, "e> 10{[MQTT] 05 06 0000 () [e] () [gone] [m]}\n"
                                  "e< 20{00 87 ()}\n"
                                  "e|\n");
        fixture_close(&f);
}

TEST(who_asks_is_told_where_replies_will_be)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(&f.talk,
                         "a> 10{[MQTT] 05 02 0000 (19 01) [me]}\n"
                         "a< 20{00 00 (22 0020 1A[pi/rpc/response/me] 27 00100000 21 0400)}\n"
                         "b> 10{[MQTT] 05 02 0000 (19 01) [a/b]}\n"
                         "b< " WELCOME_5);
        fixture_close(&f);
}

TEST(who_is_refused_by_the_broker_was_never_let_in)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(&f.talk, "a> " LOGIN_5("a") "a< " WELCOME_5 "b> " LOGIN_5_AS(
                                          "a", "admin", "admin") "b< 20{00 87 ()}\n"
                                                                 "b|\n");
        CHECK_EQ(f.gate->counts.connections, 1);
        CHECK_EQ(f.gate->counts.connections_total, 1);
        CHECK_EQ(f.gate->counts.refused, 1);
        /* Nor is one of whom it was known too late. */
        f.slow = true;
        conversation_run(&f.talk, "c> " LOGIN_5_AS("c", "admin", "admin") "+5000\n");
        fixture_identify(&f);
        CHECK_EQ(f.gate->counts.connections_total, 1);
        fixture_close(&f);
}

static void vouch(void *owner, int fd, struct command_principal *ret)
{
        struct ucred peer;
        socklen_t length = sizeof(peer);

        (void)owner;
        CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
        CHECK_EQ(peer.uid, getuid());
        *ret = (struct command_principal){COMMAND_ROLE_ADMIN, "me"};
}

TEST(whom_the_kernel_vouches_for_needs_no_password)
{
        struct fixture f;

        fixture_open(&f);
        f.anybody = (struct command_principal){COMMAND_ROLE_NONE, ""};
        conversation_run(&f.talk, "a> " LOGIN_5("a") "a< 20{00 87 ()}\n"
                                                     "a|\n");
        /* As all of this fixture's do, they come by a Unix socket. */
        f.gate->options.vouch = vouch;
        conversation_run(
                &f.talk,
                "b> " LOGIN_5("b") "b< " WELCOME_5
                                   "b> 32{[pi/rpc/request] 0001 () '{\"command\":\"change\"}'}\n"
                                   "b< 40{0001}\n");
        CHECK_EQ(f.changes, 1);
        /* A password is still one. */
        conversation_run(&f.talk,
                         "c> " LOGIN_5_AS("c", "viewer", "viewer") "c< " WELCOME_5 "d> " LOGIN_5_AS(
                                 "d", "viewer", "wrong") "d< 20{00 87 ()}\n"
                                                         "d|\n");
        fixture_close(&f);
}

TEST(connections_are_bounded)
{
        struct net_address peer = {.length = sizeof(sa_family_t)};
        struct fixture f;
        int pair[2];

        fixture_open(&f);
        peer.any.sa_family = AF_UNIX;
        for (unsigned i = 0; i < 6; i++) {
                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
                f.talk.fds[i] = pair[1];
                gate_adopt(f.gate, GATE_TCP, pair[0], &peer);
        }
        CHECK_EQ(f.gate->counts.refused, 1);
        conversation_run(&f.talk, "f|\n"
                                  "e> " LOGIN_5("e") "e< " WELCOME_5);
        fixture_close(&f);
}

TEST(a_gate_that_stops_lets_nobody_in)
{
        struct net_address peer = {.length = sizeof(sa_family_t)};
        struct fixture f;
        int pair[2];

        fixture_open(&f);
        peer.any.sa_family = AF_UNIX;
        conversation_run(
                &f.talk,
                "a> " LOGIN_5("a") "a< " WELCOME_5
                                   "a> 30{[pi/rpc/request] () '{\"command\":\"hold\"}'}\n");
        gate_stop(f.gate, on_stopped, &f);
        conversation_run(&f.talk, "b> " LOGIN_5("b") "b< 20{00 88 ()}\n"
                                                     "b|\n");
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        f.talk.fds[2] = pair[1];
        gate_adopt(f.gate, GATE_TCP, pair[0], &peer);
        conversation_run(&f.talk, "c|\n");
        fixture_close(&f);
}

TEST(without_memory_a_client_is_turned_away_and_nothing_stays)
{
        bool failed;
        size_t n = 0;

        do {
                struct fixture f;
                size_t count;
                uint8_t *bytes;

                fixture_open(&f);
                conversation_dial(&f.talk, 0);
                bytes = conversation_bytes("10{[MQTT] 05 C2 0000 () [a] [admin] [admin]}", &count);
                CHECK_EQ(write(f.talk.fds[0], bytes, count), count);
                free(bytes);
                allocation_fail_at(++n);
                for (unsigned i = 0; i < 4; i++)
                        loop_run_once(f.talk.loop, 0);
                failed = allocation_end();
                conversation_settle(&f.talk);
                if (!failed)
                        conversation_run(&f.talk, "a< " WELCOME_5);
                fixture_close(&f);
        } while (failed);
        CHECK(n > 3);
}

TEST(a_gate_opens_whole_or_not_at_all)
{
        struct fixture f;
        bool failed;
        size_t n = 0;
        int r;

        fixture_open(&f);
        do {
                struct gate *other = NULL;

                /* Not more than the registry has room for. */
                if (n % 3 == 0 && n > 0) {
                        fixture_close(&f);
                        fixture_open(&f);
                }
                /* Its commands are one gate's. */
                f.gate = gate_free(f.gate);
                allocation_fail_at(++n);
                r = gate_attach(f.registry, &f.options, &other, NULL);
                failed = allocation_end();
                CHECK(failed || r == 0);
                CHECK(r == 0 || r == -ENOMEM);
                gate_free(other);
        } while (failed);
        fixture_close(&f);
}

TEST(a_base_that_is_no_topic_opens_no_gate)
{
        struct fixture f;
        struct gate *other = NULL;
        struct error error;
        char *topic, none[] = "a/#";

        fixture_open(&f);
        topic = f.config.topic;
        f.config.topic = none;
        CHECK_EQ(gate_attach(f.registry, &f.options, &other, &error), -EINVAL);
        CHECK(strstr(error.text, "mqtt.topic"));
        CHECK_NULL(other);
        f.config.topic = topic;
        fixture_close(&f);
}
