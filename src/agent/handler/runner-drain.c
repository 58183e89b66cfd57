/* Hosts of former versions: the call that is under way ends on them, then they are killed. */
#include "agent/handler/runner-internal.h"

#include "base/attributes.h"

#include <stdlib.h>

static void drain_done(struct drain *drain, unsigned children_killed)
{
        list_remove(&drain->link);
        drain->runner->draining_count--;
        host_free(drain->host);
        if (drain->drained)
                drain->drained(drain->context, children_killed);
        free(drain);
}

static void draining_on_message(void *owner, struct host *host, const struct host_message *message)
{
        (void)owner;
        (void)message;
        host_kill(host);
}

static void draining_on_reply(void *owner, struct host *host, const struct host_message *message)
{
        struct drain *drain = owner;

        host_kill(host);
        runner_on_reply(drain->runner, host, message, false);
}

static void draining_on_broken(void *owner, struct host *host, enum host_fault kind,
                               const char *why)
{
        struct drain *drain = owner;

        runner_on_call_broken(drain->runner, host, kind, why, false);
}

static void draining_on_ended(void *owner, struct host *host, unsigned children_killed)
{
        (void)host;
        drain_done(owner, children_killed);
}

static const struct host_listener draining = {
        .on_loaded = draining_on_message,
        .on_load_failed = draining_on_message,
        .on_reply = draining_on_reply,
        .on_broken = draining_on_broken,
        .on_ended = draining_on_ended,
};

/* The oldest makes room: it is killed, and the call it still had is told. */
static void make_room_for_drain(struct runner *runner)
{
        if (runner->draining_count < RUNNER_DRAINING_MAX)
                return;
        list_for_each (&runner->draining, position) {
                struct drain *drain = container_of(position, struct drain, link);

                runner_on_call_broken(runner, drain->host, HOST_FAULT_ENDED,
                                      "was replaced too often while it was at work", false);
                drain_done(drain, 0);
                return;
        }
}

void runner_drop_drains(struct runner *runner)
{
        list_for_each (&runner->draining, position) {
                struct drain *drain = container_of(position, struct drain, link);

                runner_on_call_broken(runner, drain->host, HOST_FAULT_SPAWNER,
                                      "ended with the agent", false);
                drain_done(drain, 0);
        }
}

void runner_drain(struct runner *runner, struct drain *drain, struct host *host,
                  runner_drained_fn *drained, void *context)
{
        make_room_for_drain(runner);
        *drain = (struct drain){
                .runner = runner, .host = host, .drained = drained, .context = context};
        list_append(&runner->draining, &drain->link);
        runner->draining_count++;
        host_set_listener(host, &draining, drain, runner->log);
        if (!host_is_busy(host))
                host_kill(host);
}

void runner_forget_drained(struct runner *runner, void *context)
{
        list_for_each (&runner->draining, position) {
                struct drain *drain = container_of(position, struct drain, link);

                if (drain->context == context)
                        drain->drained = NULL;
        }
}
