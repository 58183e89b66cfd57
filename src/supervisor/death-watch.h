/* supervisor/death-watch.h - a thread that waits for the agent's death and acts at
 * once, before the kernel has torn the agent's memory down.
 *
 * It blocks on guard_page.alive (ipc/guard.h), which the kernel hands over when
 * the agent's sleeping thread dies. */
#pragma once

#include "base/cleanup.h"
#include "ipc/guard.h"

#include <stdbool.h>

struct death_watch;
/* On the watch's thread, once: the agent is dead or dying, or gave its lock up. */
typedef void death_watch_fn(void *owner);

/* `priority` of SCHED_FIFO; 0: as others. `page` must stay until death_watch_end()
 * says 0. -EPROTO: nobody sleeps there; -errno. */
int death_watch_start(struct guard_page *page, int priority, death_watch_fn *on_death, void *owner,
                      struct death_watch **ret);

/* on_death was called, and returned. */
bool death_watch_has_acted(const struct death_watch *watch);

/* What it did, on CLOCK_MONOTONIC; zeroes: nothing, for the kernel has no such
 * futexes and only the pidfd tells. */
struct death_watch_report {
        uint64_t called_ns, returned_ns; /* on_death */
};

/* After the agent was reaped: waits for the thread and frees all. -ETIMEDOUT: it
 * waits for somebody who got the agent's number between death and watch; thread,
 * memory and page are left to it for ever. */
int death_watch_end(struct death_watch *watch, struct death_watch_report *ret);
