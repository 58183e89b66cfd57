/* Names that are not what a client says: those of its certificate, and of the session it wants. */
#include "access/mqtt-hooks-fixture.h"
#include "access/owner.h"

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
        run(&f, "a> " LOGIN_5("any", "fred", FAST));
        run(&f, "a< " CONNACK_5);
        run(&f, "a> 32{[of/fred] 0001 () 'x'}\na< 40{0001 10}\n");
        run(&f, "b> " LOGIN_5("other", "fred", FAST));
        run(&f, "b< " CONNACK_5);
        run(&f, "a< E0{8E}\na|\n");
        /* Who has no name keeps its id. */
        run(&f, "c> " CONNECT_5("c"));
        run(&f, "c< " CONNACK_5);
        run(&f, "c> 32{[of/c] 0001 () 'x'}\nc< 40{0001 10}\n");
        run(&f, "d> " LOGIN_5("d", "ann", "first secret"));
        verify(&f);
        run(&f, "d< " CONNACK_5);
        run(&f, "d> 32{[of/ann] 0001 () 'x'}\nd< 40{0001 10}\n");
        fixture_close(&f);
}

#define STAY_5(id, user, password)                                                                 \
        "10{[MQTT] 05 C0 0000 (11 FFFFFFFF) [" id "] [" user "] [" password "]}\n"

TEST(nobody_gets_or_ends_the_session_of_another_user)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f, "f> " STAY_5("x", "fred", FAST));
        run(&f, "f< " CONNACK_5);
        run(&f, "f> 82{0001 () [t] 01}\nf< 90{0001 () 01}\n");
        run(&f, "g> " STAY_5("x", "gina", FAST));
        run(&f, "g< 20{00 87 ()}\ng|\ng.\n");
        run(&f, "f.\n");
        run(&f, "g> " STAY_5("x", "gina", FAST));
        run(&f, "g< 20{00 87 ()}\ng|\ng.\n");
        run(&f, "g> " LOGIN_5("x", "gina", FAST));
        run(&f, "g< 20{00 87 ()}\ng|\ng.\n");
        run(&f, "g> " CONNECT_5("x"));
        run(&f, "g< 20{00 87 ()}\ng|\ng.\n");
        run(&f, "g> " LOGIN_5("g", "gina", FAST));
        run(&f, "g< " CONNACK_5);
        run(&f, "g> 32{[t] 0001 () 'm'}\ng< 40{0001}\n");
        run(&f, "f> " STAY_5("x", "fred", FAST));
        run(&f, "f< 20{01 00 (22 0004 27 00001000 21 0008)} 32{[t] 0001 () 'm'}\n");
        run(&f, "f> 40020001\n");
        fixture_close(&f);
}

TEST(what_nobody_owns_gives_way_to_a_user)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        run(&f, "a> 10{[MQTT] 05 00 0000 (11 FFFFFFFF) [x]}\na< " CONNACK_5);
        run(&f, "a.\n");
        run(&f, "b> 10{[MQTT] 05 00 0000 (11 FFFFFFFF) [x]}\n");
        run(&f, "b< 20{01 00 (22 0004 27 00001000 21 0008)}\n");
        /* But not while it is in use. */
        run(&f, "f> " STAY_5("x", "fred", FAST));
        run(&f, "f< 20{00 87 ()}\nf|\nf.\n");
        run(&f, "b.\n");
        run(&f, "f> " STAY_5("x", "fred", FAST));
        run(&f, "f< " CONNACK_5);
        fixture_close(&f);
}

TEST(owners_are_the_same_in_each_run)
{
        CHECK_EQ(access_owner((struct mqtt_text){"", 0}), 0);
        CHECK(access_owner((struct mqtt_text){"ann", 3}) !=
              access_owner((struct mqtt_text){"ben", 3}));
        CHECK_EQ(access_owner((struct mqtt_text){"ann", 3}), 0xdaa454b8);
}
