#include "bench/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int number_parse(const char *text, unsigned max, unsigned *ret)
{
        char *end;
        unsigned long value;

        errno = 0;
        value = strtoul(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || *text == '-' || value > max) {
                fprintf(stderr, "%s: '%s' is not a number from 0 to %u\n",
                        program_invocation_short_name, text, max);
                return -EINVAL;
        }
        *ret = (unsigned)value;
        return 0;
}
