/* agent/service/listing.h - units and their numbers, asked of systemd at once.
 *
 * One call for all units that match the patterns, one for those that are named
 * outright, and then a few small calls for each unit (its whole set of properties
 * is 300 long and costs systemd a millisecond), 32 of them in flight. What one
 * unit does not tell stays unknown; the others are not held up. Loop thread. */
#pragma once

#include "agent/service/bus.h"
#include "agent/service/unit.h"
#include "data/config.h"

enum {
        LISTING_UNITS_MAX = 2048, /* more are left out, and counted */
        LISTING_DEADLINE_MS = 8000,
        LISTING_IN_FLIGHT_MAX = 32,
};

struct listing;

/* `failure` NULL: `units`, by name, are the listing's until it is freed; at the
 * deadline with what is known by then. Else there are none. Called once; may free
 * the listing. */
typedef void listing_done_fn(void *owner, const struct service_failure *failure,
                             const struct unit units[], size_t count, size_t left_out);

enum listing_depth { LISTING_NAMES, LISTING_NUMBERS /* since, memory, cpu, restarts too */ };

/* `done` comes later, never from inside. `patterns` are copied into the calls.
 * Negative: `failure` says why, and nothing comes. */
int listing_start(struct loop *loop, struct service_bus *bus, const struct config_texts *patterns,
                  enum listing_depth depth, listing_done_fn *done, void *owner,
                  struct listing **ret, struct service_failure *failure);
/* Ends it without `done` where that has not come yet. NULL is fine. */
struct listing *listing_free(struct listing *listing);
DEFINE_CLEANUP(listing)
