/* agent/web/answer.h - replies of the registry as answers to requests.
 *
 * The body is the reply object of the command server; the status says the same in HTTP's
 * words. */
#pragma once

#include "agent/web/web.h"
#include "http/exchange.h"

/* 401 for COMMAND_UNAUTHORIZED; never one that a browser would repeat a request for. */
int web_answer_status(enum command_code code);
/* A reply, as command_on_reply_fn gives it. */
void web_answer_reply(struct web *web, struct http_exchange *exchange, const char *json,
                      size_t length, bool success);
/* A failure with the registry's words around it. `retry_ms`: when to try again; 0: it is not
 * known. */
void web_answer_refuse(struct web *web, struct http_exchange *exchange, enum command_code code,
                       uint64_t retry_ms, const char *why);
