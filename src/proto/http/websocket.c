#include "proto/http/websocket.h"

#include "proto/http/refusal.h"

#include <string.h>

enum { KEY_DIGITS = 24 };

static bool is_base64_digit(char digit)
{
        return (digit >= 'A' && digit <= 'Z') || (digit >= 'a' && digit <= 'z') ||
               (digit >= '0' && digit <= '9') || digit == '+' || digit == '/';
}

/* 16 bytes in base64: the last digit has four bits that stand for nothing. */
static bool is_key(struct http_text text)
{
        if (text.length != KEY_DIGITS || memcmp(text.bytes + KEY_DIGITS - 2, "==", 2) != 0)
                return false;
        for (size_t i = 0; i < KEY_DIGITS - 2; i++)
                if (!is_base64_digit(text.bytes[i]))
                        return false;
        return strchr("AQgw", text.bytes[KEY_DIGITS - 3]) != NULL;
}

/* 11.3: there is one of each; NULL: none, or more. */
static const struct http_text *only_field(const struct http_request *request, struct http_text name)
{
        const struct http_text *found = NULL;

        for (size_t i = 0; i < request->fields_count; i++) {
                if (!http_text_equals_ignoring_case(request->fields[i].name, name))
                        continue;
                if (found)
                        return NULL;
                found = &request->fields[i].value;
        }
        return found;
}

int http_websocket_wanted(const struct http_request *request, struct http_text *ret_key,
                          struct http_refusal *refusal)
{
        const struct http_text *key, *version;

        if (!request->wants_upgrade ||
            !http_request_lists(request, HTTP_TEXT("Upgrade"), HTTP_TEXT("websocket")))
                return HTTP_WEBSOCKET_NOT_ASKED;
        key = only_field(request, HTTP_TEXT("Sec-WebSocket-Key"));
        version = only_field(request, HTTP_TEXT("Sec-WebSocket-Version"));
        if (request->method != HTTP_GET)
                return http_refuse(refusal, 405, "a WebSocket begins with GET");
        if (!version || !http_text_equals(*version, HTTP_TEXT("13")))
                return http_refuse(refusal, 426, "only version 13 of WebSocket is spoken here");
        if (!key || !is_key(*key))
                return http_refuse(refusal, 400, "Sec-WebSocket-Key is not 16 bytes in base64");
        if (request->framing != HTTP_FRAMING_NONE)
                return http_refuse(refusal, 400, "a request for a WebSocket has no body");
        *ret_key = *key;
        return HTTP_WEBSOCKET_ASKED;
}

bool http_websocket_offers(const struct http_request *request, struct http_text protocol)
{
        struct http_text rest, member;

        for (size_t i = 0; i < request->fields_count; i++) {
                if (!http_text_equals_ignoring_case(request->fields[i].name,
                                                    HTTP_TEXT("Sec-WebSocket-Protocol")))
                        continue;
                rest = request->fields[i].value;
                while (http_list_next(&rest, &member))
                        if (http_text_equals(member, protocol))
                                return true;
        }
        return false;
}
