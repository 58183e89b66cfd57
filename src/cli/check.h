/* cli/check.h - what `pifleet doctor` looks at. Each check adds its findings and
 * leaves everything as it is. */
#pragma once

#include "cli/finding.h"
#include "cli/gpio-probe.h"
#include "cli/target.h"
#include "data/json.h"

#include <stdbool.h>

/* Where the checks look; other places than the machine's own are for tests. */
struct check_place {
        const char *config_path;
        bool config_given;   /* by --config: then it must exist */
        const char *devices; /* "/dev" */
        const char *root;    /* "", before "/proc", "/sys", "/etc" and "/run" */
        const struct gpio_probe_system *gpio;
        const struct target_options *target;
        cJSON *outline; /* of the config, once check_config() has read it; NULL: none */
};

/* check-config.c: the file, who can read it, and what the agent thinks of it. */
void check_config(struct check_place *place, struct findings *findings);
/* A setting of the config as text; `standard` when it is not there. */
const char *check_setting(const struct check_place *place, const char *section, const char *key,
                          const char *standard);

/* check-agent.c: does it answer, who answers in its place, who may come in? */
void check_agent(const struct check_place *place, struct findings *findings);

/* check-system.c: what the agent needs of the machine. */
void check_clock(struct findings *findings);
void check_disk(const char *path, struct findings *findings);
void check_state_directory(const char *path, struct findings *findings);
void check_descriptors(struct findings *findings);

/* check-gpio.c: the pins. Nothing is taken or moved. */
void check_gpio(const struct check_place *place, struct findings *findings);
void check_released_outputs(const struct check_place *place, struct findings *findings);
void check_pwm(const struct check_place *place, struct findings *findings);

/* check-unit.c: who looks after the agent. */
void check_supervisor(const struct check_place *place, struct findings *findings);
void check_unit(const struct check_place *place, struct findings *findings);
