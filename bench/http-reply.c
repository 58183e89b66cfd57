#include "bench/http-reply.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char status_line[] = "HTTP/1.1 ";
enum { STATUS_LINE = sizeof(status_line) - 1 };

/* The value of Content-Length in the lines of a head. -ENOENT: it has none; -EPROTO. */
static long body_length(const char *head, size_t count)
{
        static const char name[] = "\r\nContent-Length:";
        const size_t length = sizeof(name) - 1;

        for (size_t i = 0; i + length < count; i++) {
                char *end;
                long value;

                if (strncasecmp(head + i, name, length) != 0)
                        continue;
                errno = 0;
                value = strtol(head + i + length, &end, 10);
                return errno != 0 || value < 0 || *end != '\r' ? -EPROTO : value;
        }
        return -ENOENT;
}

long http_reply_length(const char *bytes, size_t count)
{
        const char *end = memmem(bytes, count, "\r\n\r\n", 4);
        size_t head = end ? (size_t)(end - bytes) + 4 : count;
        long body;

        if (memcmp(bytes, status_line, count < STATUS_LINE ? count : STATUS_LINE) != 0 ||
            head > HTTP_REPLY_HEAD_MAX)
                return -EPROTO;
        if (!end)
                return 0;
        if (memcmp(bytes + STATUS_LINE, "204", 3) == 0 ||
            memcmp(bytes + STATUS_LINE, "304", 3) == 0)
                return (long)head;
        body = body_length(bytes, head);
        return body < 0 || body > LONG_MAX - (long)head ? -EPROTO : (long)head + body;
}
