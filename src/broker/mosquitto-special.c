/* Values of mosquitto.conf that have a grammar of their own, or mean something else here. */
#include "base/cleanup.h"
#include "base/log.h"
#include "broker/mosquitto-value.h"

#include <errno.h>
#include <string.h>

static int read_switch(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                       char *value, int no, int yes)
{
        void *target;
        bool flag = false;
        int r = mosquitto_value_flag_for(reader, key, value, &target, &flag);

        if (r == 0)
                *(int *)target = flag ? yes : no;
        return r;
}

int mosquitto_read_anonymous(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                             char *value)
{
        return read_switch(reader, key, value, BROKER_ANONYMOUS_NONE, BROKER_ANONYMOUS_ALL);
}

int mosquitto_read_empty_ids(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                             char *value)
{
        return read_switch(reader, key, value, BROKER_EMPTY_IDS_NO, BROKER_EMPTY_IDS_YES);
}

int mosquitto_read_required(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        return read_switch(reader, key, value, BROKER_CERTIFICATES_NONE,
                           BROKER_CERTIFICATES_REQUIRED);
}

int mosquitto_read_identity(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        return read_switch(reader, key, value, BROKER_CERTIFICATE_USER_NONE,
                           BROKER_CERTIFICATE_USER_COMMON_NAME);
}

int mosquitto_read_subject(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                           char *value)
{
        return read_switch(reader, key, value, BROKER_CERTIFICATE_USER_NONE,
                           BROKER_CERTIFICATE_USER_SUBJECT);
}

static int read_choice(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                       char *value, const char *const choices[], const int meanings[])
{
        void *target;
        int choice, r = mosquitto_target(reader, key, &target);

        if (r == 0)
                r = mosquitto_value_choice(reader, key, value, choices, &choice);
        if (r == 0)
                *(int *)target = meanings[choice];
        return r;
}

int mosquitto_read_protocol(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        static const char *const choices[] = {"mqtt", "websockets", NULL};
        static const int meanings[] = {BROKER_PROTOCOL_MQTT, BROKER_PROTOCOL_WEBSOCKET};

        return read_choice(reader, key, value, choices, meanings);
}

int mosquitto_read_family(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                          char *value)
{
        static const char *const choices[] = {"ipv4", "ipv6", NULL};
        static const int meanings[] = {BROKER_FAMILY_IPV4, BROKER_FAMILY_IPV6};

        return read_choice(reader, key, value, choices, meanings);
}

int mosquitto_read_tls_version(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                               char *value)
{
        static const char *const choices[] = {"tlsv1.2", "tlsv1.3", NULL};
        static const int meanings[] = {BROKER_TLS_1_2, BROKER_TLS_1_3};

        return read_choice(reader, key, value, choices, meanings);
}

int mosquitto_read_proxy(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                         char *value)
{
        static const char *const choices[] = {"1", "2", NULL};
        static const int meanings[] = {BROKER_PROXY_V1, BROKER_PROXY_V2};

        return read_choice(reader, key, value, choices, meanings);
}

/* "3,4,5", with blanks between them or not: 3.1, 3.1.1 and 5.0. */
int mosquitto_read_versions(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        bool versions[3] = {false, false, false};
        struct broker_listener *listener;
        char *position = NULL;
        void *target;
        int r = mosquitto_target(reader, key, &target);

        if (r < 0)
                return r;
        if (value[0] == '\0')
                return mosquitto_refuse(reader, "`%s` has no value", key->name);
        listener = container_of((bool *)target, struct broker_listener, mqtt_5);
        for (char *word = strtok_r(value, " \t,", &position); word;
             word = strtok_r(NULL, " \t,", &position)) {
                if (strlen(word) != 1 || word[0] < '3' || word[0] > '5')
                        return mosquitto_refuse(reader,
                                                "%s cannot be '%.64s'; expected: 3, 4, 5, or "
                                                "several with commas between them",
                                                key->name, word);
                versions[word[0] - '3'] = true;
        }
        listener->mqtt_3_1 = versions[0];
        listener->mqtt_3_1_1 = versions[1];
        listener->mqtt_5 = versions[2];
        return 0;
}

int mosquitto_read_prefix(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                          char *value)
{
        if (strlen(value) > 50)
                return mosquitto_refuse(reader, "%s has at most 50 bytes", key->name);
        return mosquitto_read_path(reader, key, value);
}

/* How many come at a time, in either direction. */
int mosquitto_read_inflight(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        int64_t number = 0;
        int r = mosquitto_value_number(reader, key, value, &number);

        if (r == 0)
                reader->config->mqtt.inflight = reader->config->receive_maximum =
                        number == 0 ? UINT16_MAX : number;
        return r;
}

