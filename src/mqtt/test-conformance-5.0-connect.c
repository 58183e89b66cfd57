/* Statements of MQTT 5.0 about the connection that no other test makes: CONNECT, CONNACK,
 * DISCONNECT, AUTH, sessions (3.1, 3.2, 3.14, 3.15, 4.1, 4.12, 4.13). */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

#include <stdio.h>

#define CAPABILITIES "22 0004 27 00001000 21 0008"
#define KEPT(id) "10{[MQTT] 05 00 0000 (11 0000FFFF) [" id "]}\n"
#define PRESENT "20{01 00 (" CAPABILITIES ")}\n"
/* w hears of wills on "w". */
#define WATCH "w@5\nw> 82{0001 () [w] 02}\nw< 90{0001 () 02}\n"

static const struct conversation_case connects[] = {
        {"[MQTT-3.1.2-1] another protocol's name is answered with 0x84",
         "a> 10{[MQTX] 05 02 0000 () [a]}\n"
         "a< 20{00 84 ()}\n"
         "a|"},
        {"[MQTT-3.1.2-6] no clean start, and no session: a new one",
         "a> 10{[MQTT] 05 00 0000 () [a]}\n"
         "a< " CONNACK_5 "a> C000\n"
         "a< D000\n"},
        {"[MQTT-3.1.2-9] a will's flag and no will", "a> 10{[MQTT] 05 06 0000 () [a]}\n"
                                                     "a< 20{00 81 ()}\n"
                                                     "a|"},
        {"[MQTT-3.1.2-29] without problem information there are no words",
         "a> 10{[MQTT] 05 02 0000 (17 00) [a]}\n"
         "a< " CONNACK_5 "a> 62{0009} 50{0009}\n"
         "a< 70{0009} 62{0009}\n"
         "a> 82{0001 () [a#] 00}\n"
         "a< 90{0001 () 8F}\n"
         "a> F000\n"
         "a< E00182\n"
         "a|"},
        {"[MQTT-3.1.3-2] sessions are told apart by their clients' ids",
         "a> " KEPT("one") "a< " CONNACK_5 "a> 82{0001 () [1] 01}\n"
                           "a< 90{0001 () 01}\n"
                           "a> E000\n"
                           "a|\n"
                           "a> " KEPT(
                                   "two") "a< " CONNACK_5 "a> 82{0001 () [2] 01}\n"
                                          "a< 90{0001 () 01}\n"
                                          "a> E000\n"
                                          "a|\n"
                                          "p@5\n"
                                          "p> 32{[2] 0001 () 'm'} 32{[1] 0002 () 'n'}\n"
                                          "p< 40{0001} 40{0002}\n"
                                          "a> " KEPT(
                                                  "one") "a< " PRESENT "a< 32{[1] 0001 () 'n'}\n"
                                                         "a> E000\n"
                                                         "a|\n"
                                                         "a> " KEPT(
                                                                 "two") "a< " PRESENT
                                                                        "a< 32{[2] 0001 () 'm'}\n"},
        {"[MQTT-3.1.3-5] ids of 1 to 23 letters and digits",
         "a> " CONNECT_5(
                 "0") "a< " CONNACK_5
                      "b> " CONNECT_5("0123456789abcdefghijklm") "b< " CONNACK_5 "c> " CONNECT_5(
                              "nopqrstuvwxyzABCDEFGHIJ") "c< " CONNACK_5
                                                         "d> " CONNECT_5(
                                                                 "KLMNOPQRSTUVWXYZ") "d<"
                                                                                     " " CONNACK_5},
        {"[MQTT-1.5.4-3] U+FEFF in an id is a character of it",
         "a> " CONNECT_5("\xef\xbb\xbf"
                         "a") "a< " CONNACK_5 "b> " CONNECT_5("a") "b< " CONNACK_5},
        {"[MQTT-3.1.4-6] [MQTT-3.1.2-30] nothing counts after a CONNECT that is refused",
         "s@5\n"
         "s> 82{0001 () [t] 00}\n"
         "s< 90{0001 () 00}\n"
         "a> 10{[MQTT] 05 02 0000 (15[X]) [a]} 31{[t] () 'm'} 82{0001 () [t] 00}\n"
         "a< 20{00 8C ()}\n"
         "a|\n"
         "s> 82{0001 () [t] 00}\n"
         "s< 90{0001 () 00}\n"},
        {"[MQTT-3.2.2-6] a refusal says that there is no session, also when there is",
         "a> " KEPT("a") "a< " CONNACK_5 "a> E000\n"
                         "a|\n"
                         "a> 10{[MQTT] 05 00 0000 (15[X]) [a]}\n"
                         "a< 20{00 8C ()}\n"
                         "a|\n"
                         "a> " KEPT("a") "a< " PRESENT},
        {"[MQTT-3.14.0-1] no DISCONNECT before CONNACK", "a> 10FFFF7F\n"
                                                         "a|\n"
                                                         "b> E000\n"
                                                         "b|\n"
                                                         "c> F00100\n"
                                                         "c|\n"},
};

