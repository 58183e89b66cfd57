#include "sandbox/test-sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BIT(name) (UINT32_C(1) << SANDBOX_WALL_##name)

enum { HELD = 0, THROUGH = 1 };

/* Each attempt, and the walls of which one alone has to hold it back. */
static const struct {
        const char *words[3];
        uint32_t walls;
} attempts[] = {
        {{"mount"}, BIT(SECCOMP) | BIT(CAPABILITIES)},
        {{"remount"}, BIT(SECCOMP) | BIT(CAPABILITIES)},
        {{"unshare"}, BIT(SECCOMP)},
        {{"clone"}, BIT(SECCOMP)},
        {{"clone3"}, BIT(SECCOMP)},
        {{"keyctl"}, BIT(SECCOMP)},
        {{"io_uring"}, BIT(SECCOMP)},
        {{"userfaultfd"}, BIT(SECCOMP)},
        {{"bpf"}, BIT(SECCOMP)},
        {{"perf"}, BIT(SECCOMP)},
        {{"tiocsti"}, BIT(SECCOMP)},
        {{"packet"}, BIT(SECCOMP) | BIT(CAPABILITIES)},
        {{"become-root"}, BIT(CAPABILITIES)},
        {{"write", "/etc/pifleet-probe"}, BIT(UID) | BIT(MOUNT_VIEW) | BIT(LANDLOCK)},
        {{"write", "/usr/bin/python3"}, BIT(UID) | BIT(MOUNT_VIEW) | BIT(LANDLOCK)},
        {{"read", "/etc/shadow"}, BIT(UID)},
        {{"open", "/dev/mem"}, BIT(UID) | BIT(MOUNT_VIEW)},
        {{"list", "/home"}, BIT(MOUNT_VIEW) | BIT(LANDLOCK)},
        {{"list", "/root"}, BIT(UID) | BIT(MOUNT_VIEW) | BIT(LANDLOCK)},
        {{"ptrace", "1"}, BIT(SECCOMP)},
        {{"memory-of", "1"}, BIT(UID) | BIT(PID_NAMESPACE)},
        {{"descriptors", "3"}, BIT(NO_NEW_PRIVS)},
        {{"signals"}, BIT(NO_NEW_PRIVS)},
};

static void hold_all(struct fixture *f)
{
        for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
                const char *const words[] = {attempts[i].words[0], attempts[i].words[1], NULL};
                int status;

                if (!(f->walls.set & attempts[i].walls))
                        continue;
                status = try(f, words);
                if (status != HELD)
                        FAIL("%s %s: status %d, %s", words[0], words[1] ? words[1] : "", status,
                             f->output);
        }
}

TEST(no_attempt_gets_through)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);

                CHECK(stands(&f->walls, SANDBOX_WALL_SECCOMP));
                CHECK(stands(&f->walls, SANDBOX_WALL_NO_NEW_PRIVS));
                CHECK_EQ(stands(&f->walls, SANDBOX_WALL_UID), mode == MODE_ROOT);
                hold_all(f);
                fixture_free(f);
        }
}

TEST(the_other_walls_hold_when_one_is_left_out)
{
        static const char *const left_out[] = {"mount_view", "landlock", "seccomp", "pid_namespace",
                                               "network_namespace"};

        FOR_EACH_MODE (mode)
                for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
                        struct fixture *f = fixture_new(mode, WORDS("--without", left_out[i]));

                        hold_all(f);
                        fixture_free(f);
                }
}

/* Without the filter the same attempts succeed: it is the filter that refuses, and
 * the attempt is one. */
TEST(the_attempts_are_real)
{
        struct fixture *f = fixture_new(MODE_USER, WORDS("--without", "seccomp"));

        CHECK_EQ(try(f, WORDS("tiocsti")), THROUGH);
        CHECK_EQ(try(f, WORDS("write", "/tmp/x")), THROUGH);
        fixture_free(f);
}

static int listen_inet(char port[8])
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK(bind(fd, (void *)&address, sizeof(address)) == 0 && listen(fd, 4) == 0 &&
              getsockname(fd, (void *)&address, &length) == 0);
        snprintf(port, 8, "%u", ntohs(address.sin_port));
        return fd;
}

TEST(the_network_is_there_for_those_who_were_granted_it)
{
        char port[8];
        int fd = listen_inet(port);

        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;

                CHECK_EQ(try(f, WORDS("inet", port)), HELD);
                ask(f, &request, "probe", WORDS("inet", port));
                request.program.network = true;
                CHECK_EQ(run(f, &request), THROUGH);
                ask(f, &request, "probe", WORDS("packet"));
                request.program.network = true;
                CHECK_EQ(run(f, &request), HELD);
                fixture_free(f);
        }
        close(fd);
}

