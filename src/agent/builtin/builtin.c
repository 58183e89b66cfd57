/* The table of commands and those that are a few lines each. */
#include "agent/builtin/builtin.h"

#include "agent/builtin/connection-stats.h"
#include "agent/builtin/device-id.h"
#include "agent/builtin/metrics.h"
#include "agent/builtin/roots.h"
#include "agent/builtin/system.h"
#include "base/attributes.h"
#include "command/reply.h"
#include "data/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char SOURCE[] = "builtin";

struct builtin {
        struct command_registry *registry;
        struct loop *loop;
        struct roots roots;
        struct metrics metrics;
        const char *disk_path;
        uint64_t started_ms;
        uint64_t uptime_ms;   /* what `uptime` was made for */
        size_t uptime_length; /* 0: not made yet */
        char uptime[32];      /* seconds as text */
        char device_id[DEVICE_ID_SIZE];
};

/* Thousands of pings arrive in a millisecond; the number is printed for the first. */
static void write_uptime(struct builtin *builtin, struct json_writer *writer)
{
        uint64_t uptime_ms = loop_now_ms(builtin->loop) - builtin->started_ms;

        if (uptime_ms != builtin->uptime_ms || builtin->uptime_length == 0) {
                builtin->uptime_ms = uptime_ms;
                builtin->uptime_length = (size_t)snprintf(builtin->uptime, sizeof(builtin->uptime),
                                                          "%" PRIu64 ".%03u", uptime_ms / 1000,
                                                          (unsigned)(uptime_ms % 1000));
        }
        json_write_raw(writer, "uptime", builtin->uptime, builtin->uptime_length);
}

static int run_ping(void *owner, struct command_request *request)
{
        write_uptime(owner, command_reply_open(request, "pong"));
        return command_reply_send(request);
}

/* All that was sent but the command and the tokens: the id stands here too. */
static int run_echo(void *owner, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, NULL);
        const cJSON *id = command_request_id(request), *item;

        json_write_object(writer, "echo");
        if (id)
                json_write_tree(writer, "id", id);
        cJSON_ArrayForEach(item, command_request_arguments(request))
                json_write_tree(writer, item->string, item);
        json_write_end(writer);
        return command_reply_send(request);
}

static int run_get_status(void *owner, struct command_request *request)
{
        struct builtin *builtin = owner;
        struct json_writer *writer = command_reply_open(request, NULL);
        const struct command_transport *transport;
        uint64_t connections = 0;

        for (size_t i = 0; (transport = command_registry_transport(builtin->registry, i)); i++)
                connections += transport->connections;
        json_write_string(writer, "device_id", builtin->device_id);
        json_write_string(writer, "version", PIFLEET_VERSION);
        write_uptime(builtin, writer);
        json_write_integer(writer, "connections", (int64_t)connections);
        json_write_null(writer, "lease_holder");
        json_write_string(writer, "server_link", "disabled");
        command_registry_write_status(builtin->registry, writer);
        return command_reply_send(request);
}

static int run_system_info(void *owner, struct command_request *request)
{
        struct builtin *builtin = owner;

        system_write(&builtin->roots, builtin->disk_path, command_reply_open(request, NULL));
        return command_reply_send(request);
}

static int run_get_metrics(void *owner, struct command_request *request)
{
        struct builtin *builtin = owner;

        metrics_write(&builtin->metrics, &builtin->roots, builtin->disk_path,
                      loop_now_ms(builtin->loop), command_reply_open(request, NULL));
        return command_reply_send(request);
}

static int run_connection_stats(void *owner, struct command_request *request)
{
        struct builtin *builtin = owner;

        connection_stats_write(builtin->registry, command_reply_open(request, NULL));
        return command_reply_send(request);
}

/* A schema is well-formed, but may come from a file and have line breaks. */
static void write_schema(const char *schema, struct json_writer *writer)
{
        AUTO_JSON cJSON *tree = NULL;

        if (!schema)
                schema = "{\"type\":\"object\"}";
        if (!strpbrk(schema, "\r\n"))
                json_write_raw(writer, "schema", schema, strlen(schema));
        else if (json_parse(schema, strlen(schema), JSON_DEPTH_MAX, &tree, NULL) == 0)
                json_write_tree(writer, "schema", tree);
        else
                json_write_null(writer, "schema");
}

