/* broker/options.h - what pifleet-broker was told on its command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct broker_options {
        uint16_t port; /* of MQTT; 0: any */
        uint16_t http_port;
        bool http; /* http_port was given */
        bool verbose;
};

enum { BROKER_OPTIONS_DONE = 1 };

/* BROKER_OPTIONS_DONE: all was said and done. -EINVAL: and why is said on stderr. */
int broker_options_parse(int argc, char *argv[], struct broker_options *ret);
