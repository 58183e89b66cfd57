/* cli/broker.h - which MQTT broker is meant, as whom, and what is said when it does not work:
 * what pub, sub and rpc have in common. */
#pragma once

#include "cli/console.h"
#include "cli/options.h"
#include "cli/secret-input.h"
#include "cli/server.h"
#include "cli/subcommand.h"
#include "client/connection.h"

struct broker_options {
        struct server_options server;
        const char *user;
        const char *password_file;
        const char *client_id;
        bool is_of_agent; /* no option: it is an agent's, whose passwords are tokens */
};

/* What the broker publishes when the connection breaks. */
struct broker_will_options {
        const char *topic;
        const char *payload;
        int64_t qos;
        bool retain;
        int64_t delay_seconds;
};

enum {
        BROKER_OPTIONS_COUNT = SERVER_OPTIONS_COUNT + 3,
        BROKER_WILL_OPTIONS_COUNT = 5,
        BROKER_TIMEOUT_SECONDS = 30,
};
extern const struct options_entry broker_options[BROKER_OPTIONS_COUNT];
extern const struct options_entry broker_will_options[BROKER_WILL_OPTIONS_COUNT];

#define BROKER_OPTIONS_DEFAULT                                                                     \
        {                                                                                          \
                .server = SERVER_OPTIONS_DEFAULT                                                   \
        }
#define BROKER_OPTIONS_GROUP(type, member)                                                         \
        {                                                                                          \
                "Which broker", broker_options, BROKER_OPTIONS_COUNT, offsetof(type, member)       \
        }
#define BROKER_WILL_OPTIONS_GROUP(type, member)                                                    \
        {                                                                                          \
                "Last will", broker_will_options, BROKER_WILL_OPTIONS_COUNT,                       \
                        offsetof(type, member)                                                     \
        }

/* --qos, of a message or of a filter. */
#define BROKER_QOS_OPTION(owner, member, words)                                                    \
        {                                                                                          \
                .name = "qos", .letter = 'q', .type = OPTIONS_INTEGER,                             \
                .offset = offsetof(owner, member), .value = "N", .help = words, .maximum = 2       \
        }

enum { BROKER_ID_MAX = 32 };

struct broker {
        struct client_settings settings;
        char id[BROKER_ID_MAX + 1];          /* when none was given */
        char password[SECRET_INPUT_MAX + 1]; /* when there is one */
        struct client_message will;
};

/* Options, $PIFLEET_PASSWORD ($PIFLEET_TOKEN where it is an agent's) or what a person types at
 * the question for a password, into settings; `will` may be NULL. `broker` stays where it is and is
 * wiped by broker_done(), also after a failure. -EINVAL and others, with a sentence. */
int broker_resolve(const struct broker_options *options, const struct broker_will_options *will,
                   struct broker *broker, struct error *error);
void broker_done(struct broker *broker);

/* What a result of client/connection.h other than 0 means for who asked: tells its sentence
 * with the next step, returns the exit status. */
enum exit_status broker_complain(const struct console *console, const struct broker *broker, int r,
                                 const struct error *error);

/* Is it of no use to try once more what failed like this? */
bool broker_is_final(int r);
