#include "proto/http/text.h"

#include <string.h>

bool http_is_token_byte(unsigned char byte)
{
        static const char others[] = "!#$%&'*+-.^_`|~";

        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= 'a' && byte <= 'z'))
                return true;
        return byte != '\0' && strchr(others, byte) != NULL;
}

bool http_is_value_byte(unsigned char byte)
{
        return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool http_is_token(struct http_text text)
{
        for (size_t i = 0; i < text.length; i++)
                if (!http_is_token_byte((unsigned char)text.bytes[i]))
                        return false;
        return text.length > 0;
}

bool http_is_value(struct http_text text)
{
        for (size_t i = 0; i < text.length; i++)
                if (!http_is_value_byte((unsigned char)text.bytes[i]))
                        return false;
        return true;
}

bool http_text_equals(struct http_text text, struct http_text other)
{
        return text.length == other.length &&
               (text.length == 0 || memcmp(text.bytes, other.bytes, text.length) == 0);
}

static unsigned char lower(char letter)
{
        unsigned char byte = (unsigned char)letter;

        return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

bool http_text_equals_ignoring_case(struct http_text text, struct http_text other)
{
        if (text.length != other.length)
                return false;
        for (size_t i = 0; i < text.length; i++)
                if (lower(text.bytes[i]) != lower(other.bytes[i]))
                        return false;
        return true;
}

static bool is_blank(char byte)
{
        return byte == ' ' || byte == '\t';
}

struct http_text http_text_trim(struct http_text text)
{
        while (text.length > 0 && is_blank(text.bytes[0]))
                text.bytes++, text.length--;
        while (text.length > 0 && is_blank(text.bytes[text.length - 1]))
                text.length--;
        return text;
}

/* Up to the next comma that separates, or the end. */
static size_t member_length(struct http_text text)
{
        bool quoted = false;

        for (size_t i = 0; i < text.length; i++) {
                if (text.bytes[i] == '"')
                        quoted = !quoted;
                else if (quoted && text.bytes[i] == '\\')
                        i++;
                else if (!quoted && text.bytes[i] == ',')
                        return i;
        }
        return text.length;
}

bool http_list_next(struct http_text *rest, struct http_text *ret)
{
        while (rest->length > 0) {
                size_t length = member_length(*rest);
                struct http_text member = http_text_trim((struct http_text){rest->bytes, length});

                if (length < rest->length)
                        length++;
                rest->bytes += length;
                rest->length -= length;
                if (member.length > 0) {
                        *ret = member;
                        return true;
                }
        }
        return false;
}

bool http_list_has(struct http_text list, struct http_text token)
{
        struct http_text member;

        while (http_list_next(&list, &member))
                if (http_text_equals_ignoring_case(member, token))
                        return true;
        return false;
}

int http_hex_value(unsigned char byte)
{
        if (byte >= '0' && byte <= '9')
                return byte - '0';
        if (byte >= 'a' && byte <= 'f')
                return byte - 'a' + 10;
        if (byte >= 'A' && byte <= 'F')
                return byte - 'A' + 10;
        return -1;
}