int mosquitto_read_memory(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                          char *value)
{
        int64_t number = 0;
        int r = mosquitto_value_number(reader, key, value, &number);

        if (r == 0 && number > 0 && number < 1 << 20)
                return mosquitto_refuse(
                        reader, "%s is below 1048576 bytes, in which no broker fits", key->name);
        if (r == 0 && number > 0)
                reader->config->memory = number;
        return r;
}

/* A number and a letter: "14d". */
int mosquitto_read_expiry(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                          char *value)
{
        static const char letters[] = "shdwmy";
        static const uint32_t seconds[] = {1, 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400};
        size_t length = strcspn(value, " \t");
        const char *letter = length > 1 ? strchr(letters, value[length - 1]) : NULL;
        struct mosquitto_key whole = *key;
        int64_t number = 0;
        int r;

        if (!letter)
                return mosquitto_refuse(reader,
                                        "%s cannot be '%.64s'; expected: a number and one of the "
                                        "letters s, h, d, w, m, y, such as 14d",
                                        key->name, value);
        value[length - 1] = ' ';
        whole.minimum = 1;
        whole.maximum = UINT32_MAX;
        r = mosquitto_value_number(reader, &whole, value, &number);
        if (r < 0)
                return r;
        number *= seconds[letter - letters];
        reader->config->mqtt.session_expiry = number > UINT32_MAX ? UINT32_MAX : number;
        return 0;
}

int mosquitto_read_persistence(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                               char *value)
{
        return mosquitto_value_flag(reader, key, value, &reader->persistence);
}

static int keep(struct mosquitto_reader *reader, const struct mosquitto_key *key, const char *value,
                char **place)
{
        if (value[0] == '\0')
                return mosquitto_refuse(reader, "`%s` has no value", key->name);
        if (*place)
                return mosquitto_refuse(reader, "`%s` is there twice: remove one", key->name);
        *place = strdup(value);
        return *place ? 0 : mosquitto_refuse_memory(reader);
}

int mosquitto_read_persistence_location(struct mosquitto_reader *reader,
                                        const struct mosquitto_key *key, char *value)
{
        return keep(reader, key, value, &reader->persistence_location);
}

int mosquitto_read_persistence_file(struct mosquitto_reader *reader,
                                    const struct mosquitto_key *key, char *value)
{
        return keep(reader, key, value, &reader->persistence_file);
}

int mosquitto_read_log_dest(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        static const char *const elsewhere[] = {"none",  "syslog", "stdout",
                                                "topic", "dlt",    "android"};
        int r;

        if (strncmp(value, "file", 4) == 0 && strchr(" \t", value[4]))
                return mosquitto_read_text(reader, key, value + 4 + strspn(value + 4, " \t"));
        r = mosquitto_value_word(reader, key, value);
        if (r < 0 || strcmp(value, "stderr") == 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
                if (strcmp(value, elsewhere[i]) == 0) {
                        mosquitto_warn(reader,
                                       "`%s %s` has no effect: the log goes to standard "
                                       "error, or to `log_dest file PATH`",
                                       key->name, value);
                        return 0;
                }
        }
        return mosquitto_refuse(reader,
                                "%s cannot be '%.64s'; expected: stderr, or file and its "
                                "path",
                                key->name, value);
}

/* Each line adds a kind of messages; here the chattiest of them is the level. */
int mosquitto_read_log_type(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        static const struct {
                const char *name;
                enum log_level level;
        } types[] = {
                {"none", LOG_LEVEL_ERROR},        {"error", LOG_LEVEL_ERROR},
                {"warning", LOG_LEVEL_WARNING},   {"notice", LOG_LEVEL_INFO},
                {"information", LOG_LEVEL_INFO},  {"subscribe", LOG_LEVEL_DEBUG},
                {"unsubscribe", LOG_LEVEL_DEBUG}, {"internal", LOG_LEVEL_DEBUG},
                {"websockets", LOG_LEVEL_DEBUG},  {"debug", LOG_LEVEL_DEBUG},
                {"all", LOG_LEVEL_DEBUG},
        };
        int r = mosquitto_value_word(reader, key, value);

        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                if (strcmp(value, types[i].name) != 0)
                        continue;
                if (!reader->log_types_said || (int)types[i].level > reader->log_level)
                        reader->log_level = (int)types[i].level;
                reader->log_types_said = true;
                return 0;
        }
        return mosquitto_refuse(reader,
                                "%s cannot be '%.64s'; expected: error, warning, notice, "
                                "information, debug, all or none",
                                key->name, value);
}
