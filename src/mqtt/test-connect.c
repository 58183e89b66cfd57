/* CONNECT, CONNACK and how connections end, as bytes. */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

static const struct conversation_case cases[] = {
        {"[MQTT-3.1.0-1] the first packet is CONNECT", "a> C000\n"
                                                       "a|"},
        {"[MQTT-3.1.0-2] a second CONNECT is a protocol error",
         "a> " CONNECT_5("a") "a< " CONNACK_5 "a> " CONNECT_5("a") "a< E0 01 82\n"
                                                                   "a|"},
        {"[MQTT-3.1.0-2] of 3.1.1: a second CONNECT ends the connection",
         "a> " CONNECT_311("a") "a< " CONNACK_311 "a> " CONNECT_311("a") "a|"},
        {"[MQTT-3.1.2-2] another protocol level: 0x01 to the old, 0x84 to the new",
         "a> 10{[MQTT] 03 02 0000 [a]}\n"
         "a< 20{00 01}\n"
         "a|\n"
         "b> 10{[MQTT] 06 02 0000 () [b]}\n"
         "b< 20{00 84 ()}\n"
         "b|"},
        {"3.1 is spoken as 3.1.1", "a> 10{[MQIsdp] 03 00 0000 [a]}\n"
                                   "a< 20{00 00}\n"
                                   "a> 82{0001 [t] 02}34{[t] 0001 'm'}\n"
                                   "a< 90{0001 02} 50{0001} 34{[t] 0001 'm'}\n"
                                   "a!\n"
                                   "b> 10{[MQIsdp] 03 00 0000 [a]}\n"
                                   "b< 20{00 00} 3C{[t] 0001 'm'}\n"},
        {"a bridge of mosquitto gets nothing of its own, and what is retained as such",
         "b@311\n"
         "b> 31{[r] 'kept'}\n"
         "a> 10{[MQTT] 84 02 0000 [a]}\n"
         "a< 20{00 00}\n"
         "a> 82{0001 [#] 01 [$share/g/s] 00}\n"
         "a< 90{0001 01 00} 31{[r] 'kept'}\n"
         "a> 31{[r] 'own'} 30{[t] 'own'} 30{[s] 'shared'}\n"
         "a< 30{[s] 'shared'}\n"
         "b> 31{[r] 'other'} 30{[t] 'other'}\n"
         "a< 31{[r] 'other'} 30{[t] 'other'}\n"
         "a> 31{[own] 'x'} 82{0002 [own] 00}\n"
         "a< 90{0002 00}\n"
         "c> 10{[MQIsdp] 83 02 0000 [c]}\n"
         "c< 20{00 00}\n"
         "d> 10{[MQTT] 85 02 0000 () [d]}\n"
         "d< 20{00 84 ()}\n"
         "d|\n"},
        {"3.1: what comes again has a flag that later versions don't have",
         "a> 10{[MQIsdp] 03 02 0000 [a]}\n"
         "a< 20{00 00}\n"
         "a> 8A{0001 [t] 01} AA{0002 [t]} 6A{0003}\n"
         "a< 90{0001 01} B0{0002} 70{0003}\n"
         "b@311\n"
         "b> 8A{0001 [t] 01}\n"
         "b|\n"
         "c@5\n"
         "c> 6A{0003}\n"
         "c< E00181\n"
         "c|"},
        {"3.1: who has no id is not let in", "a> 10{[MQIsdp] 03 02 0000 []}\n"
                                             "a< 20{00 02}\n"
                                             "a|"},
        {"3.1: a level that it does not have", "a> 10{[MQIsdp] 04 02 0000 [a]}\n"
                                               "a< 20{00 01}\n"
                                               "a|\n"
                                               "b> 10{[MQIsdp] 06 02 0000 [b]}\n"
                                               "b< 20{00 84 ()}\n"
                                               "b|"},
        {"3.1.4: what is wrong with who it is is not told",
         "a> 10{[MQTT] 05 82 0000 () [a] 0001 01}\n"
         "a|\n"
         "b> 10{[MQTT] 05 C2 0000 () [b] [user]}\n"
         "b|\n"
         "c> 10{[MQTT] 05 02 0000 () 0001 01}\n"
         "c< 20{00 85 ()}\n"
         "c|"},
        {"2.1.4: bytes that are no packet end it without a word", "a@5\n"
                                                                  "a> C0 80 80 80 80 01\n"
                                                                  "a|\n"
                                                                  "b@5\n"
                                                                  "b> C0{00}\n"
                                                                  "b|\n"
                                                                  "c@5\n"
                                                                  "c> D0{00}\n"
                                                                  "c|"},
        {"2.1.2: a type that is none is a protocol error", "a@5\n"
                                                           "a> 00{}\n"
                                                           "a< E00182\n"
                                                           "a|"},
        {"[MQTT-3.1.2-3] the reserved flag is 0", "a> 10{[MQTT] 05 03 0000 () [a]}\n"
                                                  "a|"},
        {"[MQTT-3.1.2-3] of 3.1.1: without an answer", "a> 10{[MQTT] 04 03 0000 [a]}\n"
                                                       "a|"},
        {"[MQTT-3.1.3-6] 5.0: an empty id is replaced by one that is told",
         "a> " CONNECT_5("") "a< 20 3A 00 00 37 22 0004 12 0029 'auto-'\n"
                             "a~\n"},
        {"[MQTT-3.1.3-8] of 3.1.1: an empty id needs a clean session",
         "a> 10{[MQTT] 04 00 0000 []}\n"
         "a< 20{00 02}\n"
         "a|\n"
         "b> 10{[MQTT] 04 02 0000 []}\n"
         "b< 20{00 00}\n"},
        {"[MQTT-3.1.3-8] an id that is too long is not valid",
         "a> " CONNECT_5("1234567890123456789012345678901234567890123456789") "a< 20{00 85 ()}\n"
                                                                              "a|"},
        {"[MQTT-4.12.0-1] an authentication method is not offered",
         "a> 10{[MQTT] 05 02 0000 (15[SCRAM]) [a]}\n"
         "a< 20{00 8C ()}\n"
         "a|"},
        {"[MQTT-4.12.0-7] AUTH without a method at CONNECT",
         "a> " CONNECT_5("a") "a< " CONNACK_5 "a> F000\n"
                              "a< E0 01 82\n"
                              "a|"},
        {"3.1.2.11.7 response information is not there unless a hook gives it",
         "a> 10{[MQTT] 05 02 0000 (19 01) [a]}\n"
         "a< " CONNACK_5},
        {"3.1.2.11.8 reasons in words where they were asked for",
         "a> 10{[MQTT] 05 02 0000 (17 01) [a]}\n"
         "a< " CONNACK_5 "a> F000\n"
         "a< E0{82 (1F[Protocol Error])}\n"
         "a|"},
        {"[MQTT-3.14.2-3] words that would make the packet too large are left out",
         "a> 10{[MQTT] 05 02 0000 (17 01 27 00000018) [a]}\n"
         "a< " CONNACK_5 "a> F000\n"
         "a< E0{82}\n"
         "a|"},
        {"[MQTT-3.12.4-1] PINGREQ", "a> " CONNECT_311("a") "a< " CONNACK_311 "a> C000C000\n"
                                                           "a< D000D000\n"},
        {"[MQTT-2.1.3-1] flags that a packet does not have",
         "a> " CONNECT_5("a") "a< " CONNACK_5 "a> C100\n"
                              "a< E00181\n"
                              "a|"},
        {"2.1.2 a packet that only servers send", "a> " CONNECT_5("a") "a< " CONNACK_5 "a> D000\n"
                                                                       "a< E00182\n"
                                                                       "a|"},
        {"[MQTT-3.2.2-15] a packet beyond the announced size is not even waited for",
         "a> " CONNECT_5("a") "a< " CONNACK_5 "a> 30FF1F\n"
                              "a< E00195\n"
                              "a|"},
        {"a CONNECT that does not come within 5 s", "a> 10\n"
                                                    "+4999\n"
                                                    "a> 0E\n"
                                                    "+1\n"
                                                    "a|"},
        {"[MQTT-3.1.2-22] one and a half times the keep-alive", "a> 10{[MQTT] 05 02 000A () [a]}\n"
                                                                "a< " CONNACK_5 "+14999\n"
                                                                "a> C000\n"
                                                                "a< D000\n"
                                                                "+14999\n"
                                                                "a< \n"
                                                                "+1\n"
                                                                "a< E0018D\n"
                                                                "a|"},
        {"[MQTT-3.1.2-24] of 3.1.1: without a word", "a> 10{[MQTT] 04 02 0001 [a]}\n"
                                                     "a< " CONNACK_311 "+1500\n"
                                                     "a|"},
        {"3.1.2.10 keep-alive 0: never", "a> " CONNECT_5("a") "a< " CONNACK_5 "+100000000\n"
                                                              "a> C000\n"
                                                              "a< D000\n"},
        {"[MQTT-3.1.4-3] who takes over tells the other 0x8e",
         "a> " CONNECT_5("x") "a< " CONNACK_5 "b> " CONNECT_5("x") "b< " CONNACK_5 "a< E0018E\n"
                                                                   "a|"},
        {"[MQTT-3.1.4-2] of 3.1.1: the other is closed",
         "a> " CONNECT_311("x") "a< " CONNACK_311 "b> " CONNECT_311("x") "b< " CONNACK_311 "a|"},
        {"[MQTT-3.2.2-2] a session is present once there is one, [MQTT-3.1.2-5]",
         "a> 10{[MQTT] 05 02 0000 (11 0000003C) [x]}\n"
         "a< " CONNACK_5 "a> E000\n"
         "a|\n"
         "b> 10{[MQTT] 05 00 0000 (11 0000003C) [x]}\n"
         "b< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
         "b> E000\n"
         "b|\n"
         "c> 10{[MQTT] 05 02 0000 (11 0000003C) [x]}\n"
         "c< " CONNACK_5},
        {"[MQTT-3.1.2-23] the session goes when its interval has passed, not before",
         "a> 10{[MQTT] 05 02 0000 (11 0000003C) [x]}\n"
         "a< " CONNACK_5 "a> E000\n"
         "a|\n"
         "+60000\n"
         "b> 10{[MQTT] 05 00 0000 (11 0000003C) [x]}\n"
         "b< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
         "b> E000\n"
         "b|\n"
         "+60001\n"
         "c> 10{[MQTT] 05 00 0000 () [x]}\n"
         "c< " CONNACK_5},
        {"3.1.2.11.2 an interval of 0xFFFFFFFF never passes",
         "a> 10{[MQTT] 05 02 0000 (11 FFFFFFFF) [x]}\n"
         "a< " CONNACK_5 "a> E000\n"
         "a|\n"
         "+9000000000000\n"
         "b> 10{[MQTT] 05 00 0000 () [x]}\n"
         "b< 20{01 00 (22 0004 27 00001000 21 0008)}\n"},
        {"[MQTT-3.1.2-4] of 3.1.1: a session that is not clean stays",
         "a> 10{[MQTT] 04 00 0000 [x]}\n"
         "a< " CONNACK_311 "a> E000\n"
         "a|\n"
         "b> 10{[MQTT] 04 00 0000 [x]}\n"
         "b< 20{01 00}\n"},
        {"3.14.2.2.2 DISCONNECT may change the interval, but not from 0",
         "a> 10{[MQTT] 05 02 0000 (11 00000001) [x]}\n"
         "a< " CONNACK_5 "a> E0{00 (11 00000064)}\n"
         "a|\n"
         "+50000\n"
         "b> 10{[MQTT] 05 00 0000 () [x]}\n"
         "b< 20{01 00 (22 0004 27 00001000 21 0008)}\n"
         "b> E0{00 (11 00000064)}\n"
         "b< E00182\n"
         "b|"},
        {"3.14.2.1 a reason that a client's DISCONNECT cannot have",
         "a> " CONNECT_5("a") "a< " CONNACK_5 "a> E001 01\n"
                              "a< E00182\n"
                              "a|"},
};

