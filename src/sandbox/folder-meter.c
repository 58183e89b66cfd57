#include "sandbox/folder-meter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 512 /* of st_blocks, see stat(3type) */ };

static int enter(struct folder_meter *meter, int parent, const char *name)
{
        int fd;

        if (meter->depth == FOLDER_METER_DEPTH_MAX)
                return -EOVERFLOW;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        meter->open[meter->depth] = fdopendir(fd);
        if (!meter->open[meter->depth]) {
                int r = -errno;

                close(fd);
                return r;
        }
        meter->depth++;
        return 0;
}

int folder_meter_begin(struct folder_meter *meter, int folder_fd)
{
        struct stat status;

        folder_meter_end(meter);
        if (fstat(folder_fd, &status) < 0)
                return -errno;
        meter->device = status.st_dev;
        return enter(meter, folder_fd, ".");
}

static int count(struct folder_meter *meter, const char *name)
{
        int parent = dirfd(meter->open[meter->depth - 1]), r;
        struct stat status;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return 0;
        if (++meter->entries > FOLDER_METER_ENTRIES_MAX)
                return -EOVERFLOW;
        if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        /* What is mounted there is somebody else's. Folders only: on an overlay, files may
         * have the number of the layer they are from. */
        if (S_ISDIR(status.st_mode) && status.st_dev != meter->device)
                return 0;
        if (!S_ISDIR(status.st_mode)) {
                meter->bytes += (uint64_t)status.st_blocks * BLOCK_BYTES /
                                (status.st_nlink > 0 ? status.st_nlink : 1);
                return 0;
        }
        meter->bytes += (uint64_t)status.st_blocks * BLOCK_BYTES;
        r = enter(meter, parent, name);
        return r == -EOVERFLOW ? r : 0;
}

int folder_meter_step(struct folder_meter *meter, unsigned entries)
{
        while (meter->depth > 0) {
                const struct dirent *entry;
                int r;

                if (entries-- == 0)
                        return 0;
                entry = readdir(meter->open[meter->depth - 1]);
                if (!entry) {
                        closedir(meter->open[--meter->depth]);
                        continue;
                }
                r = count(meter, entry->d_name);
                if (r < 0) {
                        while (meter->depth > 0)
                                closedir(meter->open[--meter->depth]);
                        return r;
                }
        }
        return 1;
}

void folder_meter_end(struct folder_meter *meter)
{
        while (meter->depth > 0)
                closedir(meter->open[--meter->depth]);
        *meter = (struct folder_meter){0};
}
