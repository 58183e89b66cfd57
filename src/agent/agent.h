/* agent/agent.h - the agent: introduces its rooms to one another and runs them. */
#pragma once

#include "agent/config.h"
#include "base/error.h"

struct agent;

/* Opens log, state directory, chip and listeners. `config` must outlive it.
 * -errno with a sentence. */
int agent_new(const struct agent_config *config, struct agent **ret, struct error *error);
/* Serves until SIGTERM or SIGINT; then takes no more requests, puts the lines
 * into their safe state, answers what is under way and returns 0. */
int agent_run(struct agent *agent);
struct agent *agent_free(struct agent *agent);
