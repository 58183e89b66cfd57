/* `pifleet logs`: what a module printed. */
#include "cli/exchange.h"
#include "cli/printable.h"

#include <string.h>
#include <time.h>

enum { LINES_MAX = 1000, OUTPUT_MAX = 8 << 20 };

struct logs_options {
        int64_t lines;
        struct exchange_options common;
};

static const struct options_entry entries[] = {
        {.name = "lines",
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct logs_options, lines),
         .value = "N",
         .help = "how many of the newest lines (100)",
         .minimum = 1,
         .maximum = LINES_MAX},
};

static const struct options_form form = {
        .name = "pifleet logs",
        .arguments = "MODULE",
        .summary = "show what a module printed, newest last",
        .text = "Times are of this machine's time zone. \"!\" marks what went to standard error, "
                "\"=\"\nwhat the agent has to say of the module.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   EXCHANGE_OPTIONS_GROUPS(struct logs_options, common)},
        .examples = "  pifleet logs camera_handlers.py\n"
                    "  pifleet logs camera_handlers.py --lines 20 --host pi.local",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection.",
        .words_min = 1,
        .words_max = 1,
};

static char mark_of(const char *stream)
{
        if (stream && strcmp(stream, "stderr") == 0)
                return '!';
        return stream && strcmp(stream, "agent") == 0 ? '=' : ' ';
}

static int append_line(struct buffer *out, const cJSON *line)
{
        const char *text = json_get_string(line, "text");
        char clock[32] = "--:--:--";
        double seconds;
        struct tm local;
        int r;

        if (json_get_double(line, "time", &seconds)) {
                time_t whole = (time_t)seconds;

                if (localtime_r(&whole, &local))
                        (void)strftime(clock, sizeof(clock), "%m-%d %H:%M:%S", &local);
        }
        r = buffer_printf(out, "%s %c ", clock, mark_of(json_get_string(line, "stream")));
        if (r == 0 && text)
                r = printable_append_line(out, text, strlen(text));
        return r == 0 ? buffer_append(out, "\n", 1) : r;
}

static enum exit_status print_lines(const struct console *console, const cJSON *lines)
{
        struct buffer out;
        int r = 0;

        buffer_init(&out, OUTPUT_MAX);
        for (const cJSON *line = lines ? lines->child : NULL; line && r == 0; line = line->next)
                r = append_line(&out, line);
        if (r == 0)
                r = console_write(&out);
        if (r == 0 && buffer_length(&out) == 0)
                console_note("It has printed nothing.\n");
        buffer_done(&out);
        if (r < 0)
                console_complain(console, "the lines cannot be printed: %s", strerror(-r));
        return r < 0 ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_status show(struct exchange *exchange, const void *given, char *words[],
                             size_t count)
{
        const struct logs_options *options = given;
        AUTO_JSON cJSON *request = exchange_request("handler_logs");
        AUTO_JSON cJSON *reply = NULL;
        bool whole = cJSON_AddStringToObject(request, "filename", words[0]) &&
                     cJSON_AddNumberToObject(request, "lines", (double)options->lines);
        enum exit_status status = exchange_ask(exchange, whole ? request : NULL, &reply);

        if (status != EXIT_OK)
                return status;
        if (!exchange->console.readable || !client_reply_is_good(reply))
                return exchange_print(&exchange->console, reply);
        return print_lines(&exchange->console, json_get(reply, "lines"));
}

static enum exit_status run(int argc, char *argv[])
{
        struct logs_options options = {.lines = 100, .common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, show);
}

const struct subcommand subcommand_logs = {"logs", &form, run};
