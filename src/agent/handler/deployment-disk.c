/* What a deployment does on the store thread. Between submit and `done` the loop's
 * thread leaves alone what is read here: the order's code, name and origin, and `disk`. */
#include "agent/handler/deployment-internal.h"

#include "agent/handler/command-cache.h"
#include "agent/handler/source-text.h"
#include "base/attributes.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct handler_origin origin_of(const struct deployment *deployment)
{
        return (struct handler_origin){.who = deployment->order.who,
                                       .from = deployment->order.from};
}

/* --- the code of a rollback or a reload -------------------------------------------------- */

static int find_rollback(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        const struct deployment_order *order = &deployment->order;
        const struct handler_module *module =
                handler_repository_find(disk->repository, order->filename);
        const char *version = order->version[0] != '\0' ? order->version : NULL;
        int r = handler_repository_rollback_target(disk->repository, order->filename, version,
                                                   &disk->found);

        /* Somebody was faster, and may have mended it, or removed it. */
        if (order->automatic && module && module->current.seq != order->leaves)
                return error_set(&disk->error, -EALREADY,
                                 "%s has another version in place by now: it is not rolled back",
                                 order->filename);
        switch (r) {
        case HANDLER_ROLLBACK_FOUND:
                if (order->automatic && disk->found.state == HANDLER_BAD)
                        break;
                return 0;
        case HANDLER_ROLLBACK_NONE:
                break;
        case HANDLER_ROLLBACK_AMBIGUOUS:
                return error_set(&disk->error, -EINVAL,
                                 "%s: several versions begin like %s; list_backups shows them",
                                 order->filename, version);
        case HANDLER_ROLLBACK_IN_PLACE:
                return error_set(&disk->error, -EALREADY, "%s: %s is the version in place",
                                 order->filename, version ? version : "that");
        default:
                return error_set(&disk->error, -EINVAL,
                                 "`version` is a file that list_backups shows, or the first 8 or "
                                 "more digits of a sha256, not %s",
                                 version ? version : "nothing");
        }
        return error_set(&disk->error, -ENOENT, "No earlier version of %s", order->filename);
}

/* A file that somebody put there comes before the version in place. -ENOENT: none, or it is the
 * one in place. One that cannot be read is an error where somebody asks, who has to know that it is
 * not used. */
static int find_dropped(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        struct deployment_order *order = &deployment->order;
        struct handler_candidate candidate;
        AUTO_FREE char *code = NULL;
        size_t length;
        int r = handler_repository_read_visible(disk->repository, order->filename, &code, &length);
        int found = handler_repository_scan(disk->repository, order->filename, NULL, NULL,
                                            &candidate, 1);

        if (r < 0)
                return disk->asked && r != -ENOTDIR ? r : -ENOENT;
        if (found <= 0)
                return -ENOENT;
        order->code = TAKE(code);
        order->length = length;
        return 0;
}

static int find_in_place(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        const struct handler_module *module =
                handler_repository_find(disk->repository, deployment->order.filename);

        if (!module || module->current.sha256[0] == '\0')
                return error_set(&disk->error, -ENOENT, "there is no module %s",
                                 deployment->order.filename);
        disk->found = module->current;
        return 0;
}

static int find(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        struct deployment_order *order = &deployment->order;
        int r;

        if (order->kind == DEPLOYMENT_ROLLBACK) {
                r = find_rollback(deployment);
        } else {
                r = find_dropped(deployment);
                disk->dropped = r == 0;
                if (r == 0)
                        return 0;
                if (r != -ENOENT)
                        return error_set(&disk->error, r, "handlers/%s cannot be read: %s",
                                         order->filename, strerror(-r));
                r = find_in_place(deployment);
        }
        if (r < 0)
                return r;
        return handler_repository_read(disk->repository, order->filename, disk->found.sha256,
                                       &order->code, &order->length, &disk->error);
}

/* --- changes ----------------------------------------------------------------------------- */

static int stage(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        const struct deployment_order *order = &deployment->order;
        const struct handler_origin origin = origin_of(deployment);
        const struct handler_module *module;
        int r;

        r = handler_repository_stage(
                disk->repository,
                order->kind == DEPLOYMENT_ROLLBACK ? HANDLER_ROLLBACK : HANDLER_UPDATE,
                order->filename, order->code, order->length, &origin, &disk->change, &disk->error);
        if (r == HANDLER_UNCHANGED) {
                disk->change = 0;
                module = handler_repository_find(disk->repository, order->filename);
                if (module)
                        disk->found = module->current;
        }
        return r;
}

/* For the next start, which else compiles it anew. */
static void store_object(struct deployment *deployment)
{
        AUTO_FREE char *object = NULL;
        size_t count;

        if (deployment->object_fd >= 0 &&
            source_text_copy(deployment->object_fd, &object, &count) == 0)
                (void)handler_repository_object_store(deployment->disk.repository,
                                                      deployment->sha256, HANDLER_OBJECT_MAKER,
                                                      object, count);
}

