#include "agent/gate/quoted.h"

#include <string.h>

const char *gate_quote(struct mqtt_text text, struct gate_quoted *ret)
{
        static const char cut[] = "...";
        size_t most = sizeof(ret->text) - 1;
        size_t length = text.length <= most ? text.length : most - (sizeof(cut) - 1);

        for (size_t i = 0; i < length; i++) {
                char c = text.bytes[i];

                ret->text[i] = '?';
                if (c != '"' && c != '\\')
                        ret->text[i] = c;
        }
        ret->text[length] = '\0';
        if (length < text.length)
                strcat(ret->text, cut);
        return ret->text;
}
