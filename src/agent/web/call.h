/* agent/web/call.h - POST /api/command: a command of the registry.
 *
 * The body is the object of the command server, and says so by its type, which no form and no
 * page of another origin can send without asking first. The answer is the reply object, with a
 * status that fits (answer.h). */
#pragma once

#include "agent/web/web.h"

/* The two handlers of its route; `owner` is the web. */
size_t web_call_admit(void *owner, struct http_exchange *exchange);
void web_call_run(void *owner, struct http_exchange *exchange);
