/* A broker with users and rules, and its clients (mqtt/conversation-fixture.h). */
#include "access/mqtt-hooks.h"

#include "access/acl-file.h"
#include "access/owner.h"
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* As cheap as argon2id gets (8 KiB, one pass), of "first secret" and "second secret". */
#define ANN_HASH                                                                                   \
        "$argon2id$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$"                                       \
        "jkdTWcF0abDTO2jnUNAay6Is2vmdstxrKZaHaXCrM2Y"
#define BEN_HASH                                                                                   \
        "$argon2id$v=19$m=8,t=1,p=1$F5l9jv3jc+Bgs4CuHTH9EA$"                                       \
        "hDb3FW0QAd6RD4L4Z4mY5E85GbNsg9FvfuZAdWsJq1I"
/* Of "the token of a server": fast, and so known at once. */
#define FAST_HASH "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"
#define FAST "the token of a server"

#define LOGIN_5(id, user, password) "10{[MQTT] 05 C2 0000 () [" id "] [" user "] [" password "]}\n"
#define LOGIN_311(id, user, password) "10{[MQTT] 04 C2 0000 [" id "] [" user "] [" password "]}\n"

struct held {
        struct loop_job job;
        int pipe[2];
};

struct fixture {
        struct conversation talk;
        struct loop_work *work;
        struct held held;
        struct access_rules rules;
        struct access_policy policy;
        struct access_mqtt_options options;
        struct access_mqtt *access;
        struct certificate_facts facts; /* what certificates say */
        bool has_certificate;
        char *certificate[3];        /* what was read of it */
        struct access_report report; /* the last; its texts are copies in: */
        char client_id[64], user[64], topic[64];
        unsigned reports;
};

static const struct access_policy *policy_of(void *owner, const struct mqtt_who *who)
{
        struct fixture *f = owner;

        CHECK(who->terms);
        return &f->policy;
}

static const struct access_rules *rules_of(void *owner, struct mqtt_text place)
{
        struct fixture *f = owner;

        return place.length == 4 && memcmp(place.bytes, "here", 4) == 0 ? &f->rules : NULL;
}

/* As if read anew each time, and what was read before is gone. */
static int certificate_of(void *owner, const struct mqtt_who *who, struct certificate_facts *ret)
{
        struct fixture *f = owner;
        const char *texts[] = {f->facts.common_name, f->facts.subject, f->facts.uri};

        CHECK(who->stream);
        if (!f->has_certificate)
                return -ENOENT;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                free(f->certificate[i]);
                f->certificate[i] = texts[i] ? strdup(texts[i]) : NULL;
        }
        *ret = (struct certificate_facts){f->certificate[0], f->certificate[1], f->certificate[2]};
        return 0;
}

static void copy(char to[64], struct mqtt_text text)
{
        snprintf(to, 64, "%.*s", (int)text.length, text.bytes);
}

static void on_report(void *owner, const struct access_report *report)
{
        struct fixture *f = owner;

        f->report = *report;
        copy(f->client_id, report->client_id);
        copy(f->user, report->user);
        copy(f->topic, report->topic);
        f->reports++;
}

static struct user_table *users_of(const char *const names[], const char *const hashes[],
                                   size_t count)
{
        struct user_table *users;

        CHECK_EQ(user_table_new(&users), 0);
        for (size_t i = 0; i < count; i++)
                CHECK_EQ(user_table_add(users, names[i], "", hashes[i], NULL), 0);
        return users;
}

static struct user_table *everybody(void)
{
        static const char *const names[] = {"ann", "ben", "fred", "gina"};
        static const char *const hashes[] = {ANN_HASH, BEN_HASH, FAST_HASH, FAST_HASH};

        return users_of(names, hashes, 4);
}

static struct acl *acl_of(const char *file)
{
        struct acl *acl;
        struct error error = {0};

