#include "supervisor/supervisor.h"

#include "base/clock.h"
#include "base/notify.h"
#include "supervisor/agent-process.h"
#include "supervisor/backoff.h"
#include "supervisor/conversation.h"
#include "supervisor/death-watch.h"
#include "supervisor/heartbeat.h"
#include "supervisor/hold-table.h"
#include "supervisor/realtime.h"
#include "supervisor/run-file.h"
#include "supervisor/safe-state.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum {
        STOP_GRACE_MS = 10000, /* from SIGTERM, or STOPPING, to SIGKILL */
        GAVE_UP_MS = 2000,     /* from giving the lock up to the end */
        EXIT_CONFIGURATION = 2,
        ENDING_TEXT_MAX = 64,
};

#define NEVER_MS UINT64_MAX

struct supervisor {
        struct log *log;
        char *const *program;
        int run_dir_fd;
        int priority;
        sigset_t mask_before;
        int signal_fd;
        struct hold_table *table;

        bool running; /* an agent lives: the next six are of its life */
        struct agent_process agent;
        struct conversation talk;
        struct death_watch *watch;
        struct heartbeat heartbeat;
        uint64_t started_ms, look_ms, kill_ms, killed_ns;

        struct backoff backoff;
        unsigned starts;
        uint64_t start_ms;       /* of the next life */
        uint64_t feed_ms;        /* of the manager's watchdog, while nobody else feeds it */
        uint64_t feed_period_ms; /* 0: no watchdog */
        bool stopping, finished;
        bool unsafe; /* a line could not be driven: the record has to stay */
        int status;
};

