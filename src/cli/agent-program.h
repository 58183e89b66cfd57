/* cli/agent-program.h - runs pifleet-agent to ask it what only it knows. */
#pragma once

#include "base/error.h"

enum { AGENT_PROGRAM_OUTPUT_MAX = 4096 };

/* Runs `pifleet-agent --check-config` (`--config PATH` behind it unless NULL), the
 * one beside this program or else in $PATH, without a shell. *ret_status is its
 * exit status, `output` the first of what it printed, terminated. -ENOENT: there
 * is no such program; -ETIMEDOUT: 10 s; -errno; with a sentence. */
int agent_program_check_config(const char *config_path, int *ret_status,
                               char output[AGENT_PROGRAM_OUTPUT_MAX], struct error *error);
