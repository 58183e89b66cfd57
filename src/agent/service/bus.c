#include "agent/service/bus.h"

#include "base/clock.h"
#include "base/list.h"
#include "loop/io.h"
#include "loop/task.h"
#include "loop/timer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum {
        /* Messages in a round: a reply each, then everybody else has their turn. */
        MESSAGES_PER_ROUND = 64,
        RETRY_FIRST_MS = 100,
        RETRY_LAST_MS = 10000,
};

/* One connection. Its memory outlives it until the loop has closed its source. */
struct connection {
        struct service_bus *bus;
        sd_bus *sd;
        int fd; /* sd's */
        struct loop_io io;
        struct loop_timer timer;
        struct loop_task pump;
};

struct service_bus {
        struct loop *loop;
        struct connection *connection; /* NULL: none */
        struct list calls;             /* in flight */
        size_t calls_count;
        unsigned losses;                /* since something was answered */
        uint64_t retry_at_ms;           /* no connecting before; 0: at any time */
        struct service_failure failure; /* why there is no connection */
        service_bus_job_fn *on_job;
        service_bus_lost_fn *on_lost;
        void *owner;
};

struct service_bus_call {
        struct list link;
        struct service_bus *bus;
        sd_bus_slot *slot;
        service_bus_answered_fn *answered;
        void *context;
};

/* --- losing a connection ----------------------------------------------------------------- */

static void connection_on_closed(struct loop_io *io)
{
        free(container_of(io, struct connection, io));
}

static void connection_close(struct connection *connection)
{
        loop_timer_stop(&connection->timer);
        loop_task_cancel(&connection->pump);
        /* The source first: closing the bus closes its descriptor. */
        loop_io_close(&connection->io, connection_on_closed);
        sd_bus_close_unref(TAKE(connection->sd));
}

static void back_off(struct service_bus *bus)
{
        uint64_t wait = RETRY_FIRST_MS;

        for (unsigned i = 0; i < bus->losses && wait < RETRY_LAST_MS; i++)
                wait *= 2;
        if (wait > RETRY_LAST_MS)
                wait = RETRY_LAST_MS;
        bus->losses++;
        bus->retry_at_ms = loop_now_ms(bus->loop) + wait;
}

static void call_end(struct service_bus_call *call, sd_bus_message *reply,
                     const struct service_failure *failure)
{
        service_bus_answered_fn *answered = call->answered;
        void *context = call->context;

        service_bus_call_cancel(call);
        answered(context, reply, failure);
}

/* All calls get their answer; those that are made meanwhile are refused. */
static void bus_lose(struct service_bus *bus, int reason)
{
        struct list calls;

        connection_close(TAKE(bus->connection));
        back_off(bus);
        service_failure_set(&bus->failure, SERVICE_FAILURE_LOST, "%s", strerror(-reason));
        list_init(&calls);
        list_splice(&calls, &bus->calls);
        while (!list_is_empty(&calls))
                call_end(container_of(calls.next, struct service_bus_call, link), NULL,
                         &bus->failure);
        bus->on_lost(bus->owner, &bus->failure);
}

/* --- the loop ---------------------------------------------------------------------------- */

static void connection_wait(struct connection *connection)
{
        int wanted = sd_bus_get_events(connection->sd);
        uint64_t due_us, now_us = clock_monotonic_ns() / 1000;
        unsigned events = 0;

        if (wanted & POLLIN)
                events |= LOOP_READABLE;
        if (wanted & POLLOUT)
                events |= LOOP_WRITABLE;
        loop_io_watch(&connection->io, events);
        if (sd_bus_get_timeout(connection->sd, &due_us) < 0 || due_us == UINT64_MAX)
                loop_timer_stop(&connection->timer);
        else
                loop_timer_start(&connection->timer,
                                 due_us > now_us ? (due_us - now_us + 999) / 1000 : 0);
}

static void connection_on_pump(struct loop_task *task)
{
        struct connection *connection = container_of(task, struct connection, pump);
        int r = 1;

        for (unsigned i = 0; i < MESSAGES_PER_ROUND && r > 0; i++) {
                r = sd_bus_process(connection->sd, NULL);
                if (r >= 0 && sd_bus_is_open(connection->sd) <= 0)
                        r = -ECONNRESET;
        }
        /* A bus with several addresses goes on to the next by itself, with another
         * descriptor. Connecting anew does the same, and needs no case of its own. */
        if (r >= 0 && sd_bus_get_fd(connection->sd) != connection->fd)
                r = -ECONNRESET;
        if (r < 0) {
                bus_lose(connection->bus, r);
                return;
        }
        if (r > 0)
                loop_task_post(&connection->pump);
        connection_wait(connection);
}

static void connection_on_ready(struct loop_io *io, unsigned events)
{
        (void)events; /* sd-bus looks for itself */
        loop_task_post(&container_of(io, struct connection, io)->pump);
}

static void connection_on_timer(struct loop_timer *timer)
{
        loop_task_post(&container_of(timer, struct connection, timer)->pump);
}

/* --- connecting -------------------------------------------------------------------------- */

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct connection *connection = userdata;
        struct service_bus *bus = connection->bus;
        const char *job, *unit, *result;
        uint32_t id;

        (void)error;
        if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) > 0)
                bus->on_job(bus->owner, job, unit, result);
        return 0;
}

