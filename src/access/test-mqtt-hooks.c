/* Who comes in, by what it shows, and who does not. */
#include "access/mqtt-hooks-fixture.h"

#include "base/attributes.h"
#include "support/allocation.h"

#include <stdio.h>

TEST(a_user_comes_in_with_the_right_password)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        held_work_begin(&f.held, f.work);
        run(&f, "a> " LOGIN_5("a", "ann", "first secret") "a<\n");
        CHECK_EQ(verifier_jobs(f.options.login.verifier), 1);
        held_work_release(&f.held);
        verify(&f);
        run(&f, "a< " CONNACK_5);
        run(&f, "b> " LOGIN_311("b", "ann", "first secret") "b< " CONNACK_311);
        run(&f, "c> " LOGIN_5("c", "fred", FAST) "c< " CONNACK_5);
        CHECK_EQ(f.reports, 0);
        fixture_close(&f);
}

TEST(a_wrong_password_and_a_wrong_name_are_told_alike)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f, "a> " LOGIN_5("a", "ann", "wrong"));
        verify(&f);
        run(&f, "a< 20{00 87 ()}\na|\n");
        CHECK_EQ(f.report.event, ACCESS_REFUSED_CREDENTIALS);
        CHECK_TEXT(f.client_id, "a");
        CHECK_TEXT(f.user, "ann");
        run(&f, "b> " LOGIN_5("b", "nobody", "wrong"));
        verify(&f);
        run(&f, "b< 20{00 87 ()}\nb|\n");
        run(&f, "c> " LOGIN_311("c", "fred", "wrong") "c< 20{00 05}\nc|\n");
        CHECK_EQ(f.reports, 3);
        /* A name without a password, and a password without a name. */
        f.talk.peer = &(struct net_address){.v4 = {.sin_family = AF_INET, .sin_addr = {0x01020304}},
                                            .length = 16};
        run(&f, "d> 10{[MQTT] 05 82 0000 () [d] [ann]}\nd< 20{00 87 ()}\nd|\n");
        run(&f, "e> 10{[MQTT] 05 42 0000 () [e] [" FAST "]}\n");
        verify(&f);
        run(&f, "e< 20{00 87 ()}\ne|\n");
        fixture_close(&f);
}

/* Many clients send what their settings leave empty. */
TEST(an_empty_name_is_none)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        f.policy.anonymous = ACCESS_ANONYMOUS_ALLOWED;
        run(&f, "a> " LOGIN_5("a", "", "") "a< " CONNACK_5);
        run(&f, "b> " LOGIN_5("b", "", FAST) "b< " CONNACK_5);
        run(&f, "c> 10{[MQTT] 05 42 0000 () [c] [" FAST "]}\nc< " CONNACK_5);
        f.policy.anonymous = ACCESS_ANONYMOUS_REFUSED;
        run(&f, "d> " LOGIN_5("d", "", FAST) "d< 20{00 87 ()}\nd|\n");
        CHECK_EQ(f.report.event, ACCESS_REFUSED_ANONYMOUS);
        CHECK_EQ(f.reports, 1);
        fixture_close(&f);
}

TEST(who_failed_too_often_comes_later_and_others_now)
{
        static const struct net_address here = {
                .v4 = {.sin_family = AF_INET, .sin_addr = {0x01020304}}, .length = 16};
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        f.talk.peer = &here;
        for (unsigned i = 0; i <= SLOWDOWN_FREE_FAILURES; i++)
                run(&f, "a> " LOGIN_5("a", "fred", "wrong") "a< 20{00 87 ()}\na|\na.\n");
        run(&f, "a> " LOGIN_5("a", "ann",
                              "first secret") "a< 20{00 89 ()}\na|\n"
                                              "b> " LOGIN_311("b", "ann",
                                                              "first secret") "b< 20{00 03}\nb|\n");
        CHECK_EQ(f.report.event, ACCESS_REFUSED_SLOWED);
        f.talk.peer = NULL;
        run(&f, "c> " LOGIN_5("c", "ann", "first secret"));
        verify(&f);
        run(&f, "c< " CONNACK_5);
        fixture_close(&f);
}

static void ignore(struct verifier_waiter *waiter, int result, size_t index, bool first)
{
        (void)waiter;
        (void)result;
        (void)index;
        (void)first;
}

TEST(more_logins_than_can_be_verified_are_told_to_come_again)
{
        static const char *const hash = FIRST_SECRET_HASH;
        const struct net_address local = {.any = {.sa_family = AF_UNIX}, .length = 2};
        struct verifier_waiter waiters[VERIFIER_JOBS_PER_ORIGIN];
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        held_work_begin(&f.held, f.work);
        for (size_t i = 0; i < ARRAY_SIZE(waiters); i++) {
                struct verifier_question question = {.whose = (const char *)&i,
                                                     .whose_length = sizeof(i),
                                                     .secret = "",
                                                     .hashes = &hash,
                                                     .hashes_count = 1};

                waiters[i].on_verified = ignore;
                CHECK_EQ(verifier_submit(f.options.login.verifier, net_address_origin(&local),
                                         &question, &waiters[i]),
                         0);
        }
        run(&f, "e> " LOGIN_5("e", "ann", "first secret"));
        run(&f, "e< 20{00 89 ()}\ne|\n");
        CHECK_EQ(f.report.event, ACCESS_REFUSED_BUSY);
        held_work_release(&f.held);
        verify(&f);
        fixture_close(&f);
}

