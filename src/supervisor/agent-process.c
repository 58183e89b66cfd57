#include "supervisor/agent-process.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

enum { GUARD_TEXT_MAX = 64 };

/* What the child needs, made before the fork: after it only what signal handlers
 * may do is allowed. */
struct launch {
        char *const *argv;
        char **environment;
        const sigset_t *mask;
        int channel_fd, page_fd;
        int report_fd; /* an error goes here; closed by a successful exec */
        pid_t parent;
};

static int make_page(struct guard_page **ret, int *ret_fd)
{
        AUTO_CLOSE int fd = memfd_create("pifleet-guard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        void *page;

        if (fd < 0)
                return -errno;
        if (ftruncate(fd, GUARD_PAGE_BYTES) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
                return -errno;
        page = mmap(NULL, GUARD_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page == MAP_FAILED)
                return -errno;
        *ret = page;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static bool is_variable(const char *entry, const char *name)
{
        size_t length = strlen(name);

        return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

/* Ours with `guard` for $PIFLEET_GUARD, and without $WATCHDOG_PID: that is us, and
 * an agent that finds it would not feed the service manager's watchdog
 * (sd_watchdog_enabled(3)). The texts stay where they are. */
static char **make_environment(char *guard)
{
        size_t count = 0, kept = 0;
        char **environment;

        while (environ[count])
                count++;
        environment = calloc(count + 2, sizeof(*environment));
        if (!environment)
                return NULL;
        for (size_t i = 0; i < count; i++)
                if (!is_variable(environ[i], GUARD_ENVIRONMENT) &&
                    !is_variable(environ[i], "WATCHDOG_PID"))
                        environment[kept++] = environ[i];
        environment[kept] = guard;
        return environment;
}

/* In the child. The limit of 1 keeps a program that is given cores by a pipe
 * (core(5)) from being started, which 0 does not. */
static void launch_child(const struct launch *launch)
{
        const struct rlimit no_core = {1, 1};
        int error;

        if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() != launch->parent)
                _exit(EXIT_FAILURE); /* it died in between, and told nobody */
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGPIPE, SIG_DFL);
        if (sigprocmask(SIG_SETMASK, launch->mask, NULL) == 0 &&
            fcntl(launch->channel_fd, F_SETFD, 0) == 0 && fcntl(launch->page_fd, F_SETFD, 0) == 0)
                execvpe(launch->argv[0], launch->argv, launch->environment);
        error = errno;
        if (write(launch->report_fd, &error, sizeof(error)) < 0)
                _exit(EXIT_FAILURE);
        _exit(EXIT_FAILURE);
}

/* Waits until the program runs; -errno: it does not, and was reaped. */
static int await_program(pid_t pid, int report_fd)
{
        int error = 0;
        ssize_t got;

        do
                got = read(report_fd, &error, sizeof(error));
        while (got < 0 && errno == EINTR);
        if (got == 0)
                return 0;
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                continue;
        return got == sizeof(error) && error > 0 ? -error : -EIO;
}

static int launch_program(struct launch *launch, struct agent_process *ret, bool *ret_missing)
{
        AUTO_CLOSE int ours = -1;
        AUTO_CLOSE int theirs = -1;
        int report[2];
        pid_t pid;
        int r;

        if (pipe2(report, O_CLOEXEC) < 0)
                return -errno;
        ours = report[0];
        theirs = launch->report_fd = report[1];
        launch->parent = getpid();
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                launch_child(launch);
        close(TAKE_FD(theirs));
        r = await_program(pid, ours);
        if (r < 0) {
                *ret_missing = true;
                return r;
        }
        ret->pid = pid;
        ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (ret->pidfd < 0) {
                r = -errno;
                kill(pid, SIGKILL);
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        continue;
                return r;
        }
        return 0;
}

int agent_process_start(char *const argv[], const sigset_t *mask, struct agent_process *ret,
                        bool *ret_missing)
{
        struct agent_process process = {.pidfd = -1, .channel.fd = -1};
        struct ipc_channel theirs = {.fd = -1};
        AUTO_FREE char **environment = NULL;
        AUTO_CLOSE int page_fd = -1;
        char guard[GUARD_TEXT_MAX];
        int r;

        *ret_missing = false;
        r = ipc_channel_pair(GUARD_VERSION, &process.channel, &theirs);
        if (r == 0)
                r = make_page(&process.page, &page_fd);
        if (r == 0) {
                snprintf(guard, sizeof(guard), GUARD_ENVIRONMENT "=%d,%d", theirs.fd, page_fd);
                environment = make_environment(guard);
                r = environment ? 0 : -ENOMEM;
        }
        if (r == 0) {
                struct launch launch = {.argv = argv,
                                        .environment = environment,
                                        .mask = mask,
                                        .channel_fd = theirs.fd,
                                        .page_fd = page_fd};

                r = launch_program(&launch, &process, ret_missing);
        }
        ipc_channel_close(&theirs);
        if (r < 0) {
                agent_process_done(&process, false);
                return r;
        }
        *ret = process;
        return 0;
}

void agent_process_signal(const struct agent_process *process, int number)
{
        (void)syscall(SYS_pidfd_send_signal, process->pidfd, number, NULL, 0);
}

int agent_process_reap(struct agent_process *process, int *ret_status)
{
        pid_t pid;

        do
                pid = waitpid(process->pid, ret_status, 0);
        while (pid < 0 && errno == EINTR);
        return pid < 0 ? -errno : 0;
}

void agent_process_done(struct agent_process *process, bool leave_page)
{
        ipc_channel_close(&process->channel);
        if (process->pidfd >= 0)
                close(TAKE_FD(process->pidfd));
        if (process->page && !leave_page)
                munmap(process->page, GUARD_PAGE_BYTES);
        process->page = NULL;
}
