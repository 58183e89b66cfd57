/* broker/user.h - root's rights are given up when everything is open. */
#pragma once

#include "base/error.h"

/* Becomes that user, with its groups, for good. 0, too, for who is not root: it is what it is.
 * -ENOENT, -errno with a sentence. */
int broker_user_become(const char *name, struct error *error);
