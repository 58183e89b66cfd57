#include "agent/event-log.h"

#include "agent/access/access-event.h"
#include "agent/gpio/gpio-event.h"
#include "agent/handler/handler-event.h"
#include "agent/service/reboot-event.h"
#include "base/attributes.h"
#include "command/audit.h"

#include <errno.h>
#include <stdlib.h>

enum { KINDS = 6 };

struct event_log {
        struct log *log;
        struct command_subscription *subscriptions[KINDS];
};

static void on_audit(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct event_log *events = owner;
        const struct command_audit *audit = event->payload;

        if (lost > 0)
                log_warning(events->log, "audit", "lost entries=%llu", (unsigned long long)lost);
        log_info(events->log, "audit",
                 "%s outcome=%s who=\"%s\" role=%s transport=%s origin=%s duration=%.6f",
                 audit->command, audit->outcome, audit->who, command_role_name(audit->role),
                 audit->transport, audit->origin, (double)audit->duration_us / 1e6);
}

static void on_denied(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct event_log *events = owner;
        const struct access_denied *denied = event->payload;

        log_warning(events->log, "access",
                    "denied reason=%s transport=%s origin=%s wait_ms=%llu lost=%llu",
                    access_denied_reason_name(denied->reason), denied->transport, denied->origin,
                    (unsigned long long)denied->retry_ms, (unsigned long long)lost);
}

static void on_granted(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct event_log *events = owner;
        const struct access_granted *granted = event->payload;

        log_info(events->log, "access",
                 "granted who=\"%s\" role=%s transport=%s origin=%s lost=%llu",
                 granted->principal.name, command_role_name(granted->principal.role),
                 granted->transport, granted->origin, (unsigned long long)lost);
}

static void on_gpio_warning(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct event_log *events = owner;
        const struct gpio_line_warning *warning = event->payload;

        log_write(events->log, warning->active ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "gpio",
                  "%s pin=%u %s edges_lost=%llu lost=%llu", warning->warning, warning->pin,
                  warning->active ? "began" : "ended", (unsigned long long)warning->edges_lost,
                  (unsigned long long)lost);
}

static void on_reboot(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct event_log *events = owner;
        const struct reboot_event *reboot = event->payload;
        bool bad = reboot->stage == REBOOT_FAILED || reboot->stage == REBOOT_FORGOTTEN;

        (void)lost;
        log_write(events->log, bad ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "service",
                  "reboot stage=%s delay=%.3f%s%s", reboot_stage_name(reboot->stage),
                  (double)reboot->delay_ms / 1000, bad ? ": " : "", reboot->why);
}

static void on_handler(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct event_log *events = owner;
        const struct handler_event *handler = event->payload;

        if (lost > 0)
                log_warning(events->log, "handler", "lost entries=%llu", (unsigned long long)lost);
        log_write(events->log, handler->trouble ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "handler",
                  "%s%s%s %s", handler_event_kind_name(handler->kind),
                  handler->filename[0] != '\0' ? " module=" : "", handler->filename, handler->text);
}

/* How many of each kind may come in one round; the rest is counted as lost. */
static const struct {
        const struct command_event_type *type;
        size_t capacity;
        command_on_event_fn *on_event;
} kinds[KINDS] = {
        {&command_audit_event, 256, on_audit},   {&access_denied_event, 64, on_denied},
        {&access_granted_event, 64, on_granted}, {&gpio_warning_event, 64, on_gpio_warning},
        {&reboot_event_type, 16, on_reboot},     {&handler_event_type, 256, on_handler},
};

int event_log_new(struct command_bus *bus, struct log *log, struct event_log **ret)
{
        AUTO(event_log) struct event_log *events = calloc(1, sizeof(*events));

        if (!events)
                return -ENOMEM;
        events->log = log;
        for (size_t i = 0; i < KINDS; i++) {
                int r = command_bus_subscribe(bus, kinds[i].type, kinds[i].capacity,
                                              kinds[i].on_event, events, &events->subscriptions[i]);

                if (r < 0)
                        return r;
        }
        *ret = TAKE(events);
        return 0;
}

struct event_log *event_log_free(struct event_log *events)
{
        if (!events)
                return NULL;
        for (size_t i = 0; i < KINDS; i++)
                command_subscription_free(events->subscriptions[i]);
        free(events);
        return NULL;
}