static int listen_unix(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t length = strlen(path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, path, length);
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        CHECK(bind(fd, (void *)&address,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == 0 &&
              listen(fd, 4) == 0);
        return fd;
}

TEST(sockets_outside_are_out_of_reach)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                char path[96], abstract[64];
                int fds[2];

                snprintf(path, sizeof(path), "%s/socket", f->folder);
                snprintf(abstract, sizeof(abstract), "@pifleet-%d", (int)getpid());
                fds[0] = listen_unix(path);
                fds[1] = listen_unix(abstract);
                CHECK(chmod(path, 0777) == 0);
                if (stands(&f->walls, SANDBOX_WALL_MOUNT_VIEW))
                        CHECK_EQ(try(f, WORDS("unix", path)), HELD);
                if (stands(&f->walls, SANDBOX_WALL_NETWORK_NAMESPACE) || f->walls.landlock_abi >= 6)
                        CHECK_EQ(try(f, WORDS("unix", abstract)), HELD);
                close(fds[0]);
                close(fds[1]);
                fixture_free(f);
        }
}

static void write_file(const char *path, mode_t mode)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        CHECK(fd >= 0 && write(fd, "secret", 6) == 6 && fchmod(fd, mode) == 0);
        close(fd);
}

/* Open to everybody, so that only what hides it keeps it from being read. Both ways:
 * in the view, and by Landlock alone. */
static void check_hidden(struct fixture *f)
{
        char key[128], folder[96], other[96];
        struct request request;

        snprintf(folder, sizeof(folder), "/var/pifleet-probe-%d", (int)getpid());
        snprintf(key, sizeof(key), "%s/key", folder);
        snprintf(other, sizeof(other), "/var/pifleet-other-%d", (int)getpid());
        CHECK(mkdir(folder, 0755) == 0);
        write_file(key, 0644);
        write_file(other, 0644);
        CHECK_EQ(try(f, WORDS("read", key)), THROUGH);
        ask(f, &request, "probe", WORDS("read", key));
        request.program.hidden = WORDS(folder, other);
        CHECK_EQ(run(f, &request), HELD);
        ask(f, &request, "probe", WORDS("read", other));
        request.program.hidden = WORDS(folder, other);
        CHECK_EQ(run(f, &request), HELD);
        ask(f, &request, "probe", WORDS("read", "/etc/passwd"));
        request.program.hidden = WORDS(folder, other);
        CHECK_EQ(run(f, &request), THROUGH);
        unlink(key);
        rmdir(folder);
        unlink(other);
}

TEST(what_is_hidden_cannot_be_read)
{
        if (access("/var", W_OK) < 0)
                return; /* nothing of ours could be put where it would be seen */
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);

                if (stands(&f->walls, SANDBOX_WALL_MOUNT_VIEW))
                        check_hidden(f);
                fixture_free(f);
                f = fixture_new(mode, WORDS("--without", "mount_view"));
                if (stands(&f->walls, SANDBOX_WALL_LANDLOCK))
                        check_hidden(f);
                fixture_free(f);
        }
}

TEST(one_name_cannot_read_what_another_wrote)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;
                char path[160];

                /* Landlock alone leaves all of /tmp to everybody, and our state is there. */
                if (!stands(&f->walls, SANDBOX_WALL_UID) &&
                    !stands(&f->walls, SANDBOX_WALL_MOUNT_VIEW)) {
                        fixture_free(f);
                        continue;
                }
                snprintf(path, sizeof(path), "%s/data/first/note", f->state);
                CHECK_EQ(run(f, ask(f, &request, "first", WORDS("write", path))), THROUGH);
                CHECK_EQ(run(f, ask(f, &request, "first", WORDS("read", path))), THROUGH);
                CHECK_EQ(run(f, ask(f, &request, "second", WORDS("read", path))), HELD);
                CHECK_EQ(run(f, ask(f, &request, "second", WORDS("write", path))), HELD);
                fixture_free(f);
        }
}

