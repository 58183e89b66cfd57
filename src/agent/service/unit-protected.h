/* agent/service/unit-protected.h - units that nobody starts, stops or restarts
 * through the agent, whatever `monitor.services` says.
 *
 * By default that is every service, and an operator is no administrator: these
 * would give a shell, take the machine down, or end the one who has to answer. Who
 * may do that anyway does it on the machine itself. Pure. */
#pragma once

/* Why not, to stand behind "…: "; NULL: it may be controlled. `name` is a unit's
 * (unit-name.h). */
const char *unit_protected_reason(const char *name);
