/* agent/service/reboot-event.h - the machine is about to restart, or should have. */
#pragma once

#include "command/bus.h"

#include <stdint.h>

enum reboot_stage {
        REBOOT_SCHEDULED, /* a command asked for it */
        REBOOT_REQUESTED, /* logind was asked, and does it */
        REBOOT_FAILED,    /* logind was asked, and does not; `why` says why */
        REBOOT_FORGOTTEN, /* the agent stops first */
};

struct reboot_event {
        enum reboot_stage stage;
        uint64_t delay_ms;
        char why[256];
};

extern const struct command_event_type reboot_event_type; /* "service.reboot" */

const char *reboot_stage_name(enum reboot_stage stage);
