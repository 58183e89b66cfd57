#include "agent/handler/deployment-internal.h"

#include "agent/handler/module-name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void deployment_order_done(struct deployment_order *order)
{
        free(order->code);
        free(order->signature);
        *order = (struct deployment_order){0};
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
        deployment_conclude(deployment, deployment->disk.reenabled ? "reloaded" : NULL, NULL, NULL);
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
        deployment_fail(
                deployment, COMMAND_BUSY,
                "%s is in place on the disk but cannot be put to work: %s; try reload_handler",
                deployment->order.filename, error.text);
}

void deployment_proceed(struct deployment *deployment)
{
        if (deployment->concluded || !deployment->validated || !deployment->loaded ||
            !deployment->staged || deployment->disk.step != DISK_IDLE)
                return;
        if (deployment->order.kind == DEPLOYMENT_CHECK) {
                deployment_reply_done(deployment);
                deployment_conclude(deployment, "checked", NULL, NULL);
        } else {
                deployment->disk.reenabled =
                        deployment->order.kind == DEPLOYMENT_RELOAD || deployment->in_place;
                deployment_to_disk(deployment, DISK_COMMIT);
        }
}

/* --- the disk's answers ------------------------------------------------------------------ */

static void on_found(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;

        if (disk->result < 0) {
                deployment_fail(deployment,
                                disk->result == -ENOENT ? COMMAND_NO_DEVICE
                                : disk->result == -EINVAL || disk->result == -EALREADY
                                        ? COMMAND_BAD_VALUE
                                        : COMMAND_HARDWARE,
                                "%s", disk->error.text);
                return;
        }
        if (disk->dropped) {
                deployment->order.kind = DEPLOYMENT_UPDATE;
                deployment->order.local = true;
        }
        deployment->version = disk->found;
        deployment_try_out(deployment);
}

static void on_staged(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;

        if (disk->result < 0) {
                deployment_fail(deployment,
                                disk->result == -EBUSY ? COMMAND_BUSY : COMMAND_HARDWARE,
                                "%s cannot be written to the disk: %s; nothing was changed",
                                deployment->order.filename, disk->error.text);
                return;
        }
        if (disk->result == HANDLER_UNCHANGED) {
                deployment->in_place = true;
                deployment->version = disk->found;
        }
        deployment->staged = true;
        deployment_proceed(deployment);
}

static void on_committed(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;

        if (disk->result < 0) {
                deployment_fail(deployment, COMMAND_HARDWARE,
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
                deployment_fail(deployment,
                                disk->result == -ENOENT ? COMMAND_NO_DEVICE : COMMAND_HARDWARE,
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
                        deployment_fail(deployment, COMMAND_NOT_READY, "the agent is stopping");
                else
                        deployment_settle(deployment);
                return;
        }
        if (deployment->concluded) {
                deployment_settle(deployment);
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
        /* The request is the loop's, who may answer it while the disk is asked. */
        deployment->disk.asked = order->request != NULL;
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
                deployment_fail(deployment, COMMAND_HARDWARE, "modules cannot be changed: %s",
                                handler->closed);
                return;
        }
        if (module_name_check(deployment->order.filename, &error) < 0) {
                deployment_refuse(deployment, DIAGNOSIS_PROTECTED, "%s", error.text);
                return;
        }
        r = handler_add_runner(handler, deployment->order.filename, &deployment->runner);
        if (r < 0) {
                deployment_refuse(deployment, DIAGNOSIS_QUOTA, "%s: %s", deployment->order.filename,
                                  r == -ENOSPC ? "no more modules fit" : "not enough memory");
                return;
        }
        switch (deployment->order.kind) {
        case DEPLOYMENT_UPDATE:
        case DEPLOYMENT_CHECK:
                deployment_try_out(deployment);
                return;
        case DEPLOYMENT_ROLLBACK:
        case DEPLOYMENT_RELOAD:
                deployment_to_disk(deployment, DISK_FIND);
                return;
        case DEPLOYMENT_REMOVE:
                deployment_to_disk(deployment, DISK_REMOVE);
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
