/* sandbox/test-sandbox.h - for tests: a spawner of their own, as root and as nobody
 * in particular, and a program that tries its walls (tests/support/hostile-probe.c).
 *
 * Both are copied to a folder that everybody may look into; a checkout may lie in
 * somebody's home. Root runs each test in both modes, a plain user in one. */
#pragma once

#include "base/attributes.h"
#include "base/clock.h"
#include "sandbox/sandbox.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TESTS_NEED("PIFLEET_SPAWNER");

#define NOBODY "65534"
#define ALLOWED_SHARED "/srv/pifleet-test-*"

enum mode { MODE_ROOT, MODE_USER, MODES };

enum { PATIENCE_MS = 60000, OUTPUT_MAX = 4096, EXTRA_MAX = 8 };

struct fixture {
        enum mode mode;
        char folder[64], spawner[96], probe[96], state[96], uids[32];
        struct sandbox *sandbox;
        struct sandbox_walls walls;
        struct sandbox_event last;
        uint64_t next_id;
        char output[OUTPUT_MAX];
};

static inline bool mode_is_possible(enum mode mode)
{
        if (getenv("PIFLEET_TEST_CGROUP")) /* which is root's */
                return mode == MODE_ROOT;
        return mode == MODE_USER || geteuid() == 0;
}

#define FOR_EACH_MODE(mode)                                                                        \
        for (enum mode mode = MODE_ROOT; mode < MODES; mode++)                                     \
                if (mode_is_possible(mode))

static inline void copy_file(const char *from, const char *to)
{
        char command[512];

        snprintf(command, sizeof(command), "cp '%s' '%s' && chmod 755 '%s'", from, to, to);
        CHECK_EQ(system(command), 0);
}

static inline bool stands(const struct sandbox_walls *walls, enum sandbox_wall wall)
{
        return sandbox_wall_stands(walls, wall);
}

/* Waits for the next event; those of kind USAGE count too. */
static inline void next_event(struct fixture *f)
{
        struct pollfd waiting = {.fd = sandbox_descriptor(f->sandbox), .events = POLLIN};
        const uint64_t until_ns = clock_monotonic_ns() + PATIENCE_MS * UINT64_C(1000000);

        while (sandbox_receive(f->sandbox, &f->last) == 0) {
                CHECK(clock_monotonic_ns() < until_ns);
                (void)poll(&waiting, 1, 1000);
        }
}

static inline struct sandbox_event await(struct fixture *f, enum sandbox_event_kind kind,
                                         uint64_t id)
{
        next_event(f);
        if (f->last.kind != kind || f->last.id != id)
                FAIL("event %d of %llu instead of %d of %llu: step %s, error %s", f->last.kind,
                     (unsigned long long)f->last.id, kind, (unsigned long long)id,
                     sandbox_step_name(f->last.step), strerror(-f->last.error));
        return f->last;
}

/* `extra` are options of the spawner, ending with NULL. */
static inline struct fixture *fixture_new(enum mode mode, const char *const extra[])
{
        struct fixture *f = calloc(1, sizeof(*f));
        const char *argv[16 + EXTRA_MAX] = {NULL};
        size_t count = 0;
        struct error error;

        CHECK(f != NULL);
        f->mode = mode;
        snprintf(f->folder, sizeof(f->folder), "/tmp/pifleet-sandbox-XXXXXX");
        CHECK(mkdtemp(f->folder) != NULL && chmod(f->folder, 0755) == 0);
        snprintf(f->spawner, sizeof(f->spawner), "%s/pifleet-spawner", f->folder);
        snprintf(f->probe, sizeof(f->probe), "%s/probe", f->folder);
        snprintf(f->state, sizeof(f->state), "%s/state", f->folder);
        copy_file(getenv("PIFLEET_SPAWNER"), f->spawner);
        copy_file(getenv("PIFLEET_PROBE"), f->probe);
        CHECK(mkdir(f->state, 0711) == 0);
        if (mode == MODE_USER && geteuid() == 0) {
                const char *const become[] = {"/usr/bin/setpriv", "--reuid=" NOBODY,
                                              "--regid=" NOBODY, "--clear-groups"};

                CHECK(chown(f->state, (uid_t)atoi(NOBODY), (gid_t)atoi(NOBODY)) == 0);
                memcpy(argv, become, sizeof(become));
                count = ARRAY_SIZE(become);
        }
        argv[count++] = f->spawner;
        argv[count++] = "--state-dir";
        argv[count++] = f->state;
        argv[count++] = "--allow-shared";
        argv[count++] = ALLOWED_SHARED;
        /* Limits of processes hold for a user id: tests that run at the same time must
         * not give out the same ones. */
        snprintf(f->uids, sizeof(f->uids), "%d-%d", 1800000000 + getpid() % 1000000 * 64,
                 1800000000 + getpid() % 1000000 * 64 + 63);
        argv[count++] = "--uids";
        argv[count++] = f->uids;
        argv[count++] = "--cgroup";
        argv[count++] = getenv("PIFLEET_TEST_CGROUP") ? getenv("PIFLEET_TEST_CGROUP") : "none";
        for (size_t i = 0; extra && extra[i]; i++)
                argv[count++] = extra[i];
        const struct sandbox_options options = {.spawner = argv};
        CHECK_EQ(sandbox_new(&options, &f->sandbox, &error), 0);
        next_event(f);
        CHECK_EQ(f->last.kind, SANDBOX_READY);
        f->walls = f->last.walls;
        return f;
}

