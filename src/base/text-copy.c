#include "base/text-copy.h"

#include <stdlib.h>
#include <string.h>

char *text_copy(const char *bytes, size_t length)
{
        char *copy = malloc(length + 1);

        if (!copy)
                return NULL;
        if (length > 0)
                memcpy(copy, bytes, length);
        copy[length] = '\0';
        return copy;
}

void text_copy_into(char *to, size_t size, const char *text)
{
        size_t length = text ? strnlen(text, size - 1) : 0;

        if (length > 0)
                memcpy(to, text, length);
        to[length] = '\0';
}
