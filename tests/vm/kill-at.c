/* kill-at - runs a command and kills one of its processes at its N-th system call at which
 * that can matter.
 *
 * Usage: kill-at PROCESS NUMBER WHOM COMMAND [ARGUMENT...]
 *
 * PROCESS 0 is the command itself, 1, 2, … the processes it forks, in their order;
 * threads are part of their process. WHOM is `alone`: that process is killed, or
 * `all`: every process that lives is. The call at which it happens is not done any
 * more. Its stdout tells the command's process id, and then the decision as soon as
 * there is one:
 *
 *     started PID
 *     killed NUMBER CALL      (CALL: the number of the system call)
 *     ended COUNT CALLS       the process came to its end after COUNT of such calls, and
 *                             CALLS in all
 *
 * A call does not count when the same thread's call before it was one that only the
 * process itself can tell (is_private()): what it leaves on disk, at the hardware and with
 * other processes when it is killed here, it would have left there. After each call that
 * does something or waits, there is one that counts, whatever the other threads do
 * meanwhile: theirs count for themselves.
 *
 * and returns the command's status, 128 + the signal that ended it, as a shell does.
 * The command's own stdout is this program's stderr.
 *
 * Calls are counted over all threads, so that the N-th of two runs may be different
 * ones where threads race: whoever wants all of them takes every N. The way is
 * ptrace(2); processes other than the chosen one run at their full speed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
        THREADS_MAX = 64,
        EXIT_USAGE = 2,
        SYSCALL_STOP = SIGTRAP | 0x80, /* PTRACE_O_TRACESYSGOOD */
};

struct thread {
        pid_t id, process;
        bool chosen; /* of the process whose calls count */
        bool early;  /* it stopped before its birth was told, and waits for that */
        bool quiet;  /* its last call was one that only the process can tell */
};

struct run {
        unsigned long chosen, number; /* what to do: PROCESS and NUMBER */
        bool all;

        struct thread threads[THREADS_MAX];
        size_t threads_count;
        pid_t command;
        unsigned long forked, counted, calls;
        bool decided;
        int status;
};

static void fail(const char *what)
{
        fprintf(stderr, "kill-at: %s: %s\n", what, strerror(errno));
        exit(EXIT_USAGE); /* PTRACE_O_EXITKILL: nobody is left behind */
}

static struct thread *find(struct run *run, pid_t id)
{
        for (size_t i = 0; i < run->threads_count; i++)
                if (run->threads[i].id == id)
                        return &run->threads[i];
        return NULL;
}

static struct thread *add(struct run *run, pid_t id)
{
        struct thread *thread = &run->threads[run->threads_count];

        if (run->threads_count == THREADS_MAX) {
                errno = ENOSPC;
                fail("too many threads");
        }
        run->threads_count++;
        *thread = (struct thread){.id = id, .process = id};
        return thread;
}

/* Whether a thread of the chosen process is left. */
static bool lives(const struct run *run)
{
        for (size_t i = 0; i < run->threads_count; i++)
                if (run->threads[i].chosen)
                        return true;
        return false;
}

static void go_on(const struct run *run, const struct thread *thread, int number)
{
        bool count = thread->chosen && !run->decided;

        /* ESRCH: killed meanwhile; its end is told by waitpid(). */
        if (ptrace(count ? PTRACE_SYSCALL : PTRACE_CONT, thread->id, 0, number) < 0 &&
            errno != ESRCH)
                fail("ptrace");
}

static void decide(struct run *run, const char *what, unsigned long number, const char *more)
{
        if (run->decided)
                return;
        run->decided = true;
        printf("%s %lu%s\n", what, number, more);
        fflush(stdout);
        for (size_t i = 0; i < run->threads_count; i++)
                if (run->threads[i].early)
                        go_on(run, &run->threads[i], 0);
}

static void tell_end(struct run *run)
{
        char more[32];

        snprintf(more, sizeof(more), " %lu", run->calls);
        decide(run, "ended", run->counted, more);
}

static void remove_thread(struct run *run, struct thread *thread)
{
        bool chosen = thread->chosen;

        *thread = run->threads[--run->threads_count];
        if (chosen && !lives(run))
                tell_end(run);
}

