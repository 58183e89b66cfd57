#include "agent/web/visit.h"

#include "agent/web/answer.h"
#include "agent/web/trust.h"
#include "agent/web/web-internal.h"
#include "proto/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Asked of the registry, which answers once, perhaps when nobody waits any more. */
struct web_question {
        struct web_visit *visit; /* NULL: gone */
        bool within;             /* still asking: the answer is kept for who asks */
        bool answered;
        int result;
        uint64_t retry_ms;
        struct error error;
        struct command_principal principal;
};

/* What a request shows: at most one token. */
struct credentials {
        bool shown;
        const char *fault; /* a sentence; NULL: none */
        char token[TOKEN_MAX + 2];
};

static void visit_free(struct web_visit *visit)
{
        struct web_question *question = visit->question;

        loop_timer_stop(&visit->deadline);
        if (question && question->answered)
                free(question);
        else if (question)
                question->visit = NULL;
        if (visit->request)
                command_request_abandon(visit->request);
        free(visit);
}

static void on_gone(void *owner)
{
        visit_free(owner);
}

struct http_exchange *web_visit_leave(struct web_visit *visit)
{
        struct http_exchange *exchange = visit->exchange;

        visit_free(visit);
        http_exchange_defer(exchange, NULL, NULL);
        return exchange;
}

void web_visit_refuse(struct web_visit *visit, enum command_code code, const char *why)
{
        struct web *web = visit->web;

        web_answer_refuse(web, web_visit_leave(visit), code, 0, why);
}

static void on_deadline(struct loop_timer *timer)
{
        web_visit_refuse(container_of(timer, struct web_visit, deadline), COMMAND_EXPIRED,
                         "no answer within http.timeout; what was begun goes on");
}

bool web_visit_has_role(struct web_visit *visit, enum command_role role)
{
        if (visit->session.principal.role >= role)
                return true;
        if (visit->session.principal.role == COMMAND_ROLE_NONE)
                web_visit_refuse(visit, COMMAND_UNAUTHORIZED,
                                 "this needs a token: send it as \"Authorization: Bearer ...\"");
        else
                web_visit_refuse(visit, COMMAND_FORBIDDEN, "the token's role does not allow this");
        return false;
}

/* RFC 6750, 2.1. A token of ours may have any bytes that a field can hold. */
static void read_token(struct http_text value, struct credentials *ret)
{
        static const struct http_text scheme = {"Bearer ", 7};

        ret->shown = true;
        if (value.length <= scheme.length ||
            !http_text_equals_ignoring_case((struct http_text){value.bytes, scheme.length},
                                            scheme)) {
                ret->fault = "the way to show a token is \"Authorization: Bearer TOKEN\"";
                return;
        }
        value.bytes += scheme.length;
        value.length -= scheme.length;
        value = http_text_trim(value);
        /* One that is too long stays that. */
        if (value.length > TOKEN_MAX)
                value.length = TOKEN_MAX + 1;
        memcpy(ret->token, value.bytes, value.length);
        ret->token[value.length] = '\0';
}

static void read_credentials(const struct http_request *request, struct credentials *ret)
{
        ret->shown = false;
        ret->fault = NULL;
        for (size_t i = 0; i < request->fields_count; i++) {
                const struct http_field *field = &request->fields[i];

                if (!http_text_equals_ignoring_case(field->name, HTTP_TEXT("Authorization")))
                        continue;
                if (ret->shown)
                        ret->fault = "Authorization stands there twice";
                else
                        read_token(field->value, ret);
        }
}

/* The token is good, or the visit is answered. */
static bool take_answer(struct web_visit *visit, const struct web_question *question)
{
        struct web *web = visit->web;

        visit->question = NULL;
        if (question->result == 0) {
                visit->session.principal = question->principal;
                return true;
        }
        web_answer_refuse(web, web_visit_leave(visit),
                          question->result == -EAGAIN ? COMMAND_BUSY : COMMAND_UNAUTHORIZED,
                          question->retry_ms, question->error.text);
        return false;
}

