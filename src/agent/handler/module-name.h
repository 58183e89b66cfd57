/* agent/handler/module-name.h - which names modules and their commands may have.
 *
 * Pure. A file that would hide a module of Python's own library from others, or that is
 * called as a part of the agent is, is no handler module. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* A plain file name, [a-z][a-z0-9_]{0,62} with .py or .c, not one that is taken. -EINVAL,
 * -EACCES (taken) with a sentence. */
int module_name_check(const char *filename, struct error *error);
/* [a-z][a-z0-9_]{0,63} */
bool module_command_name_is_valid(const char *name);
