/* A supervisor in a process of its own, whose lines live in memory
 * (support/memory-lines.h), with an agent that obeys (support/fake-agent.c). What
 * the lines are after the agent's death is told by its successor, to whom they
 * are returned. */
#include "supervisor/supervisor.h"

#include "base/clock.h"
#include "supervisor/run-file.h"
#include "support/memory-lines.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { ARGUMENTS_MAX = 16, TEXT_MAX = 8192, PATIENCE_MS = 20000 };

static struct {
        char directory[64];
        int directory_fd;
        pid_t pid;
        int commands, reports; /* of the agent's stdin and stdout */
        FILE *log;             /* of the supervisor's stderr */
        char said[TEXT_MAX];
        size_t said_count, heard;
} f;

static void run_child(char *const program[], int input, int output)
{
        struct supervisor *supervisor = NULL;
        struct log *log = NULL;
        struct error error;
        int status = 100;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(fileno(f.log), STDERR_FILENO);
        if (log_new(NULL, LOG_LEVEL_INFO, &log) == 0 &&
            supervisor_new(&memory_lines_driver, f.directory_fd, log, program, &supervisor,
                           &error) == 0)
                status = supervisor_run(supervisor);
        supervisor_free(supervisor);
        log_free(log);
        exit(status);
}

