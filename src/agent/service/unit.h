/* agent/service/unit.h - a unit as systemd describes it, in plain values.
 *
 * Source: org.freedesktop.systemd1(5), "ListUnits" and the properties of the
 * Unit and Service interfaces. Numbers that systemd does not have (accounting
 * switched off, never started) are UNIT_UNKNOWN. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "data/json-writer.h"

#define UNIT_UNKNOWN UINT64_MAX

struct unit {
        char *name, *description, *active, *state, *path; /* owned */
        uint64_t since_us;                                /* of the epoch */
        uint64_t memory, cpu_ns, restarts;
};

enum unit_property { UNIT_SINCE, UNIT_MEMORY, UNIT_CPU, UNIT_RESTARTS, UNIT_PROPERTIES };

/* Outcome beside 0 (no more units): */
enum { UNIT_READ = 1, UNIT_SKIPPED = 2 /* only referred to, no unit file */ };

/* The next of an array a(ssssssouso) that was entered. UNIT_READ: *ret owns what
 * it points to. -EBADMSG: of another form; -ENOMEM. */
int unit_read(sd_bus_message *message, struct unit *ret);
void unit_done(struct unit *unit);

/* Where a property of this unit is: of which interface, and its name. False: it
 * has none, or none worth asking for (a unit that does not run uses no memory). */
bool unit_property_of(const struct unit *unit, enum unit_property property, const char **interface,
                      const char **name);
/* The reply to org.freedesktop.DBus.Properties.Get. -EBADMSG: of another type;
 * the unit is as it was. */
int unit_property_read(struct unit *unit, enum unit_property property, sd_bus_message *message);

/* The members of a unit, into an open object. */
void unit_write(const struct unit *unit, struct json_writer *writer);
