/* support/memory-lines.h - lines that live in shared memory, and the driver of a
 * supervisor that believes in them.
 *
 * A "line request" is a memfd with the levels, so that it can be handed from
 * process to process as a real one can. An input reads as off. */
#pragma once

#include "supervisor/line-driver.h"

/* Lines 0 to n of a mask, outputs with these levels. A descriptor or -errno. */
int memory_lines_new(uint64_t lines, uint64_t values);

/* Requests are refused with -EBUSY, and there is no PWM. */
extern const struct line_driver memory_lines_driver;
