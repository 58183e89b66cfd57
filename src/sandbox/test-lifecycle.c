#include "sandbox/test-sandbox.h"

enum { SOON_MS = 10000 };

static const char *const without_namespace[] = {"--without", "pid_namespace", NULL};

/* A program whose child turned its back on it. Its number, as we see it, is not what
 * it says in a namespace, so we wait for the pipe that it holds to end. */
struct daemon {
        int pipe_fd;
        uint64_t id;
};

static struct daemon start_daemon(struct fixture *f, bool program_stays)
{
        struct daemon daemon = {.id = ++f->next_id};
        struct request request;
        int ends[2];
        pid_t told;

        CHECK(pipe2(ends, O_CLOEXEC) == 0);
        ask(f, &request, "daemon", program_stays ? WORDS("daemon", "stay") : WORDS("daemon"));
        request.program.descriptors[3] = ends[1];
        CHECK_EQ(sandbox_start(f->sandbox, daemon.id, &request.program), 0);
        close(ends[1]);
        (void)await(f, SANDBOX_STARTED, daemon.id);
        CHECK_EQ(read(ends[0], &told, sizeof(told)), (ssize_t)sizeof(told));
        daemon.pipe_fd = ends[0];
        return daemon;
}

/* Whoever held its other end is dead. */
static void check_dead(struct daemon *daemon)
{
        struct pollfd end = {.fd = daemon->pipe_fd};
        char byte;

        CHECK(poll(&end, 1, SOON_MS) == 1 && read(daemon->pipe_fd, &byte, 1) == 0);
        close(daemon->pipe_fd);
}

static void check_daemons_die(enum mode mode, const char *const options[])
{
        struct fixture *f = fixture_new(mode, options);
        struct daemon daemon = start_daemon(f, false);

        CHECK_EQ(await(f, SANDBOX_ENDED, daemon.id).end, SANDBOX_END_ITSELF);
        CHECK(WIFEXITED(f->last.wait_status));
        CHECK_EQ(f->last.children_killed, 1);
        check_dead(&daemon);

        daemon = start_daemon(f, true);
        CHECK_EQ(sandbox_kill(f->sandbox, daemon.id), 0);
        CHECK_EQ(await(f, SANDBOX_ENDED, daemon.id).end, SANDBOX_END_KILLED);
        CHECK_EQ(WTERMSIG(f->last.wait_status), SIGKILL);
        CHECK_EQ(f->last.children_killed, 1);
        check_dead(&daemon);
        fixture_free(f);
}

TEST(a_child_that_turned_its_back_dies_with_the_program)
{
        FOR_EACH_MODE (mode) {
                check_daemons_die(mode, NULL);
                check_daemons_die(mode, without_namespace);
        }
}

/* The one that matters is the pipe: no process that holds it is left. */
static void check_spawner_killed(enum mode mode, const char *const options[])
{
        struct fixture *f = fixture_new(mode, options);
        struct daemon first = start_daemon(f, true), second = start_daemon(f, true);

        CHECK_EQ(kill(find_spawner(), SIGKILL), 0);
        (void)await(f, SANDBOX_GONE, 0);
        check_dead(&first);
        check_dead(&second);
        CHECK_EQ(sandbox_receive(f->sandbox, &f->last), 0);
        CHECK_EQ(sandbox_kill(f->sandbox, 1), -EPIPE);
        fixture_free(f);
}

TEST(nothing_survives_the_spawner)
{
        FOR_EACH_MODE (mode) {
                check_spawner_killed(mode, NULL);
                check_spawner_killed(mode, without_namespace);
        }
}

/* An asker in a process of its own, which never comes back. */
_Noreturn static void ask_and_wait(enum mode mode, const char *const options[], int pipe_fd,
                                   int folder_fd)
{
        struct fixture *f = fixture_new(mode, options);
        struct request request;

        ask(f, &request, "daemon", WORDS("daemon", "stay"));
        request.program.descriptors[3] = pipe_fd;
        if (write(folder_fd, f->folder, sizeof(f->folder)) < 0 ||
            sandbox_start(f->sandbox, 1, &request.program) < 0)
                abort();
        close(pipe_fd);
        for (;;)
                pause();
}