static void kill_now(struct run *run, const struct thread *thread, unsigned long long call)
{
        char more[32];

        for (size_t i = 0; i < run->threads_count; i++)
                if (run->all || run->threads[i].process == thread->process)
                        kill(run->threads[i].process, SIGKILL);
        snprintf(more, sizeof(more), " %llu", call);
        decide(run, "killed", run->number, more);
}

/* A file or a folder: whoever reads it waits for nobody and takes nothing away, and its
 * descriptor is closed by a death as well. */
static bool is_plain(const struct thread *thread, uint64_t fd)
{
        char path[64];
        struct stat status;

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)thread->id, (int)fd);
        return stat(path, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

/* The descriptor of an eventfd, by which threads of one process wake each other. */
static bool is_eventfd(const struct thread *thread, uint64_t fd)
{
        static const char name[] = "anon_inode:[eventfd]";
        char path[64], target[sizeof(name)];
        ssize_t length;

        snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)thread->id, (int)fd);
        length = readlink(path, target, sizeof(target));
        return length == sizeof(name) - 1 && memcmp(target, name, sizeof(name) - 1) == 0;
}

/* Calls that change or ask for nothing but the process's own memory, signals and new
 * descriptors, or ask the kernel and files, and wait for nobody. */
static const uint64_t private_calls[] = {
        SYS_brk,
        SYS_munmap,
        SYS_mprotect,
        SYS_mremap,
        SYS_madvise,
        SYS_arch_prctl,
        SYS_set_tid_address,
        SYS_set_robust_list,
        SYS_rseq,
        SYS_rt_sigaction,
        SYS_rt_sigprocmask,
        SYS_sigaltstack,
        SYS_getpid,
        SYS_gettid,
        SYS_getppid,
        SYS_getuid,
        SYS_geteuid,
        SYS_getgid,
        SYS_getegid,
        SYS_uname,
        SYS_sysinfo,
        SYS_getrandom,
        SYS_getcwd,
        SYS_clock_gettime,
        SYS_sched_getaffinity,
        SYS_stat,
        SYS_lstat,
        SYS_fstat,
        SYS_newfstatat,
        SYS_statx,
        SYS_access,
        SYS_faccessat,
        SYS_faccessat2,
        SYS_readlink,
        SYS_readlinkat,
        SYS_getxattr,
        SYS_getdents64,
        SYS_lseek,
        SYS_socket,
        SYS_socketpair,
        SYS_pipe2,
        SYS_eventfd2,
        SYS_epoll_create1,
        SYS_epoll_ctl,
        SYS_signalfd4,
        SYS_timerfd_create,
        SYS_memfd_create,
        SYS_getsockopt,
        SYS_getsockname,
        SYS_getpeername,
};

/* Whether only the process itself can tell that this call was done. What is not known to be
 * so is not. */
static bool is_private(const struct thread *thread, uint64_t call, const uint64_t *argument)
{
        for (size_t i = 0; i < sizeof(private_calls) / sizeof(private_calls[0]); i++)
                if (call == private_calls[i])
                        return true;
        switch (call) {
        case SYS_mmap:
                return (argument[3] & MAP_TYPE) == MAP_PRIVATE;
        case SYS_openat:
                return (argument[2] & (O_ACCMODE | O_CREAT | O_TRUNC)) == O_RDONLY;
        case SYS_read:
        case SYS_pread64:
                return is_plain(thread, argument[0]) || is_eventfd(thread, argument[0]);
        case SYS_write:
                return is_eventfd(thread, argument[0]);
        case SYS_close:
                return is_plain(thread, argument[0]);
        case SYS_poll: /* that does not wait */
                return (int)argument[2] == 0;
        case SYS_futex:
                return (argument[1] & FUTEX_CMD_MASK) == FUTEX_WAKE;
        case SYS_prlimit64: /* that only asks */
                return argument[2] == 0;
        case SYS_ioctl:
                return argument[1] == FIONBIO;
        case SYS_fcntl:
                return argument[1] == F_GETFD || argument[1] == F_SETFD || argument[1] == F_GETFL ||
                       argument[1] == F_DUPFD_CLOEXEC;
        default:
                return false;
        }
}