        CHECK_EQ(acl_new(ACL_FILTERS_WHOLE, &acl), 0);
        if (acl_file_read("acl", file, strlen(file), acl, &error) < 0)
                FAIL("%s", error.text);
        return acl;
}

static void fixture_open(struct fixture *f, struct user_table *users, struct acl *acl)
{
        struct mqtt_hooks hooks;

        *f = (struct fixture){0};
        conversation_init(&f->talk, NULL, NULL);
        mqtt_broker_free(f->talk.broker);
        CHECK_EQ(loop_work_new(f->talk.loop, VERIFIER_JOBS_MAX, &f->work), 0);
        f->options = (struct access_mqtt_options){
                .login.loop = f->talk.loop,
                .policy = policy_of,
                .certificate = certificate_of,
                .rules = rules_of,
                .on_report = on_report,
                .owner = f,
        };
        CHECK_EQ(slowdown_new(&f->options.login.slowdown), 0);
        CHECK_EQ(verifier_new(f->talk.loop, f->work, f->options.login.slowdown,
                              &f->options.login.verifier),
                 0);
        access_rules_replace(&f->rules, users, acl);
        access_policy_init(&f->policy, &f->rules);
        f->policy.place = "here";
        CHECK_EQ(access_mqtt_new(&f->options, &f->access), 0);
        hooks = *access_mqtt_hooks(f->access);
        CHECK_EQ(mqtt_broker_new(f->talk.loop, f->talk.net, &conversation_limits, &hooks,
                                 &f->talk.broker),
                 0);
        access_mqtt_start(f->access, f->talk.broker);
}

static void fixture_close(struct fixture *f)
{
        for (size_t i = 0; i < ARRAY_SIZE(f->certificate); i++)
                free(f->certificate[i]);
        conversation_check_end(&f->talk);
        f->talk.broker = mqtt_broker_free(f->talk.broker);
        access_mqtt_free(f->access);
        verifier_free(f->options.login.verifier);
        slowdown_free(f->options.login.slowdown);
        loop_work_free(f->work);
        access_rules_done(&f->rules);
        conversation_done(&f->talk);
}

static void run(struct fixture *f, const char *script)
{
        conversation_run(&f->talk, script);
}

/* Until all passwords are verified, and what comes of it is sent. */
static void verify(struct fixture *f)
{
        for (int rounds = 0; verifier_jobs(f->options.login.verifier) > 0 && rounds < 10000;
             rounds++)
                loop_run_once(f->talk.loop, 100);
        CHECK_EQ(verifier_jobs(f->options.login.verifier), 0);
        conversation_settle(&f->talk);
}

TEST(a_user_comes_in_with_the_right_password)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f, "a> " LOGIN_5("a", "ann", "first secret"));
        CHECK_EQ(verifier_jobs(f.options.login.verifier), 1);
        conversation_check_end(&f.talk);
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

/* Nothing is verified until release_work(). */
static void wait_for_release(struct loop_job *job)
{
        char byte;

        CHECK_EQ(read(container_of(job, struct held, job)->pipe[0], &byte, 1), 1);
}

static void was_released(struct loop_job *job)
{
        struct held *held = container_of(job, struct held, job);

        close(held->pipe[0]);
        close(held->pipe[1]);
}

static void hold_work(struct fixture *f)
{
        f->held.job = (struct loop_job){.run = wait_for_release, .done = was_released};
        CHECK_EQ(pipe(f->held.pipe), 0);
        CHECK_EQ(loop_work_submit(f->work, &f->held.job), 0);
}

