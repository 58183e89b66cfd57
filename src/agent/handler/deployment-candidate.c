/* Layers five and six: the module is loaded in a host that may become the one in service. */
#include "agent/handler/deployment-internal.h"

#include "agent/handler/module-name.h"
#include "command/registry.h"

#include <stdio.h>
#include <string.h>

static int copy_commands(struct deployment *deployment, const struct host_message *message)
{
        const char *names[HOST_COMMANDS_MAX], *descriptions[HOST_COMMANDS_MAX];

        for (size_t i = 0; i < message->loaded.commands_count; i++)
                host_message_command(message, i, &names[i], &descriptions[i]);
        return module_commands_copy(names, descriptions, message->loaded.commands_count,
                                    &deployment->commands);
}

/* False: refused. */
static bool command_is_free(struct deployment *deployment, const char *name)
{
        struct handler *handler = deployment->handler;
        const struct command_entry *entry = command_registry_find(handler->registry, name);
        const char *other;

        if (!module_command_name_is_valid(name)) {
                deployment_refuse(
                        deployment, DIAGNOSIS_PROTECTED,
                        "\"%.80s\" is no name for a command: a small letter, then small letters, "
                        "digits and underscores, at most %d",
                        name, HOST_COMMAND_NAME_MAX);
                return false;
        }
        if (entry && command_entry_definition(entry)->layer == COMMAND_LAYER_PROTECTED) {
                deployment_refuse(deployment, DIAGNOSIS_PROTECTED,
                                  "Protected command: %s belongs to %s and cannot be replaced",
                                  name, command_entry_source(entry));
                return false;
        }
        if (entry && command_entry_definition(entry)->layer == COMMAND_LAYER_DEPLOYED &&
            strcmp(command_entry_source(entry), runner_source(deployment->runner)) != 0) {
                deployment_refuse(deployment, DIAGNOSIS_PROTECTED,
                                  "The command %s belongs to %s already", name,
                                  command_entry_source(entry));
                return false;
        }
        other = deployments_claimant(handler->deployments, name, deployment->order.filename);
        if (other)
                deployment_refuse(
                        deployment, DIAGNOSIS_PROTECTED,
                        "The command %s is about to be that of %s, which is being deployed", name,
                        other);
        return !other;
}

static bool commands_are_good(struct deployment *deployment)
{
        const struct module_commands *commands = &deployment->commands;

        if (commands->count == 0) {
                deployment_refuse(deployment, DIAGNOSIS_IMPORT,
                                  "Import failed: %s exports no command",
                                  deployment->order.filename);
                return false;
        }
        for (size_t i = 0; i < commands->count; i++) {
                if (!command_is_free(deployment, commands->items[i].name))
                        return false;
                if (module_commands_find(commands, commands->items[i].name) !=
                    &commands->items[i]) {
                        deployment_refuse(deployment, DIAGNOSIS_IMPORT,
                                          "Import failed: the command %s stands there twice",
                                          commands->items[i].name);
                        return false;
                }
        }
        return true;
}

static void candidate_on_loaded(void *owner, struct host *host, const struct host_message *message)
{
        struct deployment *deployment = owner;
        const char *reason = message->loaded.self_test_reason;

        (void)host;
        if (deployment->concluded)
                return;
        if (message->loaded.commands_count > HOST_COMMANDS_MAX) {
                deployment_refuse(deployment, DIAGNOSIS_QUOTA,
                                  "%zu commands; a module has %d at most",
                                  message->loaded.commands_count, HOST_COMMANDS_MAX);
                return;
        }
        if (copy_commands(deployment, message) < 0) {
                deployment_fail(deployment, COMMAND_BUSY, "not enough memory; try again later");
                return;
        }
        if (!commands_are_good(deployment))
                return;
        if (message->loaded.self_test == HOST_SELF_TEST_FAILED) {
                deployment_refuse(deployment, DIAGNOSIS_RUNTIME, "Self-test failed: %s",
                                  reason[0] != '\0' ? reason : "self_test() returned False");
                return;
        }
        deployment->loaded = true;
        deployment_proceed(deployment);
}

/* What the host found wrong with the table of commands has the layer it has when the agent finds
 * it. A module may claim these types too, and gains another layer's name for its own failure. */
