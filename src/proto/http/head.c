#include "proto/http/head.h"

#include "proto/http/refusal.h"

#include <errno.h>
#include <string.h>

static int refuse_length(const struct http_head_scanner *scanner, struct http_refusal *refusal)
{
        if (scanner->line == 0)
                return http_refuse(refusal, 414, "the target is too long");
        return http_refuse(refusal, 431, "the fields are too long");
}

/* RFC 9112, 2.2: an empty line in front of a request is passed over, one. */
static size_t skip_empty_line(const char *bytes, size_t count)
{
        return count >= 2 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
}

/* The end of the head, or 0; -EPROTO. */
static int find_end(struct http_head_scanner *scanner, const char *bytes, size_t count,
                    size_t *ret_end, struct http_refusal *refusal)
{
        const char *feed;

        *ret_end = 0;
        while (scanner->scanned < count &&
               (feed = memchr(bytes + scanner->scanned, '\n', count - scanner->scanned))) {
                size_t at = (size_t)(feed - bytes);

                if (at == scanner->line || bytes[at - 1] != '\r')
                        return http_refuse(refusal, 400, "a line ends without a carriage return");
                scanner->scanned = at + 1;
                if (at == scanner->line + 1) {
                        *ret_end = at + 1;
                        return 0;
                }
                scanner->line = at + 1;
        }
        scanner->scanned = count;
        return 0;
}

int http_head_find(struct http_head_scanner *scanner, const char *bytes, size_t count, size_t max,
                   size_t *ret_skip, size_t *ret_length, struct http_refusal *refusal)
{
        size_t skip = skip_empty_line(bytes, count), end;
        int r;

        /* Nothing, or half of an empty line. */
        if (count == 0 || (count == 1 && bytes[0] == '\r'))
                return HTTP_HEAD_NEED_MORE;
        r = find_end(scanner, bytes + skip, count - skip, &end, refusal);
        if (r < 0)
                return r;
        if ((end > 0 ? end : count - skip) > max)
                return refuse_length(scanner, refusal);
        if (end == 0)
                return HTTP_HEAD_NEED_MORE;
        if (end == 2)
                return http_refuse(refusal, 400, "empty lines come before the request");
        *scanner = (struct http_head_scanner){0};
        *ret_skip = skip;
        *ret_length = end;
        return HTTP_HEAD_FOUND;
}

const struct http_text *http_request_field(const struct http_request *request,
                                           struct http_text name)
{
        for (size_t i = 0; i < request->fields_count; i++)
                if (http_text_equals_ignoring_case(request->fields[i].name, name))
                        return &request->fields[i].value;
        return NULL;
}

bool http_request_lists(const struct http_request *request, struct http_text name,
                        struct http_text token)
{
        for (size_t i = 0; i < request->fields_count; i++)
                if (http_text_equals_ignoring_case(request->fields[i].name, name) &&
                    http_list_has(request->fields[i].value, token))
                        return true;
        return false;
}