/* The next start may be one at which it is not loaded. */
static void store_commands(struct deployment *deployment)
{
        struct buffer text;

        if (command_cache_print(deployment->sha256, &deployment->commands, &text) == 0)
                (void)command_cache_write(deployment->handler->state_fd, deployment->order.filename,
                                          &text);
        buffer_done(&text);
}

static int commit(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        uint64_t change = disk->change;
        int r = 0;

        store_object(deployment);
        disk->change = 0;
        if (change != 0)
                r = handler_repository_commit(disk->repository, change, &disk->committed,
                                              &disk->error);
        if (r >= 0)
                store_commands(deployment);
        return r;
}

static int remove_module(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        const struct handler_origin origin = origin_of(deployment);

        command_cache_remove(deployment->handler->state_fd, deployment->order.filename);
        return handler_repository_remove(disk->repository, deployment->order.filename, &origin,
                                         &disk->committed, &disk->error);
}

static const char *what_of(const struct deployment *deployment)
{
        static const char *const names[] = {
                [DEPLOYMENT_UPDATE] = "update_handler",     [DEPLOYMENT_CHECK] = "update_handler",
                [DEPLOYMENT_ROLLBACK] = "rollback_handler", [DEPLOYMENT_RELOAD] = "reload_handler",
                [DEPLOYMENT_REMOVE] = "remove_handler",
        };

        return names[deployment->order.kind];
}

/* A change that was begun is ended; else there is just an entry in the update log. */
static int end(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        const char *message = disk->message[0] != '\0' ? disk->message : NULL;
        const struct handler_log_entry entry = {
                .origin = origin_of(deployment),
                .filename = deployment->order.filename,
                .what = what_of(deployment),
                .result = disk->outcome,
                .layer = disk->layer,
                .message = message,
                .sha256 = deployment->sha256[0] != '\0' ? deployment->sha256 : NULL,
        };
        uint64_t change = disk->change;

        /* Nothing can be changed, nor told of. */
        if (!disk->repository)
                return 0;
        disk->change = 0;
        if (change != 0)
                return handler_repository_abandon(disk->repository, change, disk->outcome,
                                                  disk->layer, message);
        if (disk->reenabled)
                (void)handler_repository_disable(disk->repository, deployment->order.filename, NULL,
                                                 NULL);
        return handler_repository_log(disk->repository, &entry);
}

/* --- to and fro -------------------------------------------------------------------------- */

/* A first version that was refused, and what gave way to another. More of them are told by the
 * next job. */
static void take_forgotten(struct deployment *deployment)
{
        struct deployment_disk *disk = &deployment->disk;
        const char *filename = deployment->order.filename;

        disk->forgotten_count = 0;
        if (!disk->repository)
                return;
        if (disk->step == DISK_END && !handler_repository_find(disk->repository, filename))
                memcpy(disk->forgotten[disk->forgotten_count++], filename, HANDLER_NAME_MAX + 1);
        while (disk->forgotten_count < DEPLOYMENT_FORGOTTEN_MAX &&
               handler_repository_take_forgotten(disk->repository,
                                                 disk->forgotten[disk->forgotten_count]))
                disk->forgotten_count++;
}

static void run(struct store_job *job)
{
        struct deployment *deployment = container_of(job, struct deployment, disk.job);
        struct deployment_disk *disk = &deployment->disk;

        disk->error.text[0] = '\0';
        switch (disk->step) {
        case DISK_FIND:
                disk->result = find(deployment);
                break;
        case DISK_STAGE:
                disk->result = stage(deployment);
                break;
        case DISK_COMMIT:
                disk->result = commit(deployment);
                break;
        case DISK_REMOVE:
                disk->result = remove_module(deployment);
                break;
        case DISK_END:
        case DISK_IDLE:
                disk->result = end(deployment);
                break;
        }
        if (disk->result < 0 && disk->error.text[0] == '\0')
                error_set(&disk->error, disk->result, "%s", strerror(-disk->result));
        take_forgotten(deployment);
}

static void done(struct store_job *job)
{
        struct deployment *deployment = container_of(job, struct deployment, disk.job);
        struct deployment_disk *disk = &deployment->disk;

        for (size_t i = 0; job->ran && i < disk->forgotten_count; i++)
                spawner_forget_name(deployment->handler->spawner, disk->forgotten[i]);
        deployment_on_disk(deployment, job->ran);
}

int deployment_disk_submit(struct deployment *deployment, enum deployment_disk_step step)
{
        struct deployment_disk *disk = &deployment->disk;
        int r;

        disk->job.run = run;
        disk->job.done = done;
        disk->repository = deployment->handler->repository;
        disk->step = step;
        r = store_thread_submit(deployment->handler->store, &disk->job);
        if (r < 0)
                disk->step = DISK_IDLE;
        return r;
}
