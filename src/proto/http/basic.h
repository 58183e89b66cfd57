/* proto/http/basic.h - a user name and a password in a request's head (RFC 7617). */
#pragma once

#include "proto/http/head.h"

enum { HTTP_BASIC_MAX = 1024 }; /* bytes of both, with the colon between them */

struct http_basic {
        char text[HTTP_BASIC_MAX + 1];   /* wiped by http_basic_done() */
        struct http_text user, password; /* in it; UTF-8, without control characters */
};

/* -ENOENT: no Authorization, or of another scheme; -EINVAL: two of them, or one that cannot be
 * read. */
int http_basic_read(const struct http_request *request, struct http_basic *ret);
void http_basic_done(struct http_basic *basic);