static void on_call(struct run *run, struct thread *thread)
{
        bool was_quiet = thread->quiet;
        struct __ptrace_syscall_info info;

        /* It may be dying already. */
        if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->id, sizeof(info), &info) < 0)
                return;
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY || run->decided)
                return;
        run->calls++;
        thread->quiet = is_private(thread, info.entry.nr, (const uint64_t *)info.entry.args);
        if (!was_quiet && ++run->counted == run->number)
                kill_now(run, thread, info.entry.nr);
}

/* Of a new one two things are heard, in either order: its first stop, and this. */
static void on_birth(struct run *run, pid_t parent_id, unsigned event)
{
        const struct thread *parent = find(run, parent_id);
        struct thread *child;
        bool is_early;
        unsigned long id;

        if (!parent || ptrace(PTRACE_GETEVENTMSG, parent_id, 0, &id) < 0)
                return;
        child = find(run, (pid_t)id);
        is_early = child && child->early;
        if (!child)
                child = add(run, (pid_t)id);
        child->early = false;
        if (event == PTRACE_EVENT_CLONE) {
                child->process = parent->process;
                child->chosen = parent->chosen;
        } else {
                child->process = child->id;
                child->chosen = parent->process == run->command && ++run->forked == run->chosen;
        }
        if (is_early)
                go_on(run, child, 0);
}

static void on_stop(struct run *run, struct thread *thread, int status)
{
        unsigned event = (unsigned)status >> 16;
        int number = WSTOPSIG(status);

        if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
            event == PTRACE_EVENT_VFORK)
                on_birth(run, thread->id, event);
        else if (number == SYSCALL_STOP)
                on_call(run, thread);
        go_on(run, thread, event == 0 && number != SYSCALL_STOP ? number : 0);
}

static void follow(struct run *run)
{
        struct thread *thread;
        int status;
        pid_t id;

        for (;;) {
                id = waitpid(-1, &status, __WALL);
                if (id < 0 && errno == EINTR)
                        continue;
                if (id < 0)
                        return; /* nobody is left */
                thread = find(run, id);
                if (WIFSTOPPED(status) && thread) {
                        on_stop(run, thread, status);
                } else if (WIFSTOPPED(status)) {
                        thread = add(run, id);
                        /* A parent that was killed may not tell any more. */
                        thread->early = !run->decided;
                        if (run->decided)
                                go_on(run, thread, 0);
                } else if (thread) {
                        if (id == run->command)
                                run->status = status;
                        remove_thread(run, thread);
                }
        }
}

static void run_command(int gate, char *argv[])
{
        char byte;

        if (read(gate, &byte, 1) != 1 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
                _exit(EXIT_USAGE);
        close(gate);
        execvp(argv[0], argv);
        fprintf(stderr, "kill-at: %s: %s\n", argv[0], strerror(errno));
        _exit(EXIT_USAGE);
}

static void start(struct run *run, char *argv[])
{
        const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                             PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
        int gate[2];

        if (pipe(gate) < 0)
                fail("pipe");
        run->command = fork();
        if (run->command < 0)
                fail("fork");
        if (run->command == 0) {
                close(gate[1]);
                run_command(gate[0], argv);
        }
        close(gate[0]);
        if (ptrace(PTRACE_SEIZE, run->command, 0, options) < 0)
                fail("ptrace");
        add(run, run->command)->chosen = run->chosen == 0;
        /* A process that runs cannot be told to stop at calls. */
        if (ptrace(PTRACE_INTERRUPT, run->command, 0, 0) < 0 || write(gate[1], "", 1) != 1)
                fail("start");
        close(gate[1]);
        printf("started %d\n", (int)run->command);
        fflush(stdout);
}

static bool parse(const char *text, unsigned long *ret)
{
        char *end;

        errno = 0;
        *ret = strtoul(text, &end, 10);
        return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

int main(int argc, char *argv[])
{
        static struct run run;

        if (argc < 5 || !parse(argv[1], &run.chosen) || !parse(argv[2], &run.number)) {
                fprintf(stderr, "usage: kill-at PROCESS NUMBER alone|all COMMAND...\n");
                return EXIT_USAGE;
        }
        run.all = strcmp(argv[3], "all") == 0;
        start(&run, argv + 4);
        follow(&run);
        tell_end(&run);
        return WIFSIGNALED(run.status) ? 128 + WTERMSIG(run.status) : WEXITSTATUS(run.status);
}
