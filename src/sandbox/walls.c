#include "sandbox/walls.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* What a child found out, as its exit status. */
enum { FOUND_MOUNT = 1, FOUND_PID = 2, FOUND_NETWORK = 4 };

static int status_of(pid_t pid)
{
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

/* All the calls a view is made of (sandbox/wall-mounts.h), on nothing. */
static bool can_mount(void)
{
        struct mount_attr closed = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                                MOUNT_ATTR_NODEV};
        int tree;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return false;
        tree = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        return tree >= 0 &&
               mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &closed, sizeof(closed)) == 0 &&
               mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") == 0;
}

/* In containers whose /proc is partly covered nobody may mount another. */
static bool can_number_processes(void)
{
        pid_t pid;

        if (unshare(CLONE_NEWPID | CLONE_NEWIPC) < 0)
                return false;
        pid = fork();
        if (pid == 0)
                _exit(mount("proc", "/proc", "proc", 0, NULL) < 0);
        return pid > 0 && status_of(pid) == 0;
}

_Noreturn static void try_in_child(void)
{
        int found = 0;

        if (can_mount()) {
                found |= FOUND_MOUNT;
                if (can_number_processes())
                        found |= FOUND_PID;
        }
        if (unshare(CLONE_NEWNET) == 0)
                found |= FOUND_NETWORK;
        _exit(found);
}

uint32_t walls_try_namespaces(void)
{
        static const enum sandbox_wall walls[] = {SANDBOX_WALL_MOUNT_VIEW,
                                                  SANDBOX_WALL_PID_NAMESPACE,
                                                  SANDBOX_WALL_NETWORK_NAMESPACE};
        uint32_t found = 0;
        pid_t pid = fork();
        int status;

        if (pid == 0)
                try_in_child();
        status = pid < 0 ? 0 : status_of(pid);
        for (unsigned i = 0; i < 3 && status > 0; i++)
                if (status & 1 << i)
                        found |= UINT32_C(1) << walls[i];
        return found;
}

static int write_text(const char *path, const char *text)
{
        AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* user_namespaces(7): a single id may be mapped without any privilege, once the
 * groups cannot be changed any more. */
static int enter_user_namespace(void)
{
        const unsigned uid = geteuid(), gid = getegid();
        char users[64], groups[64];
        int r;

        snprintf(users, sizeof(users), "%u %u 1\n", uid, uid);
        snprintf(groups, sizeof(groups), "%u %u 1\n", gid, gid);
        if (unshare(CLONE_NEWUSER) < 0)
                return -errno;
        r = write_text("/proc/self/setgroups", "deny");
        if (r == 0)
                r = write_text("/proc/self/uid_map", users);
        if (r == 0)
                r = write_text("/proc/self/gid_map", groups);
        return r;
}

/* Tried by a child first: of a namespace that turns out to be of no use there is no
 * way back. */
int walls_enter_user_namespace(void)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(enter_user_namespace() < 0 || walls_try_namespaces() == 0);
        if (pid < 0 || status_of(pid) != 0)
                return -EPERM;
        return enter_user_namespace();
}