TEST(connections_begin_and_end_as_the_standard_says)
{
        conversation_run_all(cases, ARRAY_SIZE(cases), NULL);
}

TEST(a_shorter_keep_alive_is_announced_to_those_who_can_be_told)
{
        struct mqtt_limits limits = conversation_limits;
        static const struct conversation_case shorter[] = {
                {"[MQTT-3.1.2-21] the server's keep-alive counts",
                 "a> 10{[MQTT] 05 02 0064 () [a]}\n"
                 "a< 20{00 00 (13 000A 22 0004 27 00001000 21 0008)}\n"
                 "+15000\n"
                 "a< E0018D\n"
                 "a|"},
                {"none at all is too long as well",
                 "a> " CONNECT_5("a") "a< 20{00 00 (13 000A 22 0004 27 00001000 21 0008)}\n"},
                {"3.1.1 goes on as it wished", "a> 10{[MQTT] 04 02 0064 [a]}\n"
                                               "a< " CONNACK_311 "+149999\n"
                                               "+1\n"
                                               "a|"},
        };

        limits.keep_alive_s = 10;
        conversation_run_all(shorter, ARRAY_SIZE(shorter), &limits);
}

TEST(a_shorter_session_is_announced)
{
        struct mqtt_limits limits = conversation_limits;
        static const struct conversation_case shorter[] = {
                {"3.2.2.3.2", "a> 10{[MQTT] 05 02 0000 (11 FFFFFFFF) [a]}\n"
                              "a< 20{00 00 (11 00000078 22 0004 27 00001000 21 0008)}\n"},
        };

        limits.session_expiry_max_s = 120;
        conversation_run_all(shorter, ARRAY_SIZE(shorter), &limits);
}

