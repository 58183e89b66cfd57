/* agent/ndjson/config.h - the `command` section of the configuration. */
#pragma once

#include "data/config.h"

struct ndjson_config {
        char *host;
        int64_t port;        /* 0: no TCP */
        int64_t tls_port;    /* 0: no TLS */
        char *socket;        /* absent: no Unix socket */
        double idle_timeout; /* seconds */
        int64_t max_line;    /* bytes, once authenticated */
};

struct config_section ndjson_config_section(struct ndjson_config *target);
