#include "agent/handler/deployment-internal.h"

#include "agent/handler/module-name.h"
#include "agent/handler/source-text.h"
#include "base/attributes.h"
#include "command/registry.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void settle(struct deployment *deployment);
static void proceed(struct deployment *deployment);

void deployment_order_done(struct deployment_order *order)
{
        free(order->code);
        free(order->signature);
        *order = (struct deployment_order){0};
}

/* --- its ends ---------------------------------------------------------------------------- */

static void kill_candidate(struct deployment *deployment)
{
        if (deployment->candidate && !deployment->candidate_dying) {
                deployment->candidate_dying = true;
                host_kill(deployment->candidate);
        }
}

/* `outcome` NULL: the update log has it already. */
static void conclude(struct deployment *deployment, const char *outcome, const char *layer,
                     const char *message)
{
        struct deployment_disk *disk = &deployment->disk;

        deployment->concluded = true;
        deployment->validation = validation_free(deployment->validation);
        kill_candidate(deployment);
        disk->outcome = outcome;
        disk->layer = layer;
        snprintf(disk->message, sizeof(disk->message), "%s", message ? message : "");
        if (!outcome && disk->change == 0)
                deployment->end_written = true;
        settle(deployment);
}

/* Is everything over? Then it is told, and `deployment` may be gone. */
static void settle(struct deployment *deployment)
{
        if (!deployment->concluded || deployment->disk.step != DISK_IDLE)
                return;
        if (!deployment->end_written) {
                deployment->end_written = true;
                if (deployment_disk_submit(deployment, DISK_END) == 0)
                        return;
        }
        if (deployment->candidate || (deployment->switched && !deployment->drained))
                return;
        deployment->ended(deployment->owner, deployment);
}

static void reject(struct deployment *deployment)
{
        const char *sentence = diagnosis_sentence(&deployment->diagnosis);
        const char *layer = diagnosis_layer_name(deployment->diagnosis.layer);

        handler_publish(deployment->handler, HANDLER_EVENT_REJECTED, deployment->order.filename,
                        "%s: %s", layer, sentence ? sentence : "");
        deployment_reply_rejected(deployment);
        conclude(deployment, "rejected", layer, sentence);
}

static void refuse(struct deployment *deployment, enum diagnosis_layer layer, const char *format,
                   ...) PRINTF_LIKE(3, 4);

static void refuse(struct deployment *deployment, enum diagnosis_layer layer, const char *format,
                   ...)
{
        char text[DIAGNOSIS_MESSAGE_MAX + 1];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void)diagnosis_add(&deployment->diagnosis, layer, "%s", text);
        reject(deployment);
}

/* Not the module's fault. */
static void fail(struct deployment *deployment, enum command_code code, const char *format, ...)
        PRINTF_LIKE(3, 4);

