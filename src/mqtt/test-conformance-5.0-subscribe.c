/* Statements of MQTT 5.0 about subscriptions that no other test makes: SUBSCRIBE,
 * UNSUBSCRIBE, filters, shared ones (3.8 to 3.11, 4.7, 4.8). */
#include "base/attributes.h"
#include "mqtt/conversation-fixture.h"

#define KEPT(id) "10{[MQTT] 05 00 0000 (11 0000FFFF) [" id "]}\n"
#define PRESENT "20{01 00 (22 0004 27 00001000 21 0008)}\n"
#define TWO "p@5\ns@5\n"

static const struct conversation_case subscriptions[] = {
        {"[MQTT-3.8.4-4] a subscription that is replaced loses no message",
         "p@5\n"
         "p> 31{[t] () 'kept'}\n"
         "s> 10{[MQTT] 05 02 0000 (21 0001) [s]}\n"
         "s< " CONNACK_5 "s> 82{0001 () [t] 01}\n"
         "s< 90{0001 () 01} 31{[t] () 'kept'}\n"
         "p> 32{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
         "p< 40{0001} 40{0002}\n"
         "s< 32{[t] 0001 () '1'}\n"
         "s> 82{0002 () [t] 01}\n"
         "s< 90{0002 () 01}\n"
         "p> 32{[t] 0003 () '3'}\n"
         "p< 40{0003}\n"
         "s> 40{0001}\n"
         "s< 32{[t] 0002 () '2'}\n"
         "s> 40{0002}\n"
         "s< 32{[t] 0003 () '3'}\n"
         "s> 40{0003}\n"
         "s< 31{[t] () 'kept'}\n"},
        {"[MQTT-3.8.4-3] a subscription is replaced with its identifier",
         TWO "s> 82{0001 (0B 07) [t] 00}\n"
             "s> 82{0002 (0B 08) [t] 00}\n"
             "s< 90{0001 () 00} 90{0002 () 00}\n"
             "p> 30{[t] () '1'}\n"
             "s< 30{[t] (0B 08) '1'}\n"
             "s> 82{0003 () [t] 00}\n"
             "s< 90{0003 () 00}\n"
             "p> 30{[t] () '2'}\n"
             "s< 30{[t] () '2'}\n"},
        {"[MQTT-3.8.4-5] several filters are as several SUBSCRIBEs, with one answer",
         TWO "s> 82{0001 () [t] 00 [u] 01 [t] 02}\n"
             "s< 90{0001 () 00 01 02}\n"
             "p> 34{[t] 0001 () 'm'}\n"
             "p< 50{0001}\n"
             "s< 34{[t] 0001 () 'm'}\n"},
        {"[MQTT-3.8.3-3] no local: nor do retained messages of its own come",
         TWO "s> 31{[t/own] () 's'}\n"
             "p> 31{[t/other] () 'p'}\n"
             "s> 82{0001 () [t/#] 04}\n"
             "s< 90{0001 () 00} 31{[t/other] () 'p'}\n"
             "p> 82{0001 () [t/own] 04}\n"
             "p< 90{0001 () 00} 31{[t/own] () 's'}\n"},
        {"[MQTT-3.8.3-3] no local: nor those that its client id retained in an earlier session",
         TWO "s> 31{[t/own] () 's'}\n"
             "s> E000\n"
             "s|\n"
             "p> E000\n"
             "p|\n"
             "s@5\n"
             "s> 82{0001 () [t/#] 04}\n"
             "s< 90{0001 () 00}\n"
             "p@5\n"
             "p> 82{0001 () [t/#] 04}\n"
             "p< 90{0001 () 00} 31{[t/own] () 's'}\n"},
        {"[MQTT-3.8.3-1] a filter that is no UTF-8", TWO "s> 82{0001 () [\xff] 00}\n"
                                                         "s< E00181\n"
                                                         "s|"},
        {"[MQTT-3.10.4-1] UNSUBSCRIBE compares every character of a filter",
         TWO "s> 82{0001 () [t/+] 00}\n"
             "s< 90{0001 () 00}\n"
             "s> A2{0002 () [t/x] [t/#] [T/+] [t/+/] [t]}\n"
             "s< B0{0002 () 11 11 11 11 11}\n"
             "p> 30{[t/x] () '1'}\n"
             "s< 30{[t/x] () '1'}\n"
             "s> A2{0003 () [t/+]}\n"
             "s< B0{0003 () 00}\n"
             "p> 30{[t/x] () '2'}\n"},
        {"[MQTT-3.10.4-3] what was begun is completed after UNSUBSCRIBE",
         "p@5\n"
         "s> " KEPT("s") "s< " CONNACK_5 "s> 82{0001 () [t] 02}\n"
                         "s< 90{0001 () 02}\n"
                         "p> 34{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
                         "p< 50{0001} 40{0002}\n"
                         "s< 34{[t] 0001 () '1'} 32{[t] 0002 () '2'}\n"
                         "s> A2{0002 () [t]}\n"
                         "s< B0{0002 () 00}\n"
                         "p> 32{[t] 0003 () '3'}\n"
                         "p< 40{0003 10}\n"
                         "s> 50{0001}\n"
                         "s< 62{0001}\n"
                         "s.\n"
                         "s> " KEPT("s") "s< " PRESENT "s< 62{0001} 3A{[t] 0002 () '2'}\n"
                                         "s> 70{0001} 40{0002}\n"},
        {"[MQTT-3.10.4-4] [MQTT-3.10.4-5] UNSUBSCRIBE is answered although nothing is deleted",
         TWO "s> A2{0102 () [x]}\n"
             "s< B0{0102 () 11}\n"},
        {"[MQTT-3.10.4-6] several filters are as several UNSUBSCRIBEs, with one answer",
         TWO "s> 82{0001 () [a] 00 [b] 00}\n"
             "s< 90{0001 () 00 00}\n"
             "s> A2{0002 () [a] [b] [a]}\n"
             "s< B0{0002 () 00 00 11}\n"},
        {"[MQTT-3.10.1-1] UNSUBSCRIBE without its flags", TWO "s> A0{0001 () [t]}\n"
                                                              "s< E00181\n"
                                                              "s|"},
        {"[MQTT-3.10.3-2] UNSUBSCRIBE without a filter", TWO "s> A2{0001 ()}\n"
                                                             "s< E00182\n"
                                                             "s|"},
};

