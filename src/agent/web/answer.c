#include "agent/web/answer.h"

#include "agent/web/web-internal.h"
#include "data/json.h"

#include <string.h>

/* What a reply says of a failure. */
struct failure {
        int status;
        uint64_t retry_ms;
};

int web_answer_status(enum command_code code)
{
        switch (code) {
        case COMMAND_BAD_JSON:
        case COMMAND_BAD_REQUEST:
        case COMMAND_BAD_PARAMS:
        case COMMAND_BAD_VALUE:
                return 400;
        case COMMAND_UNAUTHORIZED:
                return 401;
        case COMMAND_FORBIDDEN:
                return 403;
        case COMMAND_NO_DEVICE:
        case COMMAND_NO_METHOD:
        case COMMAND_NO_PIN:
                return 404;
        case COMMAND_LEASE_REQUIRED:
        case COMMAND_LEASE_HELD:
        case COMMAND_LEASE_STALE:
        case COMMAND_ESTOP:
        case COMMAND_INTERLOCK:
        case COMMAND_PIN_IN_USE:
                return 409;
        case COMMAND_TOO_LARGE:
                return 413;
        case COMMAND_BUSY:
                return 429;
        case COMMAND_UNSUPPORTED:
                return 501;
        case COMMAND_NOT_READY:
                return 503;
        case COMMAND_EXPIRED:
                /* Not 408: a browser would send the request again (RFC 9110, 15.5.9). */
                return 504;
        case COMMAND_HARDWARE:
                break;
        }
        return 500;
}

/* Failures are rare, and whatever made the reply has no other way to tell. */
static struct failure read_failure(const char *json, size_t length)
{
        struct failure failure = {.status = 500};
        AUTO_JSON cJSON *reply = NULL;
        enum command_code code;
        const char *name;
        int64_t retry_ms;

        if (json_parse(json, length, JSON_DEPTH_MAX, &reply, NULL) < 0)
                return failure;
        name = json_get_string(reply, "code");
        if (name && command_code_parse(name, &code))
                failure.status = web_answer_status(code);
        if (json_get_integer(reply, "retry_ms", &retry_ms) && retry_ms > 0)
                failure.retry_ms = (uint64_t)retry_ms;
        return failure;
}

static void send_reply(struct web *web, struct http_exchange *exchange, const char *json,
                       size_t length, const struct failure *failure)
{
        int status = failure ? failure->status : 200;
        struct http_response *response;

        web->counts.requests++;
        if (failure)
                web->counts.errors++;
        if (length == 0) {
                http_exchange_refuse(exchange, 503, "there is no memory for this answer now");
                return;
        }
        web->counts.bytes_out += length + 1;
        response = http_exchange_begin(exchange, status);
        http_response_field(response, "Content-Type", "application/json");
        http_response_field(response, "Cache-Control", "no-store");
        if (status == 401)
                http_response_field(response, "WWW-Authenticate", "Bearer");
        if (failure && failure->retry_ms > 0)
                http_response_number(response, "Retry-After", (failure->retry_ms + 999) / 1000);
        /* The newline behind the reply is sent, too: terminals like it. */
        http_exchange_end(exchange, json, length + 1);
}

void web_answer_reply(struct web *web, struct http_exchange *exchange, const char *json,
                      size_t length, bool success)
{
        struct failure failure;

        if (!success)
                failure = read_failure(json, length);
        send_reply(web, exchange, json, length, success ? NULL : &failure);
}

/* What is refused without having been a request of the registry. */
struct refusal {
        struct web *web;
        struct http_exchange *exchange;
        struct failure failure;
};

static void on_refusal(void *owner, const char *json, size_t length, bool success)
{
        struct refusal *refusal = owner;

        (void)success;
        send_reply(refusal->web, refusal->exchange, json, length, &refusal->failure);
}

void web_answer_refuse(struct web *web, struct http_exchange *exchange, enum command_code code,
                       uint64_t retry_ms, const char *why)
{
        struct refusal refusal = {web, exchange, {web_answer_status(code), retry_ms}};
        const struct command_call call = {.on_reply = on_refusal, .owner = &refusal};

        command_refuse(web->registry, &call, code, "%s", why);
}
