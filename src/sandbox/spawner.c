#include "sandbox/spawner.h"

#include "base/attributes.h"
#include "base/clock.h"
#include "sandbox/preparation.h"
#include "sandbox/process-tree.h"
#include "sandbox/protocol.h"
#include "sandbox/running.h"
#include "sandbox/storage-watch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum {
        WATCH_MS = 1000,
        END_MS = 8000,        /* for all programs, when we end */
        ORPHANS_MS = 1000,    /* for those an init left */
        MESSAGES_A_ROUND = 8, /* a start takes its time, and ends want to be told */
        POLL_CHANNEL = 0,
        POLL_SIGNALS,
        POLL_PROGRAMS,
};

#define NEVER_MS UINT64_MAX

struct spawner {
        struct log *log;
        struct site *site;
        struct ipc_channel channel;
        int signal_fd;
        int result;
        bool ending;
        uint64_t end_ms, watch_ms;
        struct storage_watch storage;
        bool blocked; /* the asker takes nothing now */
        struct running programs[SANDBOX_PROGRAMS_MAX];
};

static uint64_t now_ms(void)
{
        return clock_monotonic_ns() / 1000000;
}

static struct running *find(struct spawner *s, uint64_t id)
{
        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++)
                if (s->programs[i].used && s->programs[i].id == id)
                        return &s->programs[i];
        return NULL;
}

static struct running *find_free(struct spawner *s)
{
        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++)
                if (!s->programs[i].used)
                        return &s->programs[i];
        return NULL;
}

/* -- what the asker is told -- */

static int send_failed(struct spawner *s, uint64_t id, enum sandbox_step step, int error,
                       const char *where)
{
        struct sandbox_message_failed failed = {.id = id, .error = error, .step = step};

        snprintf(failed.where, sizeof(failed.where), "%s", where);
        return ipc_send(&s->channel, SANDBOX_MESSAGE_FAILED, &failed, sizeof(failed), NULL, 0);
}

static int send_started(struct spawner *s, const struct running *r)
{
        struct sandbox_message_started started = {.id = r->id,
                                                  .walls = r->walls,
                                                  .landlock_abi = s->site->landlock_abi,
                                                  .pid = r->pid};

        return ipc_send(&s->channel, SANDBOX_MESSAGE_STARTED, &started, sizeof(started), NULL, 0);
}

static int send_ended(struct spawner *s, const struct running *r)
{
        struct sandbox_message_ended ended = {.id = r->id,
                                              .wait_status = r->wait_status,
                                              .end = r->end,
                                              .children_killed = r->children,
                                              .memory_peak_bytes = r->memory_peak_bytes,
                                              .cpu_us = r->cpu_us};

        return ipc_send(&s->channel, SANDBOX_MESSAGE_ENDED, &ended, sizeof(ended), NULL, 0);
}

static int send_usage(struct spawner *s, struct running *r)
{
        AUTO(process_table) struct process_table *table = NULL;
        struct sandbox_message_usage message = {.id = r->id};
        struct sandbox_usage usage;

        if (r->gone || !r->started)
                return 0;
        if (r->cgroup_fd < 0)
                (void)process_table_read(&table);
        running_measure(r, s->site, table, &usage);
        message.memory_bytes = usage.memory_bytes;
        message.private_bytes = usage.private_bytes;
        message.memory_peak_bytes = usage.memory_peak_bytes;
        message.cpu_us = usage.cpu_us;
        message.tasks = usage.tasks;
        message.storage_bytes = usage.storage_bytes;
        return ipc_send(&s->channel, SANDBOX_MESSAGE_USAGE, &message, sizeof(message), NULL, 0);
}

static int send_owed(struct spawner *s, struct running *r, unsigned what)
{
        switch (what) {
        case OWES_STARTED:
                return send_started(s, r);
        case OWES_FAILED:
                return send_failed(s, r->id, r->step, r->error, r->where);
        case OWES_USAGE:
                return send_usage(s, r);
        default:
                return send_ended(s, r);
        }
}

