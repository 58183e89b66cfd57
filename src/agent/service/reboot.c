#include "agent/service/reboot.h"

#include "agent/service/reboot-event.h"
#include "command/reply.h"
#include "command/request.h"
#include "data/json.h"
#include "loop/timer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_MS = 8000 };

struct reboot {
        struct command_registry *registry;
        struct service_bus *bus;
        struct command_request *request; /* that waits for logind's yes; NULL: none */
        uint64_t delay_ms;
        struct service_bus_call *call;
        struct loop_timer timer;
};

/* What CanReboot says beside "yes". Source: org.freedesktop.login1(5). */
static const struct {
        const char *answer;
        enum service_failure_kind kind;
        const char *sentence;
} refusals[] = {
        {"na", SERVICE_FAILURE_NO_BUS, "this machine cannot be restarted by software"},
        {"no", SERVICE_FAILURE_REFUSED, "logind says no"},
        {"challenge", SERVICE_FAILURE_REFUSED, "logind wants a password"},
};

static void publish(struct reboot *reboot, enum reboot_stage stage, const char *why)
{
        struct reboot_event event = {.stage = stage, .delay_ms = reboot->delay_ms};

        snprintf(event.why, sizeof(event.why), "%s", why);
        command_bus_publish(command_registry_bus(reboot->registry), &reboot_event_type, &event);
}

/* Sends a method of logind's manager; `interactive`: it has that argument, and
 * nobody sits there to be asked. */
static int ask_logind(struct reboot *reboot, const char *member, bool interactive,
                      service_bus_answered_fn *answered, struct service_failure *failure)
{
        const struct service_bus_method method = {"org.freedesktop.login1",
                                                  "/org/freedesktop/login1",
                                                  "org.freedesktop.login1.Manager", member};
        sd_bus_message *message = NULL;
        int r;

        r = service_bus_message(reboot->bus, &method, &message, failure);
        if (r < 0)
                return r;
        r = interactive ? sd_bus_message_append(message, "b", 0) : 0;
        if (r < 0)
                service_failure_set(failure, SERVICE_FAILURE_OTHER, "%s", strerror(-r));
        else
                r = service_bus_send(reboot->bus, message, CALL_MS, answered, reboot, &reboot->call,
                                     failure);
        sd_bus_message_unref(message);
        return r;
}

/* --- the reboot itself ------------------------------------------------------------------- */

static void on_rebooting(void *context, sd_bus_message *reply,
                         const struct service_failure *failure)
{
        struct reboot *reboot = context;

        (void)reply;
        reboot->call = NULL;
        publish(reboot, failure ? REBOOT_FAILED : REBOOT_REQUESTED, failure ? failure->text : "");
}

static void reboot_on_due(struct loop_timer *timer)
{
        struct reboot *reboot = container_of(timer, struct reboot, timer);
        struct service_failure failure;

        /* A question that is under way is about the next one. */
        if (reboot->request) {
                loop_timer_start(timer, REBOOT_REPLY_MS);
                return;
        }
        reboot->call = service_bus_call_cancel(reboot->call);
        if (ask_logind(reboot, "Reboot", true, on_rebooting, &failure) < 0)
                publish(reboot, REBOOT_FAILED, failure.text);
}

/* --- the command ------------------------------------------------------------------------- */

static bool is_allowed(const char *answer, struct service_failure *failure)
{
        if (strcmp(answer, "yes") == 0)
                return true;
        service_failure_set(failure, SERVICE_FAILURE_FORBIDDEN, "logind says %.64s", answer);
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
                if (strcmp(answer, refusals[i].answer) == 0)
                        service_failure_set(failure, refusals[i].kind, "%s", refusals[i].sentence);
        }
        return false;
}

static void accept_reboot(struct reboot *reboot, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, NULL);

        json_write_bool(writer, "accepted", true);
        json_write_double(writer, "delay", (double)reboot->delay_ms / 1000);
        command_reply_send(request);
        loop_timer_start(&reboot->timer,
                         reboot->delay_ms > REBOOT_REPLY_MS ? reboot->delay_ms : REBOOT_REPLY_MS);
        publish(reboot, REBOOT_SCHEDULED, "");
}

static void on_may_reboot(void *context, sd_bus_message *reply,
                          const struct service_failure *failure)
{
        struct reboot *reboot = context;
        struct command_request *request = TAKE(reboot->request);
        struct service_failure own;
        const char *answer;

        reboot->call = NULL;
        if (reply && sd_bus_message_read(reply, "s", &answer) <= 0)
                answer = "nothing that can be understood";
        if (failure)
                service_failure_reply(request, failure, "restart this Pi");
        else if (!is_allowed(answer, &own))
                service_failure_reply(request, &own, "restart this Pi");
        else
                accept_reboot(reboot, request);
}

int reboot_begin(struct reboot *reboot, struct command_request *request)
{
        struct service_failure failure;
        double delay_s = 0;

        json_get_double(command_request_arguments(request), "delay", &delay_s);
        if (reboot->call)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "another restart_pi is being answered; try again later");
        if (ask_logind(reboot, "CanReboot", false, on_may_reboot, &failure) < 0)
                return service_failure_reply(request, &failure, "restart this Pi");
        reboot->request = request;
        reboot->delay_ms = (uint64_t)(delay_s * 1000 + 0.5);
        return COMMAND_PENDING;
}

void reboot_stop(struct reboot *reboot)
{
        reboot->call = service_bus_call_cancel(reboot->call);
        if (reboot->request)
                command_reply_fail(TAKE(reboot->request), COMMAND_NOT_READY,
                                   "the agent is stopping");
        if (reboot->timer.armed)
                publish(reboot, REBOOT_FORGOTTEN, "the agent stops");
        loop_timer_stop(&reboot->timer);
}

int reboot_new(struct command_registry *registry, struct service_bus *bus, struct reboot **ret)
{
        struct reboot *reboot = calloc(1, sizeof(*reboot));

        if (!reboot)
                return -ENOMEM;
        reboot->registry = registry;
        reboot->bus = bus;
        loop_timer_init(&reboot->timer, command_registry_loop(registry), reboot_on_due);
        *ret = reboot;
        return 0;
}

struct reboot *reboot_free(struct reboot *reboot)
{
        if (!reboot)
                return NULL;
        reboot_stop(reboot);
        free(reboot);
        return NULL;
}
