/* bench/http-reply.h - how long an HTTP answer is.
 *
 * A server answers the same request with as many bytes every time, so the generator looks into
 * the first answer of a connection only, and counts bytes from then on. */
#pragma once

#include <stddef.h>

enum { HTTP_REPLY_HEAD_MAX = 4096 };

/* Of the answer that begins at `bytes`, head and body, of which `count` bytes have come. Positive;
 * 0: its head is not whole yet; -EPROTO: no answer, a head over HTTP_REPLY_HEAD_MAX, or an end that
 * no Content-Length tells (nor a status without a body: 204, 304). */
long http_reply_length(const char *bytes, size_t count);
