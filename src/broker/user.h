/* broker/user.h - root's rights are given up when everything is open. */
#pragma once

#include "broker/config.h"

/* Becomes the user that the configuration names, with its groups, for good, and gives it the
 * sockets of listeners in the file system first, which others could not connect to else. 0, too,
 * when it names none, and for who is not root: it is what it is. -ENOENT, -errno with a
 * sentence. */
int broker_user_become(const struct broker_config *config, struct error *error);