static enum diagnosis_layer layer_of_failure(const char *type)
{
        if (strcmp(type, HOST_FAILURE_BAD_COMMAND_NAME) == 0)
                return DIAGNOSIS_PROTECTED;
        if (strcmp(type, HOST_FAILURE_TOO_MANY_COMMANDS) == 0)
                return DIAGNOSIS_QUOTA;
        return DIAGNOSIS_IMPORT;
}

static void candidate_on_load_failed(void *owner, struct host *host,
                                     const struct host_message *message)
{
        struct deployment *deployment = owner;
        char text[DIAGNOSIS_MESSAGE_MAX + 1], line[48] = "";
        struct diagnosis_finding finding = {.message = text, .line = message->failed.line};
        enum diagnosis_layer layer = layer_of_failure(message->failed.type);

        (void)host;
        if (deployment->concluded)
                return;
        if (finding.line > 0 && layer == DIAGNOSIS_IMPORT)
                snprintf(line, sizeof(line), " at line %lld", (long long)finding.line);
        if (layer == DIAGNOSIS_IMPORT)
                snprintf(text, sizeof(text), "Import failed%s: %s%s%s", line, message->failed.type,
                         message->failed.message[0] != '\0' ? ": " : "", message->failed.message);
        else
                snprintf(text, sizeof(text), "%s", message->failed.message);
        (void)diagnosis_add_finding(&deployment->diagnosis, layer, &finding);
        if (message->failed.traceback[0] != '\0')
                (void)diagnosis_set_traceback(&deployment->diagnosis, message->failed.traceback);
        deployment_reject(deployment);
}

static void candidate_on_reply(void *owner, struct host *host, const struct host_message *message)
{
        (void)owner;
        (void)host;
        (void)message;
}

static void candidate_on_broken(void *owner, struct host *host, enum host_fault fault,
                                const char *why)
{
        struct deployment *deployment = owner;

        (void)host;
        deployment->candidate_dying = true;
        /* Too late to refuse it: in service it is started again, and on probation. */
        if (deployment->concluded || deployment->disk.step == DISK_COMMIT)
                return;
        if (fault == HOST_FAULT_SPAWNER || fault == HOST_FAULT_START)
                deployment_fail(deployment, COMMAND_NOT_READY,
                                "%s could not be tried out: its process %s; nothing was changed",
                                deployment->order.filename, why);
        else if (deployment->loaded)
                deployment_refuse(deployment, DIAGNOSIS_RUNTIME, "Runtime test failed: %s %s",
                                  deployment->order.filename, why);
        else
                deployment_refuse(deployment, DIAGNOSIS_IMPORT, "Import failed: %s %s",
                                  deployment->order.filename, why);
}

static void candidate_on_ended(void *owner, struct host *host, unsigned children_killed)
{
        struct deployment *deployment = owner;

        (void)children_killed;
        host_free(host);
        deployment->candidate = NULL;
        deployment_settle(deployment);
}

static const struct host_listener candidate_listener = {
        .on_loaded = candidate_on_loaded,
        .on_load_failed = candidate_on_load_failed,
        .on_reply = candidate_on_reply,
        .on_broken = candidate_on_broken,
        .on_ended = candidate_on_ended,
};

bool deployment_start_candidate(struct deployment *deployment)
{
        struct handler *handler = deployment->handler;
        int r = launch_host(handler->launch, handler->spawner, deployment->order.filename,
                            deployment->object_fd >= 0 ? deployment->object_fd
                                                       : deployment->code_fd,
                            runner_log(deployment->runner), &candidate_listener, deployment,
                            &deployment->candidate);

        if (r < 0)
                deployment_fail(deployment, COMMAND_NOT_READY,
                                "%s cannot be tried out now: its process could not be started: %s",
                                deployment->order.filename, strerror(-r));
        return r == 0;
}

void deployment_load_candidate(struct deployment *deployment)
{
        int r = host_load(deployment->candidate, true);

        /* One that has just ended tells so itself. */
        if (r < 0 && r != -EPIPE)
                deployment_fail(deployment, COMMAND_BUSY, "not enough memory; try again later");
}
