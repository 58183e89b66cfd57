/* proto/http/text.h - a part of a message that lies in somebody else's buffer, and the
 * character classes of RFC 9110, 5.6. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_text {
        const char *bytes; /* not terminated */
        size_t length;
};

#define HTTP_TEXT(literal) ((struct http_text){(literal), sizeof(literal) - 1})

/* tchar, 5.6.2: what names of methods and fields consist of. */
bool http_is_token_byte(unsigned char byte);
/* What a field's value may hold, 5.5: no control but tab. */
bool http_is_value_byte(unsigned char byte);
/* One token byte at least, and nothing else. */
bool http_is_token(struct http_text text);
bool http_is_value(struct http_text text); /* an empty one is */

bool http_text_equals(struct http_text text, struct http_text other);
/* ASCII letters only, whatever the locale. */
bool http_text_equals_ignoring_case(struct http_text text, struct http_text other);
/* Without spaces and tabs at both ends. */
struct http_text http_text_trim(struct http_text text);

/* Takes the next member off a comma-separated list, 5.6.1, trimmed; empty ones are passed
 * over. False: there are no more. Commas inside of quoted strings separate nothing. */
bool http_list_next(struct http_text *rest, struct http_text *ret);
/* Whether `token` is a member, in any case of letters. */
bool http_list_has(struct http_text list, struct http_text token);

/* Of a hexadecimal digit; -1: it is none. */
int http_hex_value(unsigned char byte);
