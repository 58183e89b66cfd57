#include "broker/config.h"

#include "base/cleanup.h"
#include "broker/config-internal.h"
#include "broker/mosquitto-conf.h"
#include "broker/texts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
        size_t length = strlen(text), end_length = strlen(end);

        return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* The first line that says something: in YAML its first word has a colon behind it. */
static enum broker_grammar grammar_of_text(const char *text, size_t length)
{
        const char *end = text + length;

        while (text < end) {
                const char *line = text, *line_end = memchr(text, '\n', (size_t)(end - text));
                size_t word;

                line_end = line_end ? line_end : end;
                text = line_end < end ? line_end + 1 : end;
                while (line < line_end && strchr(" \t\r", *line))
                        line++;
                if (line == line_end || *line == '#')
                        continue;
                for (word = 0; line + word < line_end && !strchr(" \t\r", line[word]);)
                        word++;
                return *line == '{' || line[word - 1] == ':' ||
                                       (word == 3 && strncmp(line, "---", 3) == 0)
                               ? BROKER_GRAMMAR_YAML
                               : BROKER_GRAMMAR_MOSQUITTO;
        }
        return BROKER_GRAMMAR_YAML;
}

static enum broker_grammar grammar_of(const char *path, const char *text, size_t length)
{
        if (ends_with(path, ".yaml") || ends_with(path, ".yml") || ends_with(path, ".json"))
                return BROKER_GRAMMAR_YAML;
        if (ends_with(path, ".conf"))
                return BROKER_GRAMMAR_MOSQUITTO;
        return grammar_of_text(text, length);
}

int broker_config_defaults(struct broker_config *config)
{
        struct broker_sections sections = broker_sections_of(config);
        int r;

        *config = (struct broker_config){.local_only = true};
        r = config_defaults(sections.list, BROKER_SECTIONS);
        /* There is no folder to keep anything in. */
        config->keep.sessions = config->keep.retained = MQTT_KEEP_MEMORY;
        return r;
}

int broker_config_parse(const char *path, const char *text, size_t length,
                        struct broker_config *ret, struct error *error)
{
        struct broker_sections sections = broker_sections_of(ret);
        int r;

        *ret = (struct broker_config){.grammar = grammar_of(path, text, length)};
        if (ret->grammar == BROKER_GRAMMAR_YAML)
                r = config_parse(path, text, length, sections.list, BROKER_SECTIONS, error);
        else
                r = mosquitto_conf_parse(path, text, length, ret, error);
        if (r == 0) {
                ret->path = strdup(path);
                ret->local_only |= ret->listeners.count == 0;
                r = ret->path ? broker_config_check(ret, error) : -ENOMEM;
        }
        if (r == -ENOMEM)
                error_set(error, r, "%s: out of memory", path);
        if (r < 0)
                broker_config_done(ret);
        return r;
}

int broker_config_load(const char *path, struct broker_config *ret, struct error *error)
{
        AUTO_FREE char *text = NULL;
        size_t length;
        int r;

        *ret = (struct broker_config){0};
        r = config_read_file(path, BROKER_CONFIG_LENGTH_MAX, &text, &length, error);
        return r < 0 ? r : broker_config_parse(path, text, length, ret, error);
}

int broker_config_add_listener(struct broker_config *config, struct broker_listener **ret)
{
        struct broker_listener *items, *listener;
        struct config_section section;
        size_t count = config->listeners.count;
        int r;

        if (count == BROKER_LISTENERS_MAX)
                return -ENOSPC;
        items = realloc(config->listeners.items, (count + 1) * sizeof(*items));
        if (!items)
                return -ENOMEM;
        config->listeners.items = items;
        listener = &items[count];
        *listener = (struct broker_listener){0};
        section = broker_listener_section(listener);
        r = config_defaults(&section, 1);
        if (r < 0)
                return r;
        config->listeners.count = count + 1;
        *ret = listener;
        return 0;
}

void broker_config_remove_listener(struct broker_config *config, size_t index)
{
        struct broker_listener *listeners = config->listeners.items;
        struct config_section section = broker_listener_section(&listeners[index]);

        free(listeners[index].place);
        config_done(&section, 1);
        config->listeners.count--;
        memmove(&listeners[index], &listeners[index + 1],
                (config->listeners.count - index) * sizeof(*listeners));
}

int broker_config_add_local(struct broker_config *config, const uint16_t ports[], size_t count)
{
        static const uint16_t usual[] = {1883};
        struct broker_listener *listener;

        if (count == 0 && config->listeners.count == 0) {
                ports = usual;
                count = 1;
        }
        for (size_t i = 0; i < count; i++) {
                /* One may be there already, of settings that stood above all listeners. */
                int r = i > 0 || config->listeners.count == 0
                                ? broker_config_add_listener(config, &listener)
                                : 0;

                if (r < 0)
                        return r;
                listener = config->listeners.items;
                listener[i].port = ports[i];
        }
        return 0;
}

void broker_config_warn(struct broker_config *config, const char *format, ...)
{
        struct config_texts *warnings = &config->warnings;
        char **items = warnings->items;
        va_list arguments;
        char *text;
        int r;

        config->warnings_lost++;
        if (warnings->count == BROKER_WARNINGS_MAX)
                return;
        items = realloc(items, (warnings->count + 1) * sizeof(*items));
        if (!items)
                return;
        warnings->items = items;
        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (r < 0)
                return;
        items[warnings->count++] = text;
        config->warnings_lost--;
}

void broker_config_log_warnings(const struct broker_config *config, struct log *log)
{
        for (size_t i = 0; i < config->warnings.count; i++)
                log_warning(log, "config", "%s", config->warnings.items[i]);
        if (config->warnings_lost > 0)
                log_warning(log, "config", "and %zu more", config->warnings_lost);
}

void broker_config_done(struct broker_config *config)
{
        struct broker_sections sections = broker_sections_of(config);
        struct broker_listener *listeners = config->listeners.items;

        for (size_t i = 0; i < config->listeners.count; i++)
                free(TAKE(listeners[i].place));
        broker_texts_done(&config->warnings);
        config_done(sections.list, BROKER_SECTIONS);
        free(TAKE(config->path));
}

struct broker_access broker_config_access(const struct broker_config *config,
                                          const struct broker_listener *listener)
{
        const struct broker_access *all = &config->access;
        struct broker_access access = listener->access;

        if (access.anonymous == BROKER_ANONYMOUS_INHERITED)
                access.anonymous = all->anonymous;
        if (access.empty_client_ids == BROKER_EMPTY_IDS_INHERITED)
                access.empty_client_ids = all->empty_client_ids;
        if (!access.assigned_prefix)
                access.assigned_prefix = all->assigned_prefix;
        if (!access.password_file)
                access.password_file = all->password_file;
        if (!access.acl_file)
                access.acl_file = all->acl_file;
        return access;
}

void broker_config_limits(const struct broker_config *config, struct mqtt_limits *ret)
{
        mqtt_limits_config_apply(&config->mqtt, ret);
        ret->receive_maximum = (uint16_t)config->receive_maximum;
        ret->queue_qos_0 = config->queue_qos0;
        ret->memory_bytes = (size_t)config->memory;
        ret->sys_interval_s = (uint32_t)config->sys_interval;
        ret->aliases = (uint16_t)config->aliases;
        ret->aliases_granted = (uint16_t)config->aliases_granted;
}
