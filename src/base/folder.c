#include "base/folder.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int folder_make(const char *path, mode_t mode)
{
        AUTO_FREE char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        if (path[0] == '\0')
                return -ENOENT;
        /* One above that cannot be made shows in the last step. */
        for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void)mkdir(copy, 0755);
                *slash = '/';
        }
        return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}