TEST(subscriptions_come_and_go_as_5_0_says)
{
        conversation_run_all(subscriptions, ARRAY_SIZE(subscriptions), NULL);
}

static const struct conversation_case topics[] = {
        {"[MQTT-4.7.1-1] [MQTT-4.7.1-2] wildcards that are not a level of their own",
         TWO "s> 82{0001 () [a#] 00 [a/#/b] 00 [#/] 00 [a+] 00 [+a/b] 00 [++] 00}\n"
             "s< 90{0001 () 8F 8F 8F 8F 8F 8F}\n"},
        {"[MQTT-4.7.3-1] a filter of no characters", TWO "s> 82{0001 () [] 00}\n"
                                                         "s< E00181\n"
                                                         "s|"},
        {"[MQTT-4.7.3-4] nothing is normalized",
         TWO "s> 82{0001 () [Caf\xc3\xa9] 00 [a//b] 00 [X] 00 [y ] 00}\n"
             "s< 90{0001 () 00 00 00 00}\n"
             "p> 30{[Cafe\xcc\x81] ()} 30{[a/b] ()} 30{[x] ()} 30{[y] ()}\n"
             "p> 30{[Caf\xc3\xa9] () 'm'}\n"
             "s< 30{[Caf\xc3\xa9] () 'm'}\n"},
        {"[MQTT-1.5.4-3] U+FEFF in a topic is a character of it",
         TWO "s> 82{0001 () [\xef\xbb\xbft] 00}\n"
             "s< 90{0001 () 00}\n"
             "p> 30{[t] () '1'} 30{[\xef\xbb\xbft] () '2'}\n"
             "s< 30{[\xef\xbb\xbft] () '2'}\n"},
        {"[MQTT-4.8.2-1] [MQTT-4.8.2-2] shared filters that are none",
         TWO "s> 82{0001 () [$share//t] 00 [$share/g] 00 [$share/g/] 00}\n"
             "s< 90{0001 () 8F 8F 8F}\n"
             "s> 82{0002 () [$share/g+/t] 00 [$share/g#/t] 00 [$share/+/t] 00 [$share/g/a#] 00}\n"
             "s< 90{0002 () 8F 8F 8F 8F}\n"
             "s> 82{0003 () [$share/g/t] 00}\n"
             "s< 90{0003 () 00}\n"},
};