static void tell_of_failure(struct spawner *s, const struct running *r)
{
        log_warning(s->log, "sandbox", "cannot start name=%s step=\"%s\"%s%s: %s", r->name,
                    sandbox_step_name(r->step), r->where[0] ? " at=" : "", r->where,
                    strerror(-r->error));
}

/* What still runs under that name gives it back when it is gone. */
static void forget(struct spawner *s, const char *name)
{
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++) {
                struct running *program = &s->programs[i];

                if (program->used && !program->gone && strcmp(program->name, name) == 0) {
                        program->forget = true;
                        return;
                }
        }
        r = folders_give_back(&s->site->folders, name);
        if (r < 0 && r != -ENOENT)
                log_info(s->log, "sandbox", "kept name=%s: %s", name, strerror(-r));
}

/* In the order in which things happened. What does not fit waits for room, and so
 * does the place in the table: there are never more answers than places. */
static void settle_debts(struct spawner *s, struct running *r)
{
        static const unsigned order[] = {OWES_STARTED, OWES_USAGE, OWES_FAILED, OWES_ENDED};

        for (size_t i = 0; i < ARRAY_SIZE(order) && !s->blocked; i++) {
                if (!(r->owes & order[i]))
                        continue;
                s->blocked = send_owed(s, r, order[i]) == -EAGAIN;
                if (s->blocked)
                        return;
                r->owes &= ~order[i];
                if (order[i] == OWES_FAILED)
                        tell_of_failure(s, r);
        }
        if (!r->gone || r->owes != 0)
                return;
        r->used = false;
        if (r->forget)
                forget(s, r->name);
}

static void settle_all_debts(struct spawner *s)
{
        s->blocked = false;
        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++)
                if (s->programs[i].used)
                        settle_debts(s, &s->programs[i]);
}

/* -- what the asker wants -- */

/* A refusal has a place in the table like a program, until the asker takes it. */
static void start(struct spawner *s, const struct sandbox_message_start *start_message,
                  const int descriptors[], struct running *r)
{
        AUTO(sandbox_specification) struct sandbox_specification *specification = NULL;
        enum sandbox_step step = SANDBOX_STEP_SPECIFICATION;
        struct preparation preparation;
        const char *where = "";
        size_t next = 1;
        int error;

        error = sandbox_specification_read(descriptors[0], &specification);
        if (error < 0) {
                running_refuse(r, start_message->id, "?", step, error, "");
                return;
        }
        error = preparation_make(&preparation, s->site, specification, &step, &where);
        for (unsigned i = 0; i < SANDBOX_DESCRIPTORS; i++)
                preparation.launch.descriptors[i] =
                        start_message->slots & 1U << i ? descriptors[next++] : -1;
        if (error < 0)
                running_refuse(r, start_message->id, specification->program.name, step, error,
                               where);
        else
                running_start(r, s->site, &preparation, (unsigned)(r - s->programs),
                              start_message->id);
        preparation_done(&preparation);
}

static int on_start(struct spawner *s, const struct ipc_message *message)
{
        const struct sandbox_message_start *start_message = (const void *)message->payload;
        struct running *r = find_free(s);

        if (find(s, start_message->id))
                return send_failed(s, start_message->id, SANDBOX_STEP_PROGRAMS, -EEXIST, "");
        if (!r)
                return send_failed(s, start_message->id, SANDBOX_STEP_PROGRAMS, -EAGAIN, "");
        start(s, start_message, message->descriptors, r);
        return 0;
}

static int on_message(struct spawner *s, struct ipc_message *message)
{
        const void *payload = message->payload;
        const struct sandbox_message_id *named = payload;
        const struct sandbox_message_forget *forgotten = payload;
        int r = sandbox_message_check(message);
        struct running *program;

        if (r < 0)
                return r;
        switch (message->type) {
        case SANDBOX_MESSAGE_START:
                return on_start(s, message);
        case SANDBOX_MESSAGE_KILL:
                program = find(s, named->id);
                if (program)
                        running_end(program, SANDBOX_END_KILLED, now_ms());
                return 0;
        case SANDBOX_MESSAGE_ASK_USAGE:
                program = find(s, named->id);
                if (program && !program->gone)
                        program->owes |= OWES_USAGE;
                return 0;
        case SANDBOX_MESSAGE_FORGET:
                forget(s, forgotten->name);
                return 0;
        default:
                return -EPROTO;
        }
}

