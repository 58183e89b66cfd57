#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Ends a text of ERROR_TEXT_MAX bytes that was cut with "...", not within a
 * UTF-8 sequence. */
static void mark_cut(char *text)
{
        size_t end = ERROR_TEXT_MAX - sizeof("...");

        while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
                end--;
        memcpy(text + end, "...", sizeof("..."));
}

static void PRINTF_LIKE(2, 0) format_text(char *text, const char *format, va_list arguments)
{
        int length = vsnprintf(text, ERROR_TEXT_MAX, format, arguments);

        if (length < 0)
                text[0] = '\0';
        else if (length >= ERROR_TEXT_MAX)
                mark_cut(text);
}

int error_set(struct error *error, int code, const char *format, ...)
{
        char text[ERROR_TEXT_MAX]; /* the arguments may point into error->text */
        va_list arguments;

        if (!error)
                return code;
        va_start(arguments, format);
        format_text(text, format, arguments);
        va_end(arguments);

        error->code = code;
        memcpy(error->text, text, strlen(text) + 1);
        return code;
}

int error_prefix(struct error *error, const char *format, ...)
{
        char text[ERROR_TEXT_MAX];
        va_list arguments;
        size_t prefix, length;

        if (!error)
                return -EINVAL;
        va_start(arguments, format);
        format_text(text, format, arguments);
        va_end(arguments);

        prefix = strlen(text);
        length = strlen(error->text);
        if (prefix + length < ERROR_TEXT_MAX) {
                memcpy(text + prefix, error->text, length + 1);
        } else {
                memcpy(text + prefix, error->text, ERROR_TEXT_MAX - prefix);
                mark_cut(text);
        }
        memcpy(error->text, text, strlen(text) + 1);
        return error->code;
}
