#include "host/call.h"

#include "base/attributes.h"
#include "data/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
        INDEX_DIGITS_MAX = 9,
        TOKEN_MAX = 256,
        REQUEST_TEXT_MAX = 96 << 20, /* a frame of 16 MiB, and each byte escaped */
};

static const int64_t integer_max = INT64_C(1) << 53;

static struct host_call *of(struct pifleet_call *call)
{
        return container_of(call, struct host_call, public);
}

/* --- the request ------------------------------------------------------------------------- */

/* One step of a JSON pointer (RFC 6901, 4): up to the next slash, ~1 a slash, ~0 a
 * tilde. NULL: it leads nowhere, or is longer than any name we look for. */
static const cJSON *step(const cJSON *value, const char **pointer)
{
        char token[TOKEN_MAX];
        const char *at = *pointer + 1;
        size_t length = 0;

        for (; *at && *at != '/'; at++) {
                char c = *at;

                if (c == '~') {
                        if (at[1] != '0' && at[1] != '1')
                                return NULL;
                        c = *++at == '1' ? '/' : '~';
                }
                if (length == sizeof(token) - 1)
                        return NULL;
                token[length++] = c;
        }
        token[length] = '\0';
        *pointer = at;
        if (!cJSON_IsArray(value))
                return json_get(value, token);
        if (length == 0 || length > INDEX_DIGITS_MAX || strspn(token, "0123456789") != length)
                return NULL;
        return cJSON_GetArrayItem(value, atoi(token));
}

static const cJSON *find(struct pifleet_call *call, const char *name)
{
        const cJSON *value = of(call)->request;

        if (!name)
                return NULL;
        if (name[0] != '/')
                return json_get(value, name);
        while (value && *name)
                value = step(value, &name);
        return value;
}

static const char *request_text(struct pifleet_call *public)
{
        struct host_call *call = of(public);
        struct json_writer writer;

        if (buffer_length(&call->request_text) == 0) {
                json_writer_init(&writer, &call->request_text);
                json_write_tree(&writer, NULL, call->request);
                if (json_writer_error(&writer) < 0 ||
                    buffer_append(&call->request_text, "", 1) < 0) {
                        buffer_truncate(&call->request_text, 0);
                        return NULL;
                }
        }
        return buffer_data(&call->request_text);
}

static bool has(struct pifleet_call *call, const char *name)
{
        return find(call, name) != NULL;
}

static size_t count(struct pifleet_call *call, const char *name)
{
        const cJSON *value = find(call, name);

        if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
                return 0;
        return (size_t)cJSON_GetArraySize(value);
}

static const char *text(struct pifleet_call *call, const char *name)
{
        const cJSON *value = find(call, name);

        return cJSON_IsString(value) ? value->valuestring : NULL;
}

static bool integer(struct pifleet_call *call, const char *name, int64_t *ret)
{
        const cJSON *value = find(call, name);

        if (!json_is_integer(value))
                return false;
        *ret = (int64_t)value->valuedouble;
        return true;
}

static bool number(struct pifleet_call *call, const char *name, double *ret)
{
        const cJSON *value = find(call, name);

        if (!cJSON_IsNumber(value))
                return false;
        *ret = value->valuedouble;
        return true;
}

static bool boolean(struct pifleet_call *call, const char *name, bool *ret)
{
        const cJSON *value = find(call, name);

        if (!cJSON_IsBool(value))
                return false;
        *ret = cJSON_IsTrue(value);
        return true;
}

/* --- the result -------------------------------------------------------------------------- */

/* The first thing that is wrong is told. */
static void refuse(struct host_call *call, const char *name, const char *what)
{
        if (call->bad_reply.code == 0)
                (void)error_set(&call->bad_reply, -EBADMSG, "%s%s%s", name ? name : "",
                                name ? ": " : "", what);
}

static void put_text(struct pifleet_call *call, const char *name, const char *value)
{
        if (value)
                json_write_string(of(call)->writer, name, value);
        else
                json_write_null(of(call)->writer, name);
}

static void put_integer(struct pifleet_call *call, const char *name, int64_t value)
{
        if (value < -integer_max || value > integer_max)
                refuse(of(call), name, "an integer is beyond 2^53: send it as text");
        json_write_integer(of(call)->writer, name, value);
}

static void put_number(struct pifleet_call *call, const char *name, double value)
{
        if (!isfinite(value))
                refuse(of(call), name, "not a number in JSON");
        json_write_double(of(call)->writer, name, value);
}