static void release_work(struct fixture *f)
{
        CHECK_EQ(write(f->held.pipe[1], "", 1), 1);
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
        static const char *const hash = ANN_HASH;
        const struct net_address local = {.any = {.sa_family = AF_UNIX}, .length = 2};
        struct verifier_waiter waiters[VERIFIER_JOBS_PER_ORIGIN];
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        hold_work(&f);
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
        release_work(&f);
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
        hold_work(&f);
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
        release_work(&f);
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

TEST(a_guest_reads_and_does_not_write)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        f.policy.anonymous = ACCESS_ANONYMOUS_ALLOWED;
        f.policy.anonymous_access = ACL_READ;
        run(&f, "a> " CONNECT_5("a") "a< " CONNACK_5 "a> 82{0001 () [#] 00}\n"
                                     "a< 90{0001 () 00}\n"
                                     "a> 32{[t] 0002 () 'm'}\n"
                                     "a< 40{0002 87}\n"
                                     "b> " LOGIN_5("b", "fred", FAST) "b< " CONNACK_5
                                                                      "b> 30{[t] () 'm'}\n"
                                                                      "a< 30{[t] () 'm'}\n");
        CHECK_EQ(f.report.event, ACCESS_DENIED_PUBLISH);
        CHECK_TEXT(f.topic, "t");
        CHECK_TEXT(f.client_id, "a");
        fixture_close(&f);
}

TEST(rules_hold_at_publish_at_subscribe_and_at_delivery)
{
        struct fixture f;

        fixture_open(&f, everybody(),
                     acl_of("user fred\n"
                            "topic readwrite a/#\n"
                            "topic deny a/secret\n"
                            "user gina\n"
                            "topic write a/#\n"
                            "pattern readwrite own/%u/%c\n"));
        run(&f,
            "f> " LOGIN_5("f", "fred", FAST) "f< " CONNACK_5 "g> " LOGIN_5(
                    "g", "gina",
                    FAST) "g< " CONNACK_5
                          /* What is wider than the rules, and what is denied. */
                          "f> 82{0001 () [a/#] 00 [#] 00 [a/secret] 00 [own/fred/f] 00 "
                          "[own/fred/g] 00}\n"
                          "f< 90{0001 () 00 87 87 00 87}\n"
                          "g> 82{0001 () [a/#] 00 [$share/s/a/b] 00 [$share/s/own/gina/g] 00}\n"
                          "g< 90{0001 () 87 87 00}\n"
                          "g> 30{[a/secret] () 'x'} 30{[a/open] () 'y'} 30{[own/fred/f] () 'z'}\n"
                          "f< 30{[a/open] () 'y'}\n"
                          "g> 32{[own/gina/g] 0001 () 'm'} 32{[b] 0002 () 'm'}\n"
                          "g< 30{[own/gina/g] () 'm'} 40{0001} 40{0002 87}\n");
        fixture_close(&f);
        /* 3.1.1 has 0x80 for a filter, and no way to say no to a PUBLISH. */
        fixture_open(&f, everybody(), acl_of("user fred\ntopic readwrite a/#\n"));
        run(&f, "f> " LOGIN_311("f", "fred", FAST) "f< " CONNACK_311 "f> 82{0001 [a/#] 00 [b] 00}\n"
                                                   "f< 90{0001 00 80}\n"
                                                   "f> 32{[b] 0002 'm'}\n"
                                                   "f< 40{0002}\n");
        CHECK_EQ(f.reports, 2);
        fixture_close(&f);
}

#define WILL_5(id, topic, user, password)                                                          \
        "10{[MQTT] 05 C6 0000 () [" id "] () [" topic "] [bye] [" user "] [" password "]}\n"