TEST(too_many_clients_are_told_busy_but_may_be_replaced)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.clients = 2;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "a> " CONNECT_5("a") "a< " CONNACK_5);
        conversation_run(&talk, "b> " CONNECT_5("b") "b< " CONNACK_5);
        conversation_run(&talk, "c> " CONNECT_5("c") "c< 20{00 89 ()}\nc|\n");
        conversation_run(&talk, "d> " CONNECT_311("d") "d< 20{00 03}\nd|\n");
        conversation_run(&talk, "e> " CONNECT_5("a") "e< " CONNACK_5 "a< E0018E\na|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_CLIENTS), 2);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_TAKEOVERS), 1);
        conversation_done(&talk);
}

TEST(too_many_sessions_are_refused_for_quota)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.sessions = 1;
        conversation_init(&talk, &limits, NULL);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a< " CONNACK_311 "a.\n"
                                "b> " CONNECT_5("b") "b< 20{00 89 ()}\n"
                                                     "b|\n"
                                                     "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                                     "a< 20{01 00}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_SESSIONS), 1);
        conversation_done(&talk);
}

TEST(too_many_that_never_say_connect_are_closed)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> 10\n"
                                "b> 10\n"
                                "c> 10\n"
                                "d> 10\n"
                                "e> 10\n"
                                "+5000\n"
                                "a|\nb|\nc|\nd|\ne|");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_CONNECT_TIMEOUTS), 5);
        conversation_done(&talk);
}