static inline void fixture_free(struct fixture *f)
{
        char command[128];

        f->sandbox = sandbox_free(f->sandbox);
        snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
        CHECK_EQ(system(command), 0);
        free(f);
}

/* The probe may be looked at from within: it lies in a /tmp that is not there. */
struct request {
        const char *argv[8];
        const char *readable[4];
        struct sandbox_program program;
};

static inline struct request *ask(struct fixture *f, struct request *request, const char *name,
                                  const char *const words[])
{
        *request = (struct request){.argv = {f->probe}, .readable = {f->probe}};
        for (size_t i = 0; words[i]; i++)
                request->argv[i + 1] = words[i];
        request->program = (struct sandbox_program){.name = name,
                                                    .argv = request->argv,
                                                    .readable = request->readable,
                                                    .descriptors = {-1, -1, 2, -1, -1}};
        return request;
}

/* What is written to descriptor 1 until the end, or until a newline. */
static inline void read_output(struct fixture *f, int fd, bool line)
{
        size_t count = 0;
        ssize_t got;

        do {
                got = read(fd, f->output + count, sizeof(f->output) - 1 - count);
                count += got > 0 ? (size_t)got : 0;
        } while (got > 0 && !(line && memchr(f->output, '\n', count)));
        f->output[count] = '\0';
}

/* Runs to its end; the exit status, or -1. f->last is the event ENDED. */
static inline int run(struct fixture *f, struct request *request)
{
        const uint64_t id = ++f->next_id;
        int out[2];

        CHECK(pipe2(out, O_CLOEXEC) == 0);
        request->program.descriptors[1] = out[1];
        CHECK_EQ(sandbox_start(f->sandbox, id, &request->program), 0);
        close(out[1]);
        (void)await(f, SANDBOX_STARTED, id);
        read_output(f, out[0], false);
        close(out[0]);
        (void)await(f, SANDBOX_ENDED, id);
        return WIFEXITED(f->last.wait_status) ? WEXITSTATUS(f->last.wait_status) : -1;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline int try(struct fixture *f, const char *const words[])
{
        struct request request;

        return run(f, ask(f, &request, "probe", words));
}

/* Starts something that stays; returns its number once it has printed a line. */
static inline pid_t start(struct fixture *f, struct request *request, uint64_t id)
{
        int out[2];
        pid_t pid;

        CHECK(pipe2(out, O_CLOEXEC) == 0);
        request->program.descriptors[1] = out[1];
        CHECK_EQ(sandbox_start(f->sandbox, id, &request->program), 0);
        close(out[1]);
        pid = await(f, SANDBOX_STARTED, id).pid;
        read_output(f, out[0], true);
        close(out[0]);
        return pid;
}

static inline pid_t find_spawner(void)
{
        char command[128], line[32] = "";
        FILE *listing;

        snprintf(command, sizeof(command), "ps -o pid=,comm= --ppid %d | grep pifleet-spawner",
                 (int)getpid());
        listing = popen(command, "re");
        CHECK(listing && fgets(line, sizeof(line), listing));
        pclose(listing);
        return (pid_t)atoi(line);
}
