/* agent/handler/command-cache.h - the names of a module's commands, for one that is started
 * at its first call and has to be known before.
 *
 * One file a module in the state directory, commands.NAME.json, of one version of it, whether it
 * is to be started now or not: that may be said otherwise at the next start. Nothing depends on
 * it: where it is missing or of another version, the module is loaded and tells. Blocks on the
 * disk: store thread; what prints and parses: any. */
#pragma once

#include "agent/handler/module-statistics.h"
#include "base/buffer.h"

/* What the file is to say. Inits *ret, which is the caller's in any case. -EMSGSIZE: more than
 * 1 MiB; -ENOMEM. */
int command_cache_print(const char *sha256, const struct module_commands *commands,
                        struct buffer *ret);
/* -errno: it is as it was, or not there. */
int command_cache_write(int state_fd, const char *filename, const struct buffer *text);
void command_cache_remove(int state_fd, const char *filename);
/* The file's text; the caller frees *ret. -ENOENT, -errno. */
int command_cache_read(int state_fd, const char *filename, char **ret, size_t *ret_length);
/* -ENODATA: of another version, or damaged; -ENOMEM. *ret is untouched then. */
int command_cache_parse(const char *text, size_t length, const char *sha256,
                        struct module_commands *ret);
