#include "client/failure.h"

#include "support/test.h"

#include <errno.h>
#include <mosquitto.h>

TEST(each_failure_has_a_code_and_a_sentence)
{
        static const struct {
                int result, number, code;
                const char *sentence;
        } cases[] = {
                {MOSQ_ERR_NOMEM, 0, -ENOMEM, "out of memory"},
                {MOSQ_ERR_ERRNO, ECONNREFUSED, -ECONNREFUSED,
                 "the connection to pi:1883 failed: Connection refused"},
                {MOSQ_ERR_CONN_LOST, 0, -ECONNRESET, "pi:1883 closed the connection"},
                {MOSQ_ERR_OVERSIZE_PACKET, 0, -EMSGSIZE, "that is larger than pi:1883 takes"},
                {MOSQ_ERR_QOS_NOT_SUPPORTED, 0, -ENOTSUP, "pi:1883 does not have this QoS"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error error = {0};

                CHECK_EQ(client_failure(cases[i].result, cases[i].number, "pi:1883", &error),
                         cases[i].code);
                CHECK_EQ(error.code, cases[i].code);
                CHECK_TEXT(error.text, cases[i].sentence);
        }
}

TEST(any_result_of_the_library_is_a_failure_with_words)
{
        for (int result = 1; result < 100; result++) {
                struct error error = {0};

                CHECK(client_failure(result, 0, "pi:1883", &error) < 0);
                CHECK(error.text[0] != '\0' && !strstr(error.text, "%s"));
        }
}

TEST(a_reason_code_is_told_with_its_name_and_the_brokers_words)
{
        struct error error = {0};

        CHECK_EQ(client_failure_reason(0x87, "the broker refused", "not you", &error), 0x87);
        CHECK_TEXT(error.text, "the broker refused: Not authorized (0x87): not you");
        CHECK_EQ(client_failure_reason(0x97, "the broker refused", NULL, &error), 0x97);
        CHECK_TEXT(error.text, "the broker refused: Quota exceeded (0x97)");
}
