/* `pifleet sub`: what is published at an MQTT broker, as it comes. */
#include "base/clock.h"
#include "cli/broker.h"
#include "cli/interrupt.h"
#include "cli/message-text.h"
#include "cli/topic.h"
#include "client/backoff.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* After so long without another one of them, all that was retained has come. */
enum { RETAINED_QUIET_MS = 1000, CONNECT_MS = BROKER_TIMEOUT_SECONDS * 1000 };

struct sub_options {
        int64_t qos;
        int64_t count;          /* 0: any number */
        double timeout_seconds; /* 0: none */
        bool retained_only, no_retained;
        bool verbose, json, raw;
        int64_t session_seconds;
        struct broker_options broker;
        struct broker_will_options will;
};

static const struct options_entry entries[] = {
        BROKER_QOS_OPTION(struct sub_options, qos, "the highest QoS to receive with (1)"),
        {.name = "count",
         .letter = 'C',
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct sub_options, count),
         .value = "N",
         .help = "end after N messages",
         .minimum = 1,
         .maximum = INT32_MAX},
        {.name = "timeout",
         .letter = 'W',
         .type = OPTIONS_SECONDS,
         .offset = offsetof(struct sub_options, timeout_seconds),
         .value = "SECONDS",
         .help = "end after this time; with fewer than --count messages\n"
                 "it is a failure",
         .minimum = 0.001,
         .maximum = 1e6},
        {.name = "retained-only",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct sub_options, retained_only),
         .help = "what the broker keeps, then end"},
        {.name = "no-retained",
         .letter = 'R',
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct sub_options, no_retained),
         .help = "only what is published from now on"},
        {.name = "session-expiry",
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct sub_options, session_seconds),
         .value = "SECONDS",
         .help = "the broker keeps messages (QoS 1 and 2) so long while this\n"
                 "is not connected; with --client-id for the next run too",
         .minimum = 1,
         .maximum = UINT32_MAX},
        {.name = "verbose",
         .letter = 'v',
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct sub_options, verbose),
         .help = "the topic before each payload"},
        {.name = "json",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct sub_options, json),
         .help = "each message as one line of JSON, with its properties"},
        {.name = "raw",
         .letter = 'N',
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct sub_options, raw),
         .help = "the payloads' bytes and nothing else, on a terminal too"},
};

static const struct options_form form = {
        .name = "pifleet sub",
        .arguments = "FILTER ...",
        .summary = "print what is published at an MQTT broker",
        .text = "In a FILTER + stands for one level, a # at the end for all that follow. Each\n"
                "payload is a line; what could harm a terminal is escaped on one. A connection\n"
                "that breaks is made again; what is published meanwhile is missed, but for\n"
                "--session-expiry.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   BROKER_OPTIONS_GROUP(struct sub_options, broker),
                   BROKER_WILL_OPTIONS_GROUP(struct sub_options, will)},
        .examples = "  pifleet sub 'home/#' --verbose\n"
                    "  pifleet sub home/door home/window --count 1\n"
                    "  pifleet sub 'pi/#' --retained-only --json --host pi.local\n"
                    "  pifleet sub camera/image --count 1 --raw > image.jpg",
        .after = "Exit status: 0 done, 1 refused (a filter, too few messages), 2 wrong usage,\n"
                 "3 no connection.",
        .words_min = 1,
        .words_max = CLIENT_FILTERS_MAX,
};

struct sub {
        struct console console;
        struct broker broker;
        struct interrupt interrupt;
        struct client_subscription subscription;
        const struct sub_options *options;
        enum message_shape shape;
        bool printable;
        uint64_t deadline_ns; /* UINT64_MAX: none */
        int64_t count;        /* messages printed */
        bool connected;       /* once, at least */
        bool refused;         /* a filter was, at least */
};

/* How a connection came to its end, beside the results of client/connection.h. */
enum { DONE = 1, FAILED = 2 /* and told */ };

