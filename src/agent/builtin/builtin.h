/* agent/builtin/builtin.h - the commands that every agent has, whatever else it is given.
 *
 *     ping echo get_status list_commands connection_stats     nothing deployed may replace them
 *     system_info get_metrics                                 a module may
 *
 * All are for viewers, answer at once and change nothing. Loop thread only. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "command/registry.h"
#include "data/prometheus.h"

struct builtin;

/* Texts are used while attaching, but for `state_dir`, which must stay. */
struct builtin_config {
        const char *proc_root; /* NULL: "/proc" */
        const char *sys_root;  /* NULL: "/sys" */
        const char *etc_root;  /* NULL: "/etc" */
        /* The disk that metrics tell of is the one that holds this directory: it is where the
         * agent writes, and the root file system may be a read-only image. NULL: "/" */
        const char *state_dir;
};

/* The agent's uptime counts from here. What is not readable below the roots is no error.
 * -ENOMEM, -EEXIST (a command's name is taken), -EIO (no device id: libsodium). */
int builtin_attach(struct command_registry *registry, const struct builtin_config *config,
                   struct builtin **ret, struct error *error);
/* Takes the commands out of the registry, which must still be there. */
struct builtin *builtin_free(struct builtin *builtin);
DEFINE_CLEANUP(builtin)

/* What get_metrics says, and the agent's uptime, as figures; `builtin` is a struct builtin. */
void builtin_write_figures(void *builtin, struct prometheus_writer *writer);

/* agent/builtin/device-id.h; lives as long as `builtin`. */
const char *builtin_device_id(const struct builtin *builtin);
