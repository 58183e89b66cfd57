#include "base/attributes.h"
#include "proto/http/origin.h"
#include "support/test.h"

static const struct {
        const char *host, *origin;
        bool own, address;
} cases[] = {
        {"127.0.0.1:8080", NULL, true, true},
        {"127.0.0.1:8080", "http://127.0.0.1:8080", true, true},
        {"127.0.0.1:8080", "http://127.0.0.1:8081", false, true},
        {"127.0.0.1:8080", "http://127.0.0.1", false, true},
        {"localhost:8080", "http://LOCALHOST:8080", true, true},
        {"LocalHost", "https://localhost", true, true},
        {"[::1]:8080", "http://[::1]:8080", true, true},
        {"127.0.0.1:8080", "http://evil.example", false, true},
        {"127.0.0.1:8080", "null", false, true},
        {"127.0.0.1:8080", "", false, true},
        {"127.0.0.1:8080", "http://", false, true},
        {"127.0.0.1:8080", "file://127.0.0.1:8080", false, true},
        /* A name that its owner lets point here. */
        {"evil.example:8080", "http://evil.example:8080", true, false},
        {"127.0.0.1.evil.example", "http://127.0.0.1.evil.example", true, false},
        {"localhost.evil.example", NULL, true, false},
        {"", NULL, true, false},
};

TEST(a_page_of_somebody_else_is_recognised)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_request request = {.host = {cases[i].host, strlen(cases[i].host)}};

                if (cases[i].origin) {
                        request.fields_count = 1;
                        request.fields[0].name = HTTP_TEXT("origin");
                        request.fields[0].value =
                                (struct http_text){cases[i].origin, strlen(cases[i].origin)};
                }
                if (http_origin_is_own(&request) != cases[i].own ||
                    http_host_is_address(&request) != cases[i].address)
                        FAIL("%s from %s", cases[i].host,
                             cases[i].origin ? cases[i].origin : "a program");
        }
}

TEST(of_two_origins_both_count)
{
        struct http_request request = {.host = HTTP_TEXT("localhost"), .fields_count = 2};

        for (size_t i = 0; i < 2; i++) {
                request.fields[i].name = HTTP_TEXT("Origin");
                request.fields[i].value = HTTP_TEXT("http://localhost");
        }
        CHECK(http_origin_is_own(&request));
        request.fields[1].value = HTTP_TEXT("http://evil.example");
        CHECK(!http_origin_is_own(&request));
}
