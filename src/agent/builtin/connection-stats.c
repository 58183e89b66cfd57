#include "agent/builtin/connection-stats.h"

#include <stdint.h>

static void write_count(struct json_writer *writer, const char *key, uint64_t count)
{
        json_write_integer(writer, key, count > INT64_MAX ? INT64_MAX : (int64_t)count);
}

static void write_counters(const struct command_transport *counters, struct json_writer *writer)
{
        write_count(writer, "connections", counters->connections);
        write_count(writer, "total_connections", counters->connections_total);
        write_count(writer, "refused", counters->refused);
        write_count(writer, "requests", counters->requests);
        write_count(writer, "errors", counters->errors);
        write_count(writer, "bytes_received", counters->bytes_in);
        write_count(writer, "bytes_sent", counters->bytes_out);
}

static void add_counters(struct command_transport *sum, const struct command_transport *counters)
{
        sum->connections += counters->connections;
        sum->connections_total += counters->connections_total;
        sum->refused += counters->refused;
        sum->requests += counters->requests;
        sum->errors += counters->errors;
        sum->bytes_in += counters->bytes_in;
        sum->bytes_out += counters->bytes_out;
}

void connection_stats_write(const struct command_registry *registry, struct json_writer *writer)
{
        const struct command_transport *transport;
        const struct command_entry *entry = NULL;
        struct command_transport sum = {0};

        for (size_t i = 0; (transport = command_registry_transport(registry, i)); i++)
                add_counters(&sum, transport);
        write_counters(&sum, writer);

        json_write_object(writer, "transports");
        for (size_t i = 0; (transport = command_registry_transport(registry, i)); i++) {
                json_write_object(writer, transport->name);
                write_counters(transport, writer);
                json_write_end(writer);
        }
        json_write_end(writer);

        json_write_object(writer, "commands");
        while ((entry = command_registry_next(registry, entry))) {
                const struct command_statistics *statistics = command_entry_statistics(entry);

                if (statistics->calls == 0)
                        continue;
                json_write_object(writer, command_entry_definition(entry)->name);
                write_count(writer, "calls", statistics->calls);
                write_count(writer, "errors", statistics->errors);
                write_count(writer, "timeouts", statistics->timeouts);
                command_statistics_write_latency(statistics, writer);
                json_write_end(writer);
        }
        json_write_end(writer);
}
