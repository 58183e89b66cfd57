#include "agent/handler/deployments.h"

#include "agent/handler/handler-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct deployments {
        struct handler *handler;
        struct list waiting, running;
        size_t waiting_count, running_count;
        bool stopped;
};

int deployments_new(struct handler *handler, struct deployments **ret)
{
        struct deployments *deployments = calloc(1, sizeof(*deployments));

        if (!deployments)
                return -ENOMEM;
        deployments->handler = handler;
        list_init(&deployments->waiting);
        list_init(&deployments->running);
        *ret = deployments;
        return 0;
}

struct deployments *deployments_free(struct deployments *deployments)
{
        struct list *link;

        if (!deployments)
                return NULL;
        deployments_stop(deployments);
        while ((link = list_take_first(&deployments->running)))
                deployment_free(deployment_of_link(link));
        free(deployments);
        return NULL;
}

static bool is_running(const struct deployments *deployments, const char *filename)
{
        for (struct list *link = deployments->running.next; link != &deployments->running;
             link = link->next) {
                if (strcmp(deployment_filename(deployment_of_link(link)), filename) == 0)
                        return true;
        }
        return false;
}

static struct deployment *next_startable(struct deployments *deployments)
{
        list_for_each (&deployments->waiting, link) {
                struct deployment *deployment = deployment_of_link(link);

                if (!is_running(deployments, deployment_filename(deployment)))
                        return deployment;
        }
        return NULL;
}

void deployments_next(struct deployments *deployments)
{
        struct deployment *deployment;

        while (deployments->handler->open && !deployments->stopped &&
               deployments->running_count < DEPLOYMENTS_RUNNING_MAX &&
               (deployment = next_startable(deployments))) {
                list_remove(deployment_link(deployment));
                deployments->waiting_count--;
                list_append(&deployments->running, deployment_link(deployment));
                deployments->running_count++;
                deployment_begin(deployment);
        }
}

static void on_ended(void *owner, struct deployment *deployment)
{
        struct deployments *deployments = owner;
        char filename[HANDLER_NAME_MAX + 1];
        struct runner *runner;

        memcpy(filename, deployment_filename(deployment), sizeof(filename));
        list_remove(deployment_link(deployment));
        deployments->running_count--;
        deployment_free(deployment);
        /* One that never came into service is not kept for its name alone. */
        runner = handler_runner(deployments->handler, filename);
        if (runner && !deployments->stopped)
                handler_drop_runner(deployments->handler, runner);
        deployments_next(deployments);
}

int deployments_submit(struct deployments *deployments, struct deployment_order *order)
{
        struct deployment *deployment;
        int r;

        if (deployments->stopped || deployments->waiting_count >= DEPLOYMENTS_WAITING_MAX)
                return -EAGAIN;
        r = deployment_new(deployments->handler, order, on_ended, deployments, &deployment);
        if (r < 0)
                return r;
        list_append(&deployments->waiting, deployment_link(deployment));
        deployments->waiting_count++;
        deployments_next(deployments);
        return 0;
}

void deployments_stop(struct deployments *deployments)
{
        struct list *link;

        deployments->stopped = true;
        while ((link = list_take_first(&deployments->waiting))) {
                struct deployment *deployment = deployment_of_link(link);

                deployments->waiting_count--;
                deployment_abort(deployment);
                deployment_free(deployment);
        }
        list_for_each (&deployments->running, position)
                deployment_abort(deployment_of_link(position));
}

bool deployments_concern(const struct deployments *deployments, const char *filename)
{
        for (struct list *link = deployments->waiting.next; link != &deployments->waiting;
             link = link->next) {
                if (strcmp(deployment_filename(deployment_of_link(link)), filename) == 0)
                        return true;
        }
        return is_running(deployments, filename);
}

const char *deployments_claimant(const struct deployments *deployments, const char *command,
                                 const char *filename)
{
        for (struct list *link = deployments->running.next; link != &deployments->running;
             link = link->next) {
                struct deployment *deployment = deployment_of_link(link);

                if (strcmp(deployment_filename(deployment), filename) != 0 &&
                    deployment_claims(deployment, command))
                        return deployment_filename(deployment);
        }
        return NULL;
}
