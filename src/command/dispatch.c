/* The way of a request: envelope, command, identity, access, arguments, guards,
 * run. Whoever refuses it on the way replies, and the way ends there.
 *
 * A request lives until both sides are done with it: the caller has its reply
 * (or is gone), and the command has given one. A deadline answers the caller
 * early; the command's late reply is then dropped. */
#include "command/registry-internal.h"

#include "base/cleanup.h"
#include "base/spelling.h"
#include "base/text-copy.h"
#include "data/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ID_TEXT_MAX = 256, NEAR_MATCHES = 3 };

static void request_free(struct command_request *request)
{
        list_remove(&request->link);
        request->registry->requests_count--;
        loop_timer_stop(&request->deadline);
        if (request->entry)
                command_entry_release(request->entry);
        cJSON_Delete(request->object);
        cJSON_Delete(request->command);
        cJSON_Delete(request->id);
        cJSON_Delete(request->lease_token);
        if (request->registry->spare)
                free(request);
        else
                request->registry->spare = request;
}

void command_request_release_if_done(struct command_request *request)
{
        if (request->ended && !request->running)
                request_free(request);
}

static void request_audit(struct command_request *request, uint64_t duration_us)
{
        struct command_audit audit = {
                .role = request->principal.role,
                .duration_us = duration_us,
        };

        text_copy_into(audit.command, sizeof(audit.command), request->entry->definition.name);
        text_copy_into(audit.who, sizeof(audit.who), request->principal.name);
        text_copy_into(audit.transport, sizeof(audit.transport), request->transport);
        text_copy_into(audit.origin, sizeof(audit.origin),
                       request->session ? request->session->origin : NULL);
        text_copy_into(audit.outcome, sizeof(audit.outcome),
                       request->success     ? "ok"
                       : request->code != 0 ? command_code_name(request->code)
                                            : "failed");
        command_bus_publish(request->registry->bus, &command_audit_event, &audit);
}

static void request_count(struct command_request *request)
{
        uint64_t duration_us =
                (command_registry_end_ns(request->registry) - request->started_ns) / 1000;
        struct command_statistics *statistics;

        if (!request->entry)
                return;
        statistics = &request->entry->statistics;
        command_statistics_add(statistics, duration_us);
        if (!request->success)
                statistics->errors++;
        if (request->entry->definition.changes)
                request_audit(request, duration_us);
}

static void end_authentication(struct command_request *request)
{
        if (request->authenticating && request->session)
                request->session->authenticating--;
        request->authenticating = false;
}

void command_request_answer(struct command_request *request)
{
        const struct buffer *reply = &request->registry->reply;
        size_t length = buffer_length(reply);

        assert(!request->answered);
        request->answered = true;
        loop_timer_stop(&request->deadline);
        request_count(request);
        end_authentication(request);
        /* Its newline is not counted. */
        if (request->on_reply)
                request->on_reply(request->owner, buffer_data(reply), length > 0 ? length - 1 : 0,
                                  request->success);
        request->on_reply = NULL;
        request->session = NULL;
        command_request_release_if_done(request);
}

static void request_on_deadline(struct loop_timer *timer)
{
        struct command_request *request = container_of(timer, struct command_request, deadline);

        request->entry->statistics.timeouts++;
        command_reply_expire(request);
}

/* Where a member of the envelope goes; NULL: it is an argument. The first letter
 * decides for most, and this is done for every member of every request. */
static cJSON **envelope_place(struct command_request *request, cJSON **token, const char *name)
{
        switch (name[0]) {
        case 'c':
                return strcmp(name, "command") == 0 ? &request->command : NULL;
        case 'i':
                return strcmp(name, "id") == 0 ? &request->id : NULL;
        case 't':
                return strcmp(name, "token") == 0 ? token : NULL;
        case 'l':
                return strcmp(name, "lease_token") == 0 ? &request->lease_token : NULL;
        default:
                return NULL;
        }
}

/* Takes the members that are the wire's, not the command's, off the object. */
static const char *request_take_envelope(struct command_request *request, cJSON **token)
{
        const char *fault = NULL;
        cJSON *item, *next;

        for (item = request->object->child; item; item = next) {
                cJSON **place = envelope_place(request, token, item->string);

                next = item->next;
                if (!place)
                        continue;
                /* Goes on all the same: an `id` behind it is still repeated. */
                if (*place)
                        fault = "twice";
                else
                        *place = cJSON_DetachItemViaPointer(request->object, item);
        }
        return fault;
}

static bool id_is_valid(const cJSON *id)
{
        if (cJSON_IsString(id))
                return strlen(id->valuestring) <= ID_TEXT_MAX;
        return json_is_integer(id);
}

/* What is wrong with the envelope, or NULL. An id that is refused is not
 * repeated. */
