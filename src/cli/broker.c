#include "cli/broker.h"

#include "base/attributes.h"
#include "cli/secret-file.h"
#include "cli/topic.h"
#include "proto/mqtt/packet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { TLS_PORT = 8883, KEEPALIVE_SECONDS = 60 };

const struct options_entry broker_options[BROKER_OPTIONS_COUNT] = {
        SERVER_OPTIONS(struct broker_options, 'p', "TCP port (1883; 8883 with TLS)",
                       "a broker's Unix socket", "speak TLS", "password"),
        {.name = "user",
         .letter = 'u',
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct broker_options, user),
         .value = "NAME",
         .help = "who you are. The password is $PIFLEET_PASSWORD or in\n"
                 "--password-file, else a terminal is asked for it; to an\n"
                 "agent it is a token, and needs no name"},
        {.name = "password-file",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct broker_options, password_file),
         .value = "FILE",
         .help = "read the password from this file's first line (\"-\":\n"
                 "standard input)"},
        {.name = "client-id",
         .letter = 'i',
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct broker_options, client_id),
         .value = "ID",
         .help = "what the broker knows this connection by (pifleet- and\n"
                 "random digits)"},
};

const struct options_entry broker_will_options[BROKER_WILL_OPTIONS_COUNT] = {
        {.name = "will-topic",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct broker_will_options, topic),
         .value = "TOPIC",
         .help = "where the broker publishes when this connection breaks"},
        {.name = "will-payload",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct broker_will_options, payload),
         .value = "PAYLOAD",
         .help = "what it publishes (nothing)"},
        {.name = "will-qos",
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct broker_will_options, qos),
         .value = "N",
         .help = "with which QoS (0)",
         .maximum = 2},
        {.name = "will-retain",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct broker_will_options, retain),
         .help = "have it retained"},
        {.name = "will-delay",
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct broker_will_options, delay_seconds),
         .value = "SECONDS",
         .help = "how long after the break (0)",
         .maximum = UINT32_MAX},
};

static int make_id(char id[BROKER_ID_MAX + 1], struct error *error)
{
        unsigned char random[6];

        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return error_set(error, -EIO, "the system has no random numbers");
        snprintf(id, BROKER_ID_MAX + 1, "pifleet-%02x%02x%02x%02x%02x%02x", random[0], random[1],
                 random[2], random[3], random[4], random[5]);
        return 0;
}

/* Other brokers than an agent's are nobody to show a token to. */
static const char *password_of_environment(const struct broker_options *options)
{
        const char *password = getenv("PIFLEET_PASSWORD");

        if ((!password || *password == '\0') && options->is_of_agent)
                password = getenv("PIFLEET_TOKEN");
        return password && *password ? password : NULL;
}

static int resolve_password(const struct broker_options *options, struct broker *broker,
                            struct error *error)
{
        const char *environment = password_of_environment(options);
        int r = 0;

        if (options->password_file) {
                r = secret_file_read(options->password_file, "password", broker->password,
                                     SECRET_INPUT_MAX, error);
        } else if (environment) {
                if (strlen(environment) > SECRET_INPUT_MAX)
                        return error_set(error, -EINVAL, "the password is longer than %d bytes",
                                         SECRET_INPUT_MAX);
                strcpy(broker->password, environment);
        } else if (options->user && secret_input_is_typed()) {
                r = secret_input_read("Password: ", broker->password, error);
        } else {
                return 0;
        }
        if (r == 0)
                broker->settings.password = broker->password;
        return r;
}

static int resolve_will(const struct broker_will_options *options, struct broker *broker,
                        struct error *error)
{
        const char *topic = options->topic;

        if (!topic)
                return options->payload || options->retain || options->qos || options->delay_seconds
                               ? error_set(error, -EINVAL,
                                           "a will needs to know where it goes: --will-topic TOPIC")
                               : 0;
        if (topic_check_name(topic, error) < 0)
                return error_prefix(error, "--will-topic: ");
        broker->will = (struct client_message){
                .topic = topic,
                .payload = options->payload,
                .payload_length = options->payload ? strlen(options->payload) : 0,
                .qos = (int)options->qos,
                .retain = options->retain,
        };
        broker->settings.will = &broker->will;
        broker->settings.will_delay_seconds = (uint32_t)options->delay_seconds;
        return 0;
}

/* Here, where a sentence can name the file. */
static int check_files(const struct server_options *server, struct error *error)
{
        const char *const paths[] = {server->authority_path, server->certificate_path,
                                     server->key_path};

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                if (paths[i] && access(paths[i], R_OK) < 0)
                        return error_set(error, -errno, "%s cannot be read: %s", paths[i],
                                         strerror(errno));
        return 0;
}