static void begin_to_end(struct spawner *s, int result)
{
        if (s->ending)
                return;
        s->ending = true;
        s->result = result;
        s->end_ms = now_ms() + END_MS;
        ipc_channel_close(&s->channel);
        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++)
                if (s->programs[i].used)
                        running_end(&s->programs[i], SANDBOX_END_KILLED, now_ms());
}

static void hear_asker(struct spawner *s)
{
        for (unsigned i = 0; i < MESSAGES_A_ROUND && !s->ending; i++) {
                struct ipc_message message;
                int r = ipc_receive(&s->channel, &message);

                if (r == -EAGAIN)
                        return;
                if (r > 0) {
                        r = on_message(s, &message);
                        ipc_message_discard(&message);
                        if (r == -EAGAIN) /* a refusal without a place: the asker is slow */
                                r = -EPROTO;
                        if (r == 0)
                                continue;
                }
                if (r < 0 && r != -EPIPE)
                        log_error(s->log, "sandbox", "the asker breaks the rules: %s",
                                  strerror(-r));
                begin_to_end(s, r == -EPIPE ? 0 : r);
        }
}

/* -- the programs -- */

/* What an init that somebody killed has left behind is a child of ours now, which
 * no program's init is the parent of. */
static void kill_orphans(struct spawner *s)
{
        pid_t inits[SANDBOX_PROGRAMS_MAX];
        size_t count = 0;

        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++)
                if (s->programs[i].used && !s->programs[i].gone)
                        inits[count++] = s->programs[i].process.init;
        if (process_tree_kill(inits, count, ORPHANS_MS, NULL, NULL) < 0)
                log_error(s->log, "sandbox", "processes of a program live on");
}

static void serve_program(struct spawner *s, struct running *r)
{
        bool has_namespace = r->walls & UINT32_C(1) << SANDBOX_WALL_PID_NAMESPACE;

        running_on_ready(r, s->site);
        if (r->gone && !has_namespace && !r->reported)
                kill_orphans(s);
}

static void watch_programs(struct spawner *s, uint64_t now)
{
        AUTO(process_table) struct process_table *table = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++) {
                struct running *r = &s->programs[i];

                if (!r->used || !running_wants_watching(r))
                        continue;
                if (r->cgroup_fd < 0 && !table && process_table_read(&table) < 0)
                        return;
                running_watch(r, s->site, table, now);
        }
}

static bool anybody(const struct spawner *s, bool (*question)(const struct running *r))
{
        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++)
                if (s->programs[i].used && question(&s->programs[i]))
                        return true;
        return false;
}

static bool is_alive(const struct running *r)
{
        return !r->gone;
}

static bool has_storage_limit(const struct running *r)
{
        return r->started && !r->ending && !r->gone && r->limits.storage_bytes > 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

static void run_timers(struct spawner *s)
{
        const uint64_t now = now_ms();

        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++) {
                struct running *r = &s->programs[i];

                if (r->used && r->ending && !r->gone && now >= r->kill_ms)
                        running_insist(r, s->site, now);
        }
        if (anybody(s, has_storage_limit))
                storage_watch_run(&s->storage, s->programs, ARRAY_SIZE(s->programs),
                                  &s->site->folders, now);
        if (!anybody(s, running_wants_watching)) {
                s->watch_ms = NEVER_MS;
        } else if (s->watch_ms == NEVER_MS) {
                s->watch_ms = now + WATCH_MS;
        } else if (now >= s->watch_ms) {
                watch_programs(s, now);
                s->watch_ms = now_ms() + WATCH_MS;
        }
}

