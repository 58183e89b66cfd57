/* agent/service/bus.h - the system bus, on our loop: calls that never block.
 *
 * Connects at the first call and again after a loss, at the earliest after a
 * back-off. A call is answered once: by its reply, by a D-Bus error, after its
 * time, or when the connection breaks. Loop thread. */
#pragma once

#include "agent/service/failure.h"
#include "base/cleanup.h"
#include "loop/loop.h"

#include <systemd/sd-bus.h>

/* A system bus allows 128 replies outstanding for one connection. */
enum { SERVICE_BUS_IN_FLIGHT_MAX = 96 };

struct service_bus;
struct service_bus_call; /* in flight */

/* A job of systemd has ended: its object path, its unit and the result ("done",
 * "failed", "timeout", ...). */
typedef void service_bus_job_fn(void *owner, const char *job, const char *unit, const char *result);

/* The connection broke: no end of a job that is under way will be told. Comes
 * after the answers to all calls. */
typedef void service_bus_lost_fn(void *owner, const struct service_failure *failure);

/* Opens nothing yet. -ENOMEM. */
int service_bus_new(struct loop *loop, service_bus_job_fn *on_job, service_bus_lost_fn *on_lost,
                    void *owner, struct service_bus **ret);
/* Calls in flight are forgotten, without their answer. */
struct service_bus *service_bus_free(struct service_bus *bus);
DEFINE_CLEANUP(service_bus)

struct service_bus_method {
        const char *destination, *path, *interface, *member;
};

/* A call to be filled with sd_bus_message_append() and sent; connects where
 * needed. The caller unreferences *ret. Negative: `failure` says why. */
int service_bus_message(struct service_bus *bus, const struct service_bus_method *method,
                        sd_bus_message **ret, struct service_failure *failure);

/* Exactly one of `reply` and `failure` is not NULL; both are valid during the
 * call. May send and cancel other calls. */
typedef void service_bus_answered_fn(void *context, sd_bus_message *reply,
                                     const struct service_failure *failure);
/* Answered once, later, never from inside. Negative: not sent, and `failure` says
 * why. *ret is valid until the answer or the cancelling. */
int service_bus_send(struct service_bus *bus, sd_bus_message *message, uint64_t timeout_ms,
                     service_bus_answered_fn *answered, void *context,
                     struct service_bus_call **ret, struct service_failure *failure);
/* No answer comes any more. NULL is fine; returns NULL. */
struct service_bus_call *service_bus_call_cancel(struct service_bus_call *call);