TEST(clients_are_let_in_as_5_0_says)
{
        conversation_run_all(connects, ARRAY_SIZE(connects), NULL);
}

static const struct conversation_case sizes[] = {
        {"[MQTT-3.1.2-24] a CONNACK that the client cannot take is not sent",
         "a> 10{[MQTT] 05 02 0000 (27 0000000F) [a]}\n"
         "a|\n"
         "a> 10{[MQTT] 05 02 0000 (27 00000010) [a]}\n"
         "a< " CONNACK_5 "b> 10{[MQTT] 05 02 0000 (27 00000004 15[X]) [b]}\n"
         "b|\n"
         "b> 10{[MQTT] 05 02 0000 (27 00000005 15[X]) [b]}\n"
         "b< 20{00 8C ()}\n"
         "b|"},
        {"[MQTT-3.1.2-24] a SUBACK that the client cannot take ends the connection",
         "a> 10{[MQTT] 05 02 0000 (27 00000010) [a]}\n"
         "a< " CONNACK_5 "a> 82{0001 () [1]00[2]00[3]00[4]00[5]00[6]00[7]00[8]00[9]00[0]00[a]00}\n"
         "a< 90{0001 () 00 00 00 00 00 00 00 00 97 97 97}\n"
         "a> 82{0002 () [1]00[2]00[3]00[4]00[5]00[6]00[7]00[8]00[9]00[0]00[a]00[b]00}\n"
         "a< E00195\n"
         "a|"},
        {"[MQTT-3.1.2-24] an UNSUBACK that the client cannot take ends the connection",
         "a> 10{[MQTT] 05 02 0000 (27 00000010) [a]}\n"
         "a< " CONNACK_5 "a> A2{0001 () [1][2][3][4][5][6][7][8][9][0][a]}\n"
         "a< B0{0001 () 11 11 11 11 11 11 11 11 11 11 11}\n"
         "a> A2{0002 () [1][2][3][4][5][6][7][8][9][0][a][b]}\n"
         "a< E00195\n"
         "a|"},
        {"[MQTT-3.2.2-19] [MQTT-3.2.2-20] CONNACK has words that fit, and no more",
         "a> 10{[MQTT] 05 02 0000 (17 01 15[X]) [a]}\n"
         "a< 20{00 8C (1F[Bad authentication method])}\n"
         "a|\n"
         "a> 10{[MQTT] 05 02 0000 (17 01 27 00000020 15[X]) [a]}\n"
         "a< 20{00 8C ()}\n"
         "a|"},
        {"[MQTT-3.14.2-3] [MQTT-3.14.2-4] DISCONNECT has words that fit, and no more",
         "a> 10{[MQTT] 05 02 0000 (17 01 27 00000020) [a]}\n"
         "a< " CONNACK_5 "a> F000\n"
         "a< E0{82 (1F[Protocol Error])}\n"
         "a|\n"
         "a> 10{[MQTT] 05 02 0000 (17 01 27 00000012) [a]}\n"
         "a< " CONNACK_5 "a> F000\n"
         "a< E0{82}\n"
         "a|"},
        {"[MQTT-3.6.2-2] [MQTT-3.7.2-2] PUBREL and PUBCOMP have neither words nor properties",
         "a> 10{[MQTT] 05 02 0000 (17 01 27 00000040) [a]}\n"
         "a< " CONNACK_5 "a> 62{0009} 50{0009}\n"
         "a< 70{0009} 62{0009}\n"},
        {"[MQTT-3.9.2-1] [MQTT-3.11.2-1] SUBACK and UNSUBACK have neither words nor properties",
         "a> 10{[MQTT] 05 02 0000 (17 01) [a]}\n"
         "a< " CONNACK_5 "a> 82{0001 () [a#] 00}\n"
         "a< 90{0001 () 8F}\n"
         "a> A2{0002 () [a#]}\n"
         "a< B0{0002 () 8F}\n"},
};

TEST(no_packet_is_larger_than_its_client_can_take)
{
        conversation_run_all(sizes, ARRAY_SIZE(sizes), NULL);
}