TEST(a_will_is_looked_at_when_its_client_comes_and_when_it_is_published)
{
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("topic read #\npattern write of/%u\n"));
        run(&f, "a> " CONNECT_5("a"));
        run(&f, "a< " CONNACK_5);
        run(&f, "a> 82{0001 () [#] 00}\na< 90{0001 () 00}\n");
        run(&f, "g> " WILL_5("g", "of/ben", "fred", FAST));
        run(&f, "g< 20{00 87 ()}\ng|\n");
        CHECK_EQ(f.report.event, ACCESS_REFUSED_WILL);
        run(&f, "h> 10{[MQTT] 04 06 0000 [h] [of/fred] [bye]}\nh< 20{00 05}\nh|\n");
        run(&f, "f> " WILL_5("f", "of/fred", "fred", FAST));
        run(&f, "f< " CONNACK_5);
        run(&f, "f.\na< 30{[of/fred] () 'bye'}\n");
        run(&f, "f> " WILL_5("f", "of/fred", "fred", FAST));
        run(&f, "f< " CONNACK_5);
        access_rules_replace(&f.rules, everybody(), acl_of("topic read #\n"));
        run(&f, "f.\n");
        CHECK_EQ(f.report.event, ACCESS_DENIED_PUBLISH);
        CHECK_TEXT(f.topic, "of/fred");
        CHECK_NULL(f.report.peer);
        fixture_close(&f);
}

TEST(a_will_of_one_whose_password_takes_time_is_looked_at_too)
{
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("pattern write of/%u\n"));
        run(&f, "a> " WILL_5("a", "of/ben", "ann", "first secret"));
        verify(&f);
        run(&f, "a< 20{00 87 ()}\na|\n");
        run(&f, "b> " WILL_5("b", "of/ann", "ann", "first secret"));
        run(&f, "b< " CONNACK_5);
        fixture_close(&f);
}

TEST(new_tables_hold_for_those_who_are_connected)
{
        static const char *const names[] = {"gina"}, *const hashes[] = {FAST_HASH};
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("pattern readwrite #\n"));
        run(&f,
            "f> " LOGIN_5("f", "fred", FAST) "f< " CONNACK_5 "g> " LOGIN_5(
                    "g", "gina", FAST) "g< " CONNACK_5 "f> 82{0001 () [#] 00}\nf< 90{0001 () 00}\n"
                                       "g> 82{0001 () [#] 00}\ng< 90{0001 () 00}\n"
                                       "g> 30{[a] () 'x'}\n"
                                       "f< 30{[a] () 'x'}\ng< 30{[a] () 'x'}\n");
        /* A subscription that is not allowed any more stays, and brings nothing. */
        access_rules_replace(&f.rules, everybody(),
                             acl_of("pattern write #\nuser gina\ntopic read #\n"));
        run(&f, "g> 30{[a] () 'x'}\n"
                "g< 30{[a] () 'x'}\n"
                "f> 32{[a] 0002 () 'y'}\n"
                "f< 40{0002}\ng< 30{[a] () 'y'}\n");
        /* Who is removed stays connected, and may do nothing. */
        access_rules_replace(&f.rules, users_of(names, hashes, 1), acl_of("pattern readwrite #\n"));
        run(&f, "g> 30{[a] () 'z'}\n"
                "g< 30{[a] () 'z'}\n"
                "f> 32{[a] 0003 () 'y'} 82{0004 () [b] 00} C000\n"
                "f< 40{0003 87} 90{0004 () 87} D000\n");
        CHECK_TEXT(f.user, "fred");
        /* Until it is back. */
        access_rules_replace(&f.rules, everybody(), acl_of("pattern readwrite #\n"));
        run(&f, "g> 30{[a] () 'z'}\n"
                "f< 30{[a] () 'z'}\ng< 30{[a] () 'z'}\n");
        /* Without an ACL all is allowed. */
        access_rules_replace(&f.rules, everybody(), NULL);
        run(&f, "f> 30{[b] () 'z'}\n"
                "f< 30{[b] () 'z'}\ng< 30{[b] () 'z'}\n");
        fixture_close(&f);
}

