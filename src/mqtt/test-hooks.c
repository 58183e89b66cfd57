/* What the program around a broker decides, publishes and subscribes. */
#include "mqtt/conversation-fixture.h"

#include <errno.h>
#include <stdio.h>

/* Writes down what it is asked, and answers as it was told. */
struct witness {
        char text[1024];
        size_t length;
        enum mqtt_reason connect, publish, subscribe;
        bool handles, hides;
        int identity, forgotten;
        uint32_t owner;
        int answered, connected; /* how often */
        enum mqtt_reason answer;
        struct mqtt_broker *broker;
        struct mqtt_text client_id;
        bool is_nobody, is_stale; /* of what is retained: its author */
};

static void note(struct witness *witness, const char *what, struct mqtt_text a, struct mqtt_text b)
{
        int n = snprintf(witness->text + witness->length, sizeof(witness->text) - witness->length,
                         "%s(%.*s,%.*s) ", what, (int)a.length, a.bytes, (int)b.length, b.bytes);

        witness->length += (size_t)n;
        CHECK(witness->length < sizeof(witness->text));
}

static void check_notes(struct witness *witness, const char *expected)
{
        CHECK_TEXT(witness->text, expected);
        witness->length = 0;
        witness->text[0] = '\0';
}

static void on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        static const struct mqtt_text information = {"pi/rpc/response/a", 17};
        struct witness *witness = owner;

        CHECK(who->peer != NULL);
        note(witness, "connect", who->client_id, who->user);
        answer->reason = witness->connect;
        answer->identity = &witness->identity;
        answer->owner = witness->owner;
        answer->client_id = witness->client_id;
        answer->response_information = information;
}

static void on_answered(void *owner, void *identity, enum mqtt_reason reason)
{
        struct witness *witness = owner;

        CHECK(identity == &witness->identity);
        witness->answered++;
        witness->answer = reason;
}

static void on_connected(void *owner, const struct mqtt_who *who)
{
        struct witness *witness = owner;

        CHECK(who->peer != NULL);
        CHECK(who->identity == &witness->identity);
        CHECK_EQ(witness->answer, MQTT_SUCCESS);
        witness->connected++;
}

static int on_publish(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        struct witness *witness = owner;

        CHECK(who->identity == &witness->identity);
        note(witness, "publish", who->client_id, publish->topic);
        if (witness->handles) {
                struct mqtt_publish reply = {.topic = {"reply", 5}};

                CHECK_EQ(mqtt_broker_publish(witness->broker, &reply), 1);
                return MQTT_HOOK_HANDLED;
        }
        return (int)witness->publish;
}

static int on_subscribe(void *owner, const struct mqtt_who *who,
                        const struct mqtt_subscription *subscription)
{
        struct witness *witness = owner;

        note(witness, "subscribe", who->client_id, subscription->filter);
        return (int)witness->subscribe;
}

static bool on_deliver(void *owner, const struct mqtt_who *who, struct mqtt_text topic)
{
        struct witness *witness = owner;

        note(witness, "deliver", who->client_id, topic);
        return !witness->hides;
}

static bool on_retain(void *owner, const struct mqtt_who *who, struct mqtt_author *ret)
{
        struct witness *witness = owner;

        CHECK(who->identity == &witness->identity);
        ret->place = (struct mqtt_text){"garden", 6};
        ret->user = who->user;
        ret->client_id = who->client_id;
        return !witness->is_nobody;
}

static bool on_retained(void *owner, const struct mqtt_author *author, struct mqtt_text topic)
{
        struct witness *witness = owner;

        CHECK(author->place.length == 6 && memcmp(author->place.bytes, "garden", 6) == 0);
        CHECK_EQ(topic.length, 1);
        note(witness, "retained", author->user, author->client_id);
        return !witness->is_stale;
}

static void on_disconnect(void *owner, const struct mqtt_who *who, enum mqtt_reason reason,
                          int failure)
{
        char text[16];
        struct mqtt_text what = {text, 0};

        what.length =
                (uint16_t)snprintf(text, sizeof(text), "%02x,%d", (unsigned)reason, failure < 0);
        note(owner, "disconnect", who->client_id, what);
}

static void on_forget(void *owner, void *identity)
{
        struct witness *witness = owner;

        CHECK(identity == &witness->identity);
        witness->forgotten++;
}

