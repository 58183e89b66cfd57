#include "agent/service/unit.h"

#include "agent/service/unit-name.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char UNIT_INTERFACE[] = "org.freedesktop.systemd1.Unit";
static const char SERVICE_INTERFACE[] = "org.freedesktop.systemd1.Service";

static int copy(const char *text, char **ret)
{
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

int unit_read(sd_bus_message *message, struct unit *ret)
{
        const char *name, *description, *load, *active, *state, *following, *path, *type, *job;
        struct unit unit = {.since_us = UNIT_UNKNOWN,
                            .memory = UNIT_UNKNOWN,
                            .cpu_ns = UNIT_UNKNOWN,
                            .restarts = UNIT_UNKNOWN};
        uint32_t id;
        int r;

        r = sd_bus_message_read(message, "(ssssssouso)", &name, &description, &load, &active,
                                &state, &following, &path, &id, &type, &job);
        if (r <= 0)
                return r == 0 ? 0 : -EBADMSG;
        if (strcmp(load, "not-found") == 0 || strlen(name) > UNIT_NAME_MAX)
                return UNIT_SKIPPED;
        r = copy(name, &unit.name);
        if (r == 0)
                r = copy(description, &unit.description);
        if (r == 0)
                r = copy(active, &unit.active);
        if (r == 0)
                r = copy(state, &unit.state);
        if (r == 0)
                r = copy(path, &unit.path);
        if (r < 0) {
                unit_done(&unit);
                return r;
        }
        *ret = unit;
        return UNIT_READ;
}

void unit_done(struct unit *unit)
{
        free(TAKE(unit->name));
        free(TAKE(unit->description));
        free(TAKE(unit->active));
        free(TAKE(unit->state));
        free(TAKE(unit->path));
}

static bool is(const struct unit *unit, const char *active)
{
        return strcmp(unit->active, active) == 0;
}

/* Since when it is what it is: the same choice as that of systemctl(1), "status". */
static const char *since_property(const struct unit *unit)
{
        if (is(unit, "active") || is(unit, "reloading") || is(unit, "refreshing"))
                return "ActiveEnterTimestamp";
        if (is(unit, "inactive") || is(unit, "failed"))
                return "InactiveEnterTimestamp";
        return is(unit, "activating") ? "InactiveExitTimestamp" : "ActiveExitTimestamp";
}

bool unit_property_of(const struct unit *unit, enum unit_property property, const char **interface,
                      const char **name)
{
        *interface = SERVICE_INTERFACE;
        switch (property) {
        case UNIT_SINCE:
                *interface = UNIT_INTERFACE;
                *name = since_property(unit);
                return true;
        case UNIT_MEMORY:
                *name = "MemoryCurrent";
                return unit_name_is_service(unit->name) && !is(unit, "inactive");
        case UNIT_CPU:
                *name = "CPUUsageNSec";
                return unit_name_is_service(unit->name) && !is(unit, "inactive");
        case UNIT_RESTARTS:
                *name = "NRestarts";
                return unit_name_is_service(unit->name);
        case UNIT_PROPERTIES:
                break;
        }
        return false;
}

int unit_property_read(struct unit *unit, enum unit_property property, sd_bus_message *message)
{
        uint64_t number;
        uint32_t restarts;
        int r;

        if (property == UNIT_RESTARTS) {
                r = sd_bus_message_read(message, "v", "u", &restarts);
                if (r > 0)
                        unit->restarts = restarts;
                return r > 0 ? 0 : -EBADMSG;
        }
        r = sd_bus_message_read(message, "v", "t", &number);
        if (r <= 0)
                return -EBADMSG;
        if (property == UNIT_SINCE)
                unit->since_us = number > 0 ? number : UNIT_UNKNOWN; /* 0: it never was */
        else if (property == UNIT_MEMORY)
                unit->memory = number;
        else if (property == UNIT_CPU)
                unit->cpu_ns = number;
        return 0;
}

static void write_scaled(struct json_writer *writer, const char *key, uint64_t number, double unit)
{
        if (number == UNIT_UNKNOWN)
                json_write_null(writer, key);
        else
                json_write_double(writer, key, (double)number / unit);
}

void unit_write(const struct unit *unit, struct json_writer *writer)
{
        json_write_string(writer, "name", unit->name);
        json_write_string(writer, "description", unit->description);
        json_write_string(writer, "active", unit->active);
        json_write_string(writer, "state", unit->state);
        write_scaled(writer, "since", unit->since_us, 1e6);
        write_scaled(writer, "memory", unit->memory, 1);
        write_scaled(writer, "cpu", unit->cpu_ns, 1e9);
        write_scaled(writer, "restarts", unit->restarts, 1);
}