static int run_list_commands(void *owner, struct command_request *request)
{
        struct builtin *builtin = owner;
        struct json_writer *writer = command_reply_open(request, NULL);
        const struct command_entry *entry = NULL;

        json_write_array(writer, "commands");
        while ((entry = command_registry_next(builtin->registry, entry))) {
                const struct command *command = command_entry_definition(entry);

                json_write_object(writer, NULL);
                json_write_string(writer, "name", command->name);
                json_write_string(writer, "source", command_entry_source(entry));
                json_write_string(writer, "role", command_role_name(command->role));
                json_write_string(writer, "description", command->description);
                json_write_bool(writer, "changes", command->changes);
                json_write_double(writer, "timeout", command->timeout_ms / 1000.0);
                write_schema(command->schema, writer);
                json_write_end(writer);
        }
        json_write_end(writer);
        return command_reply_send(request);
}

static const struct command commands[] = {
        {.name = "ping",
         .description = "Is the agent there? Answers at once, type \"pong\".",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_PROTECTED,
         .run = run_ping},
        {.name = "echo",
         .description = "Sends all arguments back, to try out a client.",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_PROTECTED,
         .run = run_echo},
        {.name = "get_status",
         .description = "The agent itself: device id, version, connections, what is running.",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_PROTECTED,
         .run = run_get_status},
        {.name = "list_commands",
         .description = "All commands with their roles and the JSON Schema of their arguments.",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_PROTECTED,
         .run = run_list_commands},
        {.name = "connection_stats",
         .description = "Connections, requests, errors and bytes per transport; calls and "
                        "latencies per command.",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_PROTECTED,
         .run = run_connection_stats},
        {.name = "system_info",
         .description = "The machine: model, serial, OS, addresses, processor, memory, disk, "
                        "throttling. \"N/A\" where something cannot be read.",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_UPDATABLE,
         .run = run_system_info},
        {.name = "get_metrics",
         .description = "How busy the machine is: processor, memory, disk, temperature, load, "
                        "network. \"N/A\" where something cannot be read.",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_UPDATABLE,
         .run = run_get_metrics},
};

static int read_device_id(struct builtin *builtin, struct error *error)
{
        char hostname[256] = "";
        enum device_id_source source;
        int r;

        if (gethostname(hostname, sizeof(hostname) - 1) < 0)
                hostname[0] = '\0';
        r = device_id_read(&builtin->roots, hostname, builtin->device_id, &source);
        if (r < 0)
                return error_set(error, r, "no device id can be made: libsodium does not start");
        return 0;
}

int builtin_attach(struct command_registry *registry, const struct builtin_config *config,
                   struct builtin **ret, struct error *error)
{
        struct builtin *builtin = calloc(1, sizeof(*builtin));
        int r;

        if (!builtin)
                return error_set(error, -ENOMEM, "not enough memory for the built-in commands");
        builtin->registry = registry;
        builtin->loop = command_registry_loop(registry);
        builtin->started_ms = loop_now_ms(builtin->loop);
        builtin->disk_path = config->state_dir ? config->state_dir : "/";
        roots_init(&builtin->roots, config->proc_root ? config->proc_root : "/proc",
                   config->sys_root ? config->sys_root : "/sys",
                   config->etc_root ? config->etc_root : "/etc");
        metrics_init(&builtin->metrics);
        r = read_device_id(builtin, error);
        if (r == 0)
                r = command_registry_add(registry, commands, ARRAY_SIZE(commands), SOURCE, builtin,
                                         error);
        if (r < 0) {
                roots_done(&builtin->roots);
                free(builtin);
                return r;
        }
        *ret = builtin;
        return 0;
}

struct builtin *builtin_free(struct builtin *builtin)
{
        if (!builtin)
                return NULL;
        command_registry_remove(builtin->registry, SOURCE);
        roots_done(&builtin->roots);
        free(builtin);
        return NULL;
}

const char *builtin_device_id(const struct builtin *builtin)
{
        return builtin->device_id;
}

void builtin_write_figures(void *owner, struct prometheus_writer *writer)
{
        struct builtin *builtin = owner;
        uint64_t now_ms = loop_now_ms(builtin->loop);

        prometheus_family(writer, "pifleet_uptime_seconds", PROMETHEUS_GAUGE,
                          "Since the agent began.");
        prometheus_number(writer, (double)(now_ms - builtin->started_ms) / 1000);
        metrics_write_figures(&builtin->metrics, &builtin->roots, builtin->disk_path, now_ms,
                              writer);
}
