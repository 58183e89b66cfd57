/* hostile-probe - tries to get through one wall, from inside.
 *
 * Usage: hostile-probe ATTEMPT [ARGUMENT...]
 *
 * Exit status: 0 it was held back, 1 it got through, 2 the attempt is not known or
 * could not be made. What it found out is printed as a word or a number. It is
 * built without sanitizers, which would be held back too. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELD = 0, THROUGH = 1, UNKNOWN = 2, FORKS_MAX = 2000, FORKS_FEW = 64 };

static int result(int failed)
{
        printf("%s\n", failed ? strerrorname_np(errno) : "done");
        return failed ? HELD : THROUGH;
}

/* An empty file is what a hidden one looks like. */
static int try_read(char *arguments[])
{
        int fd = open(arguments[0], O_RDONLY);
        char byte;

        if (fd < 0)
                return result(1);
        errno = ENODATA;
        return result(read(fd, &byte, 1) != 1);
}

/* Opened only: a device need not have bytes. */
static int try_open(char *arguments[])
{
        return result(open(arguments[0], O_RDWR) < 0);
}

static int try_write(char *arguments[])
{
        int fd = open(arguments[0], O_WRONLY | O_CREAT | O_APPEND, 0664);

        return result(fd < 0 || write(fd, "x", 1) != 1);
}

static int try_list(char *arguments[])
{
        DIR *folder = opendir(arguments[0]);
        struct dirent *entry;
        int count = 0;

        while (folder && (entry = readdir(folder)))
                if (entry->d_name[0] != '.') {
                        printf("%s ", entry->d_name);
                        count++;
                }
        puts("");
        return count > 0 ? THROUGH : HELD;
}

static int try_kill(char *arguments[])
{
        return result(kill(atoi(arguments[0]), SIGUSR1) < 0);
}

static int try_ptrace(char *arguments[])
{
        return result(ptrace(PTRACE_SEIZE, atoi(arguments[0]), NULL, NULL) < 0);
}

static int try_memory_of(char *arguments[])
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%s/mem", arguments[0]);
        return result(open(path, O_RDWR) < 0);
}

static int try_mount(char *arguments[])
{
        return result(mount("none", "/tmp", "tmpfs", 0, NULL) < 0);
}

static int try_remount(char *arguments[])
{
        return result(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) < 0 && umount("/tmp") < 0);
}

static int try_unshare(char *arguments[])
{
        return result(unshare(CLONE_NEWUSER) < 0);
}

static int try_clone(char *arguments[])
{
        long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

        if (pid == 0)
                _exit(0);
        return result(pid < 0);
}

static int try_clone3(char *arguments[])
{
        struct clone_args_v0 {
                uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls;
        } clone_args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
        long pid = syscall(SYS_clone3, &clone_args, sizeof(clone_args));

        if (pid == 0)
                _exit(0);
        /* EPERM would keep a C library from taking clone(2). */
        return pid < 0 && errno == ENOSYS ? result(1) : result(0);
}

static int try_keyctl(char *arguments[])
{
        return result(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1) < 0);
}

static int try_io_uring(char *arguments[])
{
        char parameters[256] = {0};

        return result(syscall(SYS_io_uring_setup, 1, parameters) < 0);
}

static int try_userfaultfd(char *arguments[])
{
        return result(syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */) < 0);
}

static int try_bpf(char *arguments[])
{
        char attributes[128] = {0};

        attributes[0] = 2; /* an array map */
        attributes[4] = attributes[8] = 4;
        attributes[12] = 1;
        return result(syscall(SYS_bpf, 0, attributes, sizeof(attributes)) < 0);
}

static int try_perf(char *arguments[])
{
        char attributes[128] = {0};

        attributes[0] = 1; /* software */
        attributes[4] = (char)sizeof(attributes);
        attributes[40] = 0x60; /* not of the kernel */
        return result(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0) < 0);
}

/* The filter is asked before the kernel looks whether this is a terminal. */
static int try_tiocsti(char *arguments[])
{
        errno = 0;
        (void)ioctl(0, TIOCSTI, "x");
        return result(errno == EPERM);
}

static int try_inet(char *arguments[])
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons((uint16_t)atoi(arguments[0]))};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return result(fd < 0 || connect(fd, (void *)&address, sizeof(address)) < 0);
}

static int try_packet(char *arguments[])
{
        return result(socket(AF_PACKET, SOCK_RAW, 0) < 0);
}