int broker_resolve(const struct broker_options *options, const struct broker_will_options *will,
                   struct broker *broker, struct error *error)
{
        const struct server_options *server = &options->server;
        bool tls = server_wants_tls(server);
        uint16_t port = tls ? TLS_PORT : CLIENT_PORT;
        int r;

        *broker = (struct broker){
                .settings = {
                        .host = server->host ? server->host : SERVER_HOST,
                        .port = server->port >= 0 ? (uint16_t)server->port : port,
                        .socket = server->socket,
                        .tls = tls,
                        .authority_path = server->authority_path,
                        .certificate_path = server->certificate_path,
                        .key_path = server->key_path,
                        .insecure = server->insecure,
                        .user = options->user,
                        .client_id = options->client_id ? options->client_id : broker->id,
                        .keepalive_seconds = KEEPALIVE_SECONDS,
                }};
        r = server_check(server, error);
        if (r == 0)
                r = check_files(server, error);
        if (r == 0)
                r = make_id(broker->id, error);
        if (r == 0 && will)
                r = resolve_will(will, broker, error);
        return r == 0 ? resolve_password(options, broker, error) : r;
}

void broker_done(struct broker *broker)
{
        explicit_bzero(broker->password, sizeof(broker->password));
}

/* Reason codes with which a broker says that it cannot serve now: no verdict on us. */
static bool is_of_the_broker(int reason)
{
        static const int reasons[] = {
                MQTT_SERVER_UNAVAILABLE, MQTT_SERVER_BUSY,  MQTT_SERVER_SHUTTING_DOWN,
                MQTT_KEEP_ALIVE_TIMEOUT, MQTT_SERVER_MOVED, MQTT_CONNECTION_RATE_EXCEEDED,
        };

        for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
                if (reasons[i] == reason)
                        return true;
        return false;
}

/* "": there is none that would be known. */
static const char *next_step(const struct broker *broker, int r)
{
        const struct client_settings *settings = &broker->settings;

        switch (r) {
        case -ECONNREFUSED:
        case -ENOENT:
                return r == -ENOENT && !settings->socket
                               ? ""
                               : ". Nobody listens there: pifleet-agent carries a broker, "
                                 "pifleet-broker is one; --host and --port say where";
        case -ECONNRESET:
        case -ETIMEDOUT:
        case -EPROTO:
                return settings->tls ? ". --ca FILE names whose certificates to trust, --insecure "
                                       "trusts anybody"
                                     : ". If it is a TLS port, add --tls; MQTT 5 is what pifleet "
                                       "speaks, and older brokers do not";
        case MQTT_UNSUPPORTED_VERSION:
                return ". MQTT 5 is what pifleet speaks; that broker is older";
        case MQTT_BAD_CREDENTIALS:
                return ". Look at --user and at $PIFLEET_PASSWORD or --password-file; to an agent "
                       "the password is a token";
        case MQTT_NOT_AUTHORIZED:
                return settings->user || settings->password
                               ? ". If the password is right (--user, $PIFLEET_PASSWORD or "
                                 "--password-file; to an agent it is a token): what each user "
                                 "may do is in the broker's own configuration"
                               : ". Say who you are: --user NAME, and its password; to an "
                                 "agent a token in $PIFLEET_PASSWORD is enough";
        case MQTT_SERVER_BUSY:
                return ". It has no room for more, or holds back who failed to log in too often: "
                       "try again in a minute; its log says which";
        case MQTT_CLIENT_ID_NOT_VALID:
                return ". --client-id gives another one";
        case MQTT_SESSION_TAKEN_OVER:
                return ". Somebody else came with the same client id; --client-id gives another";
        default:
                return "";
        }
}

enum exit_status broker_complain(const struct console *console, const struct broker *broker, int r,
                                 const struct error *error)
{
        const char *step = next_step(broker, r);

        console_complain(console, "%s%s", error->text, step);
        if (r == -EINVAL)
                return EXIT_USAGE;
        if (r == -EMSGSIZE || r == -ENOTSUP || r == -ENOMEM)
                return EXIT_REFUSED;
        return r < CLIENT_REASON_REFUSED || is_of_the_broker(r) ? EXIT_NO_CONNECTION : EXIT_REFUSED;
}

bool broker_is_final(int r)
{
        return r == -EINVAL || r == -ENOMEM || (r >= CLIENT_REASON_REFUSED && !is_of_the_broker(r));
}
