/* What handler_stats says of one module. */
#include "agent/handler/runner-internal.h"

static const char *state_of(const struct runner *runner)
{
        if (runner->disabled[0] != '\0')
                return "disabled";
        if (runner->host)
                return host_is_loaded(runner->host) ? "serving" : "starting";
        return runner->start.armed || runner->starting_again ? "restarting" : "idle";
}

static void write_process(const struct runner *runner, struct json_writer *writer)
{
        struct sandbox_usage usage;

        if (!runner->host || !host_usage(runner->host, &usage)) {
                json_write_null(writer, "memory");
                json_write_null(writer, "memory_private");
                json_write_null(writer, "cpu");
                return;
        }
        json_write_integer(writer, "pid", host_pid(runner->host));
        json_write_integer(writer, "memory", (int64_t)usage.memory_bytes);
        json_write_integer(writer, "memory_private", (int64_t)usage.private_bytes);
        json_write_integer(writer, "memory_peak", (int64_t)usage.memory_peak_bytes);
        json_write_double(writer, "cpu", (double)usage.cpu_us / 1e6);
        json_write_integer(writer, "tasks", usage.tasks);
        json_write_integer(writer, "storage", (int64_t)usage.storage_bytes);
}

static void write_walls(const struct runner *runner, struct json_writer *writer)
{
        const struct sandbox_walls *walls =
                runner->host ? host_walls(runner->host) : spawner_walls(runner->setup.spawner);

        json_write_object(writer, "walls");
        for (int wall = 0; wall < SANDBOX_WALLS; wall++)
                json_write_bool(writer, sandbox_wall_name((enum sandbox_wall)wall),
                                sandbox_wall_stands(walls, (enum sandbox_wall)wall));
        json_write_end(writer);
        json_write_string(writer, "memory_cap",
                          sandbox_wall_stands(walls, SANDBOX_WALL_CGROUP_MEMORY) ? "cgroup"
                                                                                 : "poll");
}

void runner_write_statistics(const struct runner *runner, struct json_writer *writer)
{
        const struct module_commands *commands = &runner->version.commands;

        json_write_object(writer, runner->filename);
        json_write_string(writer, "state", state_of(runner));
        if (runner->disabled[0] != '\0')
                json_write_string(writer, "disabled", runner->disabled);
        else if (runner->broken[0] != '\0')
                json_write_string(writer, "broken", runner->broken);
        json_write_string(writer, "sha256", runner->version.version.sha256);
        json_write_string(writer, "version_state",
                          handler_state_name(runner->version.version.state));
        json_write_bool(writer, "probation", runner->healing.probation);
        json_write_integer(writer, "restarts", (int64_t)runner->restarts);
        json_write_integer(writer, "waiting", (int64_t)runner->waiting_count);
        json_write_bool(writer, "rollback_suggested", runner->healing.suggested);
        if (runner->healing.suggested)
                json_write_string(writer, "suggestion", runner->suggestion);
        write_process(runner, writer);
        write_walls(runner, writer);
        json_write_object(writer, "commands");
        for (size_t i = 0; i < commands->count; i++)
                module_command_write(&commands->items[i], writer);
        json_write_end(writer);
        json_write_end(writer);
}