static const struct conversation_case ends[] = {
        {"[MQTT-3.1.2-10] a will is published once",
         WATCH "a> 10{[MQTT] 05 06 0000 (11 0000FFFF) [a] () [w] [gone]}\n"
               "a< " CONNACK_5 "a.\n"
               "w< 30{[w] () 'gone'}\n"
               "a> " KEPT("a") "a< " PRESENT "a.\n"
                               "+100000000\n"},
        {"[MQTT-3.1.2-10] [MQTT-3.14.4-3] a will that DISCONNECT forgot stays forgotten",
         WATCH "a> 10{[MQTT] 05 06 0000 (11 0000FFFF) [a] (18 00000005) [w] [gone]}\n"
               "a< " CONNACK_5 "a> E000\n"
               "a|\n"
               "+6000\n"
               "a> " KEPT("a") "a< " PRESENT "a.\n"
                               "+100000000\n"},
        {"[MQTT-3.1.2-14] a will without retain is not retained",
         WATCH "a> 10{[MQTT] 05 06 0000 () [a] () [w] [gone]}\n"
               "a< " CONNACK_5 "a.\n"
               "w< 30{[w] () 'gone'}\n"
               "v@5\n"
               "v> 82{0001 () [w] 00}\n"
               "v< 90{0001 () 00}\n"},
        {"[MQTT-3.1.3-10] a will's user properties keep their order",
         WATCH "a> 10{[MQTT] 05 06 0000 () [a] (26[k][2] 26[j][0] 26[k][1]) [w] [gone]}\n"
               "a< " CONNACK_5 "a.\n"
               "w< 30{[w] (26[k][2] 26[j][0] 26[k][1]) 'gone'}\n"},
        {"[MQTT-3.1.2-22] silence ends a connection as if the network had failed",
         WATCH "a> 10{[MQTT] 05 06 0002 () [a] () [w] [gone]}\n"
               "a< " CONNACK_5 "+2999\n"
               "w< \n"
               "+1\n"
               "a< E0018D\n"
               "a|\n"
               "w< 30{[w] () 'gone'}\n"},
        {"[MQTT-4.1.0-1] a session lives as long as its connection, whatever its interval",
         "s> 10{[MQTT] 05 02 0000 (11 00000001) [s]}\n"
         "s< " CONNACK_5 "s> 82{0001 () [t] 00}\n"
         "s< 90{0001 () 00}\n"
         "+100000000\n"
         "p@5\n"
         "p> 30{[t] () 'm'}\n"
         "s< 30{[t] () 'm'}\n"},
        {"[MQTT-4.1.0-2] and goes with its subscriptions when the interval has passed",
         "s> 10{[MQTT] 05 02 0000 (11 00000001) [s]}\n"
         "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
         "s< 90{0001 () 01}\n"
         "s> E000\n"
         "s|\n"
         "p@5\n"
         "p> 32{[t] 0001 () 'm'}\n"
         "p< 40{0001}\n"
         "+1001\n"
         "p> 32{[t] 0002 () 'm'}\n"
         "p< 40{0002 10}\n"},
        {"[MQTT-3.14.4-1] [MQTT-3.14.4-2] after DISCONNECT comes the end",
         "a@5\n"
         "a> F000 C000 82{0001 () [t] 00}\n"
         "a< E00182\n"
         "a|"},
        {"[MQTT-3.14.1-1] DISCONNECT with flags", "a@5\n"
                                                  "a> E100\n"
                                                  "a< E00181\n"
                                                  "a|"},
        {"[MQTT-3.15.1-1] AUTH with flags", "a@5\n"
                                            "a> F100\n"
                                            "a< E00181\n"
                                            "a|"},
        {"[MQTT-4.12.1-1] [MQTT-4.12.1-2] nobody can authenticate anew", "a@5\n"
                                                                         "a> F0{19 (15[X])}\n"
                                                                         "a< E00182\n"
                                                                         "a|"},
        {"[MQTT-4.13.1-1] who breaks the rules ends no session but its own",
         "s@5\n"
         "s> 82{0001 () [t] 00}\n"
         "s< 90{0001 () 00}\n"
         "a@5\n"
         "a> 30{[t] () 'm'} 36{[t] 0001 () 'm'}\n"
         "a< E00181\n"
         "a|\n"
         "s< 30{[t] () 'm'}\n"
         "s> C000\n"
         "s< D000\n"},
};

TEST(connections_and_sessions_end_as_5_0_says)
{
        conversation_run_all(ends, ARRAY_SIZE(ends), NULL);
}

