/* agent/service/reboot.h - restarting the machine through logind, after replying.
 *
 * Asks first whether it may (logind's CanReboot), so that the caller is told of
 * a refusal; replies; and asks for the reboot when the delay is over. Loop thread. */
#pragma once

#include "agent/service/bus.h"
#include "command/registry.h"

enum {
        REBOOT_DELAY_MAX_S = 86400,
        REBOOT_REPLY_MS = 500, /* the least delay: so long the reply has to leave */
};

struct reboot;

/* Borrows both. -ENOMEM. */
int reboot_new(struct command_registry *registry, struct service_bus *bus, struct reboot **ret);
/* After reboot_stop(). */
struct reboot *reboot_free(struct reboot *reboot);
DEFINE_CLEANUP(reboot)

/* What the command's `run` returns. One that is scheduled already gets the new time. */
int reboot_begin(struct reboot *reboot, struct command_request *request);
/* A reboot that is scheduled is forgotten, with an event; a request that waits is answered. */
void reboot_stop(struct reboot *reboot);
