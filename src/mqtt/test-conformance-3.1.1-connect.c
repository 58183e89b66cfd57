/* MQTT 3.1.1 statement by statement: CONNECT, CONNACK, PINGREQ and DISCONNECT (3.1, 3.2,
 * 3.12, 3.14). tests/conformance/mqtt-3.1.1.tsv says which row proves which. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

/* w hears of wills, in QoS 2. */
#define WATCH                                                                                      \
        "w@311\n"                                                                                  \
        "w> 82{0001 [w] 02}\n"                                                                     \
        "w< 90{0001 02}\n"

static const struct conversation_case headers[] = {
        {"[MQTT-3.1.0-1] another first packet than CONNECT", "a> 30{[t] 'm'}\n"
                                                             "a|\n"
                                                             "b> 82{0001 [t] 00}\n"
                                                             "b|\n"
                                                             "c> C000\n"
                                                             "c|\n"
                                                             "d> E000\n"
                                                             "d|\n"},
        {"[MQTT-3.1.0-2] a second CONNECT, with the same id or another",
         "a@311\n"
         "a> 10{[MQTT] 04 02 0000 [a]}\n"
         "a|\n"
         "b@311\n"
         "b> 10{[MQTT] 04 02 0000 [other]}\n"
         "b|\n"},
        {"[MQTT-3.1.2-1] another protocol name goes no further", "a> 10{[MQTX] 04 02 0000 [a]}\n"
                                                                 "a|\n"
                                                                 "b> 10{[mqtt] 04 02 0000 [b]}\n"
                                                                 "b|\n"},
        {"[MQTT-3.1.2-2] another protocol level is told 0x01", "a> 10{[MQTT] 03 02 0000 [a]}\n"
                                                               "a< 20{00 01}\n"
                                                               "a|\n"
                                                               "b> 10{[MQTT] 00 02 0000 [b]}\n"
                                                               "b< 20{00 01}\n"
                                                               "b|\n"},
        {"[MQTT-3.1.2-3] the reserved flag is set", "a> 10{[MQTT] 04 03 0000 [a]}\n"
                                                    "a|\n"},
        {"[MQTT-3.1.2-22] a password without a user", "a> 10{[MQTT] 04 42 0000 [a] [secret]}\n"
                                                      "a|\n"},
        {"[MQTT-3.1.2-18] a user without its flag", "a> 10{[MQTT] 04 02 0000 [a] [user]}\n"
                                                    "a|\n"},
        {"[MQTT-3.1.2-19] the flag without a user", "a> 10{[MQTT] 04 82 0000 [a]}\n"
                                                    "a|\n"},
        {"[MQTT-3.1.2-20] a password without its flag",
         "a> 10{[MQTT] 04 82 0000 [a] [user] [secret]}\n"
         "a|\n"},
        {"[MQTT-3.1.2-21] the flag without a password", "a> 10{[MQTT] 04 C2 0000 [a] [user]}\n"
                                                        "a|\n"},
        {"[MQTT-3.1.2-19] a user, [MQTT-3.1.2-21] and a password",
         "a> 10{[MQTT] 04 C2 0000 [a] [user] [secret]}\n"
         "a< 20{00 00}\n"},
        {"[MQTT-3.1.2-24] 1.5 times the keep-alive, and not before",
         "a> 10{[MQTT] 04 02 000A [a]}\n"
         "a< 20{00 00}\n"
         "+14999\n"
         "a> C000\n"
         "a< D000\n"
         "+14999\n"
         "a> 30{[t]}\n"
         "+14999\n"
         "a< \n"
         "+1\n"
         "a|\n"},
        {"[MQTT-3.1.2-24] keep-alive 0 is none", "a@311\n"
                                                 "+100000000\n"
                                                 "a> C000\n"
                                                 "a< D000\n"},
        {"[MQTT-3.1.2-23] PINGREQ counts as a sign of life", "a> 10{[MQTT] 04 02 0001 [a]}\n"
                                                             "a< 20{00 00}\n"
                                                             "+1499\n"
                                                             "a> C000\n"
                                                             "a< D000\n"
                                                             "+1499\n"
                                                             "a> C000\n"
                                                             "a< D000\n"},
        {"[MQTT-3.12.4-1] PINGREQ is answered, each", "a@311\n"
                                                      "a> C000 C000 C000\n"
                                                      "a< D000 D000 D000\n"},
        {"[MQTT-3.14.1-1] flags of DISCONNECT", "a@311\n"
                                                "a> E100\n"
                                                "a|\n"
                                                "b@311\n"
                                                "b> E800\n"
                                                "b|\n"},
        {"[MQTT-3.14.4-1] after DISCONNECT the connection is closed", "a@311\n"
                                                                      "a> E000\n"
                                                                      "a|\n"},
        {"[MQTT-3.14.4-2] what follows DISCONNECT is not heard", "s@311\n"
                                                                 "s> 82{0001 [t] 00}\n"
                                                                 "s< 90{0001 00}\n"
                                                                 "a@311\n"
                                                                 "a> E000 C000 30{[t] 'm'}\n"
                                                                 "a|\n"
                                                                 "s> C000\n"
                                                                 "s< D000\n"},
};