TEST(a_role_is_that_of_the_user_now)
{
        struct user_table *users;
        struct acl *acl;
        struct acl_rule rule = {
                .whom = ACL_ROLE, .name = "cook", .topic = "kitchen", .access = ACL_READWRITE};
        struct fixture f;

        CHECK_EQ(acl_new(ACL_FILTERS_WHOLE, &acl), 0);
        CHECK_EQ(acl_add(acl, &rule, NULL), 0);
        CHECK_EQ(user_table_new(&users), 0);
        CHECK_EQ(user_table_add(users, "fred", "cook", FAST_HASH, NULL), 0);
        fixture_open(&f, users, acl);
        run(&f, "f> " LOGIN_5("f", "fred", FAST) "f< " CONNACK_5 "f> 32{[kitchen] 0001 () 'x'}\n"
                                                 "f< 40{0001 10}\n");
        CHECK_EQ(acl_new(ACL_FILTERS_WHOLE, &acl), 0);
        CHECK_EQ(acl_add(acl, &rule, NULL), 0);
        access_rules_replace(&f.rules, everybody(), acl);
        run(&f, "f> 32{[kitchen] 0001 () 'x'}\n"
                "f< 40{0001 87}\n");
        fixture_close(&f);
}

TEST(what_is_retained_is_delivered_while_its_author_may_publish_it)
{
        static const char *const names[] = {"gina"}, *const hashes[] = {FAST_HASH};
        static const char *const asks = "g> 82{0001 () [own/fred/f] 00}\n";
        struct user_table *users;
        struct acl *acl;
        struct acl_rule rule = {.name = "cook", .topic = "#", .access = ACL_READWRITE};
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("pattern write own/%u/%c\npattern read #\n"));
        run(&f, "f> " LOGIN_5("f", "fred", FAST) "f< " CONNACK_5 "f> 31{[own/fred/f] () 'x'}\n"
                                                 "g> " LOGIN_5("g", "gina", FAST) "g< " CONNACK_5);
        run(&f, asks);
        run(&f, "g< 90{0001 () 00} 31{[own/fred/f] () 'x'}\n");
        access_rules_replace(&f.rules, everybody(), acl_of("pattern read #\n"));
        run(&f, asks);
        run(&f, "g< 90{0001 () 00}\n");
        /* That his password is gone takes nothing back. */
        access_rules_replace(&f.rules, users_of(names, hashes, 1), acl_of("pattern readwrite #\n"));
        run(&f, asks);
        run(&f, "g< 90{0001 () 00} 31{[own/fred/f] () 'x'}\n");
        /* A role is that of the user now. */
        for (int is_cook = 0; is_cook <= 1; is_cook++) {
                CHECK_EQ(acl_new(ACL_FILTERS_WHOLE, &acl), 0);
                rule.whom = ACL_ROLE;
                rule.access = ACL_WRITE;
                CHECK_EQ(acl_add(acl, &rule, NULL), 0);
                rule.whom = ACL_EVERYBODY;
                rule.access = ACL_READ;
                CHECK_EQ(acl_add(acl, &rule, NULL), 0);
                CHECK_EQ(user_table_new(&users), 0);
                CHECK_EQ(user_table_add(users, "fred", is_cook ? "cook" : "", FAST_HASH, NULL), 0);
                CHECK_EQ(user_table_add(users, "gina", "", FAST_HASH, NULL), 0);
                access_rules_replace(&f.rules, users, acl);
                run(&f, asks);
                run(&f, is_cook ? "g< 90{0001 () 00} 31{[own/fred/f] () 'x'}\n"
                                : "g< 90{0001 () 00}\n");
        }
        /* Without rules nobody is asked. */
        access_rules_replace(&f.rules, everybody(), NULL);
        run(&f, asks);
        run(&f, "g< 90{0001 () 00} 31{[own/fred/f] () 'x'}\n"
                "f> 31{[own/fred/f] () 'y'}\ng< 30{[own/fred/f] () 'y'}\n");
        /* And who retained something then is not known later. */
        access_rules_replace(&f.rules, everybody(), acl_of("pattern read #\n"));
        run(&f, asks);
        run(&f, "g< 90{0001 () 00} 31{[own/fred/f] () 'y'}\n");
        fixture_close(&f);
}

/* Certificates. */

