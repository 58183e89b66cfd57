/* proto/http/response.h - writes heads of responses, whose body is of known length or in chunks.
 *
 * Into the caller's buffer, behind what is there. The first failure sticks and takes back
 * all that was written of the head since http_response_begin(): a response is whole or not
 * there. Values from elsewhere cannot smuggle a line in: control characters are -EINVAL.
 *
 *      http_response_begin(&response, buffer, 200);
 *      http_response_field(&response, "Content-Type", "application/json");
 *      r = http_response_end(&response, length); // then `length` bytes of body */
#pragma once

#include "base/buffer.h"
#include "proto/http/head.h"

struct http_response {
        struct buffer *out;
        size_t start; /* where the head begins */
        int error;
};

/* The status line. A request of HTTP/1.0 is answered with HTTP/1.1 too, RFC 9112, 2.3. */
void http_response_begin(struct http_response *response, struct buffer *out, int status);
void http_response_field(struct http_response *response, const char *name, const char *value);
void http_response_number(struct http_response *response, const char *name, uint64_t value);
/* "Date", RFC 9110, 6.6.1. */
void http_response_date(struct http_response *response, int64_t unix_seconds);
/* What the request's connection becomes, and what the server means it to become; written
 * where it is not what the peer expects anyway. */
void http_response_connection(struct http_response *response, const struct http_request *request,
                              bool persistent);

/* The head's end, in front of `length` bytes of body. -EMSGSIZE, -ENOMEM: as the buffer says;
 * -EINVAL: something that no field may hold. */
int http_response_end(struct http_response *response, uint64_t length);
/* In front of chunks; only for requests of 1.1. */
int http_response_end_chunked(struct http_response *response);
/* Of a response without a body and without a length: 1xx, 204, 304. */
int http_response_end_empty(struct http_response *response);
