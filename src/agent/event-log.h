/* agent/event-log.h - writes what happens in the rooms of the agent to its log: the audit,
 * who was let in and who was not, pins, restarts of the machine, modules. */
#pragma once

#include "base/cleanup.h"
#include "base/log.h"
#include "command/bus.h"

struct event_log;

/* Both outlive it. -ENOMEM. */
int event_log_new(struct command_bus *bus, struct log *log, struct event_log **ret);
struct event_log *event_log_free(struct event_log *events);
DEFINE_CLEANUP(event_log)
