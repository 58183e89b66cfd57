#include "base/attributes.h"
#include "proto/http/websocket.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

enum { NONE = 0 }; /* no refusal */

static const struct {
        const char *name, *line, *fields;
        int outcome, status;
} cases[] = {
        {"what clients send", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         HTTP_WEBSOCKET_ASKED, NONE},
        {"in other letters", "GET",
         "connection: keep-alive, upgrade\r\nupgrade: h2c, WebSocket\r\n"
         "sec-websocket-version: 13\r\n"
         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         HTTP_WEBSOCKET_ASKED, NONE},
        {"an ordinary request", "GET", "", HTTP_WEBSOCKET_NOT_ASKED, NONE},
        {"without the connection option", "GET", "Upgrade: websocket\r\n", HTTP_WEBSOCKET_NOT_ASKED,
         NONE},
        {"to something else", "GET", "Connection: Upgrade\r\nUpgrade: h2c\r\n",
         HTTP_WEBSOCKET_NOT_ASKED, NONE},
        {"by another method", "PUT",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         -EPROTO, 405},
        {"in another version", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         -EPROTO, 426},
        {"in none", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         -EPROTO, 426},
        {"without a key", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n",
         -EPROTO, 400},
        {"with a short one", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhl\r\n",
         -EPROTO, 400},
        {"with bits that no byte has", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZZ==\r\n",
         -EPROTO, 400},
        {"with other characters", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZS-ub25jZQ==\r\n",
         -EPROTO, 400},
        {"with two keys", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         -EPROTO, 400},
        {"in two versions", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         -EPROTO, 426},
        {"with a body", "GET",
         "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"
         "Sec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         -EPROTO, 400},
};

static void parse(char *text, size_t size, const char *method, const char *fields,
                  struct http_request *ret)
{
        struct http_refusal refusal;
        int length = snprintf(text, size, "%s /mqtt HTTP/1.1\r\nHost: a\r\n%s\r\n", method, fields);

        CHECK_EQ(http_head_parse(text, (size_t)length, ret, &refusal), 0);
}

TEST(a_request_for_a_websocket_is_one_or_is_told_why_not)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_refusal refusal = {0};
                struct http_request request;
                struct http_text key;
                char text[512];
                int r;

                parse(text, sizeof(text), cases[i].line, cases[i].fields, &request);
                r = http_websocket_wanted(&request, &key, &refusal);
                if (r != cases[i].outcome || refusal.status != cases[i].status)
                        FAIL("%s: %d, %d", cases[i].name, r, refusal.status);
                if (r == HTTP_WEBSOCKET_ASKED)
                        CHECK(http_text_equals(key, HTTP_TEXT("dGhlIHNhbXBsZSBub25jZQ==")));
        }
}

TEST(a_subprotocol_is_found_in_all_fields)
{
        struct http_request request;
        char text[256];

        parse(text, sizeof(text), "GET",
              "Sec-WebSocket-Protocol: a, mqttv3.1\r\nsec-websocket-protocol: mqtt\r\n", &request);
        CHECK(http_websocket_offers(&request, HTTP_TEXT("mqtt")));
        CHECK(http_websocket_offers(&request, HTTP_TEXT("mqttv3.1")));
        CHECK(!http_websocket_offers(&request, HTTP_TEXT("MQTT")));
}
