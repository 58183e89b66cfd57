/* agent/handler/handler.h - modules that are deployed while the agent runs, as the
 * daemon sees them.
 *
 * Registers update_handler and its kin, and whatever commands modules bring. Modules in
 * place are started in the background once the loop runs. Loop thread, with a store
 * thread of its own and a spawner of hosts beside it. */
#pragma once

#include "agent/handler/config.h"
#include "agent/handler/handler-event.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "command/registry.h"

struct handler;

enum {
        HANDLER_HIDDEN_MAX = 8,
        /* Open at once: of each of 256 modules its code, its host's connection and two pipes; of
         * changes, candidates, checks, and hosts that have a last call to end. */
        HANDLER_DESCRIPTORS_MAX = 256 * 4 + 64,
};

struct handler_options {
        const struct handler_config *config; /* must outlive it */
        const char *state_dir;               /* a path; copied */
        /* Paths that modules never see: configuration, keys, sockets; NULLs are skipped.
         * Copied. */
        const char *hidden[HANDLER_HIDDEN_MAX];
};

/* Errors of command_registry_add(); -ENOMEM, -EAGAIN (threads). */
int handler_attach(struct command_registry *registry, const struct handler_options *options,
                   struct handler **ret, struct error *error);
/* The graceful stop: calls under way end, all else is refused. Twice is fine. */
void handler_stop(struct handler *handler);
/* Waits for the disk's last job; ends hosts and spawner. */
struct handler *handler_free(struct handler *handler);
DEFINE_CLEANUP(handler)
