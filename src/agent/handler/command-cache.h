/* agent/handler/command-cache.h - the names of a module's commands, for one that is started
 * at its first call and has to be known before.
 *
 * One file a module in the state directory, commands.NAME.json, of one version of it.
 * Nothing depends on it: where it is missing or of another version, the module is loaded and
 * tells. Blocks on the disk: store thread; command_cache_parse() any. */
#pragma once

#include "agent/handler/module-statistics.h"

/* -errno: there is none then. */
int command_cache_write(int state_fd, const char *filename, const char *sha256,
                        const struct module_commands *commands);
void command_cache_remove(int state_fd, const char *filename);
/* The file's text; the caller frees *ret. -ENOENT, -errno. */
int command_cache_read(int state_fd, const char *filename, char **ret, size_t *ret_length);
/* -ENODATA: of another version, or damaged; -ENOMEM. *ret is untouched then. */
int command_cache_parse(const char *text, size_t length, const char *sha256,
                        struct module_commands *ret);
