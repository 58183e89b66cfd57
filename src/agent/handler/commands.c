/* The commands about modules. What they may be called with is in their schemas; names are
 * looked at here, before anything waits. */
#include "agent/handler/handler-internal.h"
#include "agent/handler/module-name.h"

#include "command/reply.h"
#include "command/request.h"
#include "data/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE "builtin/handlers"

enum {
        DEPLOY_TIMEOUT_MS = 120000,
        LOG_LINES_DEFAULT = 100,
        LOG_ENTRIES_DEFAULT = 50,
};

/* --- changes ----------------------------------------------------------------------------- */

static int copy_text(const cJSON *arguments, const char *name, char **ret, size_t *ret_length)
{
        const char *text = json_get_string(arguments, name);

        if (!text)
                return 0;
        *ret = strdup(text);
        if (!*ret)
                return -ENOMEM;
        if (ret_length)
                *ret_length = strlen(*ret);
        return 0;
}

static void take_origin(struct command_request *request, struct deployment_order *order)
{
        const struct command_principal *principal = command_request_principal(request);
        const struct command_session *session = command_request_session(request);

        snprintf(order->who, sizeof(order->who), "%s", principal->name);
        if (session)
                snprintf(order->from, sizeof(order->from), "%.15s %.*s", session->transport,
                         COMMAND_ORIGIN_MAX, session->origin);
}

/* A deployment that is refused for its name is refused as any other is. */
static int refuse_name(struct command_request *request, const char *sentence)
{
        struct diagnosis diagnosis;

        diagnosis_init(&diagnosis);
        (void)diagnosis_add(&diagnosis, DIAGNOSIS_PROTECTED, "%s", sentence);
        handler_reply_rejected(request, &diagnosis);
        diagnosis_done(&diagnosis);
        return 0;
}

static int fill_order(struct command_request *request, enum deployment_kind kind,
                      struct deployment_order *order)
{
        const cJSON *arguments = command_request_arguments(request);
        const char *version = json_get_string(arguments, "version");
        int r;

        *order = (struct deployment_order){.kind = kind, .request = request};
        snprintf(order->filename, sizeof(order->filename), "%s",
                 json_get_string(arguments, "filename"));
        snprintf(order->version, sizeof(order->version), "%s", version ? version : "");
        take_origin(request, order);
        r = copy_text(arguments, "code", &order->code, &order->length);
        if (r == 0)
                r = copy_text(arguments, "signature", &order->signature, NULL);
        return r;
}

static int deploy(struct handler *handler, struct command_request *request,
                  enum deployment_kind kind)
{
        const char *filename = json_get_string(command_request_arguments(request), "filename");
        struct deployment_order order;
        struct error error;
        int r;

        if (handler->stopped)
                return command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
        if (module_name_check(filename, &error) < 0) {
                if (kind == DEPLOYMENT_UPDATE || kind == DEPLOYMENT_CHECK)
                        return refuse_name(request, error.text);
                return command_reply_fail(request, COMMAND_BAD_VALUE, "%s", error.text);
        }
        r = fill_order(request, kind, &order);
        if (r == 0)
                r = deployments_submit(handler->deployments, &order);
        deployment_order_done(&order);
        if (r == -EAGAIN)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "%d changes of modules wait already; try again later",
                                          DEPLOYMENTS_WAITING_MAX);
        return r < 0 ? r : COMMAND_PENDING;
}

static int run_update_handler(void *owner, struct command_request *request)
{
        bool dry_run = false;

        (void)json_get_bool(command_request_arguments(request), "dry_run", &dry_run);
        return deploy(owner, request, dry_run ? DEPLOYMENT_CHECK : DEPLOYMENT_UPDATE);
}

static int run_rollback_handler(void *owner, struct command_request *request)
{
        return deploy(owner, request, DEPLOYMENT_ROLLBACK);
}

static int run_reload_handler(void *owner, struct command_request *request)
{
        return deploy(owner, request, DEPLOYMENT_RELOAD);
}

static int run_remove_handler(void *owner, struct command_request *request)
{
        return deploy(owner, request, DEPLOYMENT_REMOVE);
}

/* --- questions --------------------------------------------------------------------------- */

/* 0: *ret is a name, or NULL for all; else the request has its reply. */
static int take_filename(struct command_request *request, const char **ret)
{
        struct error error;

        *ret = json_get_string(command_request_arguments(request), "filename");
        if (!*ret || module_name_check(*ret, &error) == 0)
                return 0;
        command_reply_fail(request, COMMAND_BAD_VALUE, "%s", error.text);
        return -EINVAL;
}

static int ask_disk(struct handler *handler, struct command_request *request,
                    enum question_kind kind)
{
        int64_t limit = LOG_ENTRIES_DEFAULT;
        const char *filename;

        (void)json_get_integer(command_request_arguments(request), "limit", &limit);
        if (take_filename(request, &filename) < 0)
                return 0;
        if (handler->stopped)
                return command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
        return question_ask_disk(handler, request, kind, filename, (size_t)limit);
}

static int run_list_backups(void *owner, struct command_request *request)
{
        return ask_disk(owner, request, QUESTION_BACKUPS);
}

static int run_update_log(void *owner, struct command_request *request)
{
        return ask_disk(owner, request, QUESTION_LOG);
}

static int run_get_handler(void *owner, struct command_request *request)
{
        return ask_disk(owner, request, QUESTION_CODE);
}

static int refuse_unknown_module(struct command_request *request, const char *filename)
{
        return command_reply_fail(request, COMMAND_NO_DEVICE,
                                  "there is no module %s; handler_stats shows which there are",
                                  filename);
}

