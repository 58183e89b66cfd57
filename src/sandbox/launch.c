#include "sandbox/launch.h"

#include "base/attributes.h"
#include "sandbox/init.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static uint64_t namespaces(uint32_t walls)
{
        static const struct {
                enum sandbox_wall wall;
                uint64_t flags;
        } flags[] = {
                {SANDBOX_WALL_MOUNT_VIEW, CLONE_NEWNS},
                {SANDBOX_WALL_PID_NAMESPACE, CLONE_NEWPID | CLONE_NEWIPC},
                {SANDBOX_WALL_NETWORK_NAMESPACE, CLONE_NEWNET},
        };
        uint64_t wanted = 0;

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (walls & UINT32_C(1) << flags[i].wall)
                        wanted |= flags[i].flags;
        return wanted;
}

/* fork(2) into new namespaces. We have one thread, so the child may go on like after
 * fork(2). Not by clone3(2), which could put it into its control group too: a filter
 * of system calls around us, such as systemd's RestrictNamespaces=, refuses what it
 * cannot read. */
static pid_t fork_into(const struct launch *launch, int *ret_pidfd)
{
        const unsigned long flags =
                (unsigned long)namespaces(launch->walls) | CLONE_PIDFD | SIGCHLD;

        return (pid_t)syscall(SYS_clone, flags, NULL, ret_pidfd, NULL, NULL);
}

int launch_start(const struct launch *launch, struct launched *ret, enum sandbox_step *ret_step)
{
        AUTO_CLOSE int ours = -1;
        AUTO_CLOSE int theirs = -1;
        int ends[2], pidfd = -1;
        const int one = 1;
        pid_t pid;

        *ret_step = SANDBOX_STEP_PROCESS;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];
        if (setsockopt(ours, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
                return -errno;
        pid = fork_into(launch, &pidfd);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                init_run(launch, theirs, ours);
        *ret = (struct launched){.init = pid, .pidfd = pidfd, .report_fd = TAKE_FD(ours)};
        return 0;
}

int launch_receive(const struct launched *launched, struct report *ret, pid_t *ret_sender)
{
        union {
                struct cmsghdr alignment;
                char bytes[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct iovec part = {ret, sizeof(*ret)};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        const struct cmsghdr *header;
        struct ucred sender;
        ssize_t got;

        /* An init that ends with our request to do so unread makes a reset of it, which is told
         * once and before what it has reported. */
        do
                got = recvmsg(launched->report_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (got < 0 && (errno == EINTR || errno == ECONNRESET));
        if (got < 0)
                return -errno;
        if (got == 0)
                return 0;
        header = CMSG_FIRSTHDR(&message);
        if (got != sizeof(*ret) || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || !header ||
            header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS)
                return -EPROTO;
        memcpy(&sender, CMSG_DATA(header), sizeof(sender));
        ret->where[sizeof(ret->where) - 1] = '\0';
        *ret_sender = sender.pid;
        return 1;
}

void launch_ask_to_end(const struct launched *launched)
{
        if (launched->report_fd >= 0)
                (void)send(launched->report_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void launch_kill_init(const struct launched *launched)
{
        (void)syscall(SYS_pidfd_send_signal, launched->pidfd, SIGKILL, NULL, 0);
}

void launch_done(struct launched *launched)
{
        if (launched->report_fd >= 0)
                close(TAKE_FD(launched->report_fd));
        if (launched->pidfd < 0)
                return;
        while (waitid(P_PIDFD, (id_t)launched->pidfd, NULL, WEXITED) < 0 && errno == EINTR)
                continue;
        close(TAKE_FD(launched->pidfd));
}
