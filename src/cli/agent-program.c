#include "cli/agent-program.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "pifleet-agent"

enum { PATIENCE_MS = 10000 };

extern char **environ;

/* The agent that lies where this program lies; else the name, for $PATH. */
static void find(char path[PATH_MAX])
{
        ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
        char *slash;

        if (length > 0) {
                path[length] = '\0';
                slash = strrchr(path, '/');
                if (slash && (size_t)(slash + 1 - path) + sizeof(PROGRAM) <= PATH_MAX) {
                        memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
                        if (access(path, X_OK) == 0)
                                return;
                }
        }
        memcpy(path, PROGRAM, sizeof(PROGRAM));
}

static int spawn(const char *path, const char *config_path, int output, pid_t *ret)
{
        char *arguments[] = {(char *)PROGRAM, (char *)"--check-config",
                             config_path ? (char *)"--config" : NULL, (char *)config_path, NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t defaults;
        int r;

        /* The program shall not inherit that we ignore SIGPIPE. */
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawnattr_init(&attributes);
        if (r != 0) {
                posix_spawn_file_actions_destroy(&actions);
                return -r;
        }
        r = posix_spawnattr_setsigdefault(&attributes, &defaults);
        if (r == 0)
                r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output, 1);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output, 2);
        if (r == 0)
                r = posix_spawnp(ret, path, &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

/* Reads to the end; what does not fit is read and dropped. */
static int read_output(int fd, char output[AGENT_PROGRAM_OUTPUT_MAX])
{
        uint64_t end_ns = clock_monotonic_ns() + UINT64_C(1000000) * PATIENCE_MS;
        size_t length = 0;

        for (;;) {
                struct pollfd wait = {.fd = fd, .events = POLLIN};
                uint64_t now_ns = clock_monotonic_ns();
                char bytes[512];
                ssize_t count;
                size_t kept;
                int r;

                if (now_ns >= end_ns)
                        return -ETIMEDOUT;
                r = poll(&wait, 1, (int)((end_ns - now_ns) / 1000000) + 1);
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r <= 0)
                        continue;
                count = read(fd, bytes, sizeof(bytes));
                if (count < 0 && errno != EINTR)
                        return -errno;
                if (count == 0)
                        break;
                if (count < 0)
                        continue;
                kept = (size_t)count < AGENT_PROGRAM_OUTPUT_MAX - 1 - length
                               ? (size_t)count
                               : AGENT_PROGRAM_OUTPUT_MAX - 1 - length;
                memcpy(output + length, bytes, kept);
                length += kept;
        }
        output[length] = '\0';
        return 0;
}

int agent_program_check_config(const char *config_path, int *ret_status,
                               char output[AGENT_PROGRAM_OUTPUT_MAX], struct error *error)
{
        AUTO_CLOSE int read_end = -1;
        AUTO_CLOSE int write_end = -1;
        char path[PATH_MAX];
        int pipe_fds[2], status;
        pid_t pid;
        int r;

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set(error, -errno, "no pipe: %s", strerror(errno));
        read_end = pipe_fds[0];
        write_end = pipe_fds[1];
        find(path);
        r = spawn(path, config_path, write_end, &pid);
        if (r < 0)
                return error_set(error, r, "%s cannot be run: %s", path, strerror(-r));
        close(TAKE_FD(write_end));
        r = read_output(read_end, output);
        if (r < 0)
                kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return error_set(error, r, "%s --check-config: %s", path, strerror(-r));
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return 0;
}