TEST(topics_and_filters_are_as_5_0_says)
{
        conversation_run_all(topics, ARRAY_SIZE(topics), NULL);
}

/* s is the only member of a group when a message comes; then q joins. */
#define GROUP                                                                                      \
        "p@5\nq@5\n"                                                                               \
        "s> " KEPT("s") "s< " CONNACK_5 "s> 82{0001 () [$share/g/t] 02}\ns< 90{0001 () 02}\n"      \
                        "p> 34{[t] 0001 () 'm'}\np< 50{0001}\n"                                    \
                        "s< 34{[t] 0001 () 'm'}\n"                                                 \
                        "q> 82{0001 () [$share/g/t] 02}\nq< 90{0001 () 02}\n"

static const struct conversation_case groups[] = {
        {"[MQTT-4.8.2-3] each member gets what it was granted",
         TWO "s> 82{0001 () [$share/g/t] 01 [$share/h/t] 00}\n"
             "s< 90{0001 () 01 00}\n"
             "s> A2{0002 () [$share/h/t]}\n"
             "s< B0{0002 () 00}\n"
             "p> 34{[t] 0001 () '2'}\n"
             "p< 50{0001}\n"
             "s< 32{[t] 0001 () '2'}\n"
             "p> 30{[t] () '0'}\n"
             "s< 30{[t] () '0'}\n"},
        {"4.8.2 a group's messages are for those who are there and keep up",
         "p@5\n"
         "q> " KEPT("q") "q< " CONNACK_5 "q> 82{0001 () [$share/g/t] 01}\n"
                         "q< 90{0001 () 01}\n"
                         "r> 10{[MQTT] 05 02 0000 (21 0001) [r]}\n"
                         "r< " CONNACK_5 "r> 82{0001 () [$share/g/t] 01}\n"
                         "r< 90{0001 () 01}\n"
                         "s@5\n"
                         "s> 82{0001 () [$share/g/t] 01}\n"
                         "s< 90{0001 () 01}\n"
                         "q.\n"
                         "p> 32{[t]0001()'1'} 32{[t]0002()'2'} 32{[t]0003()'3'}\n"
                         "p< 40{0001} 40{0002} 40{0003}\n"
                         "r< 32{[t] 0001 () '1'}\n"
                         "s< 32{[t] 0001 () '2'} 32{[t] 0002 () '3'}\n"
                         "q> " KEPT("q") "q< " PRESENT},
        {"[MQTT-3.3.4-3] a shared subscription has its identifier",
         TWO "s> 82{0001 (0B FFFFFF7F) [$share/g/t] 01}\n"
             "s< 90{0001 () 01}\n"
             "p> 30{[t] () '1'}\n"
             "s< 30{[t] (0B FFFFFF7F) '1'}\n"},
        {"4.8.2 a group gets no retained message, whatever its topic looks like",
         TWO "p> 31{[t] () '1'} 31{[$share/g/t] () '2'}\n"
             "s> 82{0001 () [$share/g/t] 00 [$share/g/#] 00}\n"
             "s< 90{0001 () 00 00}\n"},
        {"[MQTT-4.8.2-4] a delivery that was begun is completed with the same member",
         GROUP "s.\n"
               "s> " KEPT("s") "s< " PRESENT "s< 3C{[t] 0001 () 'm'}\n"
                               "s> 50{0001}\n"
                               "s< 62{0001}\n"
                               "s.\n"
                               "s> " KEPT("s") "s< " PRESENT "s< 62{0001}\n"
                                               "s> 70{0001}\n"},
        {"[MQTT-4.8.2-5] and with no other when its session ends",
         GROUP "s.\n"
               "s> " CONNECT_5("s") "s< " CONNACK_5 "q> C000\n"
                                    "q< D000\n"},
        {"[MQTT-4.8.2-6] what a member refused goes to no other", GROUP "s> 50{0001 80}\n"
                                                                        "p> 34{[t] 0002 () 'n'}\n"
                                                                        "p< 50{0002}\n"
                                                                        "q< 34{[t] 0001 () 'n'}\n"
                                                                        "q> 50{0001 97}\n"
                                                                        "s> C000\n"
                                                                        "s< D000\n"},
};

TEST(shared_subscriptions_are_as_5_0_says)
{
        conversation_run_all(groups, ARRAY_SIZE(groups), NULL);
}