static void check_asker_killed(enum mode mode, const char *const options[])
{
        struct daemon daemon = {.pipe_fd = -1};
        char folder[64], command[128];
        int ends[2], names[2];
        pid_t told, asker;

        CHECK(pipe2(ends, O_CLOEXEC) == 0 && pipe2(names, O_CLOEXEC) == 0);
        asker = fork();
        if (asker == 0)
                ask_and_wait(mode, options, ends[1], names[1]);
        close(ends[1]);
        CHECK_EQ(read(ends[0], &told, sizeof(told)), (ssize_t)sizeof(told));
        CHECK(kill(asker, SIGKILL) == 0 && waitpid(asker, NULL, 0) == asker);
        daemon.pipe_fd = ends[0];
        check_dead(&daemon);
        CHECK(read(names[0], folder, sizeof(folder)) == sizeof(folder));
        snprintf(command, sizeof(command), "rm -rf '%s'", folder);
        CHECK_EQ(system(command), 0);
        close(names[0]);
        close(names[1]);
}

TEST(nothing_survives_the_asker)
{
        FOR_EACH_MODE (mode) {
                check_asker_killed(mode, NULL);
                check_asker_killed(mode, without_namespace);
        }
}

TEST(nothing_survives_the_conversation)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct daemon daemon = start_daemon(f, true);

                f->sandbox = sandbox_free(f->sandbox);
                check_dead(&daemon);
                fixture_free(f);
        }
}

TEST(a_runaway_chain_of_forks_is_caught)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;
                int ends[2];
                char byte;

                CHECK(pipe2(ends, O_CLOEXEC) == 0);
                ask(f, &request, "runaway", WORDS("runaway"));
                request.program.descriptors[4] = ends[1];
                CHECK_EQ(sandbox_start(f->sandbox, 1, &request.program), 0);
                close(ends[1]);
                (void)await(f, SANDBOX_STARTED, 1);
                CHECK_EQ(sandbox_kill(f->sandbox, 1), 0);
                CHECK_EQ(await(f, SANDBOX_ENDED, 1).end, SANDBOX_END_KILLED);
                CHECK_EQ(read(ends[0], &byte, 1), 0);
                close(ends[0]);
                fixture_free(f);
        }
}

TEST(programs_have_their_descriptors_and_no_others)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;
                int null = open("/dev/null", O_RDWR | O_CLOEXEC);

                CHECK_EQ(try(f, WORDS("descriptors", "3")), 0);
                CHECK_TEXT(f->output, "0 1 2 \n");
                ask(f, &request, "probe", WORDS("descriptors", "4"));
                request.program.descriptors[4] = null;
                CHECK_EQ(run(f, &request), 0);
                CHECK_TEXT(f->output, "0 1 2 4 \n");
                ask(f, &request, "probe", WORDS("descriptors", "5"));
                for (int i = 0; i < SANDBOX_DESCRIPTORS; i++)
                        request.program.descriptors[i] = null;
                CHECK_EQ(run(f, &request), 0);
                close(null);
                fixture_free(f);
        }
}

TEST(a_name_has_a_folder_that_it_keeps)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;
                char expected[256];

                CHECK_EQ(run(f, ask(f, &request, "cam", WORDS("where"))), 0);
                snprintf(expected, sizeof(expected), "%s/data/cam %s/data/cam 1\n", f->state,
                         f->state);
                CHECK_TEXT(f->output, expected);
                CHECK_EQ(run(f, ask(f, &request, "cam", WORDS("write", "kept"))), 1);
                CHECK_EQ(run(f, ask(f, &request, "cam", WORDS("read", "kept"))), 1);
                CHECK_EQ(run(f, ask(f, &request, "mic", WORDS("read", "kept"))), 0);
                fixture_free(f);
        }
}