/* "@name": an abstract one. */
static int try_unix(char *arguments[])
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t length = strlen(arguments[0]);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        memcpy(address.sun_path, arguments[0], length);
        if (arguments[0][0] == '@')
                address.sun_path[0] = '\0';
        return result(fd < 0 ||
                      connect(fd, (void *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0);
}

static int try_become_root(char *arguments[])
{
        return result(setuid(0) < 0 && setgid(0) < 0 && setgroups(0, NULL) < 0);
}

/* Of a copy that has the set-user-id bit: it prints who it is. */
static int try_setuid_program(char *arguments[])
{
        execl(arguments[0], arguments[0], "uid", NULL);
        return result(1);
}

static int say_uid(char *arguments[])
{
        printf("%u\n", geteuid());
        return geteuid() == 0 ? THROUGH : HELD;
}

static int try_fork_bomb(char *arguments[])
{
        int count = 0;

        while (count < FORKS_MAX) {
                pid_t pid = fork();

                if (pid == 0) {
                        pause();
                        _exit(0);
                }
                if (pid < 0)
                        break;
                count++;
        }
        printf("%d\n", count);
        fflush(stdout);
        if (arguments[0]) /* stays, so that somebody else has to see it */
                pause();
        return count > FORKS_FEW ? THROUGH : HELD;
}

/* Each has a child and ends, and so on: never there when one looks. */
static int try_runaway(char *arguments[])
{
        if (fork() > 0)
                pause();
        setsid();
        for (;;) {
                pid_t pid = fork();

                if (pid != 0)
                        _exit(0);
        }
}

static int try_memory(char *arguments[])
{
        size_t megabytes = (size_t)atoi(arguments[0]);

        for (size_t i = 0; i < megabytes; i++) {
                char *block = malloc(1 << 20);

                if (!block)
                        return result(1);
                memset(block, 1, 1 << 20);
        }
        puts("done");
        fflush(stdout);
        if (arguments[1])
                pause();
        return THROUGH;
}

/* A child turns its back on everybody. Its number is told on descriptor 3, once
 * nobody is left between it and whoever takes orphans. */
static int try_daemon(char *arguments[])
{
        pid_t self;
        int said[2];

        if (pipe(said) < 0)
                return UNKNOWN;
        if (fork() == 0) {
                setsid();
                if (fork() == 0) {
                        self = (pid_t)syscall(SYS_getpid);
                        signal(SIGTERM, SIG_IGN);
                        if (write(said[1], &self, sizeof(self)) < 0)
                                _exit(UNKNOWN);
                        pause();
                }
                _exit(0);
        }
        wait(NULL);
        if (read(said[0], &self, sizeof(self)) != sizeof(self) ||
            write(3, &self, sizeof(self)) != sizeof(self))
                return UNKNOWN;
        if (arguments[0])
                pause();
        return HELD;
}

static int say_descriptors(char *arguments[])
{
        int count = 0;

        for (int fd = 0; fd < 1024; fd++)
                if (fcntl(fd, F_GETFD) >= 0) {
                        printf("%d ", fd);
                        count++;
                }
        puts("");
        return count == atoi(arguments[0]) ? HELD : THROUGH;
}

static int say_signals(char *arguments[])
{
        sigset_t blocked;

        sigprocmask(SIG_BLOCK, NULL, &blocked);
        for (int number = 1; number < 32; number++) {
                struct sigaction action;

                if (sigaction(number, NULL, &action) == 0 &&
                    (action.sa_handler != SIG_DFL || sigismember(&blocked, number)))
                        return THROUGH;
        }
        return HELD;
}

static int say_where(char *arguments[])
{
        char folder[4096];

        printf("%s %s %d\n", getcwd(folder, sizeof(folder)), getenv("HOME"), geteuid() != 0);
        return HELD;
}

static int say_limit(char *arguments[])
{
        struct rlimit limit;

        getrlimit((__rlimit_resource_t)atoi(arguments[0]), &limit);
        printf("%llu\n", (unsigned long long)limit.rlim_cur);
        return HELD;
}

__attribute__((noreturn)) static int wait_for_nothing(char *arguments[])
{
        puts("here");
        fflush(stdout);
        signal(SIGTERM, SIG_IGN);
        for (;;)
                pause();
}

__attribute__((noreturn)) static int burn(char *arguments[])
{
        for (;;)
                continue;
}

static const struct {
        const char *name;
        int arguments;
        int (*run)(char *arguments[]);
} attempts[] = {
        {"read", 1, try_read},
        {"open", 1, try_open},
        {"write", 1, try_write},
        {"list", 1, try_list},
        {"kill", 1, try_kill},
        {"ptrace", 1, try_ptrace},
        {"memory-of", 1, try_memory_of},
        {"mount", 0, try_mount},
        {"remount", 0, try_remount},
        {"unshare", 0, try_unshare},
        {"clone", 0, try_clone},
        {"clone3", 0, try_clone3},
        {"keyctl", 0, try_keyctl},
        {"io_uring", 0, try_io_uring},
        {"userfaultfd", 0, try_userfaultfd},
        {"bpf", 0, try_bpf},
        {"perf", 0, try_perf},
        {"tiocsti", 0, try_tiocsti},
        {"inet", 1, try_inet},
        {"packet", 0, try_packet},
        {"unix", 1, try_unix},
        {"become-root", 0, try_become_root},
        {"setuid-program", 1, try_setuid_program},
        {"uid", 0, say_uid},
        {"fork-bomb", 0, try_fork_bomb},
        {"runaway", 0, try_runaway},
        {"memory", 1, try_memory},
        {"daemon", 0, try_daemon},
        {"descriptors", 1, say_descriptors},
        {"signals", 0, say_signals},
        {"where", 0, say_where},
        {"limit", 1, say_limit},
        {"wait", 0, wait_for_nothing},
        {"burn", 0, burn},
};

int main(int argc, char *argv[])
{
        for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]) && argc > 1; i++)
                if (strcmp(attempts[i].name, argv[1]) == 0 && argc - 2 >= attempts[i].arguments)
                        return attempts[i].run(argv + 2);
        return UNKNOWN;
}
