/* net/greeting.h - reads the header of a proxy off a socket, and not a byte more. For this
 * room. */
#pragma once

#include "loop/loop.h"
#include "proto/proxy.h"

struct greeting;

enum { GREETING_MS = 5000 };

/* `r` is the header's length, or -errno: -ETIMEDOUT, -EBADMSG, -EMSGSIZE, -ECONNRESET (it ended
 * within the header), -ENODATA (before it), and others of recv(2). Once; `header` and what it
 * points to are valid for this call, which frees the greeting. */
typedef void greeting_fn(void *owner, int r, const struct proxy_header *header);

/* The descriptor stays the caller's, and is nobody else's meanwhile. -ENOMEM, -errno. */
int greeting_new(struct loop *loop, int fd, greeting_fn *done, void *owner, struct greeting **ret);
/* The descriptor may be closed, or watched by others, at once. */
struct greeting *greeting_free(struct greeting *greeting);