TEST(a_certificate_names_the_user_in_place_of_a_password)
{
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("user ann\ntopic readwrite a\n"));
        f.policy.user_from = CERTIFICATE_IDENTITY_COMMON_NAME;
        f.policy.anonymous = ACCESS_ANONYMOUS_REFUSED;
        f.has_certificate = true;
        f.facts = (struct certificate_facts){.common_name = "ann", .subject = "CN=ann,O=Home"};
        run(&f, "a> " CONNECT_5("a") "a< " CONNACK_5 "a> 32{[a] 0001 () 'x'}\n"
                                     "a< 40{0001 10}\n"
                                     /* What it says itself does not count. */
                                     "b> " LOGIN_5("b", "fred", "wrong") "b< " CONNACK_5
                                                                         "b> 32{[a] 0001 () 'x'}\n"
                                                                         "b< 40{0001 10}\n");
        f.facts.common_name = "";
        run(&f, "c> " CONNECT_5("c") "c< 20{00 86 ()}\nc|\n");
        CHECK_EQ(f.report.event, ACCESS_REFUSED_CERTIFICATE);
        f.has_certificate = false;
        run(&f, "d> " LOGIN_311("d", "fred", FAST) "d< 20{00 04}\nd|\n");
        f.has_certificate = true;
        f.policy.user_from = CERTIFICATE_IDENTITY_SUBJECT;
        run(&f, "e> " CONNECT_5("e") "e< " CONNACK_5 "e> 32{[a] 0001 () 'x'}\n"
                                     "e< 40{0001 87}\n");
        CHECK_TEXT(f.user, "CN=ann,O=Home");
        f.policy.user_from = CERTIFICATE_IDENTITY_URI;
        run(&f, "f> " CONNECT_5("f") "f< 20{00 86 ()}\nf|\n");
        f.facts.uri = "urn:ann";
        run(&f, "g> " CONNECT_5("g") "g< " CONNACK_5);
        fixture_close(&f);
}

TEST(a_certificate_gives_the_client_id_and_no_other_one_will_do)
{
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("pattern readwrite of/%c\n"));
        f.policy.client_id_from = CERTIFICATE_IDENTITY_COMMON_NAME;
        f.has_certificate = true;
        f.facts.common_name = "device1";
        run(&f, "a> " CONNECT_5("device1") "a< " CONNACK_5
                                           "b> " CONNECT_5("device2") "b< 20{00 85 ()}\nb|\n");
        CHECK_EQ(f.report.event, ACCESS_REFUSED_CLIENT_ID);
        CHECK_TEXT(f.client_id, "device2");
        run(&f, "a.\n"
                /* One that gives none is told (3.2.2.3.7). */
                "c> " CONNECT_5("") "c< 20{00 00 (22 0004 12 [device1] 27 00001000 21 0008)}\n"
                                    "c> 32{[of/device1] 0001 () 'x'}\n"
                                    "c< 40{0001 10}\n");
        f.has_certificate = false;
        run(&f, "d> " CONNECT_311("device1") "d< 20{00 02}\nd|\n");
        fixture_close(&f);
}

TEST(a_certificate_may_give_both_names)
{
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("pattern readwrite of/%u/%c\n"));
        f.policy.user_from = CERTIFICATE_IDENTITY_COMMON_NAME;
        f.policy.client_id_from = CERTIFICATE_IDENTITY_URI;
        f.has_certificate = true;
        f.facts.common_name = "ann";
        f.facts.uri = "urn:device1";
        run(&f, "a> " CONNECT_5("urn:device1"));
        run(&f, "a< " CONNACK_5);
        run(&f, "a> 32{[of/ann/urn:device1] 0001 () 'x'}\na< 40{0001 10}\n");
        fixture_close(&f);
}

