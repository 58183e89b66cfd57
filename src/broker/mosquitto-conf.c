#include "broker/mosquitto-conf.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/utf8.h"
#include "broker/mosquitto-value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char blanks[] = " \t";

static int refuse(struct mosquitto_reader *reader, const char *format, va_list arguments)
{
        char text[ERROR_TEXT_MAX];

        vsnprintf(text, sizeof(text), format, arguments);
        return error_set(reader->error, -EINVAL, "%.300s:%u: %s", reader->file, reader->line, text);
}

int mosquitto_refuse(struct mosquitto_reader *reader, const char *format, ...)
{
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = refuse(reader, format, arguments);
        va_end(arguments);
        return r;
}

int mosquitto_refuse_memory(struct mosquitto_reader *reader)
{
        return error_set(reader->error, -ENOMEM, "%.300s: out of memory", reader->file);
}

void mosquitto_warn(struct mosquitto_reader *reader, const char *format, ...)
{
        char text[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        broker_config_warn(reader->config, "%.300s:%u: %s", reader->file, reader->line, text);
}

static struct broker_listener *listener_at(const struct mosquitto_reader *reader, size_t number)
{
        return (struct broker_listener *)reader->config->listeners.items + (number - 1);
}

static int add_listener(struct mosquitto_reader *reader, struct broker_listener **ret)
{
        struct broker_listener *listener;
        int r = broker_config_add_listener(reader->config, &listener);

        if (r == -ENOSPC)
                return mosquitto_refuse(reader, "more than %d listeners", BROKER_LISTENERS_MAX);
        if (r < 0)
                return mosquitto_refuse_memory(reader);
        if (asprintf(&listener->place, "%.300s:%u", reader->file, reader->line) < 0) {
                listener->place = NULL;
                return mosquitto_refuse_memory(reader);
        }
        reader->listener = reader->config->listeners.count;
        *ret = listener;
        return 0;
}

/* The listener of what stands before the first one. */
static int default_listener(struct mosquitto_reader *reader, const char *key)
{
        struct broker_listener *listener;
        int r;

        if (reader->default_listener == 0) {
                r = add_listener(reader, &listener);
                if (r < 0)
                        return r;
                reader->default_listener = reader->listener;
                reader->default_line = reader->line;
                reader->default_key = key;
        }
        reader->listener = reader->default_listener;
        return 0;
}

int mosquitto_target(struct mosquitto_reader *reader, const struct mosquitto_key *key, void **ret)
{
        const bool required = key->scope == MOSQUITTO_NAMED ||
                              (key->scope == MOSQUITTO_ACCESS && reader->per_listener);
        char *target = (char *)reader->config;
        int r;

        if (required && reader->listener == 0)
                return mosquitto_refuse(reader,
                                        "`%s` belongs to a listener: it stands below a line "
                                        "`listener PORT`",
                                        key->name);
        if (key->scope == MOSQUITTO_ACCESS) {
                reader->access_said = true;
                target = required ? (char *)&listener_at(reader, reader->listener)->access
                                  : (char *)&reader->config->access;
        } else if (key->scope != MOSQUITTO_GLOBAL) {
                r = reader->listener == 0 ? default_listener(reader, key->name) : 0;
                if (r < 0)
                        return r;
                target = (char *)listener_at(reader, reader->listener);
        }
        *ret = target + key->offset;
        return 0;
}

static int read_port_number(struct mosquitto_reader *reader, const char *text, int64_t least,
                            int64_t *ret)
{
        unsigned long port;
        char *end;

        port = strtoul(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end != '\0' || port > UINT16_MAX ||
            (int64_t)port < least)
                return mosquitto_refuse(reader, "'%.64s' is not a port, %d to 65535", text,
                                        (int)least);
        *ret = (int64_t)port;
        return 0;
}

static int copy_text(struct mosquitto_reader *reader, char **place, const char *text)
{
        char *copy = strdup(text);

        if (!copy)
                return mosquitto_refuse_memory(reader);
        free(*place);
        *place = copy;
        return 0;
}

/* `listener PORT [ADDRESS]` or `listener 0 PATH`. */
int mosquitto_read_listener(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        char *port = strtok_r(value, blanks, &value), *where = strtok_r(NULL, blanks, &value);
        struct broker_listener *listener;
        int64_t number = 0;
        int r;

        (void)key;
        if (!port)
                return mosquitto_refuse(reader,
                                        "`listener` has no value: expected PORT [ADDRESS], or "
                                        "0 and the path of a Unix socket");
        if (where && where[0] == '#')
                where = NULL;
        r = read_port_number(reader, port, 0, &number);
        if (r < 0)
                return r;
        if (number == 0 && !where)
                return mosquitto_refuse(reader, "a listener with port 0 is a Unix socket, whose "
                                                "path is missing");
        r = add_listener(reader, &listener);
        if (r < 0)
                return r;
        reader->listens = true;
        listener->port = number;
        free(TAKE(listener->host));
        if (where)
                r = copy_text(reader, number == 0 ? &listener->socket : &listener->host, where);
        return r;
}

int mosquitto_read_port(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                        char *value)
{
        int64_t number = 0;
        int r = mosquitto_value_word(reader, key, value);

        if (r == 0)
                r = read_port_number(reader, value, 1, &number);
        if (r == 0)
                r = default_listener(reader, key->name);
        if (r < 0)
                return r;
        reader->listens = reader->default_listens = true;
        listener_at(reader, reader->default_listener)->port = number;
        return 0;
}

int mosquitto_read_bind_address(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                                char *value)
{
        const size_t above = reader->listener;
        int r;

        if (value[0] == '\0')
                return mosquitto_refuse(reader, "`%s` has no value: expected an address",
                                        key->name);
        r = default_listener(reader, key->name);
        if (r < 0)
                return r;
        reader->listens = reader->default_listens = true;
        reader->any_address = false;
        reader->listener = above;
        return copy_text(reader, &listener_at(reader, reader->default_listener)->host, value);
}

int mosquitto_read_per_listener(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                                char *value)
{
        bool flag = false;
        int r = mosquitto_value_flag(reader, key, value, &flag);

        if (r < 0)
                return r;
        if (reader->access_said && flag)
                return mosquitto_refuse(reader,
                                        "`%s` stands before all other settings of users "
                                        "and their rights: move it up",
                                        key->name);
        reader->per_listener = flag;
        return 0;
}

static int read_line(struct mosquitto_reader *reader, char *line)
{
        const struct mosquitto_key *key;
        char suggestion[128], *name = line + strspn(line, blanks), *value;
        size_t length = strlen(name);

        while (length > 0 && strchr(" \t\r", name[length - 1]))
                name[--length] = '\0';
        if (length == 0 || name[0] == '#')
                return 0;
        value = name + strcspn(name, blanks);
        if (*value != '\0')
                *value++ = '\0';
        value += strspn(value, blanks);
        key = mosquitto_find_key(name);
        if (key)
                return key->read(reader, key, value);
        mosquitto_suggest_key(name, suggestion, sizeof(suggestion));
        return mosquitto_refuse(reader, "`%.64s` is not known%s", name, suggestion);
}

int mosquitto_read_lines(struct mosquitto_reader *reader, char *text, size_t length)
{
        char *end = text + length;
        int r = 0;

        if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                text += 3; /* how some editors begin UTF-8, which nobody sees */
        reader->line = 0;
        for (char *line = text, *next; line < end && r == 0; line = next) {
                char *line_end = memchr(line, '\n', (size_t)(end - line));
                size_t line_length;

                line_end = line_end ? line_end : end;
                next = line_end + 1;
                line_length = (size_t)(line_end - line);
                reader->line++;
                if (memchr(line, '\0', line_length) ||
                    utf8_valid_prefix(line, line_length) != line_length)
                        return mosquitto_refuse(reader, "this is not text (UTF-8)");
                if (line_length > MOSQUITTO_LINE_MAX)
                        return mosquitto_refuse(reader, "a line has at most %d bytes",
                                                MOSQUITTO_LINE_MAX);
                *line_end = '\0';
                r = read_line(reader, line);
        }
        return r;
}

static int begin(struct broker_config *config)
{
        const enum broker_grammar grammar = config->grammar;
        int r = broker_config_defaults(config);

        if (r < 0)
                return r;
        config->grammar = grammar;
        config->mqtt.inflight = config->receive_maximum = 20;
        config->mqtt.queue_messages = 1000;
        config->mqtt.queue_bytes = config->mqtt.queued_bytes;
        config->mqtt.packet_bytes = 2000000;
        config->aliases = config->aliases_granted = 10;
        config->access.anonymous = BROKER_ANONYMOUS_INHERITED; /* nothing said yet */
        config->log.connections = true;
        return 0;
}

static int finish_persistence(struct mosquitto_reader *reader)
{
        struct broker_config *config = reader->config;
        const char *location = reader->persistence_location, *file = reader->persistence_file;

        config->keep.sessions = config->keep.retained =
                reader->persistence ? MQTT_KEEP_INTERVAL : MQTT_KEEP_MEMORY;
        if (!reader->persistence)
                return 0;
        /* Beside mosquitto's own file, so that two brokers of one folder stay apart as theirs
         * do, and either broker can be gone back to. */
        if (asprintf(&config->state_dir, "%s%s%s.journal", location ? location : "",
                     location && location[0] != '\0' ? "/" : "",
                     file ? file : "mosquitto.db") < 0) {
                config->state_dir = NULL;
                return mosquitto_refuse_memory(reader);
        }
        return 0;
}

/* As mosquitto has it: a page of any site that somebody here looks at may connect, too. */
static void warn_of_pages(struct mosquitto_reader *reader)
{
        const struct config_list *listeners = &reader->config->listeners;
        const struct broker_listener *items = listeners->items;

        for (size_t i = 0; i < listeners->count; i++) {
                if (items[i].protocol == BROKER_PROTOCOL_WEBSOCKET && items[i].origins.count == 0)
                        broker_config_warn(reader->config,
                                           "%s: pages of every site may connect: name yours by "
                                           "`websockets_origin`",
                                           items[i].place);
        }
}

/* As mosquitto has it, a listener at an IPv6 address is of IPv6 only: "0.0.0.0" at the same port
 * is another one. */
static void settle_families(struct mosquitto_reader *reader)
{
        for (size_t number = 1; number <= reader->config->listeners.count; number++) {
                struct broker_listener *listener = listener_at(reader, number);

                if (listener->host && strchr(listener->host, ':'))
                        listener->family = BROKER_FAMILY_IPV6;
        }
}

/* What has been said of it is the default. */
static bool is_usual(const struct broker_listener *listener)
{
        return !listener->certificate && !listener->key && !listener->authorities &&
               !listener->authorities_folder && !listener->revoked && !listener->ciphers &&
               !listener->cipher_suites && !listener->interface && !listener->client_id_is_user &&
               listener->client_certificates == BROKER_CERTIFICATES_NONE &&
               listener->certificate_user == BROKER_CERTIFICATE_USER_NONE &&
               listener->protocol == BROKER_PROTOCOL_MQTT &&
               listener->family == BROKER_FAMILY_ANY && listener->clients == 0 &&
               listener->maximum_qos == 2;
}

static bool stands_above(const struct mosquitto_reader *reader)
{
        return reader->default_listener != 0 && reader->listens && !reader->default_listens;
}

static int finish(struct mosquitto_reader *reader)
{
        struct broker_config *config = reader->config;

        config->local_only = !reader->listens;
        if (stands_above(reader) && is_usual(listener_at(reader, reader->default_listener))) {
                broker_config_remove_listener(config, reader->default_listener - 1);
                reader->default_listener = 0;
        }
        if (stands_above(reader)) {
                reader->line = reader->default_line;
                return mosquitto_refuse(reader,
                                        "`%s` belongs to a listener and stands above all: move "
                                        "it below the `listener` that it is for",
                                        reader->default_key);
        }
        if (reader->default_listens && reader->any_address)
                free(TAKE(listener_at(reader, reader->default_listener)->host));
        if (config->access.anonymous == BROKER_ANONYMOUS_INHERITED)
                config->access.anonymous =
                        reader->listens ? BROKER_ANONYMOUS_NONE : BROKER_ANONYMOUS_ALL;
        if (reader->log_types_said)
                config->log.level = reader->log_level;
        settle_families(reader);
        warn_of_pages(reader);
        return finish_persistence(reader);
}

int mosquitto_conf_parse(const char *path, const char *text, size_t length,
                         struct broker_config *config, struct error *error)
{
        struct mosquitto_reader reader = {
                .config = config, .error = error, .file = path, .any_address = true};
        AUTO_FREE char *copy = NULL;
        int r;

        r = begin(config);
        if (r == 0 && length > BROKER_CONFIG_LENGTH_MAX)
                return error_set(error, -EFBIG, "%s: is longer than %d bytes", path,
                                 BROKER_CONFIG_LENGTH_MAX);
        copy = malloc(length + 1);
        if (r < 0 || !copy)
                return mosquitto_refuse_memory(&reader);
        memcpy(copy, text, length);
        r = mosquitto_read_lines(&reader, copy, length);
        if (r == 0)
                r = finish(&reader);
        free(reader.persistence_location);
        free(reader.persistence_file);
        return r;
}