static uint64_t now_ms(void)
{
        return clock_monotonic_ns() / 1000000;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

static void finish(struct supervisor *s, int status)
{
        s->finished = true;
        s->status = status;
}

static void tell_safe(struct supervisor *s, const char *why, const struct hold_result *result)
{
        s->unsafe = result->failed > 0;
        if (result->failed > 0)
                log_error(s->log, "safe-state",
                          "not all lines are safe reason=%s driven=%u kept=%u failed=%u: %s", why,
                          result->driven, result->kept, result->failed, strerror(-result->error));
        else if (result->driven + result->kept > 0)
                log_info(s->log, "safe-state", "lines are safe reason=%s driven=%u kept=%u", why,
                         result->driven, result->kept);
}

/* On the watch's thread: nothing but the lines, and no log. */
static void on_death(void *owner)
{
        struct supervisor *s = owner;
        struct hold_result result;

        hold_table_make_safe(s->table, &result);
}

static void kill_agent(struct supervisor *s)
{
        if (s->killed_ns == 0)
                s->killed_ns = clock_monotonic_ns();
        s->kill_ms = NEVER_MS;
        agent_process_signal(&s->agent, SIGKILL);
}

/* Lines first: the agent may take its time to die. */
static void give_up_on_agent(struct supervisor *s, const char *why)
{
        struct hold_result result;

        hold_table_make_safe(s->table, &result);
        log_error(s->log, "supervisor", "killing the agent pid=%d reason=%s", (int)s->agent.pid,
                  why);
        tell_safe(s, why, &result);
        notify_send("STATUS=the agent was killed: %s", why);
        kill_agent(s);
}

static void start_agent(struct supervisor *s)
{
        bool missing;
        int r;

        s->starts++;
        s->started_ms = now_ms();
        r = agent_process_start(s->program, &s->mask_before, &s->agent, &missing);
        if (r < 0) {
                log_error(s->log, "supervisor", "cannot start program=%s: %s", s->program[0],
                          strerror(-r));
                if (missing && s->starts == 1) {
                        finish(s, EXIT_CONFIGURATION);
                        return;
                }
                s->start_ms = s->started_ms + backoff_next_ms(&s->backoff, 0);
                return;
        }
        s->running = true;
        s->talk = (struct conversation){.channel = &s->agent.channel, .table = s->table};
        s->heartbeat = (struct heartbeat){.seen_ms = s->started_ms};
        s->look_ms = s->started_ms + GUARD_BEAT_MS;
        s->kill_ms = NEVER_MS;
        s->killed_ns = 0;
        log_info(s->log, "supervisor", "started the agent pid=%d starts=%u", (int)s->agent.pid,
                 s->starts);
}

static void greet(struct supervisor *s)
{
        int r = death_watch_start(s->agent.page, s->priority, on_death, s, &s->watch);

        if (r < 0) {
                give_up_on_agent(s, "it has no sleeping thread");
                return;
        }
        log_info(s->log, "supervisor", "guarding the agent pid=%d returned=%zu", (int)s->agent.pid,
                 hold_table_count(s->table));
}

static void hear_agent(struct supervisor *s)
{
        bool greeted = s->talk.greeted, stopping = s->talk.stopping;
        int r = conversation_run(&s->talk);

        if (r < 0)
                give_up_on_agent(s, "it does not keep to the protocol");
        if (r <= 0)
                ipc_channel_close(&s->agent.channel);
        if (!greeted && s->talk.greeted && r >= 0)
                greet(s);
        if (!stopping && s->talk.stopping)
                s->kill_ms = sooner(s->kill_ms, now_ms() + STOP_GRACE_MS);
}

static void look_at_agent(struct supervisor *s, uint64_t now)
{
        s->look_ms = now + GUARD_BEAT_MS;
        if (s->killed_ns != 0)
                return;
        if (heartbeat_is_lost(&s->heartbeat, s->agent.page, now))
                give_up_on_agent(s, "its hardware worker hangs");
        /* Its sleeping thread is gone, so its lines are safe; the rest has to follow. */
        else if (s->watch && !s->talk.stopping && s->kill_ms == NEVER_MS &&
                 death_watch_has_acted(s->watch))
                s->kill_ms = now + GAVE_UP_MS;
}

static void describe_ending(int status, char text[static ENDING_TEXT_MAX])
{
        if (WIFSIGNALED(status))
                snprintf(text, ENDING_TEXT_MAX, "signal %d", WTERMSIG(status));
        else
                snprintf(text, ENDING_TEXT_MAX, "status %d", WEXITSTATUS(status));
}

/* How fast: driving the lines, and from our own SIGKILL, where it was ours. */
static void log_death(struct supervisor *s, const char *ending,
                      const struct death_watch_report *report)
{
        uint64_t drive_ns = report->returned_ns - report->called_ns, kill_ns = 0;

        if (s->killed_ns != 0 && report->returned_ns > s->killed_ns)
                kill_ns = report->returned_ns - s->killed_ns;
        log_warning(s->log, "supervisor",
                    "the agent ended ending=\"%s\" seen=%s drive_us=%" PRIu64
                    " kill_to_safe_us=%" PRIu64,
                    ending, report->returned_ns != 0 ? "futex" : "pidfd", drive_ns / 1000,
                    kill_ns / 1000);
}

static void end_life(struct supervisor *s, struct death_watch_report *report)
{
        int r = s->watch ? death_watch_end(s->watch, report) : 0;

        if (r < 0)
                log_warning(s->log, "supervisor", "a watch for a dead agent goes on: %s",
                            strerror(-r));
        s->watch = NULL;
        agent_process_done(&s->agent, r < 0);
        s->running = false;
}

static void decide_after(struct supervisor *s, int status, const char *ending)
{
        uint64_t now = now_ms(), delay_ms;
        bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

        if (s->stopping || (s->talk.stopping && well)) {
                finish(s, well ? EXIT_SUCCESS : EXIT_FAILURE);
                return;
        }
        if (s->finished)
                return;
        /* What it was told is wrong, and it said so: a person has to mend it. Later the
         * same is an accident, for there was a start that went well. */
        if (s->starts == 1 && !s->talk.greeted && WIFEXITED(status) &&
            WEXITSTATUS(status) == EXIT_CONFIGURATION) {
                finish(s, EXIT_CONFIGURATION);
                return;
        }
        delay_ms = backoff_next_ms(&s->backoff, now - s->started_ms);
        s->start_ms = now + delay_ms;
        s->feed_ms = now;
        log_info(s->log, "supervisor", "starting again in_ms=%" PRIu64, delay_ms);
        notify_send("STATUS=the agent ended (%s), starting again in %" PRIu64 " s", ending,
                    delay_ms / 1000);
}

static void bury_agent(struct supervisor *s)
{
        struct death_watch_report report = {0};
        struct hold_result result;
        char ending[ENDING_TEXT_MAX];
        int status = 0;

        /* The last words may wait still: STOPPING decides what follows. */
        while (s->agent.channel.fd >= 0 && conversation_run(&s->talk) > 0) {
                struct pollfd more = {.fd = s->agent.channel.fd, .events = POLLIN};

                if (poll(&more, 1, 0) <= 0)
                        break;
        }
        /* The second trigger: where the first was there, this changes nothing. */
        hold_table_make_safe(s->table, &result);
        if (agent_process_reap(&s->agent, &status) < 0)
                status = EXIT_FAILURE << 8;
        describe_ending(status, ending);
        end_life(s, &report);
        if (!s->stopping && !s->talk.stopping)
                log_death(s, ending, &report);
        tell_safe(s, "ended", &result);
        decide_after(s, status, ending);
}

static void on_signal(struct supervisor *s)
{
        struct signalfd_siginfo info;
        int number;

        if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
                return;
        number = (int)info.ssi_signo;
        if (s->running)
                agent_process_signal(&s->agent, number);
        if (number == SIGHUP)
                return;
        if (!s->stopping)
                log_info(s->log, "supervisor", "stopping signal=%d", number);
        s->stopping = true;
        if (s->running)
                s->kill_ms = sooner(s->kill_ms, now_ms() + STOP_GRACE_MS);
        else
                finish(s, EXIT_SUCCESS);
}

static void run_timers(struct supervisor *s)
{
        uint64_t now = now_ms();

        if (s->running && now >= s->kill_ms) {
                give_up_on_agent(s, "it does not end");
                return;
        }
        if (s->running && now >= s->look_ms)
                look_at_agent(s, now);
        /* The agent feeds the watchdog; while there is none, its place is ours. */
        if (!s->running && s->feed_period_ms > 0 && now >= s->feed_ms) {
                notify_send("WATCHDOG=1");
                s->feed_ms = now + s->feed_period_ms;
        }
        if (!s->running && !s->finished && now >= s->start_ms) {
                if (s->feed_period_ms > 0)
                        notify_send("WATCHDOG=1");
                start_agent(s);
        }
}

static int wait_ms(const struct supervisor *s)
{
        uint64_t now = now_ms(), due;

        if (s->running)
                due = sooner(s->look_ms, s->kill_ms);
        else
                due = s->feed_period_ms > 0 ? sooner(s->start_ms, s->feed_ms) : s->start_ms;
        return due <= now ? 0 : (int)(due - now) + 1;
}

static void run_round(struct supervisor *s)
{
        struct pollfd waiting[] = {
                {.fd = s->signal_fd, .events = POLLIN},
                {.fd = s->running ? s->agent.channel.fd : -1, .events = POLLIN},
                {.fd = s->running ? s->agent.pidfd : -1, .events = POLLIN},
        };

        if (poll(waiting, ARRAY_SIZE(waiting), wait_ms(s)) < 0 && errno != EINTR) {
                log_error(s->log, "supervisor", "cannot wait: %s", strerror(errno));
                finish(s, EXIT_FAILURE);
                return;
        }
        if (waiting[0].revents)
                on_signal(s);
        if (waiting[1].revents)
                hear_agent(s);
        if (waiting[2].revents)
                bury_agent(s);
        if (!s->finished)
                run_timers(s);
}

int supervisor_run(struct supervisor *s)
{
        start_agent(s);
        while (!s->finished)
                run_round(s);
        if (s->running) { /* we cannot go on, and nobody else would guard it */
                kill_agent(s);
                bury_agent(s);
        }
        return s->status;
}

static int open_signals(struct supervisor *s)
{
        sigset_t wanted;

        sigemptyset(&wanted);
        sigaddset(&wanted, SIGTERM);
        sigaddset(&wanted, SIGINT);
        sigaddset(&wanted, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &wanted, &s->mask_before) < 0)
                return -errno;
        s->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
        return s->signal_fd < 0 ? -errno : 0;
}

int supervisor_new(const struct line_driver *driver, int run_dir_fd, struct log *log,
                   char *const program[], struct supervisor **ret, struct error *error)
{
        AUTO(supervisor) struct supervisor *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return error_set(error, -ENOMEM, "not enough memory");
        s->signal_fd = -1;
        s->log = log;
        s->program = program;
        s->run_dir_fd = run_dir_fd;
        s->feed_period_ms = notify_watchdog_ms();
        /* What cannot be made safe was logged; not to start would help nobody. */
        if (run_dir_fd >= 0)
                (void)safe_state_run(driver, run_dir_fd, log);
        r = hold_table_new(driver, run_dir_fd, &s->table);
        if (r == 0)
                r = open_signals(s);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        s->priority = realtime_enter(log);
        *ret = TAKE(s);
        return 0;
}

/* A record that stays behind says that somebody has to look after its lines. */
struct supervisor *supervisor_free(struct supervisor *s)
{
        if (!s)
                return NULL;
        if (s->finished && !s->unsafe && s->run_dir_fd >= 0)
                (void)run_file_remove(s->run_dir_fd);
        hold_table_free(s->table);
        if (s->signal_fd >= 0)
                close(s->signal_fd);
        free(s);
        return NULL;
}