static void fail(struct deployment *deployment, enum command_code code, const char *format, ...)
{
        char text[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        handler_publish(deployment->handler, HANDLER_EVENT_REJECTED, deployment->order.filename,
                        "%s", text);
        deployment_reply_failed(deployment, code, text);
        conclude(deployment, "failed", NULL, text);
}

static void disk_submit(struct deployment *deployment, enum deployment_disk_step step)
{
        if (deployment_disk_submit(deployment, step) < 0)
                fail(deployment, COMMAND_BUSY, "the disk has too much to do; try again later");
}

/* --- into service ------------------------------------------------------------------------ */

static void finish(struct deployment *deployment)
{
        struct runner *runner = deployment->runner;

        loop_timer_stop(&deployment->drain);
        if (!deployment->drained)
                runner_forget_drained(runner, deployment);
        deployment_reply_done(deployment);
        deployment->drained = true;
        conclude(deployment, deployment->disk.reenabled ? "reloaded" : NULL, NULL, NULL);
}

static void on_drained(void *context, unsigned children_killed)
{
        struct deployment *deployment = context;

        deployment->drained = true;
        deployment->children_killed = children_killed;
        finish(deployment);
}

/* A former host that is at work for long is not waited for. */
static void on_drain_time(struct loop_timer *timer)
{
        finish(container_of(timer, struct deployment, drain));
}

static void put_into_service(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        bool stays = deployment->order.kind == DEPLOYMENT_RELOAD || deployment->in_place;
        struct host *host = deployment->candidate_dying ? NULL : TAKE(deployment->candidate);
        struct runner_version version = {
                .version = stays ? deployment->version : disk->committed.version,
                .code_fd = deployment->object_fd >= 0 ? deployment->object_fd : deployment->code_fd,
                .commands = deployment->commands,
        };
        struct error error;
        int r;

        handler_publish(deployment->handler, HANDLER_EVENT_DEPLOYED, deployment->order.filename,
                        "sha256=%.12s by=\"%s\" from=%s%s%s", version.version.sha256,
                        deployment->order.who, deployment->order.from,
                        disk->committed.warning[0] != '\0' ? " warning: " : "",
                        disk->committed.warning);
        deployment->switched = true;
        loop_timer_start(&deployment->drain, DEPLOYMENT_DRAIN_MS);
        if (deployment->object_fd >= 0)
                deployment->object_fd = -1;
        else
                deployment->code_fd = -1;
        deployment->commands = (struct module_commands){0};
        r = runner_switch(deployment->runner, &version, host, on_drained, deployment, &error);
        if (r == 0)
                return;
        /* Only for want of memory: names were looked at, and claimed. */
        runner_version_done(&version);
        deployment->candidate = deployment->candidate_dying ? deployment->candidate : host;
        loop_timer_stop(&deployment->drain);
        deployment->drained = true;
        fail(deployment, COMMAND_BUSY,
             "%s is in place on the disk but cannot be put to work: %s; try reload_handler",
             deployment->order.filename, error.text);
}

/* Goes on when all that has to be there is. */
static void proceed(struct deployment *deployment)
{
        if (deployment->concluded || !deployment->validated || !deployment->loaded ||
            !deployment->staged || deployment->disk.step != DISK_IDLE)
                return;
        if (deployment->order.kind == DEPLOYMENT_CHECK) {
                deployment_reply_done(deployment);
                conclude(deployment, "checked", NULL, NULL);
        } else if (deployment->order.kind == DEPLOYMENT_RELOAD || deployment->in_place) {
                deployment->disk.reenabled = true;
                put_into_service(deployment);
        } else {
                disk_submit(deployment, DISK_COMMIT);
        }
}

/* --- layers five and six: the candidate -------------------------------------------------- */

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
                refuse(deployment, DIAGNOSIS_PROTECTED,
                       "\"%.80s\" is no name for a command: a small letter, then small letters, "
                       "digits and underscores, at most %d",
                       name, HOST_COMMAND_NAME_MAX);
                return false;
        }
        if (entry && command_entry_definition(entry)->layer == COMMAND_LAYER_PROTECTED) {
                refuse(deployment, DIAGNOSIS_PROTECTED,
                       "Protected command: %s belongs to %s and cannot be replaced", name,
                       command_entry_source(entry));
                return false;
        }
        if (entry && command_entry_definition(entry)->layer == COMMAND_LAYER_DEPLOYED &&
            strcmp(command_entry_source(entry), runner_source(deployment->runner)) != 0) {
                refuse(deployment, DIAGNOSIS_PROTECTED, "The command %s belongs to %s already",
                       name, command_entry_source(entry));
                return false;
        }
        other = deployments_claimant(handler->deployments, name, deployment->order.filename);
        if (other)
                refuse(deployment, DIAGNOSIS_PROTECTED,
                       "The command %s is about to be that of %s, which is being deployed", name,
                       other);
        return !other;
}