/* -1: for ever. */
static int left_ms(uint64_t deadline_ns)
{
        uint64_t now = clock_monotonic_ns();
        uint64_t left;

        if (deadline_ns == UINT64_MAX)
                return -1;
        left = deadline_ns > now ? (deadline_ns - now - 1) / 1000000 + 1 : 0;
        return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* When all that is retained has come, if no more of it comes from now on. */
static uint64_t quiet_ns(const struct sub *sub)
{
        uint64_t end = clock_monotonic_ns() + RETAINED_QUIET_MS * UINT64_C(1000000);

        return sub->options->retained_only && end < sub->deadline_ns ? end : sub->deadline_ns;
}

static int print(struct sub *sub, const struct client_message *message)
{
        struct buffer out;
        int r;

        buffer_init(&out, BUFFER_MAX);
        r = message_text_append(&out, message, sub->shape, sub->printable, clock_realtime_ns());
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        /* Who has seen enough (| head) ends it. */
        if (r == -EPIPE)
                return DONE;
        if (r < 0) {
                console_complain(&sub->console, "a message cannot be printed: %s", strerror(-r));
                return FAILED;
        }
        return 0;
}

/* Messages until there is a reason to end: DONE, FAILED, or how the connection ended. */
static int receive_all(struct sub *sub, struct client_connection *connection, struct error *error)
{
        bool retained_only = sub->options->retained_only;
        uint64_t end_ns = quiet_ns(sub);

        do {
                AUTO(client_message) struct client_message *message = NULL;
                int r = client_connection_receive(connection, left_ms(end_ns), &message, error);

                if (r == -ETIMEDOUT && left_ms(end_ns) == 0)
                        return DONE;
                if (r != 0)
                        return r;
                if (retained_only && !message->retain)
                        continue;
                r = print(sub, message);
                if (r != 0)
                        return r;
                sub->count++;
                if (sub->options->count > 0 && sub->count >= sub->options->count)
                        return DONE;
                end_ns = quiet_ns(sub);
                /* Others may publish faster than we print. */
        } while (left_ms(end_ns) != 0);
        return DONE;
}

/* Tells which filters are refused, the first time. Is one not? */
static bool look_at(struct sub *sub, const uint8_t reasons[])
{
        bool any = false, told = sub->refused;

        for (size_t i = 0; i < sub->subscription.count; i++) {
                if (reasons[i] < CLIENT_REASON_REFUSED) {
                        any = true;
                        continue;
                }
                sub->refused = true;
                if (!told)
                        console_complain(&sub->console, "the broker refused %s: %s (0x%02x)",
                                         sub->subscription.filters[i],
                                         client_reason_text(reasons[i]), reasons[i]);
        }
        return any;
}

/* One connection, from its beginning to its end. */
static int follow_once(struct sub *sub, struct client_backoff *backoff, struct error *error)
{
        AUTO(client_connection) struct client_connection *connection = NULL;
        uint8_t reasons[CLIENT_FILTERS_MAX];
        int limit_ms = left_ms(sub->deadline_ns);
        int connect_ms = limit_ms >= 0 && limit_ms < CONNECT_MS ? limit_ms : CONNECT_MS;
        int r = client_connection_open(&sub->broker.settings, connect_ms, &connection, error);

        if (r == 0)
                r = client_connection_subscribe(connection, &sub->subscription, reasons, connect_ms,
                                                error);
        if (r != 0)
                return r;
        if (!look_at(sub, reasons))
                return DONE;
        if (sub->connected)
                console_note("Connected again.\n");
        sub->connected = true;
        client_backoff_reset(backoff);
        return receive_all(sub, connection, error);
}

/* DONE: the time was up; -EINTR; 0. */
static int pause_before_next(struct sub *sub, struct client_backoff *backoff,
                             const struct error *error)
{
        int wait_ms = (int)client_backoff_next_ms(backoff), limit_ms = left_ms(sub->deadline_ns), n;

        /* With words of the broker's, perhaps. */
        console_complain(&sub->console, "%s. Trying again in %.1f s.", error->text,
                         wait_ms / 1000.0);
        if (limit_ms >= 0 && limit_ms < wait_ms)
                wait_ms = limit_ms;
        n = poll(sub->broker.settings.watches, sub->broker.settings.watch_count, wait_ms);
        if (n != 0)
                return -EINTR;
        return left_ms(sub->deadline_ns) == 0 ? DONE : 0;
}

/* Connection after connection. */
static int follow(struct sub *sub, struct error *error)
{
        struct client_backoff backoff = {0};

        for (;;) {
                int r = follow_once(sub, &backoff, error);

                if (r == DONE || r == FAILED || r == -EINTR || !sub->connected ||
                    broker_is_final(r))
                        return r;
                r = pause_before_next(sub, &backoff, error);
                if (r != 0)
                        return r;
        }
}

static enum exit_status conclude(const struct sub *sub, int r, const struct error *error)
{
        /* A signal, whose turn comes when all else is done; or nobody reads on. */
        if (r == -EINTR)
                return EXIT_OK;
        if (r == FAILED)
                return EXIT_REFUSED;
        if (r != DONE)
                return broker_complain(&sub->console, &sub->broker, r, error);
        if (sub->options->count > sub->count && left_ms(sub->deadline_ns) == 0) {
                console_complain(&sub->console, "%lld of %lld messages came within %g s",
                                 (long long)sub->count, (long long)sub->options->count,
                                 sub->options->timeout_seconds);
                return EXIT_REFUSED;
        }
        return sub->refused ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_status listen_to_all(struct sub *sub)
{
        struct client_settings *settings = &sub->broker.settings;
        struct error error = {0};
        enum exit_status status;
        int r = interrupt_begin(&sub->interrupt);

        if (r < 0) {
                console_complain(&sub->console, "signals cannot be waited for: %s", strerror(-r));
                return EXIT_REFUSED;
        }
        settings->watches[0] = (struct pollfd){.fd = sub->interrupt.fd, .events = POLLIN};
        /* Reports that nobody reads what it holds (POLLERR). */
        settings->watches[1] = (struct pollfd){.fd = STDOUT_FILENO};
        settings->watch_count = 2;
        r = follow(sub, &error);
        status = conclude(sub, r, &error);
        interrupt_end(&sub->interrupt);
        return status;
}

static enum message_shape shape_of(const struct sub_options *options)
{
        if (options->json)
                return MESSAGE_JSON;
        if (options->raw)
                return MESSAGE_RAW;
        return options->verbose ? MESSAGE_VERBOSE : MESSAGE_PAYLOAD;
}

static int prepare(struct sub *sub, const struct sub_options *options, char *words[], size_t count,
                   struct error *error)
{
        if (options->json + options->raw + options->verbose > 1)
                return error_set(error, -EINVAL, "--verbose, --json and --raw exclude one another");
        if (options->retained_only && options->no_retained)
                return error_set(error, -EINVAL,
                                 "--retained-only and --no-retained exclude each other");
        for (size_t i = 0; i < count; i++) {
                int r = topic_check_filter(words[i], error);

                if (r < 0)
                        return r;
        }
        sub->options = options;
        sub->shape = shape_of(options);
        sub->printable = isatty(STDOUT_FILENO);
        sub->subscription = (struct client_subscription){
                .filters = (const char *const *)words,
                .count = count,
                .qos = (int)options->qos,
                .retain_handling = options->no_retained           ? 2
                                   : options->session_seconds > 0 ? 1
                                                                  : 0,
        };
        sub->deadline_ns = UINT64_MAX;
        if (options->timeout_seconds > 0)
                sub->deadline_ns =
                        clock_monotonic_ns() + (uint64_t)ceil(options->timeout_seconds * 1e9);
        return broker_resolve(&options->broker, &options->will, &sub->broker, error);
}

static enum exit_status run(int argc, char *argv[])
{
        struct sub_options options = {.qos = 1, .broker = BROKER_OPTIONS_DEFAULT};
        struct sub sub = {.count = 0};
        struct error error = {0};
        enum exit_status status;
        size_t words;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&sub.console, false, false);
        if (prepare(&sub, &options, argv, words, &error) < 0) {
                console_complain(&sub.console, "%s", error.text);
                status = EXIT_USAGE;
        } else {
                sub.broker.settings.resume = options.session_seconds > 0;
                sub.broker.settings.session_expiry_seconds = (uint32_t)options.session_seconds;
                status = listen_to_all(&sub);
        }
        broker_done(&sub.broker);
        return status;
}

const struct subcommand subcommand_sub = {"sub", &form, run};