/* What CONNACK assigned to a client that said no id: `size` bytes, a NUL included. */
static void read_assigned(struct conversation *talk, char client, char *id, size_t size)
{
        const struct buffer *heard = &talk->heard[client - 'a'];
        struct mqtt_connack connack;
        struct mqtt_frame frame;
        struct mqtt_text assigned;

        CHECK_EQ(mqtt_frame_next((const uint8_t *)buffer_data(heard), buffer_length(heard),
                                 SIZE_MAX, &frame),
                 MQTT_FRAME_FOUND);
        CHECK_EQ(mqtt_decode_connack(&frame, MQTT_VERSION_5, &connack), 0);
        CHECK_EQ(connack.reason, MQTT_SUCCESS);
        assigned = connack.properties.assigned_client_id;
        CHECK(assigned.length > 0 && assigned.length < size);
        snprintf(id, size, "%.*s", (int)assigned.length, assigned.bytes);
}

/* [MQTT-3.1.3-6], [MQTT-3.1.3-7], [MQTT-3.2.2-16]. */
TEST(an_assigned_id_is_unique_and_as_good_as_one_of_the_clients_own)
{
        struct conversation talk;
        char first[64], second[64], script[256];

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> " KEPT("") "b> " KEPT(""));
        read_assigned(&talk, 'a', first, sizeof(first));
        read_assigned(&talk, 'b', second, sizeof(second));
        CHECK(strcmp(first, second) != 0);
        snprintf(script, sizeof(script), "a~\nb~\na> E000\na|\nc> " KEPT("%s") "c< " PRESENT,
                 first);
        conversation_run(&talk, script);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

static void tell_topic(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        static const struct mqtt_text information = {"r", 1};

        answer->response_information = information;
}

/* [MQTT-3.1.2-28]. */
TEST(response_information_is_for_those_who_ask)
{
        struct mqtt_hooks hooks = {.on_connect = tell_topic};
        struct conversation talk;

        conversation_init(&talk, NULL, &hooks);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (19 01) [a]}\n"
                                "a< 20{00 00 (22 0004 1A[r] 27 00001000 21 0008)}\n"
                                "b> 10{[MQTT] 05 02 0000 (19 00) [b]}\n"
                                "b< " CONNACK_5 "c@5\n");
        conversation_check_end(&talk);
        conversation_done(&talk);
}

/* [MQTT-3.2.2-17], [MQTT-3.2.2-18]. */
TEST(who_offers_no_aliases_takes_none)
{
        static const struct conversation_case none[] = {
                {"alias 1", "a> " CONNECT_5("a") "a< 20{00 00 (27 00001000 21 0008)}\n"
                                                 "a> 30{[t] (23 0001) 'm'}\n"
                                                 "a< E00194\n"
                                                 "a|"},
        };
        struct mqtt_limits limits = conversation_limits;

        limits.aliases = 0;
        conversation_run_all(none, ARRAY_SIZE(none), &limits);
}

static int see_will(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        const struct mqtt_properties *properties = &publish->properties;
        char *seen = owner;

        snprintf(seen, 64, "%.*s %.*s %.*s %.*s", (int)publish->topic.length, publish->topic.bytes,
                 (int)properties->content_type.length, properties->content_type.bytes,
                 (int)properties->response_topic.length, properties->response_topic.bytes,
                 (int)properties->correlation_data.length, properties->correlation_data.bytes);
        return MQTT_HOOK_PASS;
}

/* [MQTT-3.1.2-7]: all of it, for longer than the bytes are there that it came in. */
TEST(a_will_is_stored_with_its_properties)
{
        char seen[64] = "";
        struct mqtt_hooks hooks = {.owner = seen, .on_publish = see_will};
        struct conversation talk;

        conversation_init(&talk, NULL, &hooks);
        conversation_run(&talk,
                         "a> 10{[MQTT] 05 06 0000 () [a] (03[text] 08[to] 09[id]) [w] [gone]}\n"
                         "a< " CONNACK_5 "b> 10{[MQTT] 05 02 0000 () [another client of this]}\n"
                         "b< " CONNACK_5 "b> C000 C000 C000 C000 C000 C000 C000 C000\n"
                         "b~\n"
                         "b> 82{0001 () [1234567890] 00 [1234567890/1234567890] 00}\n"
                         "b~\n");
        CHECK_TEXT(seen, "");
        conversation_run(&talk, "a.\n");
        CHECK_TEXT(seen, "w text to id");
        conversation_done(&talk);
}
