/* Users and rules of the section `mqtt`. */
#include "agent/gate/gate-fixture.h"
#include "agent/gate/gate-internal.h"
#include "agent/gate/users.h"
#include "base/attributes.h"
#include "support/allocation.h"

#include <errno.h>

/* As cheap as argon2id gets, of "first secret"; and a fast one of "the token of a server". */
#define SLOW                                                                                       \
        "$argon2id$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$"                                       \
        "jkdTWcF0abDTO2jnUNAay6Is2vmdstxrKZaHaXCrM2Y"
#define FAST "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"
#define FAST_SECRET "the token of a server"

#define USER(name, hash, role) "{name: " name ", hash: '" hash "', role: " role "}"
#define USERS                                                                                      \
        "users: [" USER("ann", SLOW, "operator") ", " USER("fred", FAST, "operator") ", " USER(    \
                "gina", FAST, "viewer") "]"

TEST(a_user_logs_in_beside_the_tokens)
{
        struct fixture f;

        fixture_open(&f);
        f.anybody.role = COMMAND_ROLE_NONE;
        fixture_set_users(&f, "mqtt: {" USERS "}");
        conversation_run(&f.talk, "a> " LOGIN_5_AS("a", "ann", "first secret"));
        fixture_verify(&f);
        conversation_run(&f.talk,
                         "a< " WELCOME_5 "b> " LOGIN_311_AS(
                                 "b", "fred", FAST_SECRET) "b< " WELCOME_311
                                                           "c> " LOGIN_5_AS("c", "admin", "admin"));
        fixture_verify(&f);
        conversation_run(&f.talk, "c< " WELCOME_5 "d> 10{[MQTT] 05 42 0000 () [d] [viewer]}\n"
                                  "d< " WELCOME_5
                                  /* A role is that of the user. */
                                  "a> 32{[t] 0001 () 'x'}\na< 40{0001 10}\n"
                                  "d> 32{[t] 0001 () 'x'}\nd< 40{0001 87}\n");
        fixture_close(&f);
}

TEST(wrong_passwords_and_wrong_names_are_told_alike)
{
        struct fixture f;

        fixture_open(&f);
        f.anybody.role = COMMAND_ROLE_NONE;
        fixture_set_users(&f, "mqtt: {" USERS "}");
        conversation_run(&f.talk, "a> " LOGIN_5_AS("a", "ann", "wrong"));
        fixture_verify(&f);
        conversation_run(&f.talk, "a< 20{00 87 ()}\na|\n"
                                  "b> " LOGIN_5_AS("b", "nobody", "wrong"));
        fixture_verify(&f);
        conversation_run(
                &f.talk,
                "b< 20{00 87 ()}\nb|\n"
                "c> " LOGIN_5_AS(
                        "c", "fred",
                        "wrong") "c< 20{00 87 ()}\nc|\n"
                                 "d> " LOGIN_5_AS(
                                         "d", "fred",
                                         "slowed") "d< 20{00 89 ()}\nd|\n"
                                                   "e> " LOGIN_5_AS(
                                                           "e", "fred",
                                                           "admin") "e< 20{00 87 ()}\ne|\n");
        /* Failures are counted where tokens are known, once. */
        CHECK_EQ(slowdown_count(f.options.login.slowdown), 0);
        fixture_close(&f);
}

TEST(a_password_is_verified_while_its_client_is_gone)
{
        struct fixture f;

        fixture_open(&f);
        fixture_set_users(&f, "mqtt: {" USERS "}");
        conversation_run(
                &f.talk,
                "a> " LOGIN_5_AS("a", "ann", "first secret") "a.\n"
                                                             "b> " LOGIN_5_AS("b", "ann",
                                                                              "wrong") "b.\n");
        fixture_verify(&f);
        /* And the gate, too. */
        conversation_run(&f.talk, "c> " LOGIN_5_AS("c", "ann", "another") "c~\n");
        fixture_close(&f);
}

TEST(too_many_logins_at_once_are_told_to_come_again)
{
        struct fixture f;

        fixture_open(&f);
        fixture_set_users(&f, "mqtt: {" USERS "}");
        conversation_run(
                &f.talk,
                "a> " LOGIN_5_AS("a", "ann", "1") "b> " LOGIN_5_AS(
                        "b", "ann",
                        "2") "c> " LOGIN_5_AS("c", "ann",
                                              "3") "d> " LOGIN_5_AS("d", "ann",
                                                                    "4") "e> " LOGIN_5_AS("e",
                                                                                          "ann",
                                                                                          "5"));
        fixture_verify(&f);
        CHECK_EQ(f.gate->counts.refused, 5);
        conversation_run(&f.talk, "a~\nb~\nc~\nd~\ne~\n");
        fixture_close(&f);
}

