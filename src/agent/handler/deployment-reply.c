#include "agent/handler/deployment-internal.h"

#include "command/reply.h"

#include <stdio.h>
#include <string.h>

/* NULL: nobody waits, or was answered already. */
static struct command_request *take_request(struct deployment *deployment)
{
        deployment->answered = true;
        return TAKE(deployment->order.request);
}

static void write_commands(const struct module_commands *commands, struct json_writer *writer)
{
        json_write_integer(writer, "command_count", (int64_t)commands->count);
        json_write_array(writer, "commands");
        for (size_t i = 0; i < commands->count; i++)
                json_write_string(writer, NULL, commands->items[i].name);
        json_write_end(writer);
}

static void write_reload(const struct module_commands *commands, struct json_writer *writer)
{
        json_write_object(writer, "reload");
        json_write_bool(writer, "success", true);
        write_commands(commands, writer);
        json_write_end(writer);
}

static void write_path(const struct deployment *deployment, struct json_writer *writer)
{
        char path[sizeof("handlers/") + HANDLER_NAME_MAX];

        snprintf(path, sizeof(path), "handlers/%s", deployment->order.filename);
        json_write_string(writer, "filename", path);
}

static void write_backup(const char *backup, struct json_writer *writer)
{
        if (backup[0] != '\0')
                json_write_string(writer, "backup_created", backup);
        else
                json_write_null(writer, "backup_created");
}

/* What became of the former host, as far as that is known. */
static void write_drain(const struct deployment *deployment, struct json_writer *writer)
{
        if (deployment->drained)
                json_write_integer(writer, "children_killed", deployment->children_killed);
        else
                json_write_bool(writer, "draining", true);
}

static void write_version(const struct handler_version *version, struct json_writer *writer)
{
        json_write_string(writer, "sha256", version->sha256);
        json_write_string(writer, "version_state", handler_state_name(version->state));
}

static void write_committed(const struct deployment *deployment, struct json_writer *writer)
{
        const struct handler_committed *committed = &deployment->disk.committed;

        write_path(deployment, writer);
        write_backup(committed->backup, writer);
        if (committed->warning[0] != '\0')
                json_write_string(writer, "warning", committed->warning);
}

static void reply_checked(struct deployment *deployment, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, "handler_checked");
        char message[128];

        snprintf(message, sizeof(message), "Handler %s passed all checks; nothing was changed",
                 deployment->order.filename);
        json_write_string(writer, "message", message);
        write_path(deployment, writer);
        json_write_null(writer, "backup_created");
        json_write_bool(writer, "validation_passed", true);
        json_write_bool(writer, "dry_run", true);
        write_reload(&deployment->commands, writer);
        json_write_string(writer, "sha256", deployment->sha256);
        command_reply_send(request);
}

static void reply_reloaded(struct deployment *deployment, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, NULL);
        const struct runner_version *version = runner_version(deployment->runner);

        write_path(deployment, writer);
        write_commands(&version->commands, writer);
        write_version(&version->version, writer);
        write_drain(deployment, writer);
        command_reply_send(request);
}

static void reply_rolled_back(struct deployment *deployment, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, NULL);
        const struct runner_version *version = runner_version(deployment->runner);
        char message[160];

        snprintf(message, sizeof(message), "Handler %s rolled back to version %.12s",
                 deployment->order.filename, version->version.sha256);
        json_write_string(writer, "message", message);
        write_committed(deployment, writer);
        if (deployment->disk.found.backup[0] != '\0')
                json_write_string(writer, "restored_from", deployment->disk.found.backup);
        write_version(&version->version, writer);
        write_reload(&version->commands, writer);
        write_drain(deployment, writer);
        command_reply_send(request);
}

static void reply_updated(struct deployment *deployment, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, "handler_updated");
        const struct runner_version *version = runner_version(deployment->runner);
        char message[160];

        snprintf(message, sizeof(message), "Handler %s updated successfully with safety checks",
                 deployment->order.filename);
        json_write_string(writer, "message", message);
        write_committed(deployment, writer);
        json_write_bool(writer, "validation_passed", true);
        write_reload(&version->commands, writer);
        write_version(&version->version, writer);
        write_drain(deployment, writer);
        command_reply_send(request);
}

void deployment_reply_done(struct deployment *deployment)
{
        struct command_request *request = take_request(deployment);

        if (!request)
                return;
        switch (deployment->order.kind) {
        case DEPLOYMENT_CHECK:
                reply_checked(deployment, request);
                return;
        case DEPLOYMENT_RELOAD:
                reply_reloaded(deployment, request);
                return;
        case DEPLOYMENT_ROLLBACK:
                reply_rolled_back(deployment, request);
                return;
        case DEPLOYMENT_UPDATE:
                if (deployment->order.local)
                        reply_reloaded(deployment, request);
                else
                        reply_updated(deployment, request);
                return;
        case DEPLOYMENT_REMOVE:
                deployment->order.request = request;
                deployment_reply_removed(deployment);
                return;
        }
}

void deployment_reply_unchanged(struct deployment *deployment)
{
        struct command_request *request = take_request(deployment);
        const struct runner_version *version = runner_version(deployment->runner);
        struct json_writer *writer;
        char message[160];

        if (!request)
                return;
        snprintf(message, sizeof(message), "Handler %s is this very code already",
                 deployment->order.filename);
        writer = command_reply_open(request, "handler_updated");
        json_write_string(writer, "message", message);
        json_write_bool(writer, "unchanged", true);
        write_path(deployment, writer);
        json_write_null(writer, "backup_created");
        json_write_bool(writer, "validation_passed", true);
        write_reload(&version->commands, writer);
        write_version(&version->version, writer);
        command_reply_send(request);
}

void deployment_reply_removed(struct deployment *deployment)
{
        struct command_request *request = take_request(deployment);
        struct json_writer *writer;
        char message[160];

        if (!request)
                return;
        snprintf(message, sizeof(message), "Handler %s removed", deployment->order.filename);
        writer = command_reply_open(request, NULL);
        json_write_string(writer, "message", message);
        write_committed(deployment, writer);
        write_drain(deployment, writer);
        command_reply_send(request);
}

void handler_reply_rejected(struct command_request *request, const struct diagnosis *diagnosis)
{
        const char *sentence = diagnosis_sentence(diagnosis);
        bool too_large = diagnosis->layer == DIAGNOSIS_QUOTA;
        struct json_writer *writer;

        writer = command_reply_open_refusal(
                request, "handler_rejected", too_large ? COMMAND_TOO_LARGE : COMMAND_BAD_VALUE,
                "Code validation failed: %s", sentence ? sentence : "no memory to say why");
        json_write_object(writer, "validation_details");
        diagnosis_write(diagnosis, writer);
        json_write_end(writer);
        command_reply_send(request);
}

void deployment_reply_rejected(struct deployment *deployment)
{
        struct command_request *request = take_request(deployment);

        if (request)
                handler_reply_rejected(request, &deployment->diagnosis);
}

void deployment_reply_failed(struct deployment *deployment, enum command_code code,
                             const char *sentence)
{
        struct command_request *request = take_request(deployment);

        if (request)
                command_reply_fail(request, code, "%s", sentence);
}