static const char *envelope_fault(struct command_request *request, const cJSON *token)
{
        if (request->id && cJSON_IsNull(request->id)) {
                cJSON_Delete(request->id);
                request->id = NULL;
        }
        if (request->id && !id_is_valid(request->id)) {
                cJSON_Delete(request->id);
                request->id = NULL;
                return "`id` must be an integer or a string of at most 256 bytes";
        }
        if (!request->command)
                return "`command` is missing: send {\"command\":\"list_commands\"} to see what "
                       "there is";
        if (!cJSON_IsString(request->command))
                return "`command` must be a string, the command's name";
        if (token && !cJSON_IsString(token))
                return "`token` must be a string";
        if (request->lease_token && !cJSON_IsString(request->lease_token))
                return "`lease_token` must be a string";
        return NULL;
}

static void refuse_unknown(struct command_request *request)
{
        struct command_registry *registry = request->registry;
        const char *typed = request->command->valuestring;
        const char *near[NEAR_MATCHES];
        const char **names = reallocarray(NULL, registry->count + 1, sizeof(*names));
        char hint[256] = "send {\"command\":\"list_commands\"} to see what there is";
        size_t count = 0, length;

        if (names) {
                for (size_t i = 0; i < registry->count; i++)
                        names[i] = registry->sorted[i]->definition.name;
                count = spelling_near(typed, names, registry->count, near, NEAR_MATCHES);
                free(names);
        }
        if (count > 0) {
                length = (size_t)snprintf(hint, sizeof(hint), "did you mean %s", near[0]);
                for (size_t i = 1; i < count; i++)
                        length += (size_t)snprintf(hint + length, sizeof(hint) - length, "%s%s",
                                                   i + 1 < count ? ", " : " or ", near[i]);
                snprintf(hint + length, sizeof(hint) - length, "?");
        }
        command_reply_fail(request, COMMAND_NO_METHOD, "Unknown command \"%.*s\": %s",
                           COMMAND_NAME_MAX, typed, hint);
}

static void request_run(struct command_request *request)
{
        struct command_entry *entry = request->entry;
        int r;

        r = entry->definition.run(entry->owner, request);
        if (r < 0 && !request->ended)
                command_reply_fail(request, r == -ENOMEM ? COMMAND_BUSY : COMMAND_HARDWARE,
                                   "%s failed: %s", entry->definition.name,
                                   r == -ENOMEM ? "not enough memory; try again later"
                                                : strerror(-r));
        assert(request->ended || r == COMMAND_PENDING);
}

/* From here the caller is known: access, arguments, guards, run. */
static void request_proceed(struct command_request *request)
{
        const struct command *definition = &request->entry->definition;
        struct error error;

        if (request->principal.role < definition->role) {
                if (request->principal.role == COMMAND_ROLE_NONE)
                        command_reply_fail(request, COMMAND_UNAUTHORIZED,
                                           "%s needs a token: send "
                                           "{\"command\":\"auth\",\"token\":\"...\"} first, or "
                                           "`token` in the request",
                                           definition->name);
                else
                        command_reply_fail(request, COMMAND_FORBIDDEN,
                                           "%s needs the role %s; this token has %s",
                                           definition->name, command_role_name(definition->role),
                                           command_role_name(request->principal.role));
                return;
        }
        if (request->entry->schema &&
            json_schema_check(request->entry->schema, request->object, &error) < 0) {
                command_reply_fail(request, COMMAND_BAD_PARAMS, "%s: %s", definition->name,
                                   error.text);
                return;
        }
        for (size_t i = 0; i < request->registry->guards_count; i++) {
                if (request->registry->guards[i].ask(request->registry->guards[i].owner, request) !=
                    0)
                        return;
        }
        request_run(request);
}

/* Starts the deadline of a request that goes on after its dispatch. */
static void request_settle(struct command_request *request)
{
        request->running = false;
        if (request->ended)
                request_free(request);
        else if (!request->answered && request->timeout_ms > 0)
                loop_timer_start(&request->deadline, request->timeout_ms);
}

static void request_identified(void *context, int result, const struct command_principal *principal,
                               const struct error *error, uint64_t retry_ms)
{
        struct command_request *request = context;
        bool at_once = request->running;

        request->running = true;
        if (request->answered) {
                request->ended = true; /* the deadline was faster */
        } else if (result == 0) {
                request->principal = *principal;
                if (request->entry->definition.authenticates && request->session)
                        request->session->principal = *principal;
                request_proceed(request);
        } else if (result == -EAGAIN) {
                struct json_writer *writer =
                        command_reply_open_failure(request, COMMAND_BUSY, "%s", error->text);

                json_write_integer(writer, "retry_ms", (int64_t)retry_ms);
                command_reply_send(request);
        } else {
                command_reply_fail(request, COMMAND_UNAUTHORIZED, "%s", error->text);
        }
        if (!at_once)
                request_settle(request);
}

