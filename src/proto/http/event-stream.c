#include "proto/http/event-stream.h"

#include <errno.h>
#include <string.h>

static int write_field(struct buffer *out, const char *name, struct http_text value)
{
        int r = buffer_append_text(out, name);

        if (r == 0)
                r = buffer_append(out, ": ", 2);
        if (r == 0)
                r = buffer_append(out, value.bytes, value.length);
        return r < 0 ? r : buffer_append(out, "\n", 1);
}

/* "\n", "\r" and "\r\n" all end a line for a client. */
static struct http_text take_line(struct http_text *rest)
{
        size_t length = 0, end;

        while (length < rest->length && rest->bytes[length] != '\n' && rest->bytes[length] != '\r')
                length++;
        end = length;
        if (end < rest->length)
                end += rest->bytes[end] == '\r' && end + 1 < rest->length &&
                                       rest->bytes[end + 1] == '\n'
                               ? 2
                               : 1;
        rest->bytes += end;
        rest->length -= end;
        return (struct http_text){rest->bytes - end, length};
}

static int write_data(struct buffer *out, struct http_text data)
{
        bool more;
        int r;

        do {
                const char *before = data.bytes;
                struct http_text line = take_line(&data);

                /* An end behind the last line begins another, which is empty. */
                more = data.length > 0 || (size_t)(data.bytes - before) > line.length;
                r = write_field(out, "data", line);
        } while (r == 0 && more);
        return r;
}

int http_event_write(struct buffer *out, const char *name, const char *id, struct http_text data)
{
        size_t before = buffer_length(out);
        int r = 0;

        if ((name && strpbrk(name, "\r\n")) || (id && strpbrk(id, "\r\n")))
                return -EINVAL;
        if (name)
                r = write_field(out, "event", (struct http_text){name, strlen(name)});
        if (r == 0 && id)
                r = write_field(out, "id", (struct http_text){id, strlen(id)});
        if (r == 0)
                r = write_data(out, data);
        if (r == 0)
                r = buffer_append(out, "\n", 1);
        if (r < 0)
                buffer_truncate(out, before);
        return r;
}