static int wait_ms(const struct spawner *s)
{
        uint64_t until = earlier(s->watch_ms, s->ending ? s->end_ms : NEVER_MS);
        const uint64_t now = now_ms();

        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++) {
                const struct running *r = &s->programs[i];

                if (r->used && r->ending && !r->gone)
                        until = earlier(until, r->kill_ms);
        }
        if (anybody(s, has_storage_limit))
                until = earlier(until, s->storage.due_ms);
        if (until == NEVER_MS)
                return -1;
        return until <= now ? 0 : (int)earlier(until - now, INT32_MAX);
}

/* *ret: whom each place after POLL_PROGRAMS is about. */
static nfds_t fill(struct spawner *s, struct pollfd waiting[], struct running *ret[])
{
        nfds_t count = POLL_PROGRAMS;

        waiting[POLL_CHANNEL] = (struct pollfd){
                .fd = s->channel.fd, .events = (short)(POLLIN | (s->blocked ? POLLOUT : 0))};
        waiting[POLL_SIGNALS] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
        for (size_t i = 0; i < ARRAY_SIZE(s->programs); i++) {
                struct running *r = &s->programs[i];

                if (!r->used || r->gone)
                        continue;
                ret[count] = r;
                waiting[count++] = (struct pollfd){.fd = running_descriptor(r), .events = POLLIN};
        }
        return count;
}

static int run_round(struct spawner *s)
{
        struct pollfd waiting[POLL_PROGRAMS + SANDBOX_PROGRAMS_MAX];
        struct running *whom[POLL_PROGRAMS + SANDBOX_PROGRAMS_MAX];
        nfds_t count = fill(s, waiting, whom);

        if (poll(waiting, count, wait_ms(s)) < 0)
                return errno == EINTR ? 0 : -errno;
        for (nfds_t i = POLL_PROGRAMS; i < count; i++)
                if (waiting[i].revents)
                        serve_program(s, whom[i]);
        if (waiting[POLL_SIGNALS].revents)
                begin_to_end(s, 0);
        if (waiting[POLL_CHANNEL].revents & (POLLIN | POLLHUP | POLLERR))
                hear_asker(s);
        run_timers(s);
        settle_all_debts(s);
        return 0;
}

int spawner_run(struct spawner *s)
{
        struct sandbox_message_welcome welcome = {.version = SANDBOX_PROTOCOL_VERSION,
                                                  .walls = s->site->walls,
                                                  .landlock_abi = s->site->landlock_abi};
        int r = ipc_send(&s->channel, SANDBOX_MESSAGE_WELCOME, &welcome, sizeof(welcome), NULL, 0);

        if (r < 0)
                begin_to_end(s, r);
        while (!s->ending || (anybody(s, is_alive) && now_ms() < s->end_ms)) {
                r = run_round(s);
                if (r < 0) {
                        log_error(s->log, "sandbox", "cannot wait: %s", strerror(-r));
                        begin_to_end(s, r);
                        break;
                }
        }
        return s->result;
}

static int open_signals(struct spawner *s)
{
        sigset_t wanted;

        sigemptyset(&wanted);
        sigaddset(&wanted, SIGTERM);
        sigaddset(&wanted, SIGINT);
        sigaddset(&wanted, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &wanted, NULL) < 0)
                return -errno;
        s->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
        return s->signal_fd < 0 ? -errno : 0;
}

int spawner_new(struct ipc_channel *channel, struct site *site, struct log *log,
                struct spawner **ret)
{
        AUTO(spawner) struct spawner *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->signal_fd = -1;
        s->channel.fd = -1;
        s->log = log;
        s->site = site;
        s->watch_ms = NEVER_MS;
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return -errno;
        r = open_signals(s);
        if (r < 0)
                return r;
        s->channel = *channel;
        channel->fd = -1;
        *ret = TAKE(s);
        return 0;
}

struct spawner *spawner_free(struct spawner *s)
{
        if (!s)
                return NULL;
        ipc_channel_close(&s->channel);
        storage_watch_end(&s->storage);
        if (s->signal_fd >= 0)
                close(s->signal_fd);
        free(s);
        return NULL;
}
