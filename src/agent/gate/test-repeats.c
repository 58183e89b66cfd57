#include "agent/gate/repeats.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <string.h>

static const struct command_principal anybody = {.name = "anybody"};

static struct mqtt_text text_of(const char *text)
{
        return (struct mqtt_text){text, (uint16_t)strlen(text)};
}

static struct mqtt_publish message(bool duplicate)
{
        static const char payload[] = "{\"command\":\"toggle\",\"pin\":17}";
        struct mqtt_publish publish = {.duplicate = duplicate,
                                       .qos = 1,
                                       .packet_id = 7,
                                       .topic = text_of("pi/rpc/request"),
                                       .payload = {(const uint8_t *)payload, sizeof(payload) - 1}};

        publish.properties.present =
                mqtt_property_bit(MQTT_RESPONSE_TOPIC) | mqtt_property_bit(MQTT_CORRELATION_DATA);
        publish.properties.response_topic = text_of("pi/rpc/response/a");
        publish.properties.correlation_data.bytes = (const uint8_t *)"c";
        publish.properties.correlation_data.length = 1;
        return publish;
}

static struct gate_repeats *repeats_new(void)
{
        struct gate_repeats *repeats = NULL;

        CHECK_EQ(gate_repeats_new(&repeats), 0);
        return repeats;
}

static bool meet(struct gate_repeats *repeats, const struct mqtt_publish *publish, uint64_t now_ms,
                 struct gate_repeats_place *ret)
{
        return gate_repeats_meet(repeats, text_of("a"), &anybody, publish, now_ms, ret);
}

TEST(a_message_that_comes_again_is_known_while_it_says_so)
{
        struct gate_repeats *repeats = repeats_new();
        struct mqtt_publish first = message(false), again = message(true);
        struct gate_repeats_place one, two;

        CHECK(!meet(repeats, &first, 5, &one));
        CHECK(meet(repeats, &again, 6, &two));
        CHECK(one.sum == two.sum && one.slot == two.slot);
        CHECK(meet(repeats, &again, 7, &two));
        /* The same words once more, of somebody who wants it twice. */
        CHECK(!meet(repeats, &first, 8, &two));
        CHECK(one.slot != two.slot);
        gate_repeats_free(repeats);
}

TEST(a_repeat_of_what_never_came_is_the_first)
{
        struct gate_repeats *repeats = repeats_new();
        struct mqtt_publish again = message(true);
        struct gate_repeats_place place;

        CHECK(!meet(repeats, &again, 5, &place));
        CHECK(meet(repeats, &again, 5, &place));
        gate_repeats_free(repeats);
}

TEST(whatever_differs_makes_it_another_message)
{
        struct gate_repeats *repeats = repeats_new();
        const struct command_principal other = {.name = "other"};
        struct mqtt_publish first = message(false), again = message(true);
        struct gate_repeats_place place;

        CHECK(!meet(repeats, &first, 5, &place));
        CHECK(!gate_repeats_meet(repeats, text_of("b"), &anybody, &again, 5, &place));
        CHECK(!gate_repeats_meet(repeats, text_of("a"), &other, &again, 5, &place));
        again.packet_id++;
        CHECK(!meet(repeats, &again, 5, &place));
        again = message(true);
        again.topic = text_of("pi/rpc/request/x");
        CHECK(!meet(repeats, &again, 5, &place));
        again = message(true);
        again.payload.length--;
        CHECK(!meet(repeats, &again, 5, &place));
        again = message(true);
        again.properties.response_topic = text_of("pi/rpc/response/a/1");
        CHECK(!meet(repeats, &again, 5, &place));
        again = message(true);
        again.properties.correlation_data.bytes = (const uint8_t *)"d";
        CHECK(!meet(repeats, &again, 5, &place));
        again = message(true);
        again.properties.present = 0;
        CHECK(!meet(repeats, &again, 5, &place));
        /* What moves from one part into the next is not the same either. */
        again.topic = text_of("pi/rpc/request{");
        again.payload.bytes++;
        again.payload.length--;
        CHECK(!meet(repeats, &again, 5, &place));
        gate_repeats_free(repeats);
}

TEST(it_is_known_for_a_minute)
{
        struct gate_repeats *repeats = repeats_new();
        struct mqtt_publish first = message(false), again = message(true);
        struct gate_repeats_place place;

        CHECK(!meet(repeats, &first, 5, &place));
        CHECK(meet(repeats, &again, 5 + GATE_REPEATS_MS, &place));
        CHECK(!meet(repeats, &again, 6 + GATE_REPEATS_MS, &place));
        gate_repeats_free(repeats);
}

TEST(the_oldest_makes_room)
{
        struct gate_repeats *repeats = repeats_new();
        struct mqtt_publish first = message(false), again = message(true), other = message(false);
        struct gate_repeats_place place, later;

        CHECK(!meet(repeats, &first, 5, &place));
        gate_repeats_keep_reply(repeats, &place, "{}", 2);
        other.packet_id++;
        for (unsigned i = 1; i < GATE_REPEATS_MAX; i++)
                CHECK(!meet(repeats, &other, 5, &later));
        CHECK(meet(repeats, &again, 5, &later));
        CHECK(!meet(repeats, &other, 5, &later));
        CHECK_EQ(later.slot, place.slot);
        /* Its reply comes too late to be kept, and is nobody else's. */
        gate_repeats_keep_reply(repeats, &place, "{}", 2);
        CHECK_NULL(gate_repeats_reply(repeats, &later, &(size_t){0}));
        CHECK_NULL(gate_repeats_reply(repeats, &place, &(size_t){0}));
        CHECK(!meet(repeats, &again, 5, &later));
        gate_repeats_free(repeats);
}

TEST(a_reply_is_kept_when_it_is_short)
{
        static const char vast[GATE_REPEATS_REPLY_MAX + 1] = "{";
        struct gate_repeats *repeats = repeats_new();
        struct mqtt_publish first = message(false);
        struct gate_repeats_place place;
        const char *reply;
        size_t length = 0;

        CHECK(!meet(repeats, &first, 5, &place));
        CHECK_NULL(gate_repeats_reply(repeats, &place, &length));
        gate_repeats_keep_reply(repeats, &place, vast, sizeof(vast));
        CHECK_NULL(gate_repeats_reply(repeats, &place, &length));
        gate_repeats_keep_reply(repeats, &place, "{\"a\":1}", 7);
        reply = gate_repeats_reply(repeats, &place, &length);
        CHECK_EQ(length, 7);
        CHECK(memcmp(reply, "{\"a\":1}", 7) == 0);
        gate_repeats_keep_reply(repeats, &place, vast, GATE_REPEATS_REPLY_MAX);
        CHECK(gate_repeats_reply(repeats, &place, &length) && length == GATE_REPEATS_REPLY_MAX);
        gate_repeats_free(repeats);
}

TEST(without_memory_no_reply_is_kept)
{
        struct gate_repeats *repeats = NULL;
        struct mqtt_publish first = message(false), again = message(true);
        struct gate_repeats_place place;

        allocation_fail_at(1);
        CHECK_EQ(gate_repeats_new(&repeats), -ENOMEM);
        CHECK(allocation_end());
        repeats = repeats_new();
        CHECK(!meet(repeats, &first, 5, &place));
        allocation_fail_at(1);
        gate_repeats_keep_reply(repeats, &place, "{}", 2);
        CHECK(allocation_end());
        CHECK_NULL(gate_repeats_reply(repeats, &place, &(size_t){0}));
        CHECK(meet(repeats, &again, 5, &place));
        gate_repeats_free(repeats);
}
