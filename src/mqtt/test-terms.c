/* What each listener grants: clients that came through one are told so, and held to it, while
 * others are not. */
#include "mqtt/conversation-fixture.h"
#include "mqtt/entrance.h"
#include "support/allocation.h"

#include <errno.h>
#include <string.h>

static const struct mqtt_terms *terms_of(const struct mqtt_terms *wanted,
                                         const struct mqtt_terms *previous)
{
        const struct mqtt_terms *terms = NULL;

        CHECK_EQ(mqtt_terms_new(wanted, previous, &terms), 0);
        return terms;
}

static struct mqtt_terms defaults(void)
{
        struct mqtt_terms wanted;

        mqtt_terms_init(&wanted, &conversation_limits);
        return wanted;
}

/* A broker whose clients come with these terms until `talk->terms` is changed. */
static void begin(struct conversation *talk, const struct mqtt_terms *wanted)
{
        conversation_init(talk, NULL, NULL);
        talk->terms = terms_of(wanted, NULL);
}

static void end(struct conversation *talk)
{
        conversation_check_end(talk);
        talk->terms = mqtt_terms_unref(talk->terms);
        conversation_done(talk);
}

TEST(terms_are_copied_and_live_as_long_as_somebody_has_them)
{
        char name[] = "garden";
        struct mqtt_terms wanted = defaults();
        const struct mqtt_terms *terms;

        wanted.name = name;
        terms = terms_of(&wanted, NULL);
        name[0] = 'x';
        CHECK_TEXT(terms->name, "garden");
        CHECK(mqtt_terms_ref(terms) == terms);
        mqtt_terms_unref(terms);
        CHECK_TEXT(terms->name, "garden");
        mqtt_terms_unref(terms);
        CHECK(mqtt_terms_unref(NULL) == NULL);
}

TEST(terms_that_make_no_sense_are_refused)
{
        static const char *const prefix = "x";
        const char *many[MQTT_CLIENT_ID_PREFIXES_MAX + 2] = {NULL};
        char text[MQTT_ASSIGNED_PREFIX_MAX + 2] = "";
        struct mqtt_terms wanted = defaults();
        const struct mqtt_terms *terms = NULL;

        wanted.qos_max = 3;
        CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), -EINVAL);
        wanted = defaults();
        memset(text, 'a', sizeof(text) - 1);
        wanted.assigned_prefix = text;
        CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), -EINVAL);
        text[MQTT_ASSIGNED_PREFIX_MAX] = '\0';
        for (size_t i = 0; i < MQTT_CLIENT_ID_PREFIXES_MAX + 1; i++)
                many[i] = prefix;
        wanted.client_id_prefixes = many;
        CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), -EINVAL);
        many[MQTT_CLIENT_ID_PREFIXES_MAX] = NULL;
        mqtt_terms_unref(terms_of(&wanted, NULL));
}

TEST(terms_without_memory_are_none)
{
        static const char *const prefixes[] = {"pump-", NULL};
        struct mqtt_terms wanted = defaults();
        const struct mqtt_terms *terms = NULL;

        wanted.client_id_prefixes = prefixes;
        for (size_t n = 1; !terms; n++) {
                bool failed;
                int r;

                allocation_fail_at(n);
                r = mqtt_terms_new(&wanted, NULL, &terms);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        }
        mqtt_terms_unref(terms);
}

static void run_case(const char *name, const struct mqtt_terms *wanted, const char *script,
                     enum mqtt_counter counter, uint64_t counted)
{
        struct conversation talk;

        begin(&talk, wanted);
        talk.name = name;
        conversation_run(&talk, script);
        CHECK_EQ(conversation_count(&talk, counter), counted);
        end(&talk);
}

