/* supervisor/hold.h - what is done with the lines, or the PWM channel, of one hold
 * (ipc/guard.h) once their agent is gone.
 *
 * Takes no memory, never waits, and may be done twice: safe stays safe. */
#pragma once

#include "ipc/guard.h"
#include "supervisor/line-driver.h"

#include <stdbool.h>

/* Sums over lines and channels. */
struct hold_result {
        unsigned driven; /* are in their safe state now */
        unsigned kept;   /* were to stay as they are */
        unsigned busy;   /* of hold_take_over(): somebody holds them, left alone */
        unsigned failed; /* the kernel refused */
        int error;       /* the first refusal, -errno */
};

/* Is `fd` what the hold says, with exactly its lines? -EBADF; -E2BIG: its safe
 * state takes more configurations than the kernel has room for. */
int hold_verify(const struct line_driver *driver, const struct guard_hold *hold, int fd);

/* In two steps, so that those of all holds that take one short call come before
 * those that take more: levels of outputs and PWM first, then inputs and what the
 * first step could not do, which hold_switch() tells by false. */
bool hold_switch(const struct line_driver *driver, const struct guard_hold *hold, int fd,
                 struct hold_result *result);
void hold_reconfigure(const struct line_driver *driver, const struct guard_hold *hold, int fd,
                      struct hold_result *result);

/* The same without a descriptor: requests what nobody holds, drives it and lets
 * go of it again. What the kernel makes of a released line is its affair. */
void hold_take_over(const struct line_driver *driver, const struct guard_hold *hold,
                    struct hold_result *result);
