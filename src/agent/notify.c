#include "agent/notify.h"

#include "base/attributes.h"

#include <systemd/sd-daemon.h>

static void notify_on_watchdog(struct loop_timer *timer)
{
        struct notify *notify = container_of(timer, struct notify, watchdog);

        sd_notify(0, "WATCHDOG=1");
        loop_timer_start(timer, notify->interval_ms);
}

void notify_init(struct notify *notify, struct loop *loop)
{
        uint64_t us = 0;

        *notify = (struct notify){0};
        loop_timer_init(&notify->watchdog, loop, notify_on_watchdog);
        /* Twice as often as asked for, as sd_watchdog_enabled(3) advises. */
        if (sd_watchdog_enabled(0, &us) > 0)
                notify->interval_ms = us / 2000;
        if (notify->interval_ms > 0)
                loop_timer_start(&notify->watchdog, notify->interval_ms);
}

void notify_done(struct notify *notify)
{
        loop_timer_stop(&notify->watchdog);
}

void notify_ready(const char *status)
{
        sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_stopping(void)
{
        sd_notify(0, "STOPPING=1");
}
