/* proto/http/head-parse.h - what the lines of a whole head mean. For this room. */
#pragma once

#include "proto/http/head.h"

/* Lines with their ends, without the empty one: from the first byte of the request line to
 * the line feed of the last field. -EPROTO with a refusal. */
int http_head_parse(struct http_text head, struct http_request *ret, struct http_refusal *refusal);

/* Sets the refusal; returns -EPROTO. */
int http_refuse(struct http_refusal *refusal, int status, const char *why);
