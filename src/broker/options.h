/* broker/options.h - what pifleet-broker was told on its command line. */
#pragma once

#include "broker/config.h"

enum { BROKER_PORTS_MAX = 16 };

struct broker_options {
        const char *config; /* NULL: none was given */
        uint16_t ports[BROKER_PORTS_MAX];
        size_t ports_count;
        uint16_t http_port;
        bool http; /* http_port was given */
        bool verbose;
        bool test; /* check the configuration, and no more */
};

enum { BROKER_OPTIONS_DONE = 1 };

/* BROKER_OPTIONS_DONE: all was said and done. -EINVAL: and why is said on stderr. */
int broker_options_parse(int argc, char *argv[], struct broker_options *ret);
/* Over what the configuration says: its ports, where that has no listeners; more to log. -ENOMEM,
 * -ENOSPC: too many listeners. */
int broker_options_apply(const struct broker_options *options, struct broker_config *config);
