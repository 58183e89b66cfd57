#include "proto/mqtt/quoted.h"

#include <stdbool.h>
#include <string.h>

/* Cut to `size` - 1 bytes; returns how many there are. */
static size_t write_harmless(struct mqtt_text text, char *to, size_t size)
{
        static const char cut[] = "...";
        size_t most = size - 1;
        size_t length = text.length <= most ? text.length : most - (sizeof(cut) - 1);

        for (size_t i = 0; i < length; i++) {
                char c = text.bytes[i];

                to[i] = '?';
                if (c != '"' && c != '\\')
                        to[i] = c;
        }
        to[length] = '\0';
        if (length < text.length)
                strcat(to, cut);
        return strlen(to);
}

const char *mqtt_quote(struct mqtt_text text, struct mqtt_quoted *ret)
{
        write_harmless(text, ret->text, sizeof(ret->text));
        return ret->text;
}

static bool is_word(struct mqtt_text text)
{
        for (size_t i = 0; i < text.length; i++) {
                char c = text.bytes[i];

                if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=')
                        return false;
        }
        return true;
}

const char *mqtt_quote_unless_word(struct mqtt_text text, struct mqtt_quoted *ret)
{
        size_t length;

        if (text.length < sizeof(ret->text) && is_word(text))
                return mqtt_quote(text, ret);
        ret->text[0] = '"';
        length = 1 + write_harmless(text, ret->text + 1, sizeof(ret->text) - 2);
        memcpy(ret->text + length, "\"", 2);
        return ret->text;
}