TEST(the_headers_of_connect_ping_and_disconnect)
{
        conversation_run_all(headers, ARRAY_SIZE(headers), NULL);
}

static const struct conversation_case wills[] = {
        {"[MQTT-3.1.2-8] published when the connection ends without a word",
         WATCH "a> 10{[MQTT] 04 06 0000 [a] [w] [gone]}\n"
               "a< 20{00 00}\n"
               "w< \n"
               "a.\n"
               "w< 30{[w] 'gone'}\n"},
        {"[MQTT-3.1.2-8] published after a protocol error",
         WATCH "a> 10{[MQTT] 04 06 0000 [a] [w] [gone]}\n"
               "a< 20{00 00}\n"
               "a> D000\n"
               "a|\n"
               "w< 30{[w] 'gone'}\n"},
        {"[MQTT-3.1.2-8] published after silence", WATCH "a> 10{[MQTT] 04 06 0001 [a] [w] [gone]}\n"
                                                         "a< 20{00 00}\n"
                                                         "+1500\n"
                                                         "a|\n"
                                                         "w< 30{[w] 'gone'}\n"},
        {"[MQTT-3.1.2-8] of a refused connection there is none",
         WATCH "a> 10{[MQTT] 04 04 0000 [] [w] [gone]}\n"
               "a< 20{00 02}\n"
               "a|\n"},
        {"[MQTT-3.1.2-8] an empty one is published as such",
         WATCH "a> 10{[MQTT] 04 06 0000 [a] [w] []}\n"
               "a< 20{00 00}\n"
               "a.\n"
               "w< 30{[w]}\n"},
        {"[MQTT-3.1.2-9] the flag without topic and message, or without the message",
         "a> 10{[MQTT] 04 06 0000 [a]}\n"
         "a|\n"
         "b> 10{[MQTT] 04 06 0000 [b] [w]}\n"
         "b|\n"},
        {"[MQTT-3.1.2-9] QoS and retain are used", WATCH "a> 10{[MQTT] 04 36 0000 [a] [w] [gone]}\n"
                                                         "a< 20{00 00}\n"
                                                         "a.\n"
                                                         "w< 34{[w] 0001 'gone'}\n"
                                                         "w> 50{0001}\n"
                                                         "w< 62{0001}\n"
                                                         "w> 70{0001}\n"
                                                         "b@311\n"
                                                         "b> 82{0001 [w] 02}\n"
                                                         "b< 90{0001 02} 35{[w] 0001 'gone'}\n"},
        {"[MQTT-3.1.2-10] published once", WATCH "a> 10{[MQTT] 04 04 0000 [a] [w] [gone]}\n"
                                                 "a< 20{00 00}\n"
                                                 "a.\n"
                                                 "w< 30{[w] 'gone'}\n"
                                                 "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                                 "a< 20{01 00}\n"
                                                 "a.\n"},
        {"[MQTT-3.1.2-10] forgotten with DISCONNECT",
         WATCH "a> 10{[MQTT] 04 04 0000 [a] [w] [gone]}\n"
               "a< 20{00 00}\n"
               "a> E000\n"
               "a|\n"
               "a> 10{[MQTT] 04 00 0000 [a]}\n"
               "a< 20{01 00}\n"
               "a.\n"},
        {"[MQTT-3.14.4-3] none after DISCONNECT", WATCH "a> 10{[MQTT] 04 26 0000 [a] [w] [gone]}\n"
                                                        "a< 20{00 00}\n"
                                                        "a> E000\n"
                                                        "a|\n"
                                                        "b@311\n"
                                                        "b> 82{0001 [w] 00}\n"
                                                        "b< 90{0001 00}\n"},
        {"[MQTT-3.1.2-11] topic and message without the flag",
         "a> 10{[MQTT] 04 02 0000 [a] [w] [gone]}\n"
         "a|\n"},
        {"[MQTT-3.1.2-12] no flag, no will", WATCH "a@311\n"
                                                   "a.\n"
                                                   "w> C000\n"
                                                   "w< D000\n"},
        {"[MQTT-3.1.2-13] a QoS without the flag", "a> 10{[MQTT] 04 0A 0000 [a]}\n"
                                                   "a|\n"
                                                   "b> 10{[MQTT] 04 12 0000 [b]}\n"
                                                   "b|\n"},
        {"[MQTT-3.1.2-14] QoS 3", "a> 10{[MQTT] 04 1E 0000 [a] [w] [gone]}\n"
                                  "a|\n"},
        {"[MQTT-3.1.2-14] QoS 0, 1 and 2", WATCH "a> 10{[MQTT] 04 06 0000 [a] [w] [0]}\n"
                                                 "a< 20{00 00}\n"
                                                 "a.\n"
                                                 "w< 30{[w] '0'}\n"
                                                 "a> 10{[MQTT] 04 0E 0000 [a] [w] [1]}\n"
                                                 "a< 20{00 00}\n"
                                                 "a.\n"
                                                 "w< 32{[w] 0001 '1'}\n"
                                                 "a> 10{[MQTT] 04 16 0000 [a] [w] [2]}\n"
                                                 "a< 20{00 00}\n"
                                                 "a.\n"
                                                 "w< 34{[w] 0002 '2'}\n"},
        {"[MQTT-3.1.2-15] retain without the flag", "a> 10{[MQTT] 04 22 0000 [a]}\n"
                                                    "a|\n"},
        {"[MQTT-3.1.2-16] without retain it is not kept",
         "a> 10{[MQTT] 04 06 0000 [a] [w] [gone]}\n"
         "a< 20{00 00}\n"
         "a.\n" WATCH},
        {"[MQTT-3.1.2-17] with retain it is kept", "a> 10{[MQTT] 04 26 0000 [a] [w] [gone]}\n"
                                                   "a< 20{00 00}\n"
                                                   "a.\n" WATCH "w< 31{[w] 'gone'}\n"},
        {"[MQTT-3.1.3-10] a topic that is no UTF-8", "a> 10{[MQTT] 04 06 0000 [a] 0001FF [gone]}\n"
                                                     "a|\n"},
};

