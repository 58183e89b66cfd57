/* `pifleet pub`: a message to an MQTT broker, or many. */
#include "cli/broker.h"
#include "cli/input-file.h"
#include "cli/topic.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct pub_options {
        int64_t qos;
        bool retain, lines, null;
        const char *file;
        int64_t expiry_seconds; /* -1: none */
        const char *content_type;
        const char *response_topic;
        struct options_list pairs;
        double timeout_seconds;
        struct broker_options broker;
        struct broker_will_options will;
};

static const struct options_entry entries[] = {
        BROKER_QOS_OPTION(struct pub_options, qos,
                          "0: sent and forgotten, 1: acknowledged, 2: exactly once (1)"),
        {.name = "retain",
         .letter = 'r',
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct pub_options, retain),
         .help = "the broker keeps it for who subscribes later"},
        {.name = "file",
         .letter = 'f',
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct pub_options, file),
         .value = "FILE",
         .help = "the payload is what this file holds (\"-\": standard input)"},
        {.name = "lines",
         .letter = 'l',
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct pub_options, lines),
         .help = "each line of standard input is a message"},
        {.name = "null",
         .letter = 'n',
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct pub_options, null),
         .help = "no payload; with --retain the broker forgets the one it has"},
        {.name = "expiry",
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct pub_options, expiry_seconds),
         .value = "SECONDS",
         .help = "of no use to anybody after this time",
         .maximum = UINT32_MAX},
        {.name = "content-type",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct pub_options, content_type),
         .value = "TYPE",
         .help = "what the payload is: application/json"},
        {.name = "response-topic",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct pub_options, response_topic),
         .value = "TOPIC",
         .help = "where an answer is expected"},
        {.name = "user-property",
         .type = OPTIONS_LIST,
         .offset = offsetof(struct pub_options, pairs),
         .value = "NAME=VALUE",
         .help = "a property of your own; may be given several times"},
        {.name = "timeout",
         .type = OPTIONS_SECONDS,
         .offset = offsetof(struct pub_options, timeout_seconds),
         .value = "SECONDS",
         .help = "how long to wait for the connection and for each answer (30)",
         .minimum = 0.001,
         .maximum = 86400},
};

static const struct options_form form = {
        .name = "pifleet pub",
        .arguments = "TOPIC [PAYLOAD]",
        .summary = "publish a message at an MQTT broker",
        .text = "PAYLOAD \"-\" is what comes from standard input, as one message.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   BROKER_OPTIONS_GROUP(struct pub_options, broker),
                   BROKER_WILL_OPTIONS_GROUP(struct pub_options, will)},
        .examples = "  pifleet pub home/door open\n"
                    "  pifleet pub camera/image --file image.jpg --retain --host pi.local\n"
                    "  vmstat 1 | pifleet pub host/load --lines --qos 0\n"
                    "  pifleet pub camera/image --null --retain",
        .after = "Exit status: 0 done, 1 refused (the reason is on standard error), 2 wrong "
                 "usage,\n3 no connection, or no acknowledgement in time.",
        .words_min = 1,
        .words_max = 2,
};

struct pub {
        struct console console;
        struct broker broker;
        struct client_pair pairs[OPTIONS_LIST_MAX];
        struct client_message message;
        struct client_connection *connection;
        int timeout_ms;
};

static bool is_input(const char *path)
{
        return path && strcmp(path, "-") == 0;
}

static int check_source(const struct pub_options *options, const char *payload, struct error *error)
{
        int sources = (payload != NULL) + (options->file != NULL) + options->lines + options->null;

        if (sources == 0)
                return error_set(error, -EINVAL,
                                 "what is to be published? PAYLOAD, \"-\" for standard input, "
                                 "--file FILE, --lines or --null");
        if (sources > 1)
                return error_set(error, -EINVAL,
                                 "PAYLOAD, --file, --lines and --null exclude one another");
        if (is_input(options->broker.password_file) &&
            (options->lines || is_input(options->file) || is_input(payload)))
                return error_set(error, -EINVAL,
                                 "--password-file - takes standard input for the password; nothing "
                                 "of it is left to be published");
        return 0;
}

/* "NAME=VALUE" words, which are cut in place. */
static int read_pairs(const struct options_list *list, struct pub *pub, struct error *error)
{
        for (size_t i = 0; i < list->count; i++) {
                char *equals = strchr(list->items[i], '=');

                if (!equals || equals == list->items[i])
                        return error_set(error, -EINVAL,
                                         "--user-property takes NAME=VALUE, not "
                                         "\"%s\"",
                                         list->items[i]);
                *equals = '\0';
                pub->pairs[i] = (struct client_pair){list->items[i], equals + 1};
        }
        pub->message.pairs = pub->pairs;
        pub->message.pair_count = list->count;
        return 0;
}

static int prepare(struct pub *pub, const struct pub_options *options, char *words[], size_t count,
                   struct error *error)
{
        int r = topic_check_name(words[0], error);

        if (r == 0)
                r = check_source(options, count > 1 ? words[1] : NULL, error);
        if (r == 0 && options->response_topic &&
            topic_check_name(options->response_topic, error) < 0)
                r = error_prefix(error, "--response-topic: ");
        pub->timeout_ms = (int)ceil(options->timeout_seconds * 1000);
        pub->message = (struct client_message){
                .topic = words[0],
                .qos = (int)options->qos,
                .retain = options->retain,
                .has_expiry = options->expiry_seconds >= 0,
                .expiry_seconds =
                        options->expiry_seconds >= 0 ? (uint32_t)options->expiry_seconds : 0,
                .content_type = options->content_type,
                .response_topic = options->response_topic,
        };
        if (r == 0)
                r = read_pairs(&options->pairs, pub, error);
        return r == 0 ? broker_resolve(&options->broker, &options->will, &pub->broker, error) : r;
}

