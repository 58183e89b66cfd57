/* agent/handler/module-statistics.h - how the commands of a module have fared.
 *
 * By command, kept from version to version as long as the command is there. An
 * error is an exception, a time-out, a crash or a reply that is no object; that a
 * module answers `success: false` is its own business. Loop thread. */
#pragma once

#include "agent/handler/healing.h"
#include "command/statistics.h"
#include "data/json-writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODULE_COMMANDS_MAX = 256, MODULE_ERROR_TEXT_MAX = 255 };

struct module_command {
        char *name, *description;
        struct command_statistics statistics; /* its `errors` and `timeouts` as above */
        struct healing_errors recent;
        char last_error[MODULE_ERROR_TEXT_MAX + 1]; /* "": none */
        int64_t last_error_ns;                      /* wall clock */
};

/* In the order in which the module names them. */
struct module_commands {
        struct module_command *items;
        size_t count;
};

/* -ENOMEM: `ret` untouched. Names and descriptions are copied. */
int module_commands_copy(const char *const names[], const char *const descriptions[], size_t count,
                         struct module_commands *ret);
void module_commands_done(struct module_commands *commands);
struct module_command *module_commands_find(const struct module_commands *commands,
                                            const char *name);
/* Takes over what `from` has counted for commands of the same name, but for the recent
 * errors: those are of the version before. */
void module_commands_inherit(struct module_commands *commands, const struct module_commands *from);

void module_command_succeeded(struct module_command *command, uint64_t latency_us);
/* `text` is cut; latency as far as it got. */
void module_command_failed(struct module_command *command, uint64_t latency_us, bool timeout,
                           const char *text, int64_t wall_ns);
/* The members of one command, as an object under its name. */
void module_command_write(const struct module_command *command, struct json_writer *writer);
