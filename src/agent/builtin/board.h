/* agent/builtin/board.h - the computer itself: model, serial number, processors, heat, power.
 *
 * From the device tree where there is one, else from what other computers have instead.
 * All return -errno (mostly -ENOENT) or -EBADMSG where nothing can be told; outputs are
 * untouched then, texts empty. */
#pragma once

#include "agent/builtin/roots.h"

#include <stddef.h>
#include <stdint.h>

/* "Raspberry Pi 4 Model B Rev 1.4"; on a PC its product name. */
int board_model(const struct roots *roots, char *ret, size_t size);

/* Hexadecimal, 16 digits on a Raspberry Pi. -ENODATA: none, or one of all zeros. */
int board_serial(const struct roots *roots, char *ret, size_t size);

/* Processors that are online. */
int board_cpu_count(const struct roots *roots, unsigned *ret);
/* A list of ranges as the kernel writes it: "0-3,6" is 5. -EBADMSG; -ERANGE: over 65536. */
int board_cpu_list_parse(const char *text, unsigned *ret_count);

/* At this moment, of the first processor. */
int board_cpu_frequency(const struct roots *roots, uint64_t *ret_hz);

/* Of the processor, or what is nearest to it. */
int board_temperature(const struct roots *roots, double *ret_celsius);

/* Why the firmware holds the processor back. Its GET_THROTTLED word: the condition in
 * bits 0-3, and 16 bits above that it was there since the board was switched on. */
enum {
        BOARD_UNDER_VOLTAGE = 1 << 0,
        BOARD_FREQUENCY_CAPPED = 1 << 1,
        BOARD_THROTTLED = 1 << 2,
        BOARD_SOFT_TEMPERATURE_LIMIT = 1 << 3,
};
enum { BOARD_THROTTLING_KINDS = 4 };

struct board_throttling {
        unsigned known;    /* conditions that this board reports */
        unsigned now;      /* those that hold */
        unsigned occurred; /* those that held since it was switched on */
};
int board_throttling(const struct roots *roots, struct board_throttling *ret);
/* "under_voltage" for bit 0, and so on to bit 3. */
const char *board_throttling_name(unsigned bit);