/* [MQTT-3.2.2-9] to [MQTT-3.2.2-12]. */
TEST(a_maximum_qos_is_announced_and_holds)
{
        struct mqtt_terms wanted = defaults();

        wanted.qos_max = 1;
        run_case("maximum QoS 1", &wanted,
                 "a> " CONNECT_5("a") "a< 20{00 00 (22 0004 27 00001000 21 0008 24 01)}\n"
                                      "a> 82{0001 () [t] 02 [u] 01 [v] 00}\n"
                                      "a< 90{0001 () 01 01 00}\n"
                                      "a> 32{[t] 0001 () 'x'}\n"
                                      "a< 32{[t] 0001 () 'x'} 40{0001}\n"
                                      "a> 34{[t] 0002 () 'x'}\n"
                                      "a< E0019B\n"
                                      "a|\n"
                                      "b> 10{[MQTT] 05 16 0000 () [b] () [w] [x]}\n"
                                      "b< 20{00 9B ()}\n"
                                      "b|\n"
                                      "c> 10{[MQTT] 04 16 0000 [c] [w] [x]}\n"
                                      "c< 20{00 05}\n"
                                      "c|\n"
                                      "d@311\n"
                                      "d> 34{[t] 0002 'x'}\n"
                                      "d|\n",
                 MQTT_COUNT_REFUSED_TERMS, 4);
        wanted.qos_max = 0;
        run_case("maximum QoS 0", &wanted,
                 "a> " CONNECT_5("a") "a< 20{00 00 (22 0004 27 00001000 21 0008 24 00)}\n"
                                      "a> 82{0001 () [t] 02}\n"
                                      "a< 90{0001 () 00}\n"
                                      "a> 30{[t] () 'x'}\n"
                                      "a< 30{[t] () 'x'}\n"
                                      "a> 32{[t] 0002 () 'x'}\n"
                                      "a< E0019B\n"
                                      "a|\n",
                 MQTT_COUNT_REFUSED_TERMS, 1);
}

/* [MQTT-3.2.2-13], [MQTT-3.2.2-14]. */
TEST(a_listener_without_retain_says_so_and_takes_none)
{
        struct mqtt_terms wanted = defaults();

        wanted.retain = false;
        run_case("no retain", &wanted,
                 "a> " CONNECT_5("a") "a< 20{00 00 (22 0004 25 00 27 00001000 21 0008)}\n"
                                      "a> 31{[t] () 'x'}\n"
                                      "a< E0019A\n"
                                      "a|\n"
                                      "b> 10{[MQTT] 05 26 0000 () [b] () [w] [x]}\n"
                                      "b< 20{00 9A ()}\n"
                                      "b|\n"
                                      "c> 10{[MQTT] 04 26 0000 [c] [w] [x]}\n"
                                      "c< 20{00 05}\n"
                                      "c|\n"
                                      "d@311\n"
                                      "d> 31{[t] 'x'}\n"
                                      "d|\n",
                 MQTT_COUNT_REFUSED_TERMS, 4);
}

/* 3.2.2.3.11 to 3.2.2.3.13: nothing of such a SUBSCRIBE is done. */
TEST(filters_that_a_listener_does_not_grant_are_refused)
{
        struct mqtt_terms wanted = defaults();

        wanted.wildcards = wanted.shared = wanted.subscription_ids = false;
        run_case("no wildcards", &wanted,
                 "a> " CONNECT_5("a") "a< 20{00 00 (22 0004 27 00001000 21 0008 28 00 29 00 2A "
                                      "00)}\n"
                                      "a> 82{0001 () [t] 00 [+] 00}\n"
                                      "a< E001A2\n"
                                      "a|\n",
                 MQTT_COUNT_REFUSED_TERMS, 1);
        run_case("no shared ones", &wanted,
                 "b> " CONNECT_5("b") "b~\n"
                                      "b> 82{0001 () [$share/g/t] 00}\n"
                                      "b< E0019E\n"
                                      "b|\n",
                 MQTT_COUNT_REFUSED_TERMS, 1);
        run_case("no identifiers", &wanted,
                 "c> " CONNECT_5("c") "c~\n"
                                      "c> 82{0001 (0B 01) [t] 00}\n"
                                      "c< E001A1\n"
                                      "c|\n",
                 MQTT_COUNT_REFUSED_TERMS, 1);
        run_case("told one by one to older clients", &wanted,
                 "d@311\n"
                 "d> 82{0001 [#] 00 [t] 00 [$share/g/t] 00}\n"
                 "d< 90{0001 80 00 80}\n",
                 MQTT_COUNT_REFUSED_TERMS, 2);
}

TEST(wildcards_in_a_shared_filter_are_wildcards)
{
        struct mqtt_terms wanted = defaults();

        wanted.wildcards = false;
        run_case("no wildcards", &wanted,
                 "a> " CONNECT_5("a") "a~\n"
                                      "a> 82{0001 () [$share/g/t] 00}\n"
                                      "a< 90{0001 () 00}\n"
                                      "a> 82{0001 () [$share/g/#] 00}\n"
                                      "a< E001A2\n"
                                      "a|\n",
                 MQTT_COUNT_REFUSED_TERMS, 1);
}

