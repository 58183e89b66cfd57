/* proto/http/origin.h - may a page in a browser do this?
 *
 * A browser lets any page send requests, and open WebSockets, to any address that it can
 * reach, such as this machine's own; all it does is to say in Origin where the page is from
 * (RFC 6454). Programs send none. */
#pragma once

#include "proto/http/head.h"

/* The host that is asked, without its port. */
struct http_text http_host_name(const struct http_request *request);
/* No Origin, or that of the host that is asked. */
bool http_origin_is_own(const struct http_request *request);
/* The host is asked by its address, or as localhost. Whoever owns a name may let it point
 * here (DNS rebinding): then the page's origin is its own, and the name is the only sign. */
bool http_host_is_address(const struct http_request *request);