static enum exit_status publish(struct pub *pub, const void *payload, size_t length)
{
        struct error error = {0};
        int r;

        pub->message.payload = payload;
        pub->message.payload_length = length;
        r = client_connection_publish(pub->connection, &pub->message, pub->timeout_ms, &error);
        return r == 0 || r == CLIENT_REASON_NOBODY
                       ? EXIT_OK
                       : broker_complain(&pub->console, &pub->broker, r, &error);
}

static enum exit_status connect_to(struct pub *pub)
{
        struct error error = {0};
        int r = client_connection_open(&pub->broker.settings, pub->timeout_ms, &pub->connection,
                                       &error);

        return r == 0 ? EXIT_OK : broker_complain(&pub->console, &pub->broker, r, &error);
}

static enum exit_status publish_file(struct pub *pub, const char *path)
{
        enum exit_status status = EXIT_REFUSED;
        struct buffer content;
        int r;

        buffer_init(&content, CLIENT_PAYLOAD_MAX + INPUT_FILE_STEP);
        r = input_file_read(path, CLIENT_PAYLOAD_MAX, &content);
        if (r < 0)
                console_complain(&pub->console, "%s cannot be read: %s",
                                 is_input(path) ? "standard input" : path, strerror(-r));
        else
                status = connect_to(pub);
        if (r == 0 && status == EXIT_OK)
                status = publish(pub, buffer_length(&content) > 0 ? buffer_data(&content) : NULL,
                                 buffer_length(&content));
        buffer_done(&content);
        return status;
}

/* Waits for standard input, and does what the connection wants meanwhile. Messages are none:
 * nothing is subscribed to. 0: there is something to read. */
static int await_input(struct pub *pub, struct error *error)
{
        const struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        struct client_message *message = NULL;
        int r;

        client_connection_watch(pub->connection, &input, 1);
        r = client_connection_receive(pub->connection, -1, &message, error);
        client_connection_watch(pub->connection, &input, 0);
        client_message_free(message);
        return r == -EINTR ? 0 : r;
}

/* The lines that are whole; at the end of the input the rest as well. */
static enum exit_status publish_lines_of(struct pub *pub, struct buffer *input, bool ended)
{
        enum exit_status status = EXIT_OK;

        while (status == EXIT_OK && buffer_length(input) > 0) {
                const char *text = buffer_data(input);
                const char *end = memchr(text, '\n', buffer_length(input));
                size_t length = end ? (size_t)(end - text) : buffer_length(input);

                if (!end && !ended)
                        break;
                status = publish(pub, text, length);
                buffer_consume(input, length + (end ? 1 : 0));
        }
        return status;
}

static enum exit_status publish_lines(struct pub *pub, struct buffer *input)
{
        enum exit_status status = EXIT_OK;
        bool ended = false;

        while (status == EXIT_OK && !ended) {
                struct error error = {0};
                ssize_t count;
                int r = await_input(pub, &error);

                if (r != 0)
                        return broker_complain(&pub->console, &pub->broker, r, &error);
                r = buffer_reserve(input, INPUT_FILE_STEP);
                if (r < 0) {
                        console_complain(&pub->console, "a line is too long: %s", strerror(-r));
                        return EXIT_REFUSED;
                }
                count = read(STDIN_FILENO, buffer_data(input) + buffer_length(input),
                             INPUT_FILE_STEP);
                if (count < 0 && errno != EINTR) {
                        console_complain(&pub->console, "standard input cannot be read: %s",
                                         strerror(errno));
                        return EXIT_REFUSED;
                }
                if (count > 0)
                        buffer_commit(input, (size_t)count);
                ended = count == 0;
                status = publish_lines_of(pub, input, ended);
        }
        return status;
}

static enum exit_status publish_all_lines(struct pub *pub)
{
        enum exit_status status = connect_to(pub);
        struct buffer input;

        buffer_init(&input, CLIENT_PAYLOAD_MAX);
        if (status == EXIT_OK)
                status = publish_lines(pub, &input);
        buffer_done(&input);
        return status;
}

static enum exit_status publish_word(struct pub *pub, const char *payload)
{
        enum exit_status status = connect_to(pub);

        return status == EXIT_OK ? publish(pub, payload, payload ? strlen(payload) : 0) : status;
}

static enum exit_status run(int argc, char *argv[])
{
        struct pub_options options = {.qos = 1,
                                      .expiry_seconds = -1,
                                      .timeout_seconds = BROKER_TIMEOUT_SECONDS,
                                      .broker = BROKER_OPTIONS_DEFAULT};
        struct pub pub = {.connection = NULL};
        struct error error = {0};
        enum exit_status status;
        size_t words;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&pub.console, false, false);
        if (prepare(&pub, &options, argv, words, &error) < 0) {
                console_complain(&pub.console, "%s", error.text);
                status = EXIT_USAGE;
        } else if (options.lines) {
                status = publish_all_lines(&pub);
        } else if (options.file || (words > 1 && is_input(argv[1]))) {
                status = publish_file(&pub, options.file ? options.file : "-");
        } else {
                status = publish_word(&pub, words > 1 ? argv[1] : NULL);
        }
        client_connection_free(pub.connection);
        broker_done(&pub.broker);
        return status;
}

const struct subcommand subcommand_pub = {"pub", &form, run};