TEST(a_shared_folder_is_made_and_written_by_all)
{
        char path[64], file[96], command[128];

        snprintf(path, sizeof(path), "/srv/pifleet-test-%d", (int)getpid());
        snprintf(file, sizeof(file), "%s/clip", path);
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                const char *const shared[] = {path, NULL};
                const char *names[] = {"first", "second"};
                struct request request;

                /* A plain user has room for one only below /home, and only in a view of its own. */
                if (mode == MODE_USER &&
                    (access(path, F_OK) < 0 || !stands(&f->walls, SANDBOX_WALL_MOUNT_VIEW))) {
                        fixture_free(f);
                        continue;
                }
                for (unsigned i = 0; i < 2; i++) {
                        ask(f, &request, names[i], WORDS("write", file));
                        request.program.shared_dirs = shared;
                        CHECK_EQ(run(f, &request), 1);
                }
                if (mode == MODE_ROOT)
                        CHECK(access(file, R_OK) == 0);
                fixture_free(f);
        }
        snprintf(command, sizeof(command), "rm -rf %s", path);
        CHECK_EQ(system(command), 0);
}

TEST(in_the_place_of_a_home_there_is_a_folder_of_ours_for_a_plain_user)
{
        struct fixture *f = fixture_new(MODE_USER, NULL);
        const char *const shared[] = {"/home/pi/recordings", NULL};
        struct request request;
        char path[160];

        if (stands(&f->walls, SANDBOX_WALL_MOUNT_VIEW)) {
                ask(f, &request, "cam", WORDS("write", "/home/pi/recordings/clip"));
                request.program.shared_dirs = shared;
                CHECK_EQ(run(f, &request), 1);
                snprintf(path, sizeof(path), "%s/shared/home/pi/recordings/clip", f->state);
                CHECK(access(path, F_OK) == 0);
        }
        fixture_free(f);
}

static void check_refused(struct fixture *f, struct request *request, int error,
                          enum sandbox_step step)
{
        const uint64_t id = ++f->next_id;

        CHECK_EQ(sandbox_start(f->sandbox, id, &request->program), 0);
        (void)await(f, SANDBOX_FAILED, id);
        CHECK_EQ(f->last.error, error);
        CHECK_EQ(f->last.step, step);
}

TEST(what_cannot_be_started_is_answered_with_why)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                const char *const missing[] = {"/usr/bin/pifleet-is-not-here", NULL};
                const char *const not_shared[] = {"/etc/cron.d", NULL};
                struct request request;

                ask(f, &request, "probe", WORDS("where"));
                request.program.argv = missing;
                check_refused(f, &request, -ENOENT, SANDBOX_STEP_EXEC);
                ask(f, &request, "probe", WORDS("where"));
                request.program.shared_dirs = not_shared;
                check_refused(f, &request, -EACCES, SANDBOX_STEP_DIRECTORIES);
                CHECK_TEXT(f->last.where, "/etc/cron.d");
                ask(f, &request, "probe", WORDS("wait"));
                (void)start(f, &request, 77);
                request.program.descriptors[1] = -1;
                CHECK_EQ(sandbox_start(f->sandbox, 77, &request.program), 0);
                CHECK_EQ(await(f, SANDBOX_FAILED, 77).error, -EEXIST);
                CHECK_EQ(sandbox_kill(f->sandbox, 4711), 0);
                CHECK_EQ(try(f, WORDS("where")), 0);
                fixture_free(f);
        }
}

/* The sum of Private_* in smaps_rollup; the test is root. */
/* It may be built without (CONFIG_PROC_PAGE_MONITOR), as that of tests/vm is. */
static bool kernel_counts_private_memory(void)
{
        return access("/proc/self/smaps_rollup", R_OK) == 0;
}

static uint64_t private_of(pid_t pid)
{
        char line[128], path[40];
        unsigned long kibibytes;
        uint64_t sum = 0;
        FILE *report;

        snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
        report = fopen(path, "re");
        CHECK(report != NULL);
        while (fgets(line, sizeof(line), report))
                if (strncmp(line, "Private_", 8) == 0 &&
                    sscanf(line, "%*[^:]: %lu", &kibibytes) == 1)
                        sum += kibibytes * 1024;
        fclose(report);
        return sum;
}