static void begin(struct conversation *talk, struct witness *witness)
{
        struct mqtt_hooks hooks = {
                .owner = witness,
                .on_connect = on_connect,
                .on_answered = on_answered,
                .on_connected = on_connected,
                .on_publish = on_publish,
                .on_subscribe = on_subscribe,
                .on_deliver = on_deliver,
                .on_disconnect = on_disconnect,
                .on_forget = on_forget,
        };

        *witness = (struct witness){0};
        conversation_init(talk, NULL, &hooks);
        witness->broker = talk->broker;
}

TEST(a_hook_may_refuse_a_client)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        witness.connect = MQTT_BAD_CREDENTIALS;
        conversation_run(&talk, "a> 10{[MQTT] 05 C2 0000 () [a] [user] [secret]}\n"
                                "a< 20{00 86 ()}\n"
                                "a|\n"
                                "b> 10{[MQTT] 04 C2 0000 [b] [user] [secret]}\n"
                                "b< 20{00 04}\n"
                                "b|\n");
        check_notes(&witness, "connect(a,user) connect(b,user) ");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_BY_HOOK), 2);
        CHECK_EQ(witness.forgotten, 0);
        conversation_done(&talk);
}

TEST(hooks_see_a_client_from_its_beginning_to_its_end)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (19 01) [a]}\n"
                                "a< 20{00 00 (22 0004 1A[pi/rpc/response/a] 27 00001000 21 0008)}\n"
                                "a> 82{0001 () [t] 00}\n"
                                "a< 90{0001 () 00}\n"
                                "a> 30{[t] () 'm'}\n"
                                "a< 30{[t] () 'm'}\n"
                                "a> E000\n"
                                "a|\n");
        check_notes(&witness, "connect(a,) subscribe(a,t) publish(a,t) deliver(a,t) "
                              "disconnect(a,00,0) ");
        CHECK_EQ(witness.forgotten, 1);
        conversation_done(&talk);
}

TEST(hooks_hear_whether_the_broker_takes_whom_they_let_in)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        conversation_run(&talk,
                         "a> " CONNECT_5("x") "a< 20{00 00 (22 0004 27 00001000 21 0008)}\n");
        CHECK_EQ(witness.answered, 1);
        CHECK_EQ(witness.answer, MQTT_SUCCESS);
        CHECK_EQ(witness.connected, 1);
        witness.owner = 1;
        conversation_run(&talk, "b> " CONNECT_5("x") "b< 20{00 87 ()}\n"
                                                     "b|\n");
        CHECK_EQ(witness.answered, 2);
        CHECK_EQ(witness.answer, MQTT_NOT_AUTHORIZED);
        CHECK_EQ(witness.forgotten, 1);
        witness.connect = MQTT_BANNED; /* a hook knows what it said itself */
        conversation_run(&talk, "c> " CONNECT_5("c") "c< 20{00 8A ()}\n"
                                                     "c|\n");
        CHECK_EQ(witness.answered, 2);
        CHECK_EQ(witness.connected, 1);
        conversation_done(&talk);
}

TEST(who_cannot_be_told_that_it_is_connected_was_not)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (27 00000005) [a]}\n"
                                "a|\n");
        check_notes(&witness, "connect(a,) ");
        CHECK_EQ(witness.connected, 0);
        CHECK_EQ(witness.forgotten, 1);
        conversation_done(&talk);
}

TEST(hooks_may_change_under_clients)
{
        struct mqtt_hooks hooks = {.on_forget = on_forget};
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        hooks.owner = &witness;
        witness.publish = MQTT_NOT_AUTHORIZED;
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (17 00) [a]}\n"
                                "a< " CONNACK_5 "a> 82{0001 () [t] 00}\n"
                                "a< 90{0001 () 00}\n"
                                "a> 32{[t]0002()'m'}\n"
                                "a< 40{0002 87}\n");
        mqtt_broker_change_hooks(talk.broker, &hooks);
        conversation_run(&talk, "a> 32{[t]0003()'m'}\n"
                                "a< 30{[t]()'m'} 40{0003}\n"
                                "a> E000\n"
                                "a|\n");
        CHECK_EQ(witness.forgotten, 1);
        conversation_done(&talk);
}

