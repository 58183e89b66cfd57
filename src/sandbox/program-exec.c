#include "sandbox/program-exec.h"

#include "base/attributes.h"
#include "sandbox/init.h"
#include "sandbox/wall-limits.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

struct step {
        enum sandbox_step step;
        int (*take)(const struct launch *launch);
};

static bool wanted(const struct launch *launch, enum sandbox_wall wall)
{
        return launch->walls & UINT32_C(1) << wall;
}

static int calm_signals(const struct launch *launch)
{
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)signal(number, SIG_DFL);
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || setsid() < 0)
                return -errno;
        return 0;
}

static int enter_limits(const struct launch *launch)
{
        return limits_enter(&launch->limits, launch->identity.own);
}

static int enter_identity(const struct launch *launch)
{
        umask(0002); /* what is shared is shared by group */
        return identity_enter(&launch->identity);
}

/* In its folder as itself: in there nobody else can put a link. A change of
 * identity had cleared the signal of the parent's death. */
static int enter_folder(const struct launch *launch)
{
        if (chdir(launch->folder) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        return 0;
}

static int bound_capabilities(const struct launch *launch)
{
        return capabilities_bound();
}

static int drop_capabilities(const struct launch *launch)
{
        return capabilities_drop(0);
}

static int enter_no_new_privs(const struct launch *launch)
{
        return capabilities_are_none() ? no_new_privs_enter() : -EPERM;
}

static int enter_landlock(const struct launch *launch)
{
        return wanted(launch, SANDBOX_WALL_LANDLOCK) ? landlock_enter(&launch->landlock) : 0;
}

static int put_descriptors(const struct launch *launch)
{
        for (int i = 0; i < SANDBOX_DESCRIPTORS; i++) {
                int fd = launch->descriptors[i];

                if (fd < 0 && i < 3)
                        fd = launch->null_fd;
                if (fd < 0)
                        close(i);
                else if (dup2(fd, i) < 0)
                        return -errno;
        }
        if (close_range(SANDBOX_DESCRIPTORS, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return -errno;
        return 0;
}

static int enter_seccomp(const struct launch *launch)
{
        return wanted(launch, SANDBOX_WALL_SECCOMP) ? seccomp_filter_enter(launch->filter) : 0;
}

/* Changing who we are needs capabilities and, where we stay who we are, takes none
 * away: so those that could be gained go before, those that are there after. The
 * limit of descriptors would count the spawner's, all of which are here still, and
 * keep Landlock from opening what it makes rules of. */
static const struct step steps[] = {
        {SANDBOX_STEP_PROCESS, calm_signals},     {SANDBOX_STEP_CAPABILITIES, bound_capabilities},
        {SANDBOX_STEP_IDENTITY, enter_identity},  {SANDBOX_STEP_CAPABILITIES, drop_capabilities},
        {SANDBOX_STEP_DIRECTORIES, enter_folder}, {SANDBOX_STEP_CAPABILITIES, enter_no_new_privs},
        {SANDBOX_STEP_LANDLOCK, enter_landlock},  {SANDBOX_STEP_PROCESS, put_descriptors},
        {SANDBOX_STEP_LIMITS, enter_limits},      {SANDBOX_STEP_SECCOMP, enter_seccomp},
};

_Noreturn static void fail(int report_fd, int tell_fd, enum sandbox_step step, int error,
                           const char *where)
{
        struct report report = {.kind = REPORT_FAILED, .error = error, .step = step};

        snprintf(report.where, sizeof(report.where), "%s", where);
        init_report(report_fd, &report);
        if (write(tell_fd, "", 1) < 0)
                _exit(EXIT_FAILURE);
        _exit(EXIT_FAILURE);
}

_Noreturn void program_exec(const struct launch *launch, pid_t parent, int report_fd, int tell_fd)
{
        const struct report here = {.kind = REPORT_HERE};
        const char *const *argv = launch->program->argv;

        init_report(report_fd, &here);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                int r = steps[i].take(launch);

                /* It died before we said that we want to know. */
                if (r == 0 && getppid() != parent)
                        r = -ESRCH;
                if (r < 0)
                        fail(report_fd, tell_fd, steps[i].step, r, "");
        }
        execve(argv[0], (char *const *)argv, launch->environment);
        fail(report_fd, tell_fd, SANDBOX_STEP_EXEC, -errno, argv[0]);
}
