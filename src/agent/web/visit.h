/* agent/web/visit.h - one request, until it is known whose it is and is answered.
 *
 * Tokens that people chose are verified off the loop. A visit waits for that, holds what the
 * registry knows of a caller, and has http.timeout to be answered in. */
#pragma once

#include "agent/web/web.h"
#include "command/session.h"
#include "http/exchange.h"
#include "loop/timer.h"

struct web_visit;
struct web_question;
/* It is known who it is, and the whole request is there: `session.principal`. */
typedef void web_visit_fn(struct web_visit *visit);

struct web_visit {
        struct web *web;
        struct http_exchange *exchange;
        struct command_session session;
        struct web_question *question;   /* whose token is it? NULL: that is known */
        web_visit_fn *then;              /* NULL: the request is not whole yet */
        struct command_request *request; /* the command that runs; NULL: none */
        struct loop_timer deadline;
        char origin[NET_ADDRESS_TEXT_MAX];
};

/* Looks at a request's head. The answer is put off, and http_exchange_owner() is the visit.
 * NULL: it is answered already, because it is not trusted or its token is wrong. */
struct web_visit *web_visit_new(struct web *web, struct http_exchange *exchange);
/* How much of a body may come. */
size_t web_visit_body_max(const struct web_visit *visit);
/* Calls `then`, perhaps at once, unless it is answered before. */
void web_visit_go_on(struct web_visit *visit, web_visit_fn *then);

/* Whether it may do what needs that role; if not, it is answered, and gone. */
bool web_visit_has_role(struct web_visit *visit, enum command_role role);
/* Answers with a failure of the command server; the visit is gone. */
void web_visit_refuse(struct web_visit *visit, enum command_code code, const char *why);
/* Takes the exchange, whose answer is the caller's from here on; the visit is gone. */
struct http_exchange *web_visit_leave(struct web_visit *visit);
