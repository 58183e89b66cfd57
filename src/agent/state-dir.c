#include "agent/state-dir.h"

#include "base/cleanup.h"
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#define LOCK "agent.lock"

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
        int r = folder_make(path, 0700);

        if (r < 0)
                return error_set(error, r,
                                 "cannot make the state directory %s: %s; choose another with "
                                 "--state-dir",
                                 path, strerror(-r));
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
