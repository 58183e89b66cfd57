/* What each listener grants: clients that came through one are told so, and held to it, while
 * others are not. */
#include "mqtt/conversation-fixture.h"
#include "mqtt/entrance.h"
#include "support/allocation.h"

#include <errno.h>

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

TEST(terms_without_memory_are_none)
{
        struct mqtt_terms wanted = defaults();
        const struct mqtt_terms *terms = NULL;

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
                                "a< 20{00 00 (11 00000007 13 003C 21 0003 27 00000200)}\n");
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
        conversation_run(&talk, "a@5\n"
                                "b@5\n"
                                "c> " CONNECT_5("c") "c< 20{00 89 ()}\n"
                                                     "c|\n"
                                                     "d> " CONNECT_311("d") "d< 20{00 03}\n"
                                                                            "d|\n");
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
        conversation_run(&talk, "g> " CONNECT_5("f") "g< 20{00 89 ()}\n"
                                                     "g|\n"
                                                     "f<\n"
                                                     "b.\n"
                                                     "g> " CONNECT_5("f") "f< E0018E\n"
                                                                          "f|\n"
                                                                          "g~\n");
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
                         "b> " CONNECT_5("b") "b< 20{00 00 (21 0003 22 0004 27 00001000)}\n"
                                              "c> " CONNECT_5("c") "c< 20{00 89 ()}\n"
                                                                   "c|\n"
                                                                   "a.\n"
                                                                   "c> " CONNECT_5("c") "c~\n");
        CHECK_EQ(mqtt_entrance_of(talk.terms)->clients, 2);
        end(&talk);
}
