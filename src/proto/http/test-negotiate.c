#include "base/attributes.h"
#include "proto/http/negotiate.h"
#include "support/test.h"

static struct http_request request_with(const char *name, const char *value)
{
        struct http_request request = {.fields_count = 1};

        request.fields[0].name = (struct http_text){name, strlen(name)};
        request.fields[0].value = (struct http_text){value, strlen(value)};
        return request;
}

TEST(a_tag_that_the_client_has_is_found)
{
        static const struct {
                const char *field, *etag;
                bool has;
        } cases[] = {
                {"\"a\"", "\"a\"", true},
                {"\"a\"", "\"b\"", false},
                {"\"b\", \"a\"", "\"a\"", true},
                {"W/\"a\"", "\"a\"", true},
                {"\"a\"", "W/\"a\"", true},
                {"w/\"a\"", "\"a\"", false},
                {"*", "\"a\"", true},
                {"a", "\"a\"", false},
                {"\"a,b\"", "\"a,b\"", true},
                {"", "\"a\"", false},
        };
        struct http_request none = {.fields_count = 0};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_request request = request_with("if-none-match", cases[i].field);
                struct http_text etag = {cases[i].etag, strlen(cases[i].etag)};

                if (http_has_already(&request, etag) != cases[i].has)
                        FAIL("%s and %s", cases[i].field, cases[i].etag);
        }
        CHECK(!http_has_already(&none, HTTP_TEXT("\"a\"")));
}

TEST(an_encoding_has_the_weight_that_the_client_gives_it)
{
        static const struct {
                const char *field;
                unsigned weight;
        } cases[] = {
                {"gzip", 1000},
                {"GZIP", 1000},
                {"br, gzip", 1000},
                {"gzip;q=0.5", 500},
                {"gzip ; Q=0.001", 1},
                {"gzip;q=1.000", 1000},
                {"gzip;q=0", 0},
                {"br", 0},
                {"*", 1000},
                {"*;q=0.2, br", 200},
                {"gzip;q=0, *", 0},
                {"*, gzip;q=0.3", 300},
                {"", 0},
                /* Not well-formed: nothing is said. */
                {"gzip;q=1.5", 0},
                {"gzip;q=", 0},
                {"gzip;q=.5", 0},
                {"gzip;q=0.1234", 0},
                {"gzip;x=1", 0},
                {"gzip;q=0,5", 0},
        };
        struct http_request none = {.fields_count = 0};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_request request = request_with("Accept-Encoding", cases[i].field);

                if (http_encoding_weight(&request, HTTP_TEXT("gzip")) != cases[i].weight)
                        FAIL("%s: %u", cases[i].field,
                             http_encoding_weight(&request, HTTP_TEXT("gzip")));
        }
        CHECK_EQ(http_encoding_weight(&none, HTTP_TEXT("gzip")), 0);
}