static bool commands_are_good(struct deployment *deployment)
{
        const struct module_commands *commands = &deployment->commands;

        if (commands->count == 0) {
                refuse(deployment, DIAGNOSIS_IMPORT, "Import failed: %s exports no command",
                       deployment->order.filename);
                return false;
        }
        for (size_t i = 0; i < commands->count; i++) {
                if (!command_is_free(deployment, commands->items[i].name))
                        return false;
                if (module_commands_find(commands, commands->items[i].name) !=
                    &commands->items[i]) {
                        refuse(deployment, DIAGNOSIS_IMPORT,
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
                refuse(deployment, DIAGNOSIS_QUOTA, "%zu commands; a module has %d at most",
                       message->loaded.commands_count, HOST_COMMANDS_MAX);
                return;
        }
        if (copy_commands(deployment, message) < 0) {
                fail(deployment, COMMAND_BUSY, "not enough memory; try again later");
                return;
        }
        if (!commands_are_good(deployment))
                return;
        if (message->loaded.self_test == HOST_SELF_TEST_FAILED) {
                refuse(deployment, DIAGNOSIS_RUNTIME, "Self-test failed: %s",
                       reason[0] != '\0' ? reason : "self_test() returned False");
                return;
        }
        deployment->loaded = true;
        proceed(deployment);
}

static void candidate_on_load_failed(void *owner, struct host *host,
                                     const struct host_message *message)
{
        struct deployment *deployment = owner;
        char text[DIAGNOSIS_MESSAGE_MAX + 1], line[48] = "";
        struct diagnosis_finding finding = {.message = text, .line = message->failed.line};

        (void)host;
        if (deployment->concluded)
                return;
        if (finding.line > 0)
                snprintf(line, sizeof(line), " at line %lld", (long long)finding.line);
        snprintf(text, sizeof(text), "Import failed%s: %s%s%s", line, message->failed.type,
                 message->failed.message[0] != '\0' ? ": " : "", message->failed.message);
        (void)diagnosis_add_finding(&deployment->diagnosis, DIAGNOSIS_IMPORT, &finding);
        if (message->failed.traceback[0] != '\0')
                (void)diagnosis_set_traceback(&deployment->diagnosis, message->failed.traceback);
        reject(deployment);
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
                fail(deployment, COMMAND_NOT_READY,
                     "%s could not be tried out: its process %s; nothing was changed",
                     deployment->order.filename, why);
        else if (deployment->loaded)
                refuse(deployment, DIAGNOSIS_RUNTIME, "Runtime test failed: %s %s",
                       deployment->order.filename, why);
        else
                refuse(deployment, DIAGNOSIS_IMPORT, "Import failed: %s %s",
                       deployment->order.filename, why);
}

static void candidate_on_ended(void *owner, struct host *host, unsigned children_killed)
{
        struct deployment *deployment = owner;

        (void)children_killed;
        host_free(host);
        deployment->candidate = NULL;
        settle(deployment);
}

static const struct host_listener candidate_listener = {
        .on_loaded = candidate_on_loaded,
        .on_load_failed = candidate_on_load_failed,
        .on_reply = candidate_on_reply,
        .on_broken = candidate_on_broken,
        .on_ended = candidate_on_ended,
};

/* False: it failed. */
static bool start_candidate(struct deployment *deployment)
{
        struct handler *handler = deployment->handler;
        int r = launch_host(handler->launch, handler->spawner, deployment->order.filename,
                            deployment->object_fd >= 0 ? deployment->object_fd
                                                       : deployment->code_fd,
                            runner_log(deployment->runner), &candidate_listener, deployment,
                            &deployment->candidate);

        if (r < 0)
                fail(deployment, COMMAND_NOT_READY,
                     "%s cannot be tried out now: its process could not be started: %s",
                     deployment->order.filename, strerror(-r));
        return r == 0;
}

static void load_candidate(struct deployment *deployment)
{
        int r = host_load(deployment->candidate, true);

        /* One that has just ended tells so itself. */
        if (r < 0 && r != -EPIPE)
                fail(deployment, COMMAND_BUSY, "not enough memory; try again later");
}

/* --- layers one to four: the validator --------------------------------------------------- */

static void on_validated(void *owner, enum validation_verdict verdict, const char *why)
{
        struct deployment *deployment = owner;

        deployment->validation = validation_free(deployment->validation);
        if (deployment->concluded)
                return;
        if (verdict == VALIDATION_FAILED) {
                fail(deployment, COMMAND_NOT_READY,
                     "%s could not be checked: %s; nothing was changed", deployment->order.filename,
                     why);
                return;
        }
        if (verdict == VALIDATION_REFUSED) {
                reject(deployment);
                return;
        }
        if (deployment->object_fd >= 0 &&
            source_text_close_writing(deployment->object_fd, HANDLER_OBJECT_MAX) < 0) {
                refuse(deployment, DIAGNOSIS_QUOTA,
                       "What the compiler made of %s is larger than %d MiB, or nothing",
                       deployment->order.filename, HANDLER_OBJECT_MAX >> 20);
                return;
        }
        deployment->validated = true;
        load_candidate(deployment);
        if (deployment->concluded)
                return;
        if (deployment->order.kind == DEPLOYMENT_CHECK ||
            deployment->order.kind == DEPLOYMENT_RELOAD)
                deployment->staged = true;
        else
                disk_submit(deployment, DISK_STAGE);
}

static void start_validation(struct deployment *deployment)
{
        struct handler *handler = deployment->handler;
        const struct validation_setup setup = {
                .loop = handler->loop,
                .spawner = handler->spawner,
                .launch = handler->launch,
                .filename = deployment->order.filename,
                .code_fd = deployment->code_fd,
                .object_fd = deployment->object_fd,
                .diagnosis = &deployment->diagnosis,
        };
        int r = validation_start(&setup, on_validated, deployment, &deployment->validation);

        if (r < 0)
                fail(deployment, COMMAND_NOT_READY,
                     "%s could not be checked: the validator could not be started: %s",
                     deployment->order.filename, strerror(-r));
}

/* --- name, size, signature --------------------------------------------------------------- */

static bool signature_is_good(struct deployment *deployment)
{
        const struct handler_config *config = deployment->handler->config;
        const struct deployment_order *order = &deployment->order;
        struct minisign_key keys[HANDLER_CONFIG_KEYS_MAX];
        size_t count = handler_config_keys(config, keys);
        struct error error;

        if (!order->signature) {
                if (config->require_signature)
                        refuse(deployment, DIAGNOSIS_SECURITY,
                               "Signature missing: only code signed by a trusted key is accepted "
                               "(pifleet sign makes one)");
                return !config->require_signature;
        }
        if (minisign_verify(order->signature, strlen(order->signature), order->code, order->length,
                            keys, count, NULL, &error) == 0)
                return true;
        refuse(deployment, DIAGNOSIS_SECURITY, "Signature refused: %s", error.text);
        return false;
}

/* False: it is over. */
static bool check_code(struct deployment *deployment)
{
        const struct deployment_order *order = &deployment->order;
        bool fresh = order->kind == DEPLOYMENT_UPDATE || order->kind == DEPLOYMENT_CHECK;
        int r;

        if (order->length > HANDLER_SOURCE_MAX) {
                refuse(deployment, DIAGNOSIS_QUOTA,
                       "The code has %zu bytes; a module has %d at most", order->length,
                       HANDLER_SOURCE_MAX);
                return false;
        }
        if (fresh && !signature_is_good(deployment))
                return false;
        handler_sha256(order->code, order->length, deployment->sha256);
        if (order->kind == DEPLOYMENT_UPDATE && runner_disabled(deployment->runner)[0] == '\0' &&
            strcmp(deployment->sha256, runner_version(deployment->runner)->version.sha256) == 0) {
                deployment_reply_unchanged(deployment);
                conclude(deployment, NULL, NULL, NULL);
                return false;
        }
        r = source_text_seal(order->filename, order->code, order->length, &deployment->code_fd);
        if (r == 0 && launch_is_compiled(order->filename))
                r = source_text_open(order->filename, &deployment->object_fd);
        if (r < 0)
                fail(deployment, COMMAND_BUSY, "no room in memory for %s: %s", order->filename,
                     strerror(-r));
        return r == 0;
}

static void try_out(struct deployment *deployment)
{
        if (!check_code(deployment) || !start_candidate(deployment))
                return;
        if (deployment->order.kind == DEPLOYMENT_RELOAD && deployment->object_fd < 0) {
                deployment->validated = deployment->staged = true;
                load_candidate(deployment);
        } else {
                start_validation(deployment);
        }
}

/* --- the disk's answers ------------------------------------------------------------------ */

static void on_found(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;

        if (disk->result < 0) {
                fail(deployment,
                     disk->result == -ENOENT                                ? COMMAND_NO_DEVICE
                     : disk->result == -EINVAL || disk->result == -EALREADY ? COMMAND_BAD_VALUE
                                                                            : COMMAND_HARDWARE,
                     "%s", disk->error.text);
                return;
        }
        if (disk->dropped) {
                deployment->order.kind = DEPLOYMENT_UPDATE;
                deployment->order.local = true;
        }
        deployment->version = disk->found;
        try_out(deployment);
}

static void on_staged(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;

        if (disk->result < 0) {
                fail(deployment, disk->result == -EBUSY ? COMMAND_BUSY : COMMAND_HARDWARE,
                     "%s cannot be written to the disk: %s; nothing was changed",
                     deployment->order.filename, disk->error.text);
                return;
        }
        if (disk->result == HANDLER_UNCHANGED) {
                deployment->in_place = true;
                deployment->version = disk->found;
        }
        deployment->staged = true;
        proceed(deployment);
}

static void on_committed(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;

        if (disk->result < 0) {
                fail(deployment, COMMAND_HARDWARE,
                     "%s cannot be put into place: %s; what was there before still is",
                     deployment->order.filename, disk->error.text);
                return;
        }
        put_into_service(deployment);
}

static void on_removed(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;

        if (disk->result < 0) {
                fail(deployment, disk->result == -ENOENT ? COMMAND_NO_DEVICE : COMMAND_HARDWARE,
                     "%s", disk->error.text);
                return;
        }
        handler_publish(deployment->handler, HANDLER_EVENT_REMOVED, deployment->order.filename,
                        "by=\"%s\" from=%s", deployment->order.who, deployment->order.from);
        deployment->switched = true;
        loop_timer_start(&deployment->drain, DEPLOYMENT_DRAIN_MS);
        runner_withdraw(deployment->runner, on_drained, deployment);
}

void deployment_on_disk(struct deployment *deployment, bool ran)
{
        enum deployment_disk_step step = deployment->disk.step;

        deployment->disk.step = DISK_IDLE;
        if (!ran) {
                deployment->end_written = true; /* the store thread has stopped */
                if (!deployment->concluded)
                        fail(deployment, COMMAND_NOT_READY, "the agent is stopping");
                else
                        settle(deployment);
                return;
        }
        if (deployment->concluded) {
                settle(deployment);
                return;
        }
        switch (step) {
        case DISK_FIND:
                on_found(deployment);
                return;
        case DISK_STAGE:
                on_staged(deployment);
                return;
        case DISK_COMMIT:
                on_committed(deployment);
                return;
        case DISK_REMOVE:
                on_removed(deployment);
                return;
        case DISK_END:
        case DISK_IDLE:
                return;
        }
}

/* --- its life ---------------------------------------------------------------------------- */

int deployment_new(struct handler *handler, struct deployment_order *order,
                   deployment_ended_fn *ended, void *owner, struct deployment **ret)
{
        struct deployment *deployment = calloc(1, sizeof(*deployment));

        if (!deployment)
                return -ENOMEM;
        list_init(&deployment->link);
        deployment->handler = handler;
        deployment->order = *order;
        *order = (struct deployment_order){0};
        deployment->ended = ended;
        deployment->owner = owner;
        deployment->code_fd = deployment->object_fd = -1;
        diagnosis_init(&deployment->diagnosis);
        loop_timer_init(&deployment->drain, handler->loop, on_drain_time);
        *ret = deployment;
        return 0;
}

struct deployment *deployment_free(struct deployment *deployment)
{
        if (!deployment)
                return NULL;
        deployment_reply_failed(deployment, COMMAND_NOT_READY, "the agent is stopping");
        loop_timer_stop(&deployment->drain);
        if (deployment->runner)
                runner_forget_drained(deployment->runner, deployment);
        validation_free(deployment->validation);
        host_free(deployment->candidate);
        if (deployment->code_fd >= 0)
                close(deployment->code_fd);
        if (deployment->object_fd >= 0)
                close(deployment->object_fd);
        module_commands_done(&deployment->commands);
        diagnosis_done(&deployment->diagnosis);
        deployment_order_done(&deployment->order);
        free(deployment);
        return NULL;
}

void deployment_begin(struct deployment *deployment)
{
        struct handler *handler = deployment->handler;
        struct error error;
        int r;

        if (handler->closed[0] != '\0') {
                fail(deployment, COMMAND_HARDWARE, "modules cannot be changed: %s",
                     handler->closed);
                return;
        }
        if (module_name_check(deployment->order.filename, &error) < 0) {
                refuse(deployment, DIAGNOSIS_PROTECTED, "%s", error.text);
                return;
        }
        r = handler_add_runner(handler, deployment->order.filename, &deployment->runner);
        if (r < 0) {
                refuse(deployment, DIAGNOSIS_QUOTA, "%s: %s", deployment->order.filename,
                       r == -ENOSPC ? "no more modules fit" : "not enough memory");
                return;
        }
        switch (deployment->order.kind) {
        case DEPLOYMENT_UPDATE:
        case DEPLOYMENT_CHECK:
                try_out(deployment);
                return;
        case DEPLOYMENT_ROLLBACK:
        case DEPLOYMENT_RELOAD:
                disk_submit(deployment, DISK_FIND);
                return;
        case DEPLOYMENT_REMOVE:
                disk_submit(deployment, DISK_REMOVE);
                return;
        }
}

void deployment_abort(struct deployment *deployment)
{
        deployment_reply_failed(deployment, COMMAND_NOT_READY,
                                "the agent is stopping; whatever was not committed is as before");
}

const char *deployment_filename(const struct deployment *deployment)
{
        return deployment->order.filename;
}

bool deployment_claims(const struct deployment *deployment, const char *command)
{
        return !deployment->concluded &&
               module_commands_find(&deployment->commands, command) != NULL;
}

struct list *deployment_link(struct deployment *deployment)
{
        return &deployment->link;
}

struct deployment *deployment_of_link(struct list *link)
{
        return container_of(link, struct deployment, link);
}
