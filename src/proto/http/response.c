#include "proto/http/response.h"

#include "proto/http/date.h"
#include "proto/http/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Notes the first failure, and that nothing of the head is to stay. */
static void note(struct http_response *response, int r)
{
        if (r >= 0 || response->error < 0)
                return;
        response->error = r;
        buffer_truncate(response->out, response->start);
}

void http_response_begin(struct http_response *response, struct buffer *out, int status)
{
        *response = (struct http_response){.out = out, .start = buffer_length(out)};
        note(response,
             buffer_printf(out, "HTTP/1.1 %d %s\r\n", status, http_status_phrase(status)));
}

void http_response_field(struct http_response *response, const char *name, const char *value)
{
        if (response->error < 0)
                return;
        if (!http_is_token((struct http_text){name, strlen(name)}) ||
            !http_is_value((struct http_text){value, strlen(value)})) {
                note(response, -EINVAL);
                return;
        }
        note(response, buffer_append_text(response->out, name));
        if (response->error == 0)
                note(response, buffer_append(response->out, ": ", 2));
        if (response->error == 0)
                note(response, buffer_append_text(response->out, value));
        if (response->error == 0)
                note(response, buffer_append(response->out, "\r\n", 2));
}

void http_response_number(struct http_response *response, const char *name, uint64_t value)
{
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, value);
        http_response_field(response, name, text);
}

void http_response_date(struct http_response *response, int64_t unix_seconds)
{
        char text[HTTP_DATE_SIZE];

        http_date_format(unix_seconds, text);
        http_response_field(response, "Date", text);
}

/* RFC 9112, 9.3: staying open is what 1.1 expects, and what 1.0 has to be told. */
void http_response_connection(struct http_response *response, const struct http_request *request,
                              bool persistent)
{
        if (!persistent || !request->persistent)
                http_response_field(response, "Connection", "close");
        else if (request->minor == 0)
                http_response_field(response, "Connection", "keep-alive");
}

int http_response_end_empty(struct http_response *response)
{
        if (response->error == 0)
                note(response, buffer_append(response->out, "\r\n", 2));
        return response->error;
}

int http_response_end(struct http_response *response, uint64_t length)
{
        http_response_number(response, "Content-Length", length);
        return http_response_end_empty(response);
}

int http_response_end_chunked(struct http_response *response)
{
        http_response_field(response, "Transfer-Encoding", "chunked");
        return http_response_end_empty(response);
}