static int connection_open(struct connection *connection, struct loop *loop)
{
        int r;

        r = sd_bus_open_system(&connection->sd);
        if (r < 0)
                return r;
        /* Whoever starts a job is told of its end: systemd needs no Subscribe() for it. The
         * rule goes out before any call does. */
        r = sd_bus_match_signal_async(
                connection->sd, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "JobRemoved", on_job_removed, NULL, connection);
        if (r < 0)
                return r;
        connection->fd = sd_bus_get_fd(connection->sd);
        if (connection->fd < 0)
                return connection->fd;
        return loop_io_open(&connection->io, loop, connection->fd, connection_on_ready);
}

static int connection_new(struct service_bus *bus, struct connection **ret)
{
        struct connection *connection = calloc(1, sizeof(*connection));
        int r;

        if (!connection)
                return -ENOMEM;
        connection->bus = bus;
        r = connection_open(connection, bus->loop);
        if (r < 0) {
                sd_bus_close_unref(connection->sd);
                free(connection);
                return r;
        }
        loop_timer_init(&connection->timer, bus->loop, connection_on_timer);
        loop_task_init(&connection->pump, bus->loop, connection_on_pump);
        loop_task_post(&connection->pump);
        *ret = connection;
        return 0;
}

static int bus_connect(struct service_bus *bus, struct service_failure *failure)
{
        uint64_t now = loop_now_ms(bus->loop);
        int r;

        if (bus->connection)
                return 0;
        if (now >= bus->retry_at_ms) {
                r = connection_new(bus, &bus->connection);
                if (r == 0)
                        return 0;
                back_off(bus);
                service_failure_set(&bus->failure,
                                    r == -ENOMEM ? SERVICE_FAILURE_MEMORY : SERVICE_FAILURE_NO_BUS,
                                    "%s", strerror(-r));
        }
        *failure = bus->failure;
        failure->retry_ms = bus->retry_at_ms - now;
        return -1;
}

int service_bus_new(struct loop *loop, service_bus_job_fn *on_job, service_bus_lost_fn *on_lost,
                    void *owner, struct service_bus **ret)
{
        struct service_bus *bus = calloc(1, sizeof(*bus));

        if (!bus)
                return -ENOMEM;
        bus->loop = loop;
        bus->on_job = on_job;
        bus->on_lost = on_lost;
        bus->owner = owner;
        list_init(&bus->calls);
        *ret = bus;
        return 0;
}

struct service_bus *service_bus_free(struct service_bus *bus)
{
        if (!bus)
                return NULL;
        while (!list_is_empty(&bus->calls))
                service_bus_call_cancel(
                        container_of(bus->calls.next, struct service_bus_call, link));
        if (bus->connection)
                connection_close(TAKE(bus->connection));
        free(bus);
        return NULL;
}

/* --- calls ------------------------------------------------------------------------------- */

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
        struct service_bus_call *call = userdata;
        struct service_bus *bus = call->bus;
        const sd_bus_error *error = sd_bus_message_get_error(message);
        struct service_failure failure;

        (void)unused;
        if (!error) {
                bus->losses = 0;
                bus->retry_at_ms = 0;
                call_end(call, message, NULL);
                return 0;
        }
        /* While a connection ends, sd-bus makes up an answer for each call. */
        if (sd_bus_is_open(bus->connection->sd) <= 0)
                service_failure_set(&failure, SERVICE_FAILURE_LOST, "%s", strerror(ECONNRESET));
        else
                service_failure_set(&failure, service_failure_of(error->name), "%s",
                                    error->message ? error->message : error->name);
        call_end(call, NULL, &failure);
        return 0;
}

int service_bus_message(struct service_bus *bus, const struct service_bus_method *method,
                        sd_bus_message **ret, struct service_failure *failure)
{
        int r;

        r = bus_connect(bus, failure);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(bus->connection->sd, ret, method->destination,
                                           method->path, method->interface, method->member);
        if (r == -ENOMEM)
                return service_failure_set(failure, SERVICE_FAILURE_MEMORY, "%s", "");
        if (r < 0)
                return service_failure_set(failure, SERVICE_FAILURE_OTHER, "%s", strerror(-r));
        return 0;
}

int service_bus_send(struct service_bus *bus, sd_bus_message *message, uint64_t timeout_ms,
                     service_bus_answered_fn *answered, void *context,
                     struct service_bus_call **ret, struct service_failure *failure)
{
        struct service_bus_call *call;
        int r;

        if (!bus->connection)
                return service_failure_set(failure, SERVICE_FAILURE_LOST, "%s", "");
        if (bus->calls_count >= SERVICE_BUS_IN_FLIGHT_MAX)
                return service_failure_set(failure, SERVICE_FAILURE_MEMORY,
                                           "%d calls are under way", SERVICE_BUS_IN_FLIGHT_MAX);
        call = calloc(1, sizeof(*call));
        if (!call)
                return service_failure_set(failure, SERVICE_FAILURE_MEMORY, "%s", "");
        r = sd_bus_call_async(bus->connection->sd, &call->slot, message, on_answer, call,
                              timeout_ms * 1000);
        if (r < 0) {
                free(call);
                return service_failure_set(failure, SERVICE_FAILURE_LOST, "%s", strerror(-r));
        }
        call->bus = bus;
        call->answered = answered;
        call->context = context;
        list_append(&bus->calls, &call->link);
        bus->calls_count++;
        loop_task_post(&bus->connection->pump);
        *ret = call;
        return 0;
}

struct service_bus_call *service_bus_call_cancel(struct service_bus_call *call)
{
        if (!call)
                return NULL;
        list_remove(&call->link);
        call->bus->calls_count--;
        sd_bus_slot_unref(call->slot);
        free(call);
        return NULL;
}
