/* proto/http/negotiate.h - what a client has already, and in which form it takes the rest
 * (RFC 9110, 8.8.3, 12 and 13). */
#pragma once

#include "proto/http/head.h"

/* Whether one of If-None-Match's tags is `etag` ("\"abc\"" or "W/\"abc\""), compared weakly,
 * 13.1.2; or "*" is there. False without the field: the resource is sent. */
bool http_has_already(const struct http_request *request, struct http_text etag);

/* The weight, in thousandths, that Accept-Encoding gives a coding such as "gzip"; 0: it must
 * not be used. Without the field, or when the field is not well-formed: 0, as everybody
 * takes what is not encoded. 12.5.3. */
unsigned http_encoding_weight(const struct http_request *request, struct http_text coding);
