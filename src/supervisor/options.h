/* supervisor/options.h - the command line of pifleet-supervisor. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

struct supervisor_options {
        const char *run_dir; /* NULL: the usual one */
        bool safe_state;
        char **program; /* argv of the agent, ends with NULL */
};

enum { SUPERVISOR_OPTIONS_DONE = 1 }; /* help or version was printed: nothing else to do */

/* Points into argv. 0, DONE, or -EINVAL with what is wrong. */
int supervisor_options_parse(struct supervisor_options *options, int argc, char *argv[],
                             struct error *error);
