/* bench/mqtt/options.h - what bench-mqtt is told on its command line. */
#pragma once

#include "bench/mqtt/flow.h"
#include "bench/mqtt/paced.h"
#include "bench/mqtt/storm.h"
#include "bench/trial.h"

struct options {
        struct trial trial;
        struct flow_plan flow; /* with the broker's address, for all */
        struct paced_plan paced;
        enum storm_tls tls;
        unsigned callers, at_once, topics;
        bool steps;
};

/* Begins with the defaults. Returns the index of the only word among `argv`, what is to be done;
 * -EINVAL: the command line is no such, and stderr says why. */
int options_parse(struct options *options, int argc, char **argv);
/* To stderr. */
void options_usage(void);
