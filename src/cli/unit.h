/* cli/unit.h - what a number in a reply counts, and how people write it.
 *
 * Replies carry plain numbers (bytes, seconds, degrees Celsius); which of them a
 * number is follows from its name, and where that is too short ("total"), from
 * the name of what it stands in ("memory"). */
#pragma once

#include "base/buffer.h"

enum unit {
        UNIT_NONE,
        UNIT_BYTES,        /* 3.7 GiB */
        UNIT_SECONDS,      /* 3d 4h */
        UNIT_MILLISECONDS, /* 12.5 ms */
        UNIT_MICROSECONDS,
        UNIT_TIME, /* seconds since the epoch: 2026-11-21 00:11:50 +0000 */
        UNIT_CELSIUS,
        UNIT_PERCENT,
        UNIT_HERTZ, /* 1.5 GHz */
};

/* `parent` may be NULL. */
enum unit unit_of(const char *name, const char *parent);

/* -EMSGSIZE, -ENOMEM. */
int unit_append(struct buffer *out, double number, enum unit unit);