/* However long that takes: here it does not end at all. */
TEST(nobody_waits_for_the_passwords_of_others)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f, "x> " LOGIN_5("x", "fred", FAST));
        run(&f, "x< " CONNACK_5);
        held_work_begin(&f.held, f.work);
        for (const char *client = "abcd"; *client != '\0'; client++) {
                char script[128];

                snprintf(script, sizeof(script), "%c> " LOGIN_5("", "ann", "wrong %c"), *client,
                         *client);
                run(&f, script);
                run(&f, "x> 32{[t] 0001 () 'm'} C000\nx< 40{0001 10} D000\n");
        }
        CHECK_EQ(verifier_jobs(f.options.login.verifier), 4);
        run(&f, "y> " LOGIN_5("y", "fred", FAST));
        run(&f, "y< " CONNACK_5);
        run(&f, "z> " CONNECT_5("z"));
        run(&f, "z< " CONNACK_5);
        held_work_release(&f.held);
        verify(&f);
        run(&f, "a~\nb~\nc~\nd~\n");
        fixture_close(&f);
}

TEST(a_client_may_be_gone_before_its_password_is_verified)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f, "a> " LOGIN_5("a", "ann", "first secret") "a.\n");
        run(&f, "b> " LOGIN_5("b", "ann", "wrong") "b.\n");
        verify(&f);
        fixture_close(&f);
        /* And the broker, too. */
        fixture_open(&f, everybody(), NULL);
        run(&f, "a> " LOGIN_5("a", "ann", "first secret") "a~\n");
        fixture_close(&f);
}

TEST(who_shows_nothing_comes_in_from_this_machine_only)
{
        static const struct {
                struct net_address address;
                const char *script;
        } cases[] = {
                {{.any = {.sa_family = AF_UNIX}, .length = 2},
                 "a> " CONNECT_5("a") "a< " CONNACK_5},
                {{.v4 = {.sin_family = AF_INET, .sin_addr = {0x0100007f}}, .length = 16},
                 "a> " CONNECT_5("a") "a< " CONNACK_5},
                {{.v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT},
                  .length = 28},
                 "a> " CONNECT_5("a") "a< " CONNACK_5},
                {{.v4 = {.sin_family = AF_INET, .sin_addr = {0x010200c0}}, .length = 16},
                 "a> " CONNECT_5("a") "a< 20{00 87 ()}\na|\n"},
                {{.v4 = {.sin_family = AF_INET, .sin_addr = {0x010200c0}}, .length = 16},
                 "a> " CONNECT_311("a") "a< 20{00 05}\na|\n"},
                {{.any = {.sa_family = AF_UNSPEC}, .length = 2},
                 "a> " CONNECT_5("a") "a< 20{00 87 ()}\na|\n"},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct fixture f;

                fixture_open(&f, everybody(), NULL);
                f.talk.peer = &cases[i].address;
                run(&f, cases[i].script);
                CHECK_EQ(f.reports, strstr(cases[i].script, "a|") != NULL);
                if (f.reports > 0)
                        CHECK_EQ(f.report.event, ACCESS_REFUSED_ANONYMOUS);
                f.policy.anonymous = ACCESS_ANONYMOUS_ALLOWED;
                run(&f, "b> " CONNECT_5("b") "b< " CONNACK_5);
                f.policy.anonymous = ACCESS_ANONYMOUS_REFUSED;
                run(&f, "c> " CONNECT_5("c") "c< 20{00 87 ()}\nc|\n");
                fixture_close(&f);
        }
}

TEST(where_there_are_no_users_a_name_is_a_word_unless_names_are_trusted)
{
        struct fixture f;

        fixture_open(&f, NULL, acl_of("topic read public\nuser ann\ntopic read private\n"));
        run(&f, "a> " LOGIN_5("a", "ann", "any") "a< " CONNACK_5
                                                 "a> 82{0001 () [public] 00 [private] 00}\n"
                                                 "a< 90{0001 () 00 87}\n");
        f.policy.trusts_names = true;
        run(&f, "b> " LOGIN_5("b", "ann", "any") "b< " CONNACK_5
                                                 "b> 82{0001 () [public] 00 [private] 00}\n"
                                                 "b< 90{0001 () 87 00}\n");
        f.policy.anonymous = ACCESS_ANONYMOUS_REFUSED;
        f.policy.trusts_names = false;
        run(&f, "c> " LOGIN_5("c", "ann", "any") "c< 20{00 87 ()}\nc|\n");
        fixture_close(&f);
}

TEST(without_memory_a_client_is_told_to_come_again)
{
        size_t n = 0;
        bool failed;

        do {
                struct fixture f;
                struct mqtt_admission answer = {.ticket = 99};
                struct net_peer peer = {.any = {.sa_family = AF_UNIX}};
                struct mqtt_who who = {.client_id = {"a", 1}, .user = {"fred", 4}, .peer = &peer};
                struct mqtt_connect connect = {.client_id = {"a", 1},
                                               .user = {"fred", 4},
                                               .password = {FAST, sizeof(FAST) - 1},
                                               .has_user = true,
                                               .has_password = true};
                const struct mqtt_hooks *hooks;

                fixture_open(&f, everybody(), NULL);
                who.terms = (const struct mqtt_terms *)&f; /* not NULL is all that is asked */
                who.stream = (struct net_stream *)&f;
                hooks = access_mqtt_hooks(f.access);
                allocation_fail_at(++n);
                hooks->on_connect(hooks->owner, &who, &connect, &answer);
                failed = allocation_end();
                CHECK_EQ(answer.reason, failed ? MQTT_SERVER_BUSY : MQTT_SUCCESS);
                CHECK(!answer.later);
                if (!failed)
                        hooks->on_forget(hooks->owner, answer.identity);
                fixture_close(&f);
        } while (failed);
        CHECK_EQ(n, 3);
}
