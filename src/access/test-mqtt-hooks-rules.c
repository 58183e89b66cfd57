/* What rules let clients do, whose they are, and since when. */
#include "access/mqtt-hooks-fixture.h"

TEST(a_guest_reads_and_does_not_write)
{
        struct fixture f;

        fixture_open(&f, everybody(), NULL);
        f.policy.anonymous = ACCESS_ANONYMOUS_ALLOWED;
        f.policy.anonymous_access = ACL_READ;
        run(&f, "a> " CONNECT_5("a"));
        run(&f, "a< " CONNACK_5);
        run(&f, "a> 82{0001 () [#] 00}\na< 90{0001 () 00}\n");
        run(&f, "a> 32{[t] 0002 () 'm'}\na< 40{0002 87}\n");
        run(&f, "b> " LOGIN_5("b", "fred", FAST));
        run(&f, "b< " CONNACK_5);
        run(&f, "b> 30{[t] () 'm'}\na< 30{[t] () 'm'}\n");
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
        run(&f, "f> " LOGIN_5("f", "fred", FAST));
        run(&f, "f< " CONNACK_5);
        run(&f, "g> " LOGIN_5("g", "gina", FAST));
        run(&f, "g< " CONNACK_5);
        /* What is wider than the rules, and what is denied. */
        run(&f, "f> 82{0001 () [a/#] 00 [#] 00 [a/secret] 00 [own/fred/f] 00 [own/fred/g] 00}\n"
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
        run(&f, "f> " LOGIN_311("f", "fred", FAST));
        run(&f, "f< " CONNACK_311);
        run(&f, "f> 82{0001 [a/#] 00 [b] 00}\nf< 90{0001 00 80}\n");
        run(&f, "f> 32{[b] 0002 'm'}\nf< 40{0002}\n");
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
        run(&f, "f> " LOGIN_5("f", "fred", FAST));
        run(&f, "f< " CONNACK_5);
        run(&f, "g> " LOGIN_5("g", "gina", FAST));
        run(&f, "g< " CONNACK_5);
        run(&f, "f> 82{0001 () [#] 00}\nf< 90{0001 () 00}\n"
                "g> 82{0001 () [#] 00}\ng< 90{0001 () 00}\n"
                "g> 30{[a] () 'x'}\nf< 30{[a] () 'x'}\ng< 30{[a] () 'x'}\n");
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
