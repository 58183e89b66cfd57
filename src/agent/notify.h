/* agent/notify.h - what systemd is told: ready, stopping, still alive.
 *
 * Nothing happens when no manager asked for it (no $NOTIFY_SOCKET). */
#pragma once

#include "loop/timer.h"

struct notify {
        struct loop_timer watchdog;
        uint64_t interval_ms; /* 0: no watchdog */
};

/* Starts feeding the watchdog when the manager has set one: the loop feeds it,
 * so a loop that hangs starves it. */
void notify_init(struct notify *notify, struct loop *loop);
void notify_done(struct notify *notify);
void notify_ready(const char *status);
void notify_stopping(void);