TEST(wills_are_kept_and_published_or_not)
{
        conversation_run_all(wills, ARRAY_SIZE(wills), NULL);
}

static const struct conversation_case payloads[] = {
        {"[MQTT-3.1.3-1] id, will, user and password come in this order",
         WATCH "a> 10{[MQTT] 04 C6 0000 [a] [w] [gone] [user] [secret]}\n"
               "a< 20{00 00}\n"
               "a.\n"
               "w< 30{[w] 'gone'}\n"},
        {"[MQTT-3.1.3-2] the session is the id's", "a> 10{[MQTT] 04 00 0000 [one]}\n"
                                                   "a< 20{00 00}\n"
                                                   "b> 10{[MQTT] 04 00 0000 [One]}\n"
                                                   "b< 20{00 00}\n"
                                                   "a.\n"
                                                   "c> 10{[MQTT] 04 00 0000 [one]}\n"
                                                   "c< 20{01 00}\n"
                                                   "b> C000\n"
                                                   "b< D000\n"},
        {"[MQTT-3.1.3-3] no id at all", "a> 10{[MQTT] 04 02 0000}\n"
                                        "a|\n"},
        {"[MQTT-3.1.3-4] an id that is no UTF-8", "a> 10{[MQTT] 04 02 0000 0002C328}\n"
                                                  "a|\n"},
        {"[MQTT-3.1.3-5] ids of 1 and of 23 letters and digits",
         "a> 10{[MQTT] 04 02 0000 [0]}\n"
         "a< 20{00 00}\n"
         "b> 10{[MQTT] 04 02 0000 [0123456789abcdefghijklm]}\n"
         "b< 20{00 00}\n"
         "c> 10{[MQTT] 04 02 0000 [nopqrstuvwxyzABCDEFGHIJ]}\n"
         "c< 20{00 00}\n"
         "d> 10{[MQTT] 04 02 0000 [KLMNOPQRSTUVWXYZ]}\n"
         "d< 20{00 00}\n"},
        {"[MQTT-3.1.3-6] clients without an id are not each other", "a> 10{[MQTT] 04 02 0000 []}\n"
                                                                    "a< 20{00 00}\n"
                                                                    "b> 10{[MQTT] 04 02 0000 []}\n"
                                                                    "b< 20{00 00}\n"
                                                                    "a> C000\n"
                                                                    "a< D000\n"},
        {"[MQTT-3.1.3-7] no id, and a session that stays: [MQTT-3.1.3-8] 0x02",
         "a> 10{[MQTT] 04 00 0000 []}\n"
         "a< 20{00 02}\n"
         "a|\n"},
        {"[MQTT-3.1.3-9] an id that we don't take: 0x02",
         "a> 10{[MQTT] 04 02 0000 [1234567890123456789012345678901234567890123456789]}\n"
         "a< 20{00 02}\n"
         "a|\n"},
        {"[MQTT-3.1.3-11] a user that is no UTF-8", "a> 10{[MQTT] 04 82 0000 [a] 0001FF}\n"
                                                    "a|\n"},
        {"[MQTT-3.1.4-1] what is malformed gets no CONNACK", "a> 10{[MQTT] 04 02 00}\n"
                                                             "a|\n"
                                                             "b> 10{[MQTT] 04 02 0000 0002'b'}\n"
                                                             "b|\n"
                                                             "c> 10{[MQTT] 04 02 0000 [c] 00}\n"
                                                             "c|\n"},
        {"[MQTT-3.1.4-2] the earlier connection of an id is closed",
         "a@311\n"
         "b> 10{[MQTT] 04 02 0000 [a]}\n"
         "b< 20{00 00}\n"
         "a|\n"
         "b> C000\n"
         "b< D000\n"},
        {"[MQTT-3.1.4-5] after a refusal nothing is handled",
         WATCH "a> 10{[MQTT] 04 00 0000 []} 30{[w] 'm'} C000\n"
               "a< 20{00 02}\n"
               "a|\n"
               "w> C000\n"
               "w< D000\n"},
        {"[MQTT-3.1.4-4] what comes with CONNECT is handled after CONNACK, [MQTT-3.2.0-1]",
         "a> 10{[MQTT] 04 02 0000 [a]} 82{0001 [t] 00} 30{[t] 'm'} C000\n"
         "a< 20{00 00} 90{0001 00} 30{[t] 'm'} D000\n"},
};