TEST(a_guest_reads)
{
        struct fixture f;

        fixture_open(&f);
        f.anybody = (struct command_principal){.role = COMMAND_ROLE_NONE};
        fixture_set_users(&f, "mqtt: {guest: viewer}");
        conversation_run(
                &f.talk,
                "a> " LOGIN_5("a") "a< " WELCOME_5 "a> 82{0001 () [t] 00}\na< 90{0001 () 00}\n"
                                   "a> 32{[t] 0002 () 'x'}\na< 40{0002 87}\n"
                                   "b> " LOGIN_5_AS(
                                           "b", "admin",
                                           "admin") "b< " WELCOME_5
                                                    "b> 30{[t] () 'x'}\na< 30{[t] () 'x'}\n"
                                                    /* Its session is nobody's. */
                                                    "c> 10{[MQTT] 05 00 0000 (11 FFFFFFFF) "
                                                    "[x]}\nc< " WELCOME_5 "c.\n"
                                                    "d> " LOGIN_5_AS("x", "admin",
                                                                     "admin") "d< " WELCOME_5);
        fixture_set_users(&f, "mqtt: {}");
        conversation_run(&f.talk, "e> " LOGIN_5("e") "e< 20{00 87 ()}\ne|\n");
        fixture_close(&f);
}

TEST(rules_are_about_topics_that_are_not_ours)
{
        struct fixture f;

        fixture_open(&f);
        fixture_set_users(&f, "mqtt: {" USERS ", acl: ["
                              "{allow: readwrite, topic: home/#},"
                              "{role: viewer, deny: read, topic: home/cellar},"
                              "{user: fred, allow: readwrite, topic: of/%u/%c},"
                              "{user: gina, allow: write, topic: gina}]}");
        conversation_run(
                &f.talk,
                "f> " LOGIN_5_AS("f", "fred", FAST_SECRET) "f< " WELCOME_5 "g> " LOGIN_5_AS(
                        "g", "gina",
                        FAST_SECRET) "g< " WELCOME_5 "f> 82{0001 () [home/#] 00 [of/fred/f] 00 [#] "
                                     "00 [of/+/f] 00 [$share/s/a] 00}\n"
                                     "f< 90{0001 () 00 00 87 87 87}\n"
                                     "g> 82{0001 () [home/#] 00 [home/cellar] 00 [pi/status] 00 "
                                     "[pi/rpc/response/g] 00}\n"
                                     "g< 90{0001 () 00 87 00 00} 31{[pi/status] () 'online'}\n"
                                     "f> 30{[home/cellar] () 'x'} 30{[home/hall] () 'y'} 32{[a] "
                                     "0001 () 'z'}\n"
                                     "f< 30{[home/cellar] () 'x'} 30{[home/hall] () 'y'} 40{0001 "
                                     "87}\n"
                                     "g< 30{[home/hall] () 'y'}\n"
                                     /* Roles count beside the rules. */
                                     "g> 32{[gina] 0002 () 'x'}\ng< 40{0002 87}\n"
                                     /* Commands go by role alone. */
                                     "g> 30{[pi/rpc/request] (08 [pi/rpc/response/g]) "
                                     "'{\"command\":\"ping\"}'}\n");
        CHECK(heard(&f, 'g', "\"pong\""));
        /* A reply goes nowhere that its client may not publish to. */
        conversation_run(&f.talk,
                         "g~\n"
                         "f> 32{[pi/rpc/request] 0003 (08 [a]) '{\"command\":\"ping\"}'}\n"
                         "f< 40{0003 87}\n"
                         "f> 32{[pi/rpc/request] 0004 (08 [of/fred/f]) '{\"command\":\"ping\"}'}\n"
                         "f~\n");
        CHECK_EQ(f.pings, 2);
        fixture_close(&f);
}

TEST(a_will_is_looked_at_when_its_client_comes)
{
        struct fixture f;

        fixture_open(&f);
        fixture_set_users(&f, "mqtt: {" USERS ", acl: [{allow: write, topic: of/%u}]}");
        conversation_run(&f.talk, "a> 10{[MQTT] 05 C6 0000 () [a] () [of/ann] [bye] [fred] "
                                  "[" FAST_SECRET "]}\na< 20{00 87 ()}\na|\n"
                                  "b> 10{[MQTT] 05 C6 0000 () [b] () [of/fred] [bye] [fred] "
                                  "[" FAST_SECRET "]}\nb< " WELCOME_5);
        fixture_close(&f);
}

