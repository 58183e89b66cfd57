#include "agent/handler/command-cache.h"

#include "agent/handler/version.h"
#include "base/durable.h"
#include "data/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, DEPTH = 4, NAME_SIZE = sizeof("commands..json") + HANDLER_NAME_MAX };

static void file_name(char ret[NAME_SIZE], const char *filename)
{
        snprintf(ret, NAME_SIZE, "commands.%s.json", filename);
}

int command_cache_print(const char *sha256, const struct module_commands *commands,
                        struct buffer *ret)
{
        struct json_writer writer;

        buffer_init(ret, TEXT_MAX);
        json_writer_init(&writer, ret);
        json_write_object(&writer, NULL);
        json_write_string(&writer, "sha256", sha256);
        json_write_array(&writer, "commands");
        for (size_t i = 0; i < commands->count; i++) {
                json_write_object(&writer, NULL);
                json_write_string(&writer, "name", commands->items[i].name);
                json_write_string(&writer, "description", commands->items[i].description);
                json_write_end(&writer);
        }
        json_write_end(&writer);
        json_write_end(&writer);
        return json_writer_error(&writer);
}

int command_cache_write(int state_fd, const char *filename, const struct buffer *text)
{
        char name[NAME_SIZE];

        file_name(name, filename);
        return durable_write(state_fd, name, 0600, buffer_data(text), buffer_length(text));
}

void command_cache_remove(int state_fd, const char *filename)
{
        char name[NAME_SIZE];

        file_name(name, filename);
        (void)unlinkat(state_fd, name, 0);
}

int command_cache_read(int state_fd, const char *filename, char **ret, size_t *ret_length)
{
        char name[NAME_SIZE];

        file_name(name, filename);
        return durable_read(state_fd, name, TEXT_MAX, ret, ret_length);
}

int command_cache_parse(const char *text, size_t length, const char *sha256,
                        struct module_commands *ret)
{
        const char *names[MODULE_COMMANDS_MAX], *descriptions[MODULE_COMMANDS_MAX], *of;
        AUTO_JSON cJSON *tree = NULL;
        const cJSON *item;
        size_t count = 0;

        if (json_parse(text, length, DEPTH, &tree, NULL) < 0)
                return -ENODATA;
        of = json_get_string(tree, "sha256");
        if (!of || strcmp(of, sha256) != 0)
                return -ENODATA;
        cJSON_ArrayForEach(item, json_get(tree, "commands"))
        {
                if (count == MODULE_COMMANDS_MAX)
                        return -ENODATA;
                names[count] = json_get_string(item, "name");
                descriptions[count] = json_get_string(item, "description");
                if (!names[count] || !descriptions[count])
                        return -ENODATA;
                count++;
        }
        return module_commands_copy(names, descriptions, count, ret);
}