TEST(nobody_signals_or_looks_into_a_sibling_or_the_asker)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request sibling, request;
                char pid[16], self[16];

                if (!stands(&f->walls, SANDBOX_WALL_PID_NAMESPACE) &&
                    !stands(&f->walls, SANDBOX_WALL_UID)) {
                        fixture_free(f);
                        continue;
                }
                snprintf(pid, sizeof(pid), "%d",
                         (int)start(f, ask(f, &sibling, "sibling", WORDS("wait")), 1000));
                snprintf(self, sizeof(self), "%d", (int)getpid());
                for (unsigned i = 0; i < 2; i++) {
                        const char *whom = i == 0 ? pid : self;

                        CHECK_EQ(run(f, ask(f, &request, "probe", WORDS("kill", whom))), HELD);
                        CHECK_EQ(run(f, ask(f, &request, "probe", WORDS("ptrace", whom))), HELD);
                        CHECK_EQ(run(f, ask(f, &request, "probe", WORDS("memory-of", whom))), HELD);
                }
                CHECK_EQ(sandbox_kill(f->sandbox, 1000), 0);
                CHECK_EQ(await(f, SANDBOX_ENDED, 1000).end, SANDBOX_END_KILLED);
                fixture_free(f);
        }
}

TEST(a_program_that_root_gave_its_powers_to_has_none)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;
                char copy[96];

                snprintf(copy, sizeof(copy), "%s/setuid", f->folder);
                copy_file(f->probe, copy);
                CHECK(chmod(copy, 04755) == 0);
                ask(f, &request, "probe", WORDS("setuid-program", copy));
                request.readable[1] = copy;
                CHECK_EQ(run(f, &request), HELD);
                CHECK(strtol(f->output, NULL, 10) > 0);
                fixture_free(f);
        }
}

TEST(devices_are_those_that_were_granted)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;

                if (stands(&f->walls, SANDBOX_WALL_MOUNT_VIEW)) {
                        CHECK_EQ(try(f, WORDS("list", "/dev")), THROUGH);
                        CHECK_TEXT(strstr(f->output, "tty") ? "tty" : "", "");
                        CHECK(strstr(f->output, "null") && strstr(f->output, "urandom"));
                }
                CHECK_EQ(try(f, WORDS("open", "/dev/null")), THROUGH);
                ask(f, &request, "probe", WORDS("list", "/dev"));
                request.program.devices = WORDS("/dev/*");
                CHECK_EQ(sandbox_start(f->sandbox, 500, &request.program), 0);
                CHECK_EQ(await(f, SANDBOX_FAILED, 500).error, -EACCES);
                CHECK_EQ(f->last.step, SANDBOX_STEP_DEVICES);
                ask(f, &request, "probe", WORDS("list", "/dev"));
                request.program.groups = WORDS("sudo");
                CHECK_EQ(sandbox_start(f->sandbox, 501, &request.program), 0);
                CHECK_EQ(await(f, SANDBOX_FAILED, 501).error, -EACCES);
                fixture_free(f);
        }
}

TEST(limits_are_set)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;

                CHECK_EQ(try(f, WORDS("limit", "7")), HELD); /* RLIMIT_NOFILE */
                CHECK_TEXT(f->output, "64\n");
                ask(f, &request, "probe", WORDS("limit", "9")); /* RLIMIT_AS */
                request.program.limits.address_space_bytes = 256 << 20;
                CHECK_EQ(run(f, &request), HELD);
                CHECK_TEXT(f->output, "268435456\n");
                ask(f, &request, "probe", WORDS("burn"));
                request.program.limits.cpu_seconds = 1;
                CHECK_EQ(run(f, &request), -1);
                CHECK(f->last.usage.cpu_us >= 500000);
                fixture_free(f);
        }
}

TEST(a_fork_bomb_is_stopped)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;

                ask(f, &request, "bomb", WORDS("fork-bomb", "stay"));
                request.program.limits.tasks = 32;
                CHECK_EQ(sandbox_start(f->sandbox, 1, &request.program), 0);
                (void)await(f, SANDBOX_STARTED, 1);
                if (!stands(&f->walls, SANDBOX_WALL_UID) &&
                    !stands(&f->walls, SANDBOX_WALL_CGROUP_PIDS)) {
                        CHECK_EQ(await(f, SANDBOX_ENDED, 1).end, SANDBOX_END_TASKS);
                } else {
                        CHECK_EQ(sandbox_kill(f->sandbox, 1), 0);
                        (void)await(f, SANDBOX_ENDED, 1);
                        CHECK(f->last.children_killed <= 32);
                }
                fixture_free(f);
        }
}

TEST(a_memory_bomb_is_stopped)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;

                ask(f, &request, "bomb", WORDS("memory", "200", "stay"));
                request.program.limits.memory_bytes = 64 << 20;
                CHECK_EQ(sandbox_start(f->sandbox, 1, &request.program), 0);
                (void)await(f, SANDBOX_STARTED, 1);
                CHECK_EQ(await(f, SANDBOX_ENDED, 1).end, SANDBOX_END_MEMORY);
                CHECK(f->last.usage.memory_peak_bytes > 60 << 20);
                CHECK(!WIFEXITED(f->last.wait_status));
                fixture_free(f);
        }
}
