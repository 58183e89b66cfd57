#include "base/write-all.h"
#include "sandbox/wall-cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static int kernel_open_folder(int folder, const char *name)
{
        int fd = openat(folder < 0 ? AT_FDCWD : folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int kernel_make_folder(int folder, const char *name)
{
        return mkdirat(folder, name, 0755) < 0 ? -errno : 0;
}

static int kernel_remove_folder(int folder, const char *name)
{
        return unlinkat(folder, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int kernel_write_file(int folder, const char *name, const char *text)
{
        AUTO_CLOSE int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return write_all(fd, text, strlen(text));
}

static int kernel_read_file(int folder, const char *name, char *ret, size_t size)
{
        AUTO_CLOSE int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
        size_t count = 0;
        ssize_t got;

        if (fd < 0) /* cgroup.kill may only be written to: it is there all the same */
                return -errno;
        do {
                got = read(fd, ret + count, size - 1 - count);
                if (got > 0)
                        count += (size_t)got;
        } while (got > 0 || (got < 0 && errno == EINTR));
        if (got < 0)
                return -errno;
        ret[count] = '\0';
        return 0;
}

const struct cgroup_files cgroup_files_kernel = {
        kernel_open_folder, kernel_make_folder, kernel_remove_folder,
        kernel_write_file,  kernel_read_file,
};

/* The line "0::PATH" of a file such as /proc/self/cgroup. */
static int read_own_path(char path[PATH_MAX])
{
        AUTO_FREE char *line = NULL;
        FILE *file = fopen("/proc/self/cgroup", "re");
        size_t size = 0;
        int r = -ENOENT;

        if (!file)
                return -errno;
        while (r < 0 && getline(&line, &size, file) > 0) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < PATH_MAX) {
                        strcpy(path, line + 3);
                        r = 0;
                }
        }
        fclose(file);
        return r;
}

/* systemd marks with "1" what it gives away. */
static bool is_delegated(const char *path)
{
        static const char *const marks[] = {"trusted.delegate", "user.delegate"};

        for (size_t i = 0; i < 2; i++) {
                char value = '0';

                if (getxattr(path, marks[i], &value, 1) == 1 && value == '1')
                        return true;
        }
        return false;
}

int cgroup_find(char *ret, size_t size)
{
        static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
        char path[PATH_MAX];
        int r = read_own_path(path);

        if (r < 0)
                return r;
        for (size_t i = 0; i < 2; i++) {
                char file[2 * PATH_MAX];

                snprintf(file, sizeof(file), "%s%s/cgroup.controllers", roots[i], path);
                if (access(file, F_OK) < 0)
                        continue;
                if (snprintf(ret, size, "%s%s", roots[i], path) >= (int)size)
                        return -ENAMETOOLONG;
                return is_delegated(ret) ? 0 : -EACCES;
        }
        return -ENOENT;
}
