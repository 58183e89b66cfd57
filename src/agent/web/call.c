#include "agent/web/call.h"

#include "agent/web/answer.h"
#include "agent/web/visit.h"
#include "agent/web/web-internal.h"
#include "data/json.h"

#include <errno.h>
#include <string.h>

/* "application/json", whatever stands behind a semicolon. */
static bool is_json(const struct http_request *request)
{
        const struct http_text *type = http_request_field(request, HTTP_TEXT("Content-Type"));
        const char *semicolon;
        struct http_text name;

        if (!type || type->length == 0)
                return false;
        semicolon = memchr(type->bytes, ';', type->length);
        name = *type;
        if (semicolon)
                name.length = (size_t)(semicolon - type->bytes);
        return http_text_equals_ignoring_case(http_text_trim(name), HTTP_TEXT("application/json"));
}

size_t web_call_admit(void *owner, struct http_exchange *exchange)
{
        struct web_visit *visit;

        if (!is_json(http_exchange_request(exchange))) {
                http_exchange_refuse(exchange, 415,
                                     "a command is \"Content-Type: application/json\"");
                return 0;
        }
        visit = web_visit_new(owner, exchange);
        return visit ? web_visit_body_max(visit) : 0;
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct web_visit *visit = owner;
        struct web *web = visit->web;

        visit->request = NULL;
        web_answer_reply(web, web_visit_leave(visit), json, length, success);
}

static void dispatch(struct web_visit *visit)
{
        struct web *web = visit->web;
        struct http_text body = http_exchange_body(visit->exchange);
        struct command_call call = {
                .session = &visit->session,
                .received_ms = loop_now_ms(web_loop(web)),
                .on_reply = on_reply,
                .owner = visit,
        };
        struct command_request *pending = NULL;
        struct error error;
        int r = json_parse(body.bytes, body.length, WEB_DEPTH_MAX, &call.object, &error);

        web->counts.bytes_in += body.length;
        if (r < 0) {
                command_refuse(web->registry, &call, r == -ENOMEM ? COMMAND_BUSY : COMMAND_BAD_JSON,
                               "cannot read the body as JSON: %s", error.text);
                return;
        }
        command_dispatch(web->registry, &call, &pending);
        if (pending)
                visit->request = pending;
}

void web_call_run(void *owner, struct http_exchange *exchange)
{
        (void)owner;
        web_visit_go_on(http_exchange_owner(exchange), dispatch);
}