TEST(a_user_name_may_be_the_client_id)
{
        struct fixture f;

        fixture_open(&f, everybody(), acl_of("pattern readwrite of/%c\n"));
        f.policy.client_id_is_user = true;
        run(&f, "a> " LOGIN_5("any", "fred",
                              FAST) "a< " CONNACK_5 "a> 32{[of/fred] 0001 () 'x'}\n"
                                    "a< 40{0001 10}\n"
                                    "b> " LOGIN_5("other", "fred",
                                                  FAST) "b< " CONNACK_5 "a< E0{8E}\na|\n"
                                                        /* Who has no name keeps its id. */
                                                        "c> " CONNECT_5(
                                                                "c") "c< " CONNACK_5
                                                                     "c> 32{[of/c] 0001 () 'x'}\n"
                                                                     "c< 40{0001 10}\n"
                                                                     "d> " LOGIN_5("d", "ann",
                                                                                   "first secret"));
        verify(&f);
        run(&f, "d< " CONNACK_5 "d> 32{[of/ann] 0001 () 'x'}\n"
                "d< 40{0001 10}\n");
        fixture_close(&f);
}

/* Sessions. */

#define STAY_5(id, user, password)                                                                 \
        "10{[MQTT] 05 C0 0000 (11 FFFFFFFF) [" id "] [" user "] [" password "]}\n"

TEST(nobody_gets_or_ends_the_session_of_another_user)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f,
            "f> " STAY_5(
                    "x", "fred",
                    FAST) "f< " CONNACK_5 "f> 82{0001 () [t] 01}\nf< 90{0001 () 01}\n"
                          "g> " STAY_5(
                                  "x", "gina",
                                  FAST) "g< 20{00 87 ()}\ng|\ng.\n"
                                        "f.\n"
                                        "g> " STAY_5(
                                                "x", "gina",
                                                FAST) "g< 20{00 87 ()}\ng|\ng.\n"
                                                      "g> " LOGIN_5(
                                                              "x", "gina",
                                                              FAST) "g< 20{00 87 ()}\ng|\ng.\n"
                                                                    "g> " CONNECT_5(
                                                                            "x") "g< 20{00 87 "
                                                                                 "()}\ng|\ng.\n"
                                                                                 "g> " LOGIN_5(
                                                                                         "g",
                                                                                         "gina",
                                                                                         FAST) "g<"
                                                                                               " " CONNACK_5
                                                                                               "g> "
                                                                                               "32{"
                                                                                               "[t]"
                                                                                               " 00"
                                                                                               "01 "
                                                                                               "() "
                                                                                               "'m'"
                                                                                               "}\n"
                                                                                               "g< "
                                                                                               "40{"
                                                                                               "000"
                                                                                               "1}"
                                                                                               "\n"
                                                                                               "f>"
                                                                                               " " STAY_5(
                                                                                                       "x",
                                                                                                       "fred",
                                                                                                       FAST) "f< 20{01 00 (22 0004 27 00001000 21 0008)} 32{[t] 0001 () 'm'}\n"
                                                                                                             "f> 40020001\n");
        fixture_close(&f);
}

TEST(what_nobody_owns_gives_way_to_a_user)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f, "a> 10{[MQTT] 05 00 0000 (11 FFFFFFFF) [x]}\na< " CONNACK_5 "a.\n"
                "b> 10{[MQTT] 05 00 0000 (11 FFFFFFFF) [x]}\n"
                "b< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
                /* But not while it is in use. */
                "f> " STAY_5("x", "fred", FAST) "f< 20{00 87 ()}\nf|\nf.\n"
                                                "b.\n"
                                                "f> " STAY_5("x", "fred", FAST) "f< " CONNACK_5);
        fixture_close(&f);
}

TEST(owners_are_the_same_in_each_run)
{
        CHECK_EQ(access_owner((struct mqtt_text){"", 0}), 0);
        CHECK(access_owner((struct mqtt_text){"ann", 3}) !=
              access_owner((struct mqtt_text){"ben", 3}));
        CHECK_EQ(access_owner((struct mqtt_text){"ann", 3}), 0xdaa454b8);
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