static int run_handler_logs(void *owner, struct command_request *request)
{
        struct handler *handler = owner;
        struct json_writer *writer;
        struct runner *runner;
        const char *filename;
        int64_t lines = LOG_LINES_DEFAULT;

        if (take_filename(request, &filename) < 0)
                return 0;
        runner = handler_runner(handler, filename);
        if (!runner)
                return refuse_unknown_module(request, filename);
        (void)json_get_integer(command_request_arguments(request), "lines", &lines);
        writer = command_reply_open(request, NULL);
        json_write_string(writer, "filename", runner_source(runner));
        json_write_array(writer, "lines");
        host_log_write(runner_log(runner), (size_t)lines, writer);
        json_write_end(writer);
        json_write_integer(writer, "lost", (int64_t)host_log_lost(runner_log(runner)));
        return command_reply_send(request);
}

static int run_handler_stats(void *owner, struct command_request *request)
{
        struct handler *handler = owner;
        const char *filename;

        if (take_filename(request, &filename) < 0)
                return 0;
        if (handler->stopped)
                return command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
        if (filename && !handler_runner(handler, filename))
                return refuse_unknown_module(request, filename);
        return question_ask_usage(handler, request, filename);
}

/* --- their table ------------------------------------------------------------------------- */

#define FILENAME                                                                                   \
        "\"filename\":{\"type\":\"string\",\"description\":\"a module's file name\","              \
        "\"examples\":[\"camera_handlers.py\"]}"
#define SCHEMA_FILENAME                                                                            \
        "{\"type\":\"object\",\"properties\":{" FILENAME "},\"required\":[\"filename\"]}"

static const struct command definitions[] = {
        {.name = "update_handler",
         .description = "Checks a module's code and puts it into service; the version before "
                        "goes on serving until then, and stays when a check fails",
         .schema = "{\"type\":\"object\",\"properties\":{" FILENAME
                   ",\"code\":{\"type\":\"string\"},\"signature\":{\"type\":\"string\","
                   "\"maxLength\":4096,\"description\":\"minisign's, of the code\"},"
                   "\"dry_run\":{\"type\":\"boolean\",\"default\":false,\"description\":"
                   "\"only check\"}},\"required\":[\"filename\",\"code\"]}",
         .role = COMMAND_ROLE_DEPLOYER,
         .changes = true,
         .timeout_ms = DEPLOY_TIMEOUT_MS,
         .run = run_update_handler},
        {.name = "rollback_handler",
         .description = "Puts an earlier version of a module into service, the last good one or "
                        "one that list_backups shows",
         .schema = "{\"type\":\"object\",\"properties\":{" FILENAME
                   ",\"version\":{\"type\":\"string\",\"maxLength\":159,\"description\":"
                   "\"a backup's file, or the first digits of a sha256\"}},"
                   "\"required\":[\"filename\"]}",
         .role = COMMAND_ROLE_DEPLOYER,
         .changes = true,
         .timeout_ms = DEPLOY_TIMEOUT_MS,
         .run = run_rollback_handler},
        {.name = "reload_handler",
         .description = "Starts a module anew, with the file in handlers/ when that was changed",
         .schema = SCHEMA_FILENAME,
         .role = COMMAND_ROLE_DEPLOYER,
         .changes = true,
         .timeout_ms = DEPLOY_TIMEOUT_MS,
         .run = run_reload_handler},
        {.name = "remove_handler",
         .description = "Takes a module out of service; a backup stays",
         .schema = SCHEMA_FILENAME,
         .role = COMMAND_ROLE_DEPLOYER,
         .changes = true,
         .timeout_ms = DEPLOY_TIMEOUT_MS,
         .run = run_remove_handler},
        {.name = "list_backups",
         .description = "The versions of modules that rollback_handler can go back to",
         .schema = "{\"type\":\"object\",\"properties\":{" FILENAME "}}",
         .role = COMMAND_ROLE_VIEWER,
         .run = run_list_backups},
        {.name = "update_log",
         .description = "Who changed which module when, from where, and what came of it",
         .schema = "{\"type\":\"object\",\"properties\":{" FILENAME
                   ",\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
                   "\"default\":50}}}",
         .role = COMMAND_ROLE_VIEWER,
         .run = run_update_log},
        {.name = "handler_logs",
         .description = "What a module printed, newest last",
         .schema = "{\"type\":\"object\",\"properties\":{" FILENAME
                   ",\"lines\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
                   "\"default\":100}},\"required\":[\"filename\"]}",
         .role = COMMAND_ROLE_VIEWER,
         .run = run_handler_logs},
        {.name = "handler_stats",
         .description = "How modules and their commands fare: calls, errors, latencies, memory, "
                        "restarts, and which walls stand around them",
         .schema = "{\"type\":\"object\",\"properties\":{" FILENAME "}}",
         .role = COMMAND_ROLE_VIEWER,
         .run = run_handler_stats},
        {.name = "get_handler",
         .description = "The code of a module that is in place",
         .schema = SCHEMA_FILENAME,
         .role = COMMAND_ROLE_VIEWER,
         .run = run_get_handler},
};

int handler_register_commands(struct handler *handler, struct error *error)
{
        return command_registry_add(handler->registry, definitions, ARRAY_SIZE(definitions), SOURCE,
                                    handler, error);
}

void handler_unregister_commands(struct handler *handler)
{
        command_registry_remove(handler->registry, SOURCE);
}
