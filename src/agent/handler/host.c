#include "agent/handler/host-internal.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { LAST_READS = 16 /* once it has ended: a pipe holds 64 KiB */ };

/* --- its end ----------------------------------------------------------------------------- */

void host_release(struct host *host)
{
        if (--host->references > 0)
                return;
        buffer_done(&host->in);
        buffer_done(&host->out);
        free(host->module);
        free(host);
}

void host_break(struct host *host, enum host_fault fault, const char *format, ...)
{
        char why[HOST_WHY_MAX + 1];
        va_list arguments;

        if (host->broken || host->killed)
                return;
        host->broken = true;
        loop_timer_stop(&host->deadline);
        host_close_conversation(host);
        spawner_kill(&host->program);
        va_start(arguments, format);
        vsnprintf(why, sizeof(why), format, arguments);
        va_end(arguments);
        host->listener->on_broken(host->owner, host, fault, why);
}

static void break_by_status(struct host *host, const struct sandbox_event *event)
{
        int status = event->wait_status;

        if (event->end == SANDBOX_END_MEMORY)
                host_break(host, HOST_FAULT_MEMORY, "needed more memory than it may have");
        else if (event->end == SANDBOX_END_TASKS)
                host_break(host, HOST_FAULT_TASKS, "started more processes than it may");
        else if (event->end == SANDBOX_END_STORAGE)
                host_break(host, HOST_FAULT_STORAGE,
                           "has more in its own folder than it may (handlers.storage)");
        else if (WIFSIGNALED(status))
                host_break(host, HOST_FAULT_ENDED, "was killed by SIG%s",
                           sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
        else
                host_break(host, HOST_FAULT_ENDED, "exited with status %d",
                           WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void host_ended(struct host *host, unsigned children_killed)
{
        loop_timer_stop(&host->deadline);
        host_close_conversation(host);
        host_output_close(&host->outputs[0]);
        host_output_close(&host->outputs[1]);
        host->listener->on_ended(host->owner, host, children_killed);
}

static void host_on_program(struct spawner_program *program, const struct sandbox_event *event)
{
        struct host *host = container_of(program, struct host, program);
        char why[HOST_WHY_MAX + 1];

        switch (event->kind) {
        case SANDBOX_STARTED:
                host->started = true;
                host->pid = event->pid;
                host->walls = event->walls;
                if (host->stage == STAGE_STARTING)
                        loop_timer_stop(&host->deadline);
                else if (host->stage == STAGE_LOADING)
                        loop_timer_start(&host->deadline, HOST_LOAD_MS);
                return;
        case SANDBOX_USAGE:
                host->usage = event->usage;
                host->usage_count++;
                return;
        case SANDBOX_FAILED:
                spawner_failure_text(event, why, sizeof(why));
                host_break(host, HOST_FAULT_START, "could not be started: %s", why);
                host_ended(host, 0);
                return;
        case SANDBOX_GONE:
                host_break(host, HOST_FAULT_SPAWNER, "went with its spawner");
                host_ended(host, 0);
                return;
        case SANDBOX_ENDED:
                /* Its last words say why, so they come before the verdict. */
                for (size_t i = 0; i < ARRAY_SIZE(host->outputs); i++) {
                        if (host->outputs[i].fd >= 0)
                                host_output_read(&host->outputs[i], LAST_READS);
                }
                host_hear_out(host);
                break_by_status(host, event);
                host_ended(host, event->children_killed);
                return;
        case SANDBOX_READY:
                return;
        }
}

static void host_on_deadline(struct loop_timer *timer)
{
        struct host *host = container_of(timer, struct host, deadline);

        if (host->fd >= 0 && host->stage == STAGE_BUSY)
                host_break(host, HOST_FAULT_TIMEOUT, "did not answer within %.3g s",
                           (double)host->call_ms / 1000);
        else if (host->fd >= 0 && host->stage == STAGE_LOADING)
                host_break(host, HOST_FAULT_TIMEOUT, "was not loaded within %d s",
                           HOST_LOAD_MS / 1000);
        else if (host->fd >= 0)
                host_break(host, HOST_FAULT_START, "was not started within %d s",
                           HOST_START_MS / 1000);
        else
                host_break(host, HOST_FAULT_PROTOCOL, "closed its connection to the agent");
}

/* --- start ------------------------------------------------------------------------------- */

/* What the host's process is given, closed here once it has it. */
struct theirs {
        int conversation, output, error;
};

static void theirs_cleanup(struct theirs *theirs)
{
        cleanup_close(&theirs->conversation);
        cleanup_close(&theirs->output);
        cleanup_close(&theirs->error);
}

static int host_open(struct host *host, const struct host_setup *setup)
{
        __attribute__((cleanup(theirs_cleanup))) struct theirs theirs = {-1, -1, -1};
        struct sandbox_program program = setup->program;
        int r;

        r = host_open_conversation(host, &theirs.conversation);
        if (r == 0)
                r = host_output_open(host, 0, &theirs.output);
        if (r == 0)
                r = host_output_open(host, 1, &theirs.error);
        if (r < 0)
                return r;
        program.descriptors[0] = -1;
        program.descriptors[1] = theirs.output;
        program.descriptors[2] = theirs.error;
        program.descriptors[3] = theirs.conversation;
        return spawner_start(setup->spawner, &host->program, &program, host_on_program);
}

int host_start(const struct host_setup *setup, const struct host_listener *listener, void *owner,
               struct host **ret)
{
        struct host *host = calloc(1, sizeof(*host));
        int r;

        if (!host)
                return -ENOMEM;
        host->loop = setup->loop;
        host->listener = listener;
        host->owner = owner;
        host->log = setup->log;
        host->fd = host->outputs[0].fd = host->outputs[1].fd = -1;
        host->references = 1;
        host->output_allowed = HOST_OUTPUT_BURST;
        host->output_ms = loop_now_ms(setup->loop);
        buffer_init(&host->in, HOST_FRAME_HEADER + HOST_FRAME_FROM_MAX);
        buffer_init(&host->out, 2 * (HOST_FRAME_HEADER + (size_t)HOST_FRAME_TO_MAX));
        loop_timer_init(&host->deadline, host->loop, host_on_deadline);
        host->module = strdup(setup->module);
        r = host->module ? host_open(host, setup) : -ENOMEM;
        if (r < 0) {
                host_free(host);
                return r;
        }
        loop_timer_start(&host->deadline, HOST_START_MS);
        *ret = host;
        return 0;
}

struct host *host_free(struct host *host)
{
        if (!host)
                return NULL;
        loop_timer_stop(&host->deadline);
        spawner_forget(&host->program);
        host_close_conversation(host);
        host_output_close(&host->outputs[0]);
        host_output_close(&host->outputs[1]);
        host_release(host);
        return NULL;
}

void host_set_listener(struct host *host, const struct host_listener *listener, void *owner,
                       struct host_log *log)
{
        host->listener = listener;
        host->owner = owner;
        host->log = log;
}

/* --- use --------------------------------------------------------------------------------- */

int host_load(struct host *host, bool self_test)
{
        int r;

        if (host->broken || host->fd < 0)
                return -EPIPE;
        r = host_frame_load(&host->out, host->module, self_test);
        if (r < 0)
                return r;
        host->stage = STAGE_LOADING;
        if (host->started)
                loop_timer_start(&host->deadline, HOST_LOAD_MS);
        host_write(host);
        return 0;
}

int host_call(struct host *host, const char *command, const cJSON *arguments, const cJSON *id,
              uint32_t timeout_ms, void *context)
{
        int r;

        if (host->broken || host->killed || host->fd < 0)
                return -EPIPE;
        if (host->stage != STAGE_IDLE)
                return -EBUSY;
        r = host_frame_call(&host->out, host->call + 1, command, arguments, id);
        if (r < 0)
                return r;
        host->call++;
        host->context = context;
        host->call_ms = timeout_ms;
        host->stage = STAGE_BUSY;
        loop_timer_start(&host->deadline, timeout_ms);
        host_write(host);
        return 0;
}

bool host_is_busy(const struct host *host)
{
        return host->stage == STAGE_BUSY;
}

bool host_is_loaded(const struct host *host)
{
        return !host->broken && !host->killed && host->fd >= 0 &&
               (host->stage == STAGE_IDLE || host->stage == STAGE_BUSY);
}

void *host_take_context(struct host *host)
{
        return TAKE(host->context);
}

void host_kill(struct host *host)
{
        host->killed = true;
        loop_timer_stop(&host->deadline);
        spawner_kill(&host->program);
}

void host_ask_usage(struct host *host)
{
        spawner_ask_usage(&host->program);
}

bool host_usage(const struct host *host, struct sandbox_usage *ret)
{
        if (host->usage_count == 0)
                return false;
        *ret = host->usage;
        return true;
}

uint64_t host_usage_count(const struct host *host)
{
        return host->usage_count;
}

pid_t host_pid(const struct host *host)
{
        return host->pid;
}

const struct sandbox_walls *host_walls(const struct host *host)
{
        return &host->walls;
}

uint64_t host_loaded_ms(const struct host *host)
{
        return host->loaded_ms;
}