static void on_identified(void *context, int result, const struct command_principal *principal,
                          const struct error *error, uint64_t retry_ms)
{
        struct web_question *question = context;
        struct web_visit *visit = question->visit;

        question->answered = true;
        question->result = result;
        question->retry_ms = retry_ms;
        if (result == 0)
                question->principal = *principal;
        else
                question->error = *error;
        if (question->within)
                return;
        if (visit && !visit->then)
                return; /* its request is not whole; then it will look */
        if (visit && take_answer(visit, question))
                visit->then(visit);
        free(question);
}

/* 0; or it is answered, and gone: -EACCES, -ENOMEM. */
static int ask(struct web_visit *visit, const char *token)
{
        struct web_question *question = calloc(1, sizeof(*question));
        int r = 0;

        if (!question) {
                web_visit_refuse(visit, COMMAND_BUSY, "not enough memory; try again later");
                return -ENOMEM;
        }
        question->visit = visit;
        question->within = true;
        visit->question = question;
        command_registry_identify(visit->web->registry, &visit->session, token, on_identified,
                                  question);
        question->within = false;
        if (!question->answered)
                return 0;
        if (!take_answer(visit, question))
                r = -EACCES;
        free(question);
        return r;
}

static struct web_visit *visit_open(struct web *web, struct http_exchange *exchange)
{
        struct web_visit *visit = calloc(1, sizeof(*visit));
        struct net_address peer;

        if (!visit) {
                http_exchange_refuse(exchange, 503, "there is no memory for this now");
                return NULL;
        }
        net_peer_address(http_exchange_peer(exchange), &peer);
        net_address_text(&peer, visit->origin);
        visit->web = web;
        visit->exchange = exchange;
        visit->session = (struct command_session){
                .id = command_registry_new_session_id(web->registry),
                .transport = web->counts.name,
                .origin = visit->origin,
                .origin_key = net_address_origin(&peer),
        };
        loop_timer_init(&visit->deadline, web_loop(web), on_deadline);
        http_exchange_defer(exchange, on_gone, visit);
        return visit;
}

struct web_visit *web_visit_new(struct web *web, struct http_exchange *exchange)
{
        const struct http_request *request = http_exchange_request(exchange);
        struct web_visit *visit = visit_open(web, exchange);
        struct credentials credentials;
        const char *distrust;
        int r = 0;

        if (!visit)
                return NULL;
        read_credentials(request, &credentials);
        distrust = web_distrust(web, request, credentials.shown);
        if (distrust) {
                web_visit_refuse(visit, COMMAND_FORBIDDEN, distrust);
                r = -EACCES;
        } else if (credentials.fault) {
                web_visit_refuse(visit, COMMAND_UNAUTHORIZED, credentials.fault);
                r = -EACCES;
        } else if (credentials.shown) {
                r = ask(visit, credentials.token);
        } else {
                web->options.admit(web->options.admit_owner, &visit->session.principal);
        }
        if (credentials.shown)
                explicit_bzero(credentials.token, sizeof(credentials.token));
        return r < 0 ? NULL : visit;
}

size_t web_visit_body_max(const struct web_visit *visit)
{
        size_t max = visit->web->options.request_bytes;

        if ((visit->question || visit->session.principal.role == COMMAND_ROLE_NONE) &&
            max > WEB_BODY_BEFORE_AUTH)
                max = WEB_BODY_BEFORE_AUTH;
        return max;
}

void web_visit_go_on(struct web_visit *visit, web_visit_fn *then)
{
        struct web_question *question = visit->question;

        visit->then = then;
        loop_timer_start(&visit->deadline, (uint64_t)(visit->web->options.config->timeout * 1000));
        if (!question) {
                then(visit);
        } else if (question->answered) {
                if (take_answer(visit, question))
                        then(visit);
                free(question);
        }
}
