/* agent/handler/deployments.h - changes of modules, each module's one after the other.
 *
 * A few at once, the others wait in their order. Loop thread. */
#pragma once

#include "agent/handler/deployment.h"
#include "base/cleanup.h"

enum {
        DEPLOYMENTS_RUNNING_MAX = 4,
        DEPLOYMENTS_WAITING_MAX = 256, /* beyond: -EAGAIN */
};

struct deployments;

int deployments_new(struct handler *handler, struct deployments **ret); /* -ENOMEM */
/* After the store thread. */
struct deployments *deployments_free(struct deployments *deployments);
DEFINE_CLEANUP(deployments)

/* Takes the order over, on success. -EAGAIN: too many wait; -ENOMEM. */
int deployments_submit(struct deployments *deployments, struct deployment_order *order);
/* Begins what may begin. */
void deployments_next(struct deployments *deployments);
/* All are refused or ended, whoever waits is told; none begins any more. */
void deployments_stop(struct deployments *deployments);
/* Is a change of this module under way or waiting? */
bool deployments_concern(const struct deployments *deployments, const char *filename);
/* The file name of another module that is about to take this command; NULL: none. */
const char *deployments_claimant(const struct deployments *deployments, const char *command,
                                 const char *filename);