TEST(a_broker_that_stops_tells_its_clients_and_publishes_no_wills)
{
        struct conversation talk;

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> 10{[MQTT] 05 06 0000 () [a] () [w] [gone]}\n"
                                "a< " CONNACK_5 "b> " CONNECT_5("b") "b< " CONNACK_5
                                                                     "b> 82{0001 () [w] 00}\n"
                                                                     "b< 90{0001 () 00}\n"
                                                                     "c> 10\n");
        mqtt_broker_stop(talk.broker, MQTT_SERVER_SHUTTING_DOWN);
        conversation_settle(&talk);
        conversation_run(&talk, "a< E0018B\n"
                                "a|\n"
                                "b< E0018B\n"
                                "b|\n"
                                "c|");
        CHECK_EQ(mqtt_broker_connections(talk.broker), 0);
        conversation_done(&talk);
}

static void count_call(void *owner)
{
        ++*(unsigned *)owner;
}

TEST(a_broker_that_stopped_says_so_when_its_last_connection_is_gone)
{
        unsigned calls = 0;
        struct mqtt_hooks hooks = {.owner = &calls, .on_stopped = count_call};
        struct conversation talk;

        conversation_init(&talk, NULL, &hooks);
        conversation_run(&talk, "a> " CONNECT_5("a") "a< " CONNACK_5
                                                     "b> " CONNECT_5("b") "b< " CONNACK_5 "b.");
        mqtt_broker_stop(talk.broker, MQTT_SERVER_SHUTTING_DOWN);
        conversation_settle(&talk);
        CHECK_EQ(calls, 0);
        conversation_run(&talk, "a~\n"
                                "a|");
        CHECK_EQ(calls, 1);
        conversation_done(&talk);
        CHECK_EQ(calls, 1);

        /* Without connections there is nobody to wait for; the end alone says nothing. */
        conversation_init(&talk, NULL, &hooks);
        mqtt_broker_stop(talk.broker, MQTT_SERVER_SHUTTING_DOWN);
        CHECK_EQ(calls, 2);
        conversation_done(&talk);
        conversation_init(&talk, NULL, &hooks);
        conversation_done(&talk);
        CHECK_EQ(calls, 2);
}

TEST(who_has_not_connected_makes_us_hold_less)
{
        struct mqtt_limits limits = conversation_limits;
        struct conversation talk;

        limits.connect_bytes = 20;
        conversation_init(&talk, &limits, NULL);
        /* 20 bytes, header included; then 21. */
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 () [abcde]}\n"
                                "a< " CONNACK_5 "a> 30{[t] () 'a payload that is longer'}\n"
                                "a> C000\n"
                                "a< D000\n"
                                "b> 10{[MQTT] 05 02 0000 () [abcdef]}\n"
                                "b|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_PACKET_TOO_LARGE), 1);
        conversation_done(&talk);
}
