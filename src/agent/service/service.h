/* agent/service/service.h - the services of this Pi, as the daemon sees them:
 * list_devices, start_device, stop_device, restart_device and restart_pi.
 *
 * A device is a unit of systemd whose name matches `monitor.services`. Talks to
 * systemd and logind over the system bus, from the first command that needs it; a
 * machine without a bus answers those with UNSUPPORTED. Loop thread. */
#pragma once

#include "agent/service/config.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "command/registry.h"

struct service;

/* Registers the commands. Registry and config must outlive it. Errors of
 * command_registry_add(). */
int service_attach(struct command_registry *registry, const struct service_config *config,
                   struct service **ret, struct error *error);
/* The graceful stop: what is under way is answered, a reboot that is scheduled is
 * forgotten, further commands are refused with NOT_READY. Twice is fine. */
void service_stop(struct service *service);
/* Takes the commands back, after a stop. */
struct service *service_free(struct service *service);
DEFINE_CLEANUP(service)