TEST(new_users_and_rules_count_for_those_who_are_connected)
{
        struct fixture f;

        fixture_open(&f);
        fixture_set_users(&f, "mqtt: {" USERS "}");
        conversation_run(
                &f.talk,
                "f> " LOGIN_5_AS(
                        "f", "fred",
                        FAST_SECRET) "f< " WELCOME_5 "f> 82{0001 () [t] 00}\nf< 90{0001 () 00}\n"
                                     "f> 32{[t] 0002 () 'x'}\nf< 30{[t] () 'x'} 40{0002}\n");
        /* Another role. */
        fixture_set_users(&f, "mqtt: {users: [" USER("fred", FAST, "viewer") "]}");
        conversation_run(&f.talk, "f> 32{[t] 0003 () 'x'}\nf< 40{0003 87}\n");
        /* No user any more: neither messages nor commands. */
        fixture_set_users(&f, "mqtt: {users: [" USER("gina", FAST, "operator") "]}");
        conversation_run(
                &f.talk,
                "g> " LOGIN_5_AS("g", "gina",
                                 FAST_SECRET) "g< " WELCOME_5
                                              "g> 32{[t] 0001 () 'x'}\ng< 40{0001}\n"
                                              "f> 82{0004 () [u] 00} C000\nf< 90{0004 () 87} D000\n"
                                              "f> 30{[pi/rpc/request] (08 [pi/rpc/response/f]) "
                                              "'{\"command\":\"ping\"}'}\n");
        CHECK_EQ(f.pings, 0);
        /* Back, and what it had subscribed to comes again. */
        fixture_set_users(&f, "mqtt: {" USERS "}");
        conversation_run(&f.talk, "f> 32{[t] 0005 () 'x'}\nf< 30{[t] () 'x'} 40{0005}\n");
        fixture_close(&f);
}

TEST(what_are_no_users_and_rules_is_refused_with_a_sentence)
{
        static const struct {
                const char *yaml, *words;
        } cases[] = {
                {"mqtt: {users: [{name: ann, role: viewer}]}", "entry 1 (\"ann\"): has no hash"},
                {"mqtt: {users: [{name: ann, hash: '" FAST "'}]}", "expected a role"},
                {"mqtt: {users: [" USER("ann", FAST, "cook") "]}", "expected a role: viewer"},
                {"mqtt: {users: [" USER("ann", FAST, "none") "]}", "expected a role"},
                {"mqtt: {users: [" USER("ann", "x", "viewer") "]}", "a hash begins with"},
                {"mqtt: {users: [{name: "
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, role: viewer, "
                 "hash: '" FAST "'}]}",
                 "at most 63 bytes"},
                {"mqtt: {acl: [{topic: a}]}", "mqtt.acl, entry 1: a rule has either"},
                {"mqtt: {acl: [{role: cook, allow: read, topic: a}]}", "expected a role"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct gate_config config;
                struct config_section section = gate_config_section(&config);
                struct error error = {0};

                CHECK_EQ(config_parse("test", cases[i].yaml, strlen(cases[i].yaml), &section, 1,
                                      &error),
                         0);
                CHECK_EQ(gate_config_check(&config, &error), -EINVAL);
                if (!strstr(error.text, cases[i].words))
                        FAIL("%s", error.text);
                config_done(&section, 1);
        }
}

TEST(tables_are_made_whole_or_not_at_all)
{
        static const char yaml[] = "mqtt: {" USERS ", acl: [{allow: read, topic: a}]}";
        struct gate_config config;
        struct config_section section = gate_config_section(&config);
        size_t n = 0;
        bool failed;

        CHECK_EQ(config_parse("test", yaml, sizeof(yaml) - 1, &section, 1, NULL), 0);
        do {
                struct user_table *users = NULL;
                struct acl *acl = NULL;
                int r;

                allocation_fail_at(++n);
                r = gate_users_make(&config, &users, &acl, NULL);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(users != NULL, !failed);
                CHECK_EQ(acl != NULL, !failed);
                user_table_free(users);
                acl_free(acl);
        } while (failed);
        CHECK(n > 10);
        config_done(&section, 1);
}
