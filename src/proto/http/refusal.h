/* proto/http/refusal.h - says why a request is refused. For this room. */
#pragma once

#include "proto/http/head.h"

#include <errno.h>

/* Sets the refusal; returns -EPROTO. */
static inline int http_refuse(struct http_refusal *refusal, int status, const char *why)
{
        *refusal = (struct http_refusal){status, why};
        return -EPROTO;
}