TEST(a_payload_beyond_the_listeners_bound_goes_to_nobody)
{
        struct mqtt_terms wanted = defaults();

        wanted.payload_bytes = 2;
        run_case("payloads of two bytes", &wanted,
                 "a> " CONNECT_5("a") "a~\n"
                                      "a> 82{0001 () [#] 00} 30{[t] () 'xx'} 30{[t] () 'xxx'}"
                                      "32{[t] 0001 () 'xxx'} 34{[t] 0002 () 'xxx'}"
                                      "32{[t] 0003 () 'yy'}\n"
                                      "a< 90{0001 () 00} 30{[t] () 'xx'} 40{0001 97} 50{0002 97}"
                                      "30{[t] () 'yy'} 40{0003}\n"
                                      "d@311\n"
                                      "d> 32{[t] 0001 'xxx'}\n"
                                      "d< 40{0001}\n",
                 MQTT_COUNT_DROPPED_TOO_LARGE, 4);
        run_case("wills of two bytes", &wanted,
                 "b> 10{[MQTT] 05 06 0000 () [b] () [w] [xxx]}\n"
                 "b< 20{00 95 ()}\n"
                 "b|\n",
                 MQTT_COUNT_REFUSED_TERMS, 1);
}

TEST(keep_alives_that_cannot_be_shortened_may_be_refused)
{
        struct mqtt_terms wanted = defaults();

        wanted.keep_alive_s = 60;
        wanted.keep_alive_strict = true;
        run_case("at most 60 s", &wanted,
                 "a> " CONNECT_311("a") "a< 20{00 02}\n"
                                        "a|\n"
                                        "a> 10{[MQTT] 04 02 003D [a]}\n"
                                        "a< 20{00 02}\n"
                                        "a|\n"
                                        "a> 10{[MQTT] 04 02 003C [a]}\n"
                                        "a< 20{00 00}\n",
                 MQTT_COUNT_REFUSED_TERMS, 2);
        run_case("MQTT 5 is told", &wanted,
                 "b> " CONNECT_5("b") "b< 20{00 00 (13 003C 22 0004 27 00001000 21 0008)}\n",
                 MQTT_COUNT_REFUSED_TERMS, 0);
}

TEST(client_ids_may_have_to_begin_in_a_certain_way)
{
        static const char *const prefixes[] = {"pump-", "door-", NULL};
        struct mqtt_terms wanted = defaults();

        wanted.client_id_prefixes = prefixes;
        run_case("pumps", &wanted, "a> " CONNECT_5("pump-1") "a~\n", MQTT_COUNT_REFUSED_CLIENT_IDS,
                 0);
        run_case("doors", &wanted, "b> " CONNECT_5("door-") "b~\n", MQTT_COUNT_REFUSED_CLIENT_IDS,
                 0);
        run_case("half of it", &wanted,
                 "c> " CONNECT_5("pump") "c< 20{00 87 ()}\n"
                                         "c|\n",
                 MQTT_COUNT_REFUSED_CLIENT_IDS, 1);
        run_case("behind something else", &wanted,
                 "c> " CONNECT_311("xpump-1") "c< 20{00 05}\n"
                                              "c|\n",
                 MQTT_COUNT_REFUSED_CLIENT_IDS, 1);
        run_case("one that we make does not", &wanted,
                 "c> " CONNECT_5("") "c< 20{00 87 ()}\n"
                                     "c|\n",
                 MQTT_COUNT_REFUSED_CLIENT_IDS, 1);
        wanted.assigned_prefix = "door-";
        run_case("one that we make does", &wanted, "c> " CONNECT_5("") "c~\n",
                 MQTT_COUNT_REFUSED_CLIENT_IDS, 0);
}

TEST(who_has_no_client_id_may_be_refused)
{
        struct mqtt_terms wanted = defaults();

        wanted.empty_client_ids = false;
        run_case("no empty ones", &wanted,
                 "a> " CONNECT_5("") "a< 20{00 85 ()}\n"
                                     "a|\n"
                                     "a> " CONNECT_311("") "a< 20{00 02}\n"
                                                           "a|\n",
                 MQTT_COUNT_REFUSED_CLIENT_IDS, 2);
}

TEST(an_assigned_id_begins_as_the_listener_says)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.assigned_prefix = "guest/";
        begin(&talk, &wanted);
        conversation_run(&talk, "a> " CONNECT_5("") "a< 20 3B 00 00 38 22 0004 12 002A 'guest/'\n"
                                                    "a~\n");
        end(&talk);
}