TEST(what_a_hook_denies_is_answered_with_its_reason)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        witness.publish = witness.subscribe = MQTT_NOT_AUTHORIZED;
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (17 01) [a]}\n"
                                "a< " CONNACK_5 "a> 82{0001 () [t] 00}\n"
                                "a< 90{0001 () 87}\n"
                                "a> 32{[t]0001()'m'} 34{[t]0002()'m'} 30{[t]()'m'}\n"
                                "a< 40{0001 87 (1F[Not authorized])} 50{0002 87 "
                                "(1F[Not authorized])}\n"
                                "b> " CONNECT_311("b") "b< " CONNACK_311 "b> 82{0001 [t] 00}\n"
                                                       "b< 90{0001 80}\n"
                                                       "b> 32{[t]0001'm'} 34{[t]0002'm'}\n"
                                                       "b< 40{0001} 50{0002}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_DENIED), 5);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

TEST(what_a_hook_handles_goes_to_nobody_else)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        conversation_run(&talk, "a> " CONNECT_5("a") "a< " CONNACK_5 "a> 82{0001 () [#] 00}\n"
                                                     "a< 90{0001 () 00}\n");
        witness.handles = true;
        conversation_run(&talk, "a> 32{[pi/rpc/request] 0001 () 'm'}\n"
                                "a< 30{[reply] ()} 40{0001}\n");
        conversation_check_end(&talk);
        conversation_done(&talk);
}

TEST(a_hook_is_asked_again_at_delivery)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        conversation_run(&talk, "a> " CONNECT_5("a") "a< " CONNACK_5 "a> 82{0001 () [#] 01}\n"
                                                     "a< 90{0001 () 01}\n");
        witness.hides = true;
        conversation_run(&talk, "a> 32{[t] 0001 () 'm'} 30{[t] () 'm'}\n"
                                "a< 40{0001}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_DENIED), 2);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

TEST(a_delayed_will_is_published_as_who_left_it)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        conversation_run(&talk,
                         "a> 10{[MQTT] 05 86 0000 (11 0000000A) [a] (18 00000003) [w] [m] [user]}\n"
                         "a< " CONNACK_5 "a.\n");
        check_notes(&witness, "connect(a,user) disconnect(a,80,1) ");
        CHECK_EQ(witness.forgotten, 0);
        conversation_run(&talk, "+3001\n");
        check_notes(&witness, "publish(a,w) ");
        CHECK_EQ(witness.forgotten, 1);
        conversation_done(&talk);
}

