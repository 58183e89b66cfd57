/* cli/config-file.h - a config file on disk: read it, replace it, keep its mode
 * and owner. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONFIG_FILE_DEFAULT "/etc/pifleet/agent.yaml"
#define CONFIG_FILE_GROUP "pifleet" /* the agent's, who must be able to read it */
enum { CONFIG_FILE_MAX = 1 << 20 };

struct config_file {
        int directory_fd;
        char *name; /* in the directory; symbolic links are followed before */
        char *text; /* "" when it does not exist */
        size_t length;
        bool exists;
        mode_t mode; /* of an absent file: what it will get */
        uid_t uid;
        gid_t gid;
};

/* Reads a file. With `change` it may be absent, the last directory of its path
 * is made when it is not there, and others who would change it are kept out
 * until config_file_free(). -ENOENT, -EACCES, ... with a sentence; -EBUSY:
 * somebody else is changing it. */
int config_file_open(const char *path, bool change, struct config_file **ret, struct error *error);
struct config_file *config_file_free(struct config_file *file);
DEFINE_CLEANUP(config_file)

/* Replaces the file: old or new, whole, and its owner's at each moment. */
int config_file_write(struct config_file *file, const char *text, size_t length,
                      struct error *error);
