#include "agent/gate/topics.h"

#include "base/attributes.h"
#include "support/test.h"

static struct mqtt_text text(const char *words)
{
        return (struct mqtt_text){words, (uint16_t)strlen(words)};
}

static struct gate_topics topics_of(const char *base)
{
        struct gate_topics topics;

        gate_topics_init(&topics, base);
        return topics;
}

TEST(a_topic_is_ours_or_the_brokers_or_anybodys)
{
        static const struct {
                const char *name;
                enum gate_place place;
        } cases[] = {
                {"pi", GATE_PLACE_INSIDE},
                {"pi/", GATE_PLACE_INSIDE},
                {"pi/status", GATE_PLACE_INSIDE},
                {"pi/#", GATE_PLACE_INSIDE},
                {"pi/rpc", GATE_PLACE_INSIDE},
                {"pi/rpc/requests", GATE_PLACE_INSIDE},
                {"pi/rpc/request", GATE_PLACE_REQUEST},
                {"pi/rpc/request/", GATE_PLACE_REQUEST},
                {"pi/rpc/request/led1", GATE_PLACE_REQUEST},
                {"pi/rpc/request/#", GATE_PLACE_REQUEST},
                {"pi/rpc/response", GATE_PLACE_RESPONSE},
                {"pi/rpc/response/", GATE_PLACE_RESPONSE},
                {"pi/rpc/response/a/b", GATE_PLACE_RESPONSE},
                {"pi/rpc/responses", GATE_PLACE_INSIDE},
                {"$SYS/broker", GATE_PLACE_SYSTEM},
                {"$", GATE_PLACE_SYSTEM},
                {"pifleet", GATE_PLACE_OUTSIDE},
                {"p", GATE_PLACE_OUTSIDE},
                {"/pi/status", GATE_PLACE_OUTSIDE},
                {"#", GATE_PLACE_OUTSIDE},
                {"PI/status", GATE_PLACE_OUTSIDE},
        };
        struct gate_topics topics = topics_of("pi");

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (gate_topics_place(&topics, text(cases[i].name)) != cases[i].place)
                        FAIL("%s", cases[i].name);
        }
}

TEST(a_base_may_have_several_levels)
{
        struct gate_topics topics = topics_of("home/pi");
        struct gate_reader reader = {COMMAND_ROLE_VIEWER, text("a")};

        CHECK_EQ(gate_topics_place(&topics, text("home")), GATE_PLACE_OUTSIDE);
        CHECK_EQ(gate_topics_place(&topics, text("home/pi/rpc/request")), GATE_PLACE_REQUEST);
        CHECK(gate_may_receive(&topics, &reader, text("home/pi/rpc/response/a")));
        CHECK(!gate_may_receive(&topics, &reader, text("home/pi/rpc/response/b")));
}

TEST(a_client_id_that_is_more_than_a_level_has_no_topic)
{
        CHECK(gate_client_id_is_usable(text("a b-c_ä")));
        CHECK(!gate_client_id_is_usable(text("")));
        CHECK(!gate_client_id_is_usable(text("a/b")));
        CHECK(!gate_client_id_is_usable(text("+")));
        CHECK(!gate_client_id_is_usable(text("a#")));
}

TEST(who_may_change_something_writes_outside_and_everybody_asks)
{
        static const struct {
                const char *name;
                enum command_role least; /* ADMIN + 1: nobody */
        } cases[] = {
                {"a", COMMAND_ROLE_OPERATOR},
                {"a/pi/rpc/response/x", COMMAND_ROLE_OPERATOR},
                {"pi/rpc/request", COMMAND_ROLE_VIEWER},
                {"pi/rpc/request/led1", COMMAND_ROLE_VIEWER},
                {"pi/rpc/request/", COMMAND_ROLE_ADMIN + 1},
                {"pi/rpc/request//", COMMAND_ROLE_ADMIN + 1},
                {"pi/rpc/request/a/b", COMMAND_ROLE_ADMIN + 1},
                {"pi/rpc/response/a", COMMAND_ROLE_ADMIN + 1},
                {"pi/status", COMMAND_ROLE_ADMIN + 1},
                {"pi", COMMAND_ROLE_ADMIN + 1},
                {"$SYS/x", COMMAND_ROLE_ADMIN + 1},
        };
        struct gate_topics topics = topics_of("pi");

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                for (int role = COMMAND_ROLE_VIEWER; role <= COMMAND_ROLE_ADMIN; role++) {
                        if (gate_may_publish(&topics, (enum command_role)role,
                                             text(cases[i].name)) != (role >= (int)cases[i].least))
                                FAIL("%s as %d", cases[i].name, role);
                }
        }
}