static void put_bool(struct pifleet_call *call, const char *name, bool value)
{
        json_write_bool(of(call)->writer, name, value);
}

/* Parsed and written anew: what comes from elsewhere may hold line ends. */
static void put_json(struct pifleet_call *public, const char *name, const char *json)
{
        struct host_call *call = of(public);
        AUTO_JSON cJSON *tree = NULL;
        struct error error;

        if (!json)
                refuse(call, name, "no JSON but NULL");
        else if (json_parse(json, strlen(json), HOST_RESULT_DEPTH - call->writer->depth, &tree,
                            &error) < 0)
                refuse(call, name, error.text);
        else
                json_write_tree(call->writer, name, tree);
}

static bool may_open(struct host_call *call, const char *name)
{
        if (call->writer->depth < HOST_RESULT_DEPTH)
                return true;
        refuse(call, name, "nested too deep");
        return false;
}

static void put_object(struct pifleet_call *call, const char *name)
{
        if (may_open(of(call), name))
                json_write_object(of(call)->writer, name);
}

static void put_list(struct pifleet_call *call, const char *name)
{
        if (may_open(of(call), name))
                json_write_array(of(call)->writer, name);
}

static void put_end(struct pifleet_call *public)
{
        struct host_call *call = of(public);

        if (call->writer->depth > call->outside)
                json_write_end(call->writer);
        else
                refuse(call, NULL, "pifleet_put_end() without an object or list that is open");
}

static int set_failure(struct pifleet_call *public, int line, const char *format, ...)
        PRINTF_LIKE(3, 4);
static int set_failure(struct pifleet_call *public, int line, const char *format, ...)
{
        struct host_call *call = of(public);
        char said[ERROR_TEXT_MAX];
        va_list arguments;

        if (call->failure.code != 0)
                return PIFLEET_FAILED;
        va_start(arguments, format);
        if (vsnprintf(said, sizeof(said), format, arguments) < 0)
                said[0] = '\0';
        va_end(arguments);
        (void)error_set(&call->failure, -ECANCELED, "%s", said);
        call->failure_line = line;
        return PIFLEET_FAILED;
}

static const struct pifleet_host host_functions = {
        .request_text = request_text,
        .has = has,
        .count = count,
        .text = text,
        .integer = integer,
        .number = number,
        .boolean = boolean,
        .put_text = put_text,
        .put_integer = put_integer,
        .put_number = put_number,
        .put_bool = put_bool,
        .put_json = put_json,
        .put_object = put_object,
        .put_list = put_list,
        .put_end = put_end,
        .set_failure = set_failure,
};

/* --- the call ---------------------------------------------------------------------------- */

static struct host_outcome failed(struct host_call *call, int r)
{
        if (call->failure.code == 0) {
                if (r > PIFLEET_FAILED && r < 0)
                        (void)error_set(&call->failure, r, "%s", strerror(-r));
                else
                        (void)error_set(&call->failure, -ECANCELED,
                                        "the handler returned %d, without saying why", r);
        }
        return (struct host_outcome){
                .type = "Failed", .message = call->failure.text, .line = call->failure_line};
}

static struct host_outcome bad_reply(struct host_call *call)
{
        return (struct host_outcome){.type = "BadReply", .message = call->bad_reply.text};
}

static void check_written(struct host_call *call)
{
        switch (json_writer_error(call->writer)) {
        case 0:
                if (call->writer->depth != call->outside)
                        refuse(call, NULL, "an object or list is left open");
                return;
        case -EMSGSIZE:
                refuse(call, NULL, "the result is over 1 MiB");
                return;
        case -EINVAL:
                refuse(call, NULL, "a name in a list, or none in an object");
                return;
        default:
                refuse(call, NULL, "the result cannot be written: memory is short");
        }
}

void host_call_run(struct host_call *call, pifleet_handler *handler, const char *command,
                   const cJSON *request, struct json_writer *writer, struct host_outcome *outcome)
{
        int r;

        *call = (struct host_call){
                .public = {.host = &host_functions, .command = command},
                .request = request,
                .writer = writer,
                .outside = writer->depth,
        };
        buffer_init(&call->request_text, REQUEST_TEXT_MAX);
        r = handler(&call->public);
        if (r != 0) {
                *outcome = failed(call, r);
                return;
        }
        check_written(call);
        if (call->bad_reply.code != 0)
                *outcome = bad_reply(call);
        else
                *outcome = (struct host_outcome){.ok = true};
}

void host_call_done(struct host_call *call)
{
        buffer_done(&call->request_text);
}
