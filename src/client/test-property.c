#include "client/property.h"

#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <mqtt_protocol.h>

static const struct client_pair pairs[] = {{"a", "1"}, {"b", ""}, {"a", "2"}};
static const struct client_message whole = {
        .topic = "t",
        .payload = "pay\0load",
        .payload_length = 8,
        .qos = 1,
        .retain = true,
        .is_text = true,
        .has_expiry = true,
        .expiry_seconds = UINT32_MAX,
        .content_type = "text/plain",
        .response_topic = "reply/here",
        .correlation = "\0\1\2",
        .correlation_length = 3,
        .pairs = pairs,
        .pair_count = ARRAY_SIZE(pairs),
};

static struct mosquitto_message as_received(const struct client_message *message)
{
        return (struct mosquitto_message){
                .topic = (char *)message->topic,
                .payload = (void *)message->payload,
                .payloadlen = (int)message->payload_length,
                .qos = message->qos,
                .retain = message->retain,
        };
}

TEST(what_is_sent_is_received)
{
        const struct mosquitto_message from = as_received(&whole);
        AUTO(client_message) struct client_message *got = NULL;
        mosquitto_property *list = NULL;

        CHECK_EQ(client_property_list(&whole, &list), 0);
        CHECK_EQ(mosquitto_property_check_all(CMD_PUBLISH, list), MOSQ_ERR_SUCCESS);
        CHECK_EQ(client_property_receive(&from, list, &got), 0);
        mosquitto_property_free_all(&list);
        CHECK_TEXT(got->topic, "t");
        CHECK_EQ(got->payload_length, 8);
        CHECK(memcmp(got->payload, whole.payload, 8) == 0);
        CHECK(got->qos == 1 && got->retain && got->is_text && got->has_expiry);
        CHECK_EQ(got->expiry_seconds, UINT32_MAX);
        CHECK_TEXT(got->content_type, "text/plain");
        CHECK_TEXT(got->response_topic, "reply/here");
        CHECK_EQ(got->correlation_length, 3);
        CHECK(memcmp(got->correlation, "\0\1\2", 3) == 0);
        CHECK_EQ(got->pair_count, 3);
        for (size_t i = 0; i < got->pair_count; i++) {
                CHECK_TEXT(got->pairs[i].name, pairs[i].name);
                CHECK_TEXT(got->pairs[i].value, pairs[i].value);
        }
}

TEST(a_message_without_properties_has_none)
{
        const struct client_message plain = {.topic = "t"};
        const struct mosquitto_message from = as_received(&plain);
        AUTO(client_message) struct client_message *got = NULL;
        mosquitto_property *list = NULL;

        CHECK_EQ(client_property_list(&plain, &list), 0);
        CHECK(!list);
        CHECK_EQ(client_property_receive(&from, NULL, &got), 0);
        CHECK(!got->payload && got->payload_length == 0 && !got->is_text && !got->has_expiry);
        CHECK(!got->content_type && !got->response_topic && !got->correlation);
        CHECK_EQ(got->pair_count, 0);
}

TEST(a_text_that_is_not_utf8_is_refused)
{
        const struct client_pair bad = {"a", "\xff"};
        const struct client_message messages[] = {
                {.topic = "t", .content_type = "\xff"},
                {.topic = "t", .response_topic = "\xc0\x80"},
                {.topic = "t", .pairs = &bad, .pair_count = 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
                mosquitto_property *list = NULL;

                CHECK_EQ(client_property_list(&messages[i], &list), -EINVAL);
                CHECK(!list);
        }
}

TEST(properties_of_no_use_here_are_left_out)
{
        const struct mosquitto_message from = as_received(&whole);
        AUTO(client_message) struct client_message *got = NULL;
        mosquitto_property *list = NULL;

        CHECK_EQ(mosquitto_property_add_varint(&list, MQTT_PROP_SUBSCRIPTION_IDENTIFIER, 7), 0);
        CHECK_EQ(mosquitto_property_add_string_pair(&list, MQTT_PROP_USER_PROPERTY, "k", "v"), 0);
        CHECK_EQ(client_property_receive(&from, list, &got), 0);
        mosquitto_property_free_all(&list);
        CHECK_EQ(got->pair_count, 1);
        CHECK_TEXT(got->pairs[0].value, "v");
}

TEST(a_message_is_received_whole_or_not_at_all)
{
        const struct mosquitto_message from = as_received(&whole);
        mosquitto_property *list = NULL;
        size_t n = 0;
        bool failed;

        CHECK_EQ(client_property_list(&whole, &list), 0);
        do {
                struct client_message *got = NULL;
                int r;

                allocation_fail_at(++n);
                r = client_property_receive(&from, list, &got);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(!got == failed);
                client_message_free(got);
        } while (failed);
        CHECK(n > 3);
        mosquitto_property_free_all(&list);
}
