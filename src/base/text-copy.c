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
