/* sandbox/options.h - the command line of pifleet-spawner. */
#pragma once

#include "base/error.h"
#include "sandbox/policy.h"

struct spawner_options {
        const char *state_dir;
        uid_t first_uid, last_uid;
        const char *shared_group; /* name or number; NULL: the pool's first number */
        const char *cgroup;       /* "auto", "none", or a path */
        uint32_t without;         /* walls that are not to be raised */
        struct policy policy;
};

enum { SPAWNER_OPTIONS_DONE = 1 }; /* help or version was printed */

/* -EINVAL, with words; SPAWNER_OPTIONS_DONE. */
int spawner_options_parse(struct spawner_options *options, int argc, char *argv[],
                          struct error *error);