/* What goes beyond is sent when there is room again. */
TEST(bytes_under_way_to_a_client_are_bounded)
{
        struct mqtt_terms wanted = defaults();

        wanted.inflight_bytes = 8;
        run_case("eight bytes", &wanted,
                 "a> " CONNECT_5("a") "a~\n"
                                      "a> 82{0001 () [t] 01}\n"
                                      "a~\n"
                                      "b@5\n"
                                      "b> 30{[t] () '1234'} 32{[t] 0001 () '1234'}"
                                      "32{[t] 0002 () '12345678'} 32{[t] 0003 () '1'}\n"
                                      "b~\n"
                                      "a< 30{[t] () '1234'} 32{[t] 0001 () '1234'}"
                                      "32{[t] 0002 () '12345678'}\n"
                                      "a> 40{0001}\n"
                                      "a<\n"
                                      "a> 40{0002}\n"
                                      "a< 32{[t] 0003 () '1'}\n",
                 MQTT_COUNT_DELIVERED, 4);
}

TEST(each_client_is_told_what_its_listener_grants)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.receive_maximum = 3;
        wanted.aliases = 0;
        wanted.packet_bytes = 512;
        wanted.keep_alive_s = 60;
        wanted.session_expiry_max_s = 7;
        begin(&talk, &wanted);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (11 00000009) [a]}\n"
                                "a< 20{00 00 (11 00000007 13 003C 27 00000200 21 0003)}\n");
        talk.terms = mqtt_terms_unref(talk.terms);
        conversation_run(&talk, "b@5\n");
        end(&talk);
}

TEST(each_client_is_held_to_its_own_packet_size)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;

        wanted.packet_bytes = 64;
        begin(&talk, &wanted);
        conversation_run(&talk, "a> " CONNECT_5("a") "a~\n");
        talk.terms = mqtt_terms_unref(talk.terms);
        conversation_run(&talk, "b@5\n"
                                "a> 303F\n"
                                "a< E00195\n"
                                "a|\n"
                                "b> 303F\n"
                                "b<\n");
        end(&talk);
}

TEST(a_listener_that_is_full_refuses_its_own_only)
{
        struct mqtt_terms wanted = defaults();
        struct conversation talk;
        const struct mqtt_terms *narrow;

        wanted.clients = 2;
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\nb@5\n");
        conversation_run(&talk, "c> " CONNECT_5("c") "c< 20{00 89 ()}\nc|\n");
        conversation_run(&talk, "d> " CONNECT_311("d") "d< 20{00 03}\nd|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_CLIENTS), 2);
        /* Who takes its own connection over needs no more than there is, ... */
        conversation_run(&talk, "e> " CONNECT_5("a") "a< E0018E\n"
                                                     "a|\n"
                                                     "e~\n");
        /* ... which does not hold for one that it has elsewhere. */
        narrow = talk.terms;
        talk.terms = NULL;
        conversation_run(&talk, "f> " CONNECT_5("f") "f~\n");
        talk.terms = narrow;
        conversation_run(&talk, "g> " CONNECT_5("f") "g< 20{00 89 ()}\ng|\nf<\n");
        conversation_run(&talk, "b.\n");
        conversation_run(&talk, "g> " CONNECT_5("f") "f< E0018E\nf|\ng~\n");
        end(&talk);
}

TEST(new_terms_of_a_listener_are_for_those_who_come_from_then_on)
{
        struct mqtt_terms wanted = defaults();
        const struct mqtt_terms *old;
        struct conversation talk;

        wanted.clients = 2;
        begin(&talk, &wanted);
        conversation_run(&talk, "a@5\n");
        old = talk.terms;
        wanted.receive_maximum = 3;
        talk.terms = terms_of(&wanted, old);
        mqtt_terms_unref(old);
        CHECK_EQ(mqtt_entrance_of(talk.terms)->clients, 1);
        conversation_run(&talk,
                         "b> " CONNECT_5("b") "b< 20{00 00 (22 0004 27 00001000 21 0003)}\n"
                                              "c> " CONNECT_5("c") "c< 20{00 89 ()}\n"
                                                                   "c|\n"
                                                                   "a.\n"
                                                                   "c> " CONNECT_5("c") "c~\n");
        CHECK_EQ(mqtt_entrance_of(talk.terms)->clients, 2);
        end(&talk);
}