static pid_t parent_of(pid_t pid)
{
        char path[32];
        int parent = 0;
        FILE *report;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        report = fopen(path, "re");
        CHECK(report != NULL && fscanf(report, "%*d (%*[^)]) %*c %d", &parent) == 1);
        fclose(report);
        return parent;
}

TEST(private_memory_is_that_of_the_program_and_of_the_process_beside_it)
{
        struct fixture *f;
        struct request request;
        uint64_t before, after;
        pid_t pid, init;

        if (!mode_is_possible(MODE_ROOT) || !kernel_counts_private_memory())
                return; /* nobody else may look into them */
        f = fixture_new(MODE_ROOT, NULL);
        pid = start(f, ask(f, &request, "memory", WORDS("memory", "20", "stay")), 100);
        init = parent_of(pid);
        CHECK(init > 1 && init != getpid());
        do { /* what init shares with the spawner becomes its own when either writes to it */
                before = private_of(pid) + private_of(init);
                CHECK_EQ(sandbox_ask_usage(f->sandbox, 100), 0);
                (void)await(f, SANDBOX_USAGE, 100);
                after = private_of(pid) + private_of(init);
        } while (before != after);
        CHECK_EQ(f->last.usage.private_bytes, after);
        fixture_free(f);
}

TEST(usage_is_told)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;

                (void)start(f, ask(f, &request, "memory", WORDS("memory", "20", "stay")), 100);
                CHECK_EQ(sandbox_ask_usage(f->sandbox, 100), 0);
                (void)await(f, SANDBOX_USAGE, 100);
                CHECK(f->last.usage.private_bytes >= 20 << 20);
                /* Else it is an estimate, which counts libraries too. */
                CHECK(f->last.usage.private_bytes < 30 << 20 || !kernel_counts_private_memory());
                CHECK(f->last.usage.memory_bytes >= 20 << 20);
                CHECK(f->last.usage.memory_peak_bytes >= 20 << 20);
                CHECK_EQ(f->last.usage.tasks, 1);
                CHECK_EQ(sandbox_ask_usage(f->sandbox, 101), 0);
                CHECK_EQ(try(f, WORDS("where")), 0);
                fixture_free(f);
        }
}

TEST(names_are_given_back_when_nothing_of_them_runs)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;
                char name[16], path[192];

                /* More than there are user ids. */
                for (unsigned i = 0; i < 80; i++) {
                        snprintf(name, sizeof(name), "name_%u", i);
                        CHECK_EQ(run(f, ask(f, &request, name, WORDS("where"))), 0);
                        CHECK_EQ(sandbox_forget(f->sandbox, name), 0);
                }
                CHECK_EQ(sandbox_forget(f->sandbox, "../etc"), -EINVAL);
                (void)start(f, ask(f, &request, "busy", WORDS("memory", "1", "stay")), 100);
                CHECK_EQ(sandbox_forget(f->sandbox, "busy"), 0);
                CHECK_EQ(try(f, WORDS("where")), 0);
                snprintf(path, sizeof(path), "%s/data/busy", f->state);
                CHECK_EQ(access(path, F_OK), 0);
                CHECK_EQ(sandbox_kill(f->sandbox, 100), 0);
                (void)await(f, SANDBOX_ENDED, 100);
                CHECK_EQ(try(f, WORDS("where")), 0);
                CHECK_EQ(access(path, F_OK), -1);
                fixture_free(f);
        }
}

TEST(a_program_that_fills_its_folder_is_ended_for_that)
{
        FOR_EACH_MODE (mode) {
                struct fixture *f = fixture_new(mode, NULL);
                struct request request;
                char command[256];

                ask(f, &request, "full", WORDS("memory", "1", "stay"));
                request.program.limits.storage_bytes = 1 << 20;
                (void)start(f, &request, 100);
                snprintf(command, sizeof(command),
                         "dd if=/dev/urandom of=%s/data/full/filler bs=64k count=32 status=none",
                         f->state);
                CHECK_EQ(system(command), 0);
                CHECK_EQ(await(f, SANDBOX_ENDED, 100).end, SANDBOX_END_STORAGE);
                fixture_free(f);
        }
}