TEST(replies_are_for_their_client_and_requests_for_administrators)
{
        static const struct {
                const char *filter;
                bool viewer, admin;
        } cases[] = {
                {"#", true, true},
                {"pi/#", true, true},
                {"+/rpc/response/other", true, true}, /* delivery says no */
                {"pi/status", true, true},
                {"$SYS/#", true, true},
                {"pi/rpc/response/me", true, true},
                {"pi/rpc/response/me/#", true, true},
                {"pi/rpc/response/me/+/x", true, true},
                {"$share/g/pi/rpc/response/me", true, true},
                {"pi/rpc/response", false, false},
                {"pi/rpc/response/", false, false},
                {"pi/rpc/response/#", false, false},
                {"pi/rpc/response/+", false, false},
                {"pi/rpc/response/mean", false, false},
                {"pi/rpc/response/m", false, false},
                {"$share/g/pi/rpc/response/other", false, false},
                {"pi/rpc/request", false, true},
                {"pi/rpc/request/#", false, true},
                {"$share/g/pi/rpc/request", false, true},
        };
        struct gate_topics topics = topics_of("pi");
        struct gate_reader viewer = {COMMAND_ROLE_VIEWER, text("me")};
        struct gate_reader admin = {COMMAND_ROLE_ADMIN, text("me")};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct mqtt_text filter = text(cases[i].filter);

                if (gate_may_subscribe(&topics, &viewer, filter) != cases[i].viewer ||
                    gate_may_subscribe(&topics, &admin, filter) != cases[i].admin)
                        FAIL("%s", cases[i].filter);
        }
        CHECK(!gate_may_receive(&topics, &viewer, text("pi/rpc/request")));
        CHECK(gate_may_receive(&topics, &admin, text("pi/rpc/request/x")));
        CHECK(!gate_may_receive(&topics, &admin, text("pi/rpc/response/other")));
}

TEST(an_administrator_who_reads_all_sees_requests)
{
        struct gate_topics topics = topics_of("pi");
        struct gate_reader viewer = {COMMAND_ROLE_VIEWER, text("me")};
        struct gate_reader admin = {COMMAND_ROLE_ADMIN, text("me")};

        CHECK(gate_sees_requests(&topics, &admin, text("#")));
        CHECK(gate_sees_requests(&topics, &admin, text("pi/+/request")));
        CHECK(gate_sees_requests(&topics, &admin, text("$share/g/pi/rpc/request/led1")));
        CHECK(gate_sees_requests(&topics, &admin, text("pi/rpc/+/+")));
        CHECK(gate_sees_requests(&topics, &admin, text("$share/g/+/rpc/request/led1")));
        CHECK(gate_sees_requests(&topics, &admin, text("pi/+/request/#")));
        CHECK(!gate_sees_requests(&topics, &admin, text("pi/+/response/led1")));
        CHECK(!gate_sees_requests(&topics, &admin, text("pi/+/+/a/b")));
        CHECK(!gate_sees_requests(&topics, &admin, text("jobs/+")));
        CHECK(!gate_sees_requests(&topics, &admin, text("pi/status")));
        CHECK(!gate_sees_requests(&topics, &viewer, text("#")));
}

TEST(a_reply_goes_where_its_client_may_read_and_write)
{
        static const struct {
                const char *name;
                bool viewer, operator;
        } cases[] = {
                {"pi/rpc/response/me", true, true},
                {"pi/rpc/response/me/1/2", true, true},
                {"answers/me", false, true},
                {"pi/rpc/response/other", false, false},
                {"pi/rpc/response/me2", false, false},
                {"pi/rpc/response/", false, false},
                {"pi/rpc/request", false, false},
                {"pi/gpio/17/set", false, false},
                {"pi/status", false, false},
                {"$SYS/x", false, false},
                {"answers/#", false, false},
                {"pi/rpc/response/me/+", false, false},
                {"", false, false},
        };
        struct gate_topics topics = topics_of("pi");
        struct gate_reader viewer = {COMMAND_ROLE_VIEWER, text("me")};
        struct gate_reader operator= {COMMAND_ROLE_OPERATOR, text("me")};
        struct gate_reader strange = {COMMAND_ROLE_ADMIN, text("a/b")};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct mqtt_text name = text(cases[i].name);

                if (gate_may_answer_at(&topics, &viewer, name) != cases[i].viewer ||
                    gate_may_answer_at(&topics, &operator, name) != cases[i].operator)
                        FAIL("%s", cases[i].name);
        }
        CHECK(!gate_may_answer_at(&topics, &strange, text("pi/rpc/response/a/b")));
        CHECK(!gate_may_answer_at(&topics, &strange, text("pi/rpc/response/a")));
}
