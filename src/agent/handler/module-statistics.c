#include "agent/handler/module-statistics.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int module_commands_copy(const char *const names[], const char *const descriptions[], size_t count,
                         struct module_commands *ret)
{
        struct module_commands commands = {0};

        if (count > 0) {
                commands.items = calloc(count, sizeof(*commands.items));
                if (!commands.items)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < count; i++) {
                struct module_command *command = &commands.items[commands.count++];

                command->name = strdup(names[i]);
                command->description = strdup(descriptions[i]);
                if (!command->name || !command->description) {
                        module_commands_done(&commands);
                        return -ENOMEM;
                }
        }
        *ret = commands;
        return 0;
}

void module_commands_done(struct module_commands *commands)
{
        for (size_t i = 0; i < commands->count; i++) {
                free(commands->items[i].name);
                free(commands->items[i].description);
        }
        free(commands->items);
        *commands = (struct module_commands){0};
}

struct module_command *module_commands_find(const struct module_commands *commands,
                                            const char *name)
{
        for (size_t i = 0; i < commands->count; i++) {
                if (strcmp(commands->items[i].name, name) == 0)
                        return &commands->items[i];
        }
        return NULL;
}

void module_commands_inherit(struct module_commands *commands, const struct module_commands *from)
{
        for (size_t i = 0; i < commands->count; i++) {
                struct module_command *command = &commands->items[i];
                const struct module_command *before = module_commands_find(from, command->name);

                if (!before)
                        continue;
                command->statistics = before->statistics;
                memcpy(command->last_error, before->last_error, sizeof(command->last_error));
                command->last_error_ns = before->last_error_ns;
        }
}

void module_command_succeeded(struct module_command *command, uint64_t latency_us)
{
        command_statistics_add(&command->statistics, latency_us);
}

void module_command_failed(struct module_command *command, uint64_t latency_us, bool timeout,
                           const char *text, int64_t wall_ns)
{
        size_t length = strnlen(text, MODULE_ERROR_TEXT_MAX);

        command_statistics_add(&command->statistics, latency_us);
        command->statistics.errors++;
        command->statistics.timeouts += timeout;
        length = utf8_valid_prefix(text, length);
        memcpy(command->last_error, text, length);
        command->last_error[length] = '\0';
        command->last_error_ns = wall_ns;
}

void module_command_write(const struct module_command *command, struct json_writer *writer)
{
        const struct command_statistics *statistics = &command->statistics;

        json_write_object(writer, command->name);
        json_write_integer(writer, "calls", (int64_t)statistics->calls);
        json_write_integer(writer, "errors", (int64_t)statistics->errors);
        json_write_integer(writer, "timeouts", (int64_t)statistics->timeouts);
        command_statistics_write_latency(statistics, writer);
        if (command->last_error[0] != '\0') {
                json_write_string(writer, "last_error", command->last_error);
                json_write_double(writer, "last_error_time",
                                  (double)(command->last_error_ns / 1000000) / 1000);
        } else {
                json_write_null(writer, "last_error");
        }
        json_write_end(writer);
}
