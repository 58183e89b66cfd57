/* agent/builtin/connection-stats.h - connection_stats: what goes in and out, and how fast. */
#pragma once

#include "command/registry.h"
#include "data/json-writer.h"

/* Members into an open object: the sums over all transports, `transports` each for
 * itself, and `commands` those that were called at least once. */
void connection_stats_write(const struct command_registry *registry, struct json_writer *writer);
