#include "access/text-lines.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

int text_lines_next(struct text_lines *lines, char *line, size_t size, struct error *error)
{
        const char *begin = lines->text + lines->at, *end;
        size_t rest = lines->length - lines->at;

        if (rest == 0)
                return 0;
        lines->number++;
        end = memchr(begin, '\n', rest);
        lines->at = end ? (size_t)(end - lines->text) + 1 : lines->length;
        if (!end)
                end = begin + rest;
        while (begin < end && is_blank(*begin))
                begin++;
        while (begin < end && is_blank(end[-1]))
                end--;
        if ((size_t)(end - begin) >= size)
                return error_set(error, -EINVAL, "the line is longer than %zu bytes", size - 1);
        if (memchr(begin, '\0', (size_t)(end - begin)))
                return error_set(error, -EINVAL, "the line has a byte 0 in it");
        memcpy(line, begin, (size_t)(end - begin));
        line[end - begin] = '\0';
        return 1;
}