/* The agent with these arguments, under a supervisor of its own. */
static void start_program(const char *program, const char *const arguments[])
{
        char *argv[ARGUMENTS_MAX + 2] = {(char *)program};
        int input[2], output[2];

        for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
                argv[i + 1] = (char *)arguments[i];
        memset(&f, 0, sizeof(f));
        strcpy(f.directory, "/tmp/pifleet-supervisor-XXXXXX");
        CHECK(mkdtemp(f.directory) != NULL);
        f.directory_fd = open(f.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f.log = tmpfile();
        CHECK(f.directory_fd >= 0 && f.log);
        CHECK_EQ(pipe2(input, O_CLOEXEC), 0);
        CHECK_EQ(pipe2(output, O_CLOEXEC), 0);
        fflush(stdout);
        f.pid = fork();
        CHECK(f.pid >= 0);
        if (f.pid == 0)
                run_child(argv, input[0], output[1]);
        close(input[0]);
        close(output[1]);
        f.commands = input[1];
        f.reports = output[0];
}

#define START(...)                                                                                 \
        start_program(getenv("PIFLEET_FAKE_AGENT"), (const char *const[]){__VA_ARGS__, NULL})

static void command(const char *text)
{
        CHECK_EQ(write(f.commands, text, strlen(text)), (ssize_t)strlen(text));
}

/* Waits for this in what the agents say, behind what was waited for before;
 * returns what follows it. */
static const char *expect(const char *text)
{
        uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * UINT64_C(1000000);

        for (;;) {
                struct pollfd more = {.fd = f.reports, .events = POLLIN};
                char *found = strstr(f.said + f.heard, text);
                ssize_t got;

                if (found && strchr(found, '\n')) {
                        f.heard = (size_t)(found - f.said) + strlen(text);
                        return f.said + f.heard;
                }
                if (clock_monotonic_ns() > end_ns || poll(&more, 1, PATIENCE_MS) <= 0)
                        FAIL("waited in vain for \"%s\" in: %s", text, f.said);
                got = read(f.reports, f.said + f.said_count, TEXT_MAX - 1 - f.said_count);
                if (got <= 0)
                        FAIL("ended before \"%s\": %s", text, f.said);
                f.said_count += (size_t)got;
                f.said[f.said_count] = '\0';
        }
}

static pid_t await_agent(void)
{
        return (pid_t)atoi(expect("ready "));
}

/* The supervisor's own end, and that it left nothing. */
static int finish(void)
{
        int status = 0;

        CHECK_EQ(waitpid(f.pid, &status, 0), f.pid);
        CHECK(WIFEXITED(status));
        close(f.commands);
        close(f.reports);
        return WEXITSTATUS(status);
}

/* Without moving the place in the file: it is that of the supervisor and its agent too, who write
 * meanwhile and take it to the end. */
static bool log_has(const char *text)
{
        char log[TEXT_MAX];
        ssize_t got = pread(fileno(f.log), log, sizeof(log) - 1, 0);

        CHECK(got >= 0 && (size_t)got < sizeof(log) - 1);
        log[got] = '\0';
        return strstr(log, text);
}

static void clean(void)
{
        unlinkat(f.directory_fd, "guard", 0);
        close(f.directory_fd);
        fclose(f.log);
        CHECK_EQ(rmdir(f.directory), 0);
}

static void stop(void)
{
        CHECK_EQ(kill(f.pid, SIGTERM), 0);
        CHECK_EQ(finish(), 0);
        clean();
}

TEST(an_agent_that_is_killed_leaves_its_lines_safe_and_is_started_again)
{
        uint64_t start_ns;
        pid_t first, second;

        START("--line", "4:off", "--line", "5:on", "--line", "6:off");
        first = await_agent();
        expect("held 3");
        command("on\nvalues\n");
        expect("values 5 ");
        start_ns = clock_monotonic_ns();
        CHECK_EQ(kill(first, SIGKILL), 0);
        expect("returned 3 values=2 result=0");
        second = await_agent();
        CHECK(second != first);
        CHECK(clock_monotonic_ns() - start_ns >= UINT64_C(900000000));
        CHECK(log_has("ended ending=\"signal 9\" seen=futex"));
        CHECK(log_has("driven=3 kept=0"));
        stop();
}

TEST(a_line_to_keep_is_not_touched_and_an_input_lets_go)
{
        START("--line", "4:keep", "--line", "5:input", "--line", "6:off");
        expect("held 3");
        command("on\nvalues\n");
        expect("values 7 ");
        command("crash\n");
        expect("returned 3 values=1 result=0");
        await_agent();
        CHECK(log_has("ending=\"signal 11\""));
        CHECK(log_has("driven=2 kept=1"));
        stop();
}

TEST(what_was_returned_can_be_driven_and_is_guarded_still)
{
        START("--line", "4:off");
        expect("held 1");
        command("exit 3\n");
        expect("returned 1 values=0");
        await_agent();
        command("on\nvalues\n");
        expect("values 1 ");
        command("exit 0\n"); /* without a word: unasked for all that */
        expect("returned 1 values=0");
        await_agent();
        CHECK(log_has("starting again in_ms=1000"));
        CHECK(log_has("starting again in_ms=2000"));
        stop();
}

TEST(a_line_that_was_let_go_is_nobodys)
{
        struct guard_hold *holds = calloc(GUARD_HOLDS_MAX, sizeof(*holds));
        size_t count = 9;

        CHECK(holds != NULL);
        START("--line", "4:off");
        expect("held 1");
        CHECK_EQ(run_file_read(f.directory_fd, holds, &count), 0);
        CHECK_EQ(count, 1);
        command("let-go\n");
        expect("let go 0");
        CHECK_EQ(run_file_read(f.directory_fd, holds, &count), 0);
        CHECK_EQ(count, 0);
        free(holds);
        stop();
}

TEST(a_worker_that_hangs_is_made_safe_and_killed)
{
        START("--line", "4:off", "--beat");
        await_agent();
        expect("held 1");
        command("on\nhang\n");
        expect("returned 1 values=0");
        await_agent();
        CHECK(log_has("reason=its hardware worker hangs"));
        stop();
}

TEST(an_agent_that_is_stopped_altogether_hangs_too)
{
        pid_t agent;

        START("--line", "4:off", "--beat");
        agent = await_agent();
        expect("held 1");
        command("on\n");
        expect("on 0");
        CHECK_EQ(kill(agent, SIGSTOP), 0);
        expect("returned 1 values=0");
        await_agent();
        CHECK(log_has("reason=its hardware worker hangs"));
        stop();
}

TEST(a_worker_that_never_beat_does_not_hang)
{
        pid_t agent;
        struct timespec longer = {.tv_sec = 3};

        START("--line", "4:off");
        agent = await_agent();
        expect("held 1");
        CHECK_EQ(nanosleep(&longer, NULL), 0);
        CHECK_EQ(kill(agent, 0), 0);
        CHECK(!log_has("killing"));
        stop();
}

TEST(a_clean_stop_is_not_followed_by_a_start)
{
        START("--line", "4:off");
        expect("held 1");
        command("stop\n");
        CHECK_EQ(finish(), 0);
        CHECK(!log_has("starting again"));
        CHECK(!log_has("the agent ended"));
        clean();
}

TEST(sigterm_reaches_the_agent_first)
{
        START("--line", "4:off");
        expect("held 1");
        CHECK_EQ(kill(f.pid, SIGTERM), 0);
        expect("terminated");
        CHECK_EQ(finish(), 0);
        CHECK_EQ(faccessat(f.directory_fd, "guard", F_OK, 0), -1);
        clean();
}

TEST(an_agent_that_does_not_stop_is_made_safe_and_killed)
{
        START("--line", "4:off", "--stubborn");
        expect("held 1");
        command("on\n");
        expect("on 0");
        CHECK_EQ(kill(f.pid, SIGTERM), 0);
        expect("terminated");
        CHECK_EQ(finish(), 1);
        CHECK(log_has("reason=it does not end"));
        CHECK(log_has("lines are safe reason=it does not end driven=1"));
        clean();
}

TEST(an_agent_that_talks_nonsense_is_killed)
{
        START("--line", "4:off");
        expect("held 1");
        command("on\nnonsense\n");
        expect("returned 1 values=0");
        await_agent();
        CHECK(log_has("reason=it does not keep to the protocol"));
        stop();
}

TEST(an_agent_that_gives_its_lock_up_and_lives_is_made_safe_and_killed)
{
        START("--line", "4:off");
        expect("held 1");
        command("on\nfree\n");
        expect("returned 1 values=0");
        await_agent();
        CHECK(log_has("reason=it does not end"));
        stop();
}

TEST(a_program_that_is_missing_ends_it_with_a_clear_word)
{
        const char *const none[] = {NULL};

        start_program("/nonexistent/pifleet-agent", none);
        CHECK_EQ(finish(), 2);
        CHECK(log_has("cannot start program=/nonexistent/pifleet-agent: No such file"));
        clean();
}

TEST(a_configuration_that_is_refused_at_the_first_start_ends_it)
{
        START("--exit", "2");
        CHECK_EQ(finish(), 2);
        clean();
        START("--no-such-option");
        CHECK_EQ(finish(), 2);
        clean();
}

TEST(a_crash_loop_slows_down_and_can_be_stopped_while_waiting)
{
        const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * UINT64_C(1000000);

        START("--exit", "1");
        while (!log_has("starting again in_ms=2000") && clock_monotonic_ns() < end_ns) {
                struct timespec moment = {.tv_nsec = 20000000};

                nanosleep(&moment, NULL);
        }
        CHECK(log_has("starting again in_ms=1000"));
        CHECK(log_has("starting again in_ms=2000"));
        stop();
}
