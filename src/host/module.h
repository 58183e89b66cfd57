/* host/module.h - a shared object and its table of commands.
 *
 * The object's code runs in this process, so that its table is checked for mistakes,
 * not for malice: a table that lies about its memory crashes the host, and the agent
 * sees that. */
#pragma once

#include <pifleet/handler.h>

#include "base/error.h"

enum { HOST_COMMANDS_MAX = 256, HOST_NAME_MAX = 64 };

/* Why it could not be loaded: the `type` of load_failed. */
enum host_module_failure {
        HOST_MODULE_LINK_ERROR,
        HOST_MODULE_BAD_COMMANDS,
        HOST_MODULE_BAD_COMMAND_NAME,
        HOST_MODULE_TOO_MANY_COMMANDS,
};

/* Loads what `fd` holds; `name` stands for it in messages. There is no way back: the
 * object stays as long as the process. -ENOEXEC with *failure and a sentence. */
int host_module_load(int fd, const char *name, const struct pifleet_module **ret,
                     enum host_module_failure *failure, struct error *error);
/* NULL: there is none of this name. */
const struct pifleet_command *host_module_find(const struct pifleet_module *module,
                                               const char *name);
