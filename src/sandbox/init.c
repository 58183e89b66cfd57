#include "sandbox/init.h"

#include "sandbox/process-tree.h"
#include "sandbox/program-exec.h"
#include "sandbox/wall-limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { REPORT_FD = 3, SIGNAL_FD = 4, KILL_TIMEOUT_MS = 5000 };

struct init {
        const struct launch *launch;
        bool has_namespace;
        int report_fd, signal_fd;
        pid_t program;
        bool program_ended;
        int wait_status;
        uint32_t others; /* that were reaped since the end began */
};

void init_report(int report_fd, const struct report *report)
{
        (void)send(report_fd, report, sizeof(*report), MSG_NOSIGNAL);
}

_Noreturn static void fail(int report_fd, enum sandbox_step step, int error, const char *where)
{
        struct report report = {.kind = REPORT_FAILED, .error = error, .step = step};

        snprintf(report.where, sizeof(report.where), "%s", where);
        init_report(report_fd, &report);
        _exit(EXIT_FAILURE);
}

static void on_reaped(void *owner, pid_t pid, int status)
{
        struct init *init = owner;

        if (pid == init->program) {
                init->program_ended = true;
                init->wait_status = status;
        } else {
                init->others++;
        }
}

static void reap(struct init *init, int flags)
{
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, flags)) > 0 || (pid < 0 && errno == EINTR))
                if (pid > 0)
                        on_reaped(init, pid, status);
}

/* All that are left; they are ours to wait for, whoever made them. In a namespace
 * the kernel kills them in one step that no fork(2) outruns. */
static void kill_all(struct init *init)
{
        reap(init, WNOHANG);
        init->others = 0;
        if (init->has_namespace)
                (void)kill(-1, SIGKILL);
        else
                (void)process_tree_kill(NULL, 0, KILL_TIMEOUT_MS, on_reaped, init);
        reap(init, 0);
}

_Noreturn static void finish(struct init *init)
{
        struct report report = {.kind = REPORT_ENDED};
        struct rusage usage;

        kill_all(init);
        report.wait_status = init->wait_status;
        report.children = init->others;
        if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
                report.cpu_us =
                        ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) *
                                1000000 +
                        (uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec;
        init_report(init->report_fd, &report);
        _exit(EXIT_SUCCESS);
}

_Noreturn static void wait_for_the_end(struct init *init)
{
        struct pollfd waiting[] = {{.fd = init->report_fd, .events = POLLIN},
                                   {.fd = init->signal_fd, .events = POLLIN}};

        for (;;) {
                struct signalfd_siginfo drained[8];

                if (poll(waiting, 2, -1) < 0 && errno != EINTR)
                        finish(init);
                if (waiting[0].revents)
                        finish(init);
                if (waiting[1].revents && read(init->signal_fd, drained, sizeof(drained)) < 0 &&
                    errno != EAGAIN && errno != EINTR)
                        finish(init);
                reap(init, WNOHANG);
                if (init->program_ended)
                        finish(init);
        }
}

/* Nothing stays open that a program or the asker waits for the end of, and nothing
 * that gives more power than to kill. */
static int settle(struct init *init)
{
        sigset_t children;
        int fd;

        for (int i = 0; i < REPORT_FD; i++)
                if (dup2(init->launch->null_fd, i) < 0)
                        return -errno;
        if (dup2(init->report_fd, REPORT_FD) < 0 || close_range(SIGNAL_FD, ~0U, 0) < 0)
                return -errno;
        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return -errno;
        init->report_fd = REPORT_FD;
        init->signal_fd = fd;
        return capabilities_drop(UINT64_C(1) << CAP_KILL);
}

/* 0: it runs, or ended early; 1: it said itself why it does not. */
static int start_program(struct init *init)
{
        const pid_t self = getpid();
        int tell[2];
        char word;
        ssize_t got;

        if (pipe2(tell, O_CLOEXEC) < 0)
                return -errno;
        init->program = fork();
        if (init->program == 0)
                program_exec(init->launch, self, init->report_fd, tell[1]);
        close(tell[1]);
        if (init->program < 0) {
                int error = errno;

                close(tell[0]);
                return -error;
        }
        /* execve(2) closes the pipe. */
        do
                got = read(tell[0], &word, 1);
        while (got < 0 && errno == EINTR);
        close(tell[0]);
        return got > 0;
}

static int enter_cgroup(int cgroup_fd)
{
        AUTO_CLOSE int fd = openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

        return fd < 0 || write(fd, "0", 1) < 0 ? -errno : 0;
}

static void prepare(const struct launch *launch, int report_fd)
{
        sigset_t all;
        const char *where = "";
        int r;

        sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL);
        (void)prctl(PR_SET_NAME, "pifleet-init");
        (void)prctl(PR_SET_DUMPABLE, 0);
        umask(022);
        r = launch->cgroup_fd < 0 ? 0 : enter_cgroup(launch->cgroup_fd);
        if (r < 0)
                fail(report_fd, SANDBOX_STEP_CGROUP, r, "");
        limits_volunteer_for_oom();
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                fail(report_fd, SANDBOX_STEP_PROCESS, -errno, "subreaper");
        if (launch->walls & UINT32_C(1) << SANDBOX_WALL_MOUNT_VIEW) {
                r = mount_view_enter(&launch->mounts, &where);
                if (r < 0)
                        fail(report_fd, SANDBOX_STEP_MOUNT_VIEW, r, where);
        }
}

_Noreturn void init_run(const struct launch *launch, int report_fd, int others_fd)
{
        struct init init = {.launch = launch, .report_fd = report_fd};
        const struct report running = {.kind = REPORT_RUNNING};
        int r;

        close(others_fd);
        init.has_namespace = launch->walls & UINT32_C(1) << SANDBOX_WALL_PID_NAMESPACE;
        /* Our end is the end of the namespace. Without one it must be us who kill,
         * when the report socket says that the spawner is gone. */
        if (init.has_namespace)
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        prepare(launch, report_fd);
        r = start_program(&init);
        if (r < 0)
                fail(report_fd, SANDBOX_STEP_PROCESS, r, "fork");
        if (r > 0)
                _exit(EXIT_FAILURE);
        r = settle(&init);
        if (r < 0)
                fail(init.report_fd, SANDBOX_STEP_PROCESS, r, "init");
        init_report(init.report_fd, &running);
        wait_for_the_end(&init);
}