TEST(the_payload_of_connect_and_what_follows_it)
{
        conversation_run_all(payloads, ARRAY_SIZE(payloads), NULL);
}

static const struct conversation_case greetings[] = {
        {"[MQTT-3.2.2-1] of a clean session nothing is present", "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                                                 "a< 20{00 00}\n"
                                                                 "a.\n"
                                                                 "a> 10{[MQTT] 04 02 0000 [a]}\n"
                                                                 "a< 20{00 00}\n"},
        {"[MQTT-3.2.2-2] a session that was kept is present", "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                                              "a< 20{00 00}\n"
                                                              "a.\n"
                                                              "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                                              "a< 20{01 00}\n"},
        {"[MQTT-3.2.2-3] one that was not kept is not", "a> 10{[MQTT] 04 02 0000 [a]}\n"
                                                        "a< 20{00 00}\n"
                                                        "a.\n"
                                                        "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                                        "a< 20{00 00}\n"},
};

TEST(the_session_that_connack_tells_of)
{
        conversation_run_all(greetings, ARRAY_SIZE(greetings), NULL);
}

static void refuse(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                   struct mqtt_admission *answer)
{
        (void)who;
        (void)connect;
        answer->reason = *(const enum mqtt_reason *)owner;
}

/* [MQTT-3.2.2-4], [MQTT-3.2.2-5]. The session is there, so that its flag could be set. */
TEST(a_refusal_tells_of_no_session_and_ends_the_connection)
{
        static const struct {
                enum mqtt_reason reason;
                const char *script;
        } rows[] = {
                {MQTT_BAD_CREDENTIALS, "a< 20{00 04}\na|\n"},
                {MQTT_NOT_AUTHORIZED, "a< 20{00 05}\na|\n"},
                {MQTT_BANNED, "a< 20{00 05}\na|\n"},
                {MQTT_SERVER_UNAVAILABLE, "a< 20{00 03}\na|\n"},
                {MQTT_SERVER_BUSY, "a< 20{00 03}\na|\n"},
                {MQTT_QUOTA_EXCEEDED, "a< 20{00 03}\na|\n"},
        };
        enum mqtt_reason reason = MQTT_SUCCESS;
        struct mqtt_hooks hooks = {.owner = &reason, .on_connect = refuse};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct conversation talk;

                reason = MQTT_SUCCESS;
                conversation_init(&talk, NULL, &hooks);
                conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                        "a< 20{00 00}\n"
                                        "a.\n");
                reason = rows[i].reason;
                conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n");
                conversation_run(&talk, rows[i].script);
                conversation_done(&talk);
        }
}
