/* agent/service/config.h - the section `monitor` of the configuration: which
 * services may be seen and controlled.
 *
 *     monitor: {services: ["pi-*.service", "nginx.service"]} */
#pragma once

#include "data/config.h"

enum { SERVICE_PATTERNS_MAX = 64 };

struct service_config {
        /* Globs over unit names. One without a wildcard names a unit that is shown even
         * when systemd has not loaded it. */
        struct config_texts services;
};

/* The section for config_load(), which fills *config. */
struct config_section service_config_section(struct service_config *config);