TEST(a_hook_is_asked_whose_a_retained_message_is_when_it_is_sent)
{
        struct mqtt_hooks hooks = {.on_connect = on_connect,
                                   .on_forget = on_forget,
                                   .on_retain = on_retain,
                                   .on_retained = on_retained};
        struct conversation talk;
        struct witness witness = {0};

        hooks.owner = &witness;
        conversation_init(&talk, NULL, &hooks);
        witness.broker = talk.broker;
        conversation_run(&talk,
                         "a> 10{[MQTT] 04 82 0000 [a] [ann]}\na< " CONNACK_311 "a> 31{[x] 'old'}\n"
                         "b> 10{[MQTT] 05 A6 0000 () [b] () [w] [bye] [ben]}\nb< " CONNACK_5
                         "b> 33{[y] 0001 () 'new'}\nb< 40{0001 10}\nb.\n"
                         "c> " CONNECT_311("c") "c< " CONNACK_311);
        check_notes(&witness, "connect(a,ann) connect(b,ben) connect(c,) ");
        conversation_run(&talk, "c> 82{0001 [x] 00} 82{0002 [y] 00} 82{0003 [w] 01}\n"
                                "c< 90{0001 00} 31{[x] 'old'} 90{0002 00} 31{[y] 'new'} "
                                "90{0003 01} 31{[w] 'bye'}\n");
        check_notes(&witness, "retained(ann,a) retained(ben,b) retained(ben,b) ");
        /* It stays: rights may come back. */
        witness.is_stale = true;
        conversation_run(&talk, "c> 82{0001 [x] 00}\nc< 90{0001 00}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_DENIED), 1);
        witness.is_stale = false;
        conversation_run(&talk, "c> 82{0001 [x] 00}\nc< 90{0001 00} 31{[x] 'old'}\n");
        /* Nobody's, and that of the program itself. */
        witness.length = 0;
        witness.is_nobody = true;
        conversation_run(&talk, "a> 31{[x] 'none'}\nc< 30{[x] 'none'}\n"
                                "c> 82{0001 [x] 00}\nc< 90{0001 00} 31{[x] 'none'}\n");
        CHECK_EQ(witness.length, 0);
        conversation_done(&talk);
}

TEST(a_client_that_is_kicked_hears_why)
{
        struct conversation talk;
        static const struct mqtt_text id = {"a", 1}, nobody = {"b", 1};

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> " CONNECT_5("a") "a< " CONNACK_5);
        CHECK_EQ(mqtt_broker_kick(talk.broker, nobody, MQTT_ADMINISTRATIVE_ACTION), -ENOENT);
        CHECK_EQ(mqtt_broker_kick(talk.broker, id, MQTT_ADMINISTRATIVE_ACTION), 0);
        conversation_settle(&talk);
        conversation_run(&talk, "a< E00198\n"
                                "a|\n");
        conversation_done(&talk);
}

/* Somebody inside. */
struct listener {
        struct mqtt_insider *insider;
        char text[256];
        bool leaves; /* after the first message */
};

static void on_message(void *owner, const struct mqtt_publish *publish)
{
        struct listener *listener = owner;
        size_t length = strlen(listener->text);

        snprintf(listener->text + length, sizeof(listener->text) - length, "%.*s=%.*s,%d,%d ",
                 (int)publish->topic.length, publish->topic.bytes, (int)publish->payload.length,
                 (const char *)publish->payload.bytes, publish->qos, publish->retain);
        if (listener->leaves)
                listener->insider = mqtt_insider_free(listener->insider);
}

TEST(the_program_subscribes_and_publishes_from_inside)
{
        struct conversation talk;
        struct listener listener = {0};
        struct mqtt_subscription wanted = {.filter = {"in/#", 4}, .qos = 1};
        struct mqtt_publish publish = {.topic = {"out", 3},
                                       .payload = {(const uint8_t *)"x", 1},
                                       .qos = 1,
                                       .retain = true};

        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> " CONNECT_5("a") "a< " CONNACK_5 "a> 31{[in/1] () 'old'}\n"
                                                     "a> 82{0001 () [out] 01}\n"
                                                     "a< 90{0001 () 01}\n");
        CHECK_EQ(mqtt_broker_subscribe(talk.broker, &wanted, on_message, &listener,
                                       &listener.insider),
                 0);
        CHECK_TEXT(listener.text, "");
        conversation_run(&talk, "a> 32{[in/2] 0001 () 'new'}\n"
                                "a< 40{0001}\n");
        CHECK_TEXT(listener.text, "in/1=old,0,1 in/2=new,1,0 ");
        CHECK_EQ(mqtt_broker_publish(talk.broker, &publish), 1);
        conversation_run(&talk, "+1\n"
                                "a< 32{[out] 0001 () 'x'}\n");
        listener.insider = mqtt_insider_free(listener.insider);
        conversation_run(&talk, "a> 32{[in/2] 0001 () 'new'}\n"
                                "a< 40{0001 10}\n");
        conversation_done(&talk);
}

TEST(one_inside_may_leave_in_the_middle_of_its_messages)
{
        struct conversation talk;
        struct listener listener = {.leaves = true};
        struct mqtt_subscription wanted = {.filter = {"#", 1}};

        conversation_init(&talk, NULL, NULL);
        CHECK_EQ(mqtt_broker_subscribe(talk.broker, &wanted, on_message, &listener,
                                       &listener.insider),
                 0);
        conversation_run(&talk, "a> " CONNECT_5("a") "a< " CONNACK_5 "a> 30{[1] ()} 30{[2] ()}\n");
        CHECK_TEXT(listener.text, "1=,0,0 ");
        CHECK_NULL(listener.insider);
        conversation_done(&talk);
}

TEST(what_is_no_topic_or_filter_is_refused_inside_too)
{
        struct conversation talk;
        struct listener listener = {0};
        struct mqtt_subscription wanted = {.filter = {"a#", 2}};
        struct mqtt_publish publish = {.topic = {"a/#", 3}};

        conversation_init(&talk, NULL, NULL);
        CHECK_EQ(mqtt_broker_subscribe(talk.broker, &wanted, on_message, &listener,
                                       &listener.insider),
                 -EINVAL);
        CHECK_EQ(mqtt_broker_publish(talk.broker, &publish), -EINVAL);
        conversation_done(&talk);
}