void command_registry_identify(struct command_registry *registry,
                               const struct command_session *session, const char *token,
                               command_identified_fn *identified, void *context)
{
        static const struct error no_tokens = {
                -EACCES, "no token is known here; `pifleet setup` makes the first one"};

        if (registry->identify && session)
                registry->identify(registry->identify_owner, session, token, identified, context);
        else
                identified(context, -EACCES, NULL, &no_tokens, 0);
}

static void request_identify(struct command_request *request, cJSON *token)
{
        if (request->entry->definition.authenticates && request->session) {
                request->authenticating = true;
                request->session->authenticating++;
        }
        command_registry_identify(request->registry, request->session, token->valuestring,
                                  request_identified, request);
}

static void request_begin(struct command_request *request)
{
        struct command_registry *registry = request->registry;
        cJSON *token = NULL;
        const char *fault;

        if (request_take_envelope(request, &token) != NULL)
                fault = "`command`, `id`, `token` and `lease_token` may stand in a request once";
        else
                fault = envelope_fault(request, token);
        if (fault) {
                command_reply_fail(request, COMMAND_BAD_REQUEST, "%s", fault);
        } else {
                const char *name = request->command->valuestring;

                request->entry = map_get(registry->by_name, name, strlen(name));
                if (!request->entry) {
                        refuse_unknown(request);
                } else {
                        command_entry_reference(request->entry);
                        request->timeout_ms = request->entry->definition.timeout_ms;
                        if (token)
                                request_identify(request, token);
                        else
                                request_proceed(request);
                }
        }
        if (token && cJSON_IsString(token))
                explicit_bzero(token->valuestring, strlen(token->valuestring));
        cJSON_Delete(token);
}

static struct command_request *request_new(struct command_registry *registry,
                                           const struct command_call *call)
{
        struct command_request *request = TAKE(registry->spare);

        if (!request)
                request = malloc(sizeof(*request));
        if (!request)
                return NULL;
        *request = (struct command_request){
                .registry = registry,
                .session = call->session,
                .principal = call->session->principal,
                .transport = call->session->transport,
                .object = call->object,
                .on_reply = call->on_reply,
                .owner = call->owner,
                .started_ns = command_registry_begin_ns(registry),
        };
        loop_timer_init(&request->deadline, registry->loop, request_on_deadline);
        list_append(&registry->requests, &request->link);
        registry->requests_count++;
        return request;
}

void command_dispatch(struct command_registry *registry, const struct command_call *call,
                      struct command_request **pending)
{
        struct command_request *request = NULL;
        bool goes_on;

        if (pending)
                *pending = NULL;
        if (!cJSON_IsObject(call->object)) {
                command_refuse(registry, call, COMMAND_BAD_REQUEST,
                               "a request is a JSON object: {\"command\":\"ping\"}");
                return;
        }
        if (registry->requests_count < COMMAND_PENDING_MAX)
                request = request_new(registry, call);
        if (!request) {
                command_refuse(registry, call, COMMAND_BUSY,
                               "too many requests are under way; try again later");
                return;
        }

        request->running = true;
        request_begin(request);
        goes_on = !request->ended && !request->answered;
        if (pending && goes_on)
                *pending = request;
        request_settle(request);
}

void command_refuse(struct command_registry *registry, const struct command_call *call,
                    enum command_code code, const char *format, ...)
{
        struct command_request request = {
                .registry = registry,
                .on_reply = call->on_reply,
                .owner = call->owner,
                .running = true,
        };
        const cJSON *id = call->object ? json_get(call->object, "id") : NULL;
        char sentence[ERROR_TEXT_MAX];
        va_list arguments;

        if (id && id_is_valid(id))
                request.id = (cJSON *)id; /* the object's */
        va_start(arguments, format);
        vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        list_init(&request.link);
        loop_timer_init(&request.deadline, registry->loop, request_on_deadline);
        command_reply_fail(&request, code, "%s", sentence);
        cJSON_Delete(call->object);
}

void command_request_abandon(struct command_request *request)
{
        end_authentication(request);
        request->on_reply = NULL;
        request->session = NULL;
}

void command_request_extend(struct command_request *request, uint64_t ms)
{
        request->timeout_ms = ms;
        if (!request->running && !request->answered)
                loop_timer_start(&request->deadline, ms);
}

const cJSON *command_request_arguments(const struct command_request *request)
{
        return request->object;
}

const cJSON *command_request_id(const struct command_request *request)
{
        return request->id;
}

const char *command_request_lease_token(const struct command_request *request)
{
        return request->lease_token ? request->lease_token->valuestring : NULL;
}

const char *command_request_name(const struct command_request *request)
{
        return request->entry->definition.name;
}

const struct command_principal *command_request_principal(const struct command_request *request)
{
        return &request->principal;
}

struct command_session *command_request_session(const struct command_request *request)
{
        return request->session;
}

struct command_registry *command_request_registry(const struct command_request *request)
{
        return request->registry;
}
