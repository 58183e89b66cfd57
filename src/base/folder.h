/* base/folder.h - a folder that is there, whoever made it. */
#pragma once

#include <sys/types.h>

/* Makes it with `mode`, and those above it with 0755, where they are not there. One that is
 * there stays as it is. -ENOMEM; -errno of mkdir(2). */
int folder_make(const char *path, mode_t mode);