/* The owner is the user name's first letter. */
static void by_user(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                    struct mqtt_admission *answer)
{
        (void)owner;
        (void)connect;
        answer->owner = who->user.length > 0 ? (uint32_t)who->user.bytes[0] : 0;
}

#define CONNECT_AS(id, user) "10{[MQTT] 05 80 0000 (11 FFFFFFFF) [" id "] [" user "]}\n"
#define RESUMED_5 "20{01 00 (22 0004 27 00001000 21 0008)}\n"

/* What waits for Ann is not Ben's to read, nor to throw away. */
TEST(a_session_is_resumed_and_ended_by_its_owner_only)
{
        static const char *const scripts[] = {
                "a> " CONNECT_AS("x", "ann") "a< " CONNACK_5,
                "a> 82{0001 () [t] 01}\na< 90{0001 () 01}\na.\n",
                "a> " CONNECT_AS("x", "ann") "a< " RESUMED_5 "a.\n",
                "b> " CONNECT_AS("p", "ben") "b< " CONNACK_5,
                "b> 32{[t] 0001 () 'for ann'}\nb< 40{0001}\n",
                "c> " CONNECT_AS("x", "ben") "c< 20{00 87 ()}\nc|\n",
                "d> " CONNECT_5("x") "d< 20{00 87 ()}\nd|\n",
                "a> " CONNECT_AS("x", "ann") "a< " RESUMED_5 "a< 32{[t] 0001 () 'for ann'}\n",
        };
        struct mqtt_hooks hooks = {.on_connect = by_user};
        struct conversation talk;

        conversation_init(&talk, NULL, &hooks);
        for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
                conversation_run(&talk, scripts[i]);
        conversation_check_end(&talk);
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_CLIENT_IDS), 2);
        conversation_done(&talk);
}

TEST(a_session_that_nobody_owns_ends_when_an_owner_comes)
{
        static const char *const scripts[] = {
                "a> 10{[MQTT] 05 00 0000 (11 FFFFFFFF) [x]}\na< " CONNACK_5,
                "b> " CONNECT_AS("x", "ann") "b< 20{00 87 ()}\nb|\n",
                "a> 82{0001 () [t] 01}\na< 90{0001 () 01}\na.\n",
        };
        struct mqtt_hooks hooks = {.on_connect = by_user};
        struct conversation talk;

        conversation_init(&talk, NULL, &hooks);
        for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
                conversation_run(&talk, scripts[i]);
        conversation_run(&talk, "c> " CONNECT_5("c") "c< " CONNACK_5
                                                     "c> 32{[t] 0001 () 'm'}\nc< 40{0001}\n"
                                                     "d> " CONNECT_AS("x", "ann") "d< " CONNACK_5);
        conversation_check_end(&talk);
        conversation_done(&talk);
}

TEST(a_client_is_replaced_by_its_owner_only)
{
        struct mqtt_hooks hooks = {.on_connect = by_user};
        struct conversation talk;

        conversation_init(&talk, NULL, &hooks);
        conversation_run(&talk, "a> " CONNECT_AS("x", "ann") "a< " CONNACK_5);
        conversation_run(&talk, "b> " CONNECT_AS("x", "ben") "b< 20{00 87 ()}\nb|\n");
        conversation_run(&talk, "a> C000\na< D000\n");
        conversation_run(&talk, "c> " CONNECT_AS("x", "ann") "c< " RESUMED_5 "a< E0018E\na|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_CLIENT_IDS), 1);
        conversation_done(&talk);
}

/* By its user name, for instance. */
TEST(a_hook_may_say_by_which_id_a_client_is_known)
{
        struct conversation talk;
        struct witness witness;

        begin(&talk, &witness);
        witness.client_id = (struct mqtt_text){"user", 4};
        conversation_run(&talk, "a> 10{[MQTT] 05 82 0000 () [own] [user]}\n"
                                "a~\n"
                                "a> 30{[t] () 'x'}\n");
        check_notes(&witness, "connect(own,user) publish(user,t) ");
        conversation_run(&talk, "b> 10{[MQTT] 05 82 0000 () [other] [user]}\n"
                                "a< E0018E\n"
                                "a|\n"
                                "b~\n"
                                /* Who has none is told. */
                                "c> 10{[MQTT] 05 82 0000 () [] [user]}\n"
                                "b< E0018E\n"
                                "b|\n"
                                "c< 20{00 00 (22 0004 12 [user] 27 00001000 21 0008)}\n");
        conversation_done(&talk);
}
