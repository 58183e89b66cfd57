/* proto/http/target.h - paths and queries without their percent signs (RFC 3986, 2.1). */
#pragma once

#include "proto/http/text.h"

/* Takes the next segment off a path such as http_request.path, decoded and terminated.
 * 1: *decoded holds it; 0: the path is at its end. -EINVAL: it is empty in the middle, is
 * "." or "..", or holds a slash, a backslash, a control character, no UTF-8, or a percent
 * sign without two digits: nobody's name, and some file system's way out of its folder.
 * -ENAMETOOLONG: longer than `size` with its zero. */
int http_path_next(struct http_text *rest, char *decoded, size_t size);

struct http_parameter {
        struct http_text name, value; /* decoded, in the buffer given; no value: "" */
};

/* Takes the next "name=value" off a query, decoded into `decoded`, where '+' is a space.
 * 1: there is one; 0: no more. -EINVAL: a control character, no UTF-8, or a percent sign
 * without digits; -ENAMETOOLONG: longer than `size`. */
int http_query_next(struct http_text *rest, char *decoded, size_t size, struct http_parameter *ret);
