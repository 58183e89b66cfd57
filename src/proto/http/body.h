/* proto/http/body.h - where the body of a request begins and ends, RFC 9112, 6 and 7.
 *
 * Pure, and holds no bytes: pieces of the body lie in the caller's buffer. */
#pragma once

#include "proto/http/head.h"

enum {
        HTTP_CHUNK_LINE_MAX = 256, /* a chunk's size with its extensions, which mean nothing here */
        HTTP_TRAILER_MAX = 4096,   /* all fields behind the last chunk, which are dropped */
};

struct http_body {
        enum http_framing framing;
        int part;         /* of a chunked one, see body.c */
        uint64_t left;    /* bytes of this chunk, or of the body */
        uint64_t total;   /* of data so far */
        uint64_t max;     /* of data */
        uint32_t trailer; /* bytes of it so far */
};

enum http_body_outcome {
        HTTP_BODY_NEED_MORE = 0,
        HTTP_BODY_DATA = 1, /* *ret_data, which is not empty */
        HTTP_BODY_END = 2,  /* what comes next is another request */
};

/* `max`: most bytes of data. -EMSGSIZE: it is known to be longer already: 413. */
int http_body_begin(struct http_body *body, const struct http_request *request, uint64_t max);

/* Looks at the front of the bytes. In each case *ret_consumed bytes are to be taken off;
 * HTTP_BODY_NEED_MORE leaves an unfinished line there, of HTTP_TRAILER_MAX at most.
 * -EMSGSIZE: longer than `max`: 413. -EPROTO: what comes is no chunk: 400. After either
 * the connection cannot go on. */
int http_body_next(struct http_body *body, const char *bytes, size_t count,
                   struct http_text *ret_data, size_t *ret_consumed);
