#include "agent/state-dir.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK "agent.lock"

static int make_directory(const char *path, struct error *error)
{
        AUTO_FREE char *copy = strdup(path);

        if (!copy)
                return error_set(error, -ENOMEM, "not enough memory");
        /* A parent that cannot be made shows in the last step. */
        for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void)mkdir(copy, 0755);
                *slash = '/';
        }
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return error_set(error, -errno,
                                 "cannot make the state directory %s: %s; choose another with "
                                 "--state-dir",
                                 path, strerror(errno));
        return 0;
}

/* Who holds the lock, as they wrote it; 0: they have not yet. */
static int holder(int fd)
{
        char text[32] = "";
        int pid = 0;

        if (pread(fd, text, sizeof(text) - 1, 0) > 0)
                (void)sscanf(text, "%d", &pid);
        return pid;
}

/* For people; the lock is the flock. */
static void write_holder(int directory)
{
        AUTO_CLOSE int fd = openat(directory, LOCK, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0)
                (void)dprintf(fd, "%d\n", (int)getpid());
}

int state_dir_open(const char *path, int *ret_fd, struct error *error)
{
        AUTO_CLOSE int directory = -1, lock = -1;
        int r = make_directory(path, error);

        if (r < 0)
                return r;
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* Nothing stays open for writing: a disk can be made read-only under us, and one that is
         * read-only already does for what is on it. */
        if (directory >= 0)
                lock = openat(directory, LOCK, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock < 0)
                return error_set(error, -errno, "cannot use the state directory %s: %s", path,
                                 strerror(errno));
        if (flock(lock, LOCK_EX | LOCK_NB) < 0)
                return error_set(error, errno == EWOULDBLOCK ? -EBUSY : -errno,
                                 "another agent (process %d) uses the state directory %s: stop it, "
                                 "or choose another with --state-dir",
                                 holder(lock), path);
        write_holder(directory);
        *ret_fd = TAKE_FD(lock);
        return 0;
}
