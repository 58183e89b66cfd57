/* proto/http/head.h - the head of an HTTP/1.1 request: its line and its fields.
 *
 * Pure: no sockets, no memory, no clock. A strict subset of RFC 9112: what two
 * implementations could read in two ways is refused, since that is what request
 * smuggling lives on. So there are no bare line feeds, no folded lines, no space before a
 * colon, one Host, at most one Content-Length, no coding but `chunked`, and never both. */
#pragma once

#include "proto/http/text.h"

enum { HTTP_FIELDS_MAX = 64 };

enum http_method {
        HTTP_GET,
        HTTP_HEAD,
        HTTP_POST,
        HTTP_PUT,
        HTTP_PATCH,
        HTTP_DELETE,
        HTTP_OPTIONS,
};

enum http_framing {
        HTTP_FRAMING_NONE,    /* no body follows */
        HTTP_FRAMING_LENGTH,  /* content_length bytes, at least one */
        HTTP_FRAMING_CHUNKED, /* RFC 9112, 7.1 */
};

struct http_field {
        struct http_text name, value; /* the value trimmed */
};

/* A request's head. All texts lie in the bytes that it was found in. */
struct http_request {
        enum http_method method;
        bool persistent;       /* the connection may stay open after the response, 9.3 */
        bool wants_upgrade;    /* `upgrade` is a connection option, RFC 9110, 7.8 */
        bool expects_continue; /* the body waits for a 100, RFC 9110, 10.1.1 */
        uint8_t minor;         /* 0: HTTP/1.0; 1: 1.1, and what is newer */
        enum http_framing framing;
        uint64_t content_length;
        struct http_text target; /* as it came */
        struct http_text path;   /* begins with '/', still percent-encoded; "*": OPTIONS only */
        struct http_text query;  /* behind '?', still encoded; bytes NULL: there is none */
        struct http_text host;   /* with its port; may be empty, and is in 1.0 without one */
        struct http_field fields[HTTP_FIELDS_MAX];
        size_t fields_count;
};

/* Why a request was refused. The connection cannot go on: where the next request would
 * begin is not known. */
struct http_refusal {
        int status;      /* what to answer: 400, 414, 417, 431, 501, 505 */
        const char *why; /* one sentence, a literal */
};

/* How far the unfinished head was looked at; zero at the beginning. */
struct http_head_scanner {
        size_t scanned, line;
};

enum http_head_outcome {
        HTTP_HEAD_NEED_MORE = 0,
        HTTP_HEAD_FOUND = 1,
};

/* Looks for a head at the front of the bytes; the caller presents them again, with more
 * behind them, until it is whole, and each is looked at once. HTTP_HEAD_FOUND: it is
 * *ret_length bytes, behind *ret_skip ones that mean nothing. -EPROTO: *refusal says why;
 * so it does when the head is, or will be, longer than `max` bytes. */
int http_head_find(struct http_head_scanner *scanner, const char *bytes, size_t count, size_t max,
                   size_t *ret_skip, size_t *ret_length, struct http_refusal *refusal);

/* What a head says that http_head_find() found. -EPROTO. */
int http_head_parse(const char *bytes, size_t length, struct http_request *ret,
                    struct http_refusal *refusal);

/* The first field of that name, in any case of letters; NULL: there is none. */
const struct http_text *http_request_field(const struct http_request *request,
                                           struct http_text name);
/* Whether one of the fields of that name has the token in its list. */
bool http_request_lists(const struct http_request *request, struct http_text name,
                        struct http_text token);
