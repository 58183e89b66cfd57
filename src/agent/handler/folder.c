#include "agent/handler/folder.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SWEEP_MAX = 65536 };

int folder_open(int parent_fd, const char *name, mode_t mode, int *ret_fd)
{
        int made = mkdirat(parent_fd, name, mode) < 0 ? -errno : 0;
        int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return made < 0 && errno == ENOENT ? made : -errno;
        if (made == 0 && fsync(parent_fd) < 0) {
                int r = -errno;

                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

int folder_each(int folder_fd, size_t max, folder_each_fn *each, void *owner)
{
        AUTO_CLOSE int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const struct dirent *entry;
        size_t seen = 0;
        DIR *directory;
        int r = 0;

        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory)
                return -errno;
        (void)TAKE_FD(fd);
        while (errno = 0, (entry = readdir(directory)) != NULL) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (++seen > max) {
                        r = 1;
                        break;
                }
                each(owner, folder_fd, entry->d_name);
        }
        if (!entry && errno != 0)
                r = -errno;
        closedir(directory);
        return r;
}

static void sweep_one(void *owner, int folder_fd, const char *name)
{
        size_t length = strlen(name), suffix = strlen(".partial");

        if (name[0] != '.' || length <= suffix || strcmp(name + length - suffix, ".partial") != 0)
                return;
        if (unlinkat(folder_fd, name, 0) < 0 && errno == EISDIR)
                (void)unlinkat(folder_fd, name, AT_REMOVEDIR);
}

void folder_sweep(int folder_fd)
{
        /* What cannot be removed is taken over by the next write of that name. */
        (void)folder_each(folder_fd, SWEEP_MAX, sweep_one, NULL);
}

bool folder_is_damage(int r)
{
        return r == -ENOENT || r == -EBADMSG || r == -EIO || r == -ELOOP || r == -EISDIR ||
               r == -EFBIG || r == -EINVAL;
}

bool folder_clear(int folder_fd, const char *name)
{
        struct stat status;
        char aside[256];

        if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(status.st_mode))
                return false;
        if (!S_ISDIR(status.st_mode))
                return unlinkat(folder_fd, name, 0) == 0;
        snprintf(aside, sizeof(aside), "%s.odd", name);
        return renameat(folder_fd, name, folder_fd, aside) == 0;
}
