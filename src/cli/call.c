/* `pifleet call`: one command to an agent, and what it answers. */
#include "cli/arguments.h"
#include "cli/exchange.h"
#include "data/json.h"

#include <errno.h>
#include <string.h>

struct call_options {
        struct console_shape shape;
        struct target_options target;
};

static const struct options_form form = {
        .name = "pifleet call",
        .arguments = "COMMAND [KEY=VALUE ...]",
        .summary = "send one command to an agent and print what it answers",
        .text = "VALUE is sent as JSON if it is JSON (17, true, [1,2], {\"r\":255}), else as "
                "text.\n"
                "KEY=@FILE sends the text in a file, KEY=@- what comes from standard input.\n"
                "Text that JSON would take for something else goes in JSON's quotes:\n"
                "text='\"17\"', text='\"@home\"'.",
        .groups = {CONSOLE_SHAPE_GROUP(struct call_options, shape),
                   TARGET_OPTIONS_GROUP(struct call_options, target)},
        .examples = "  pifleet call ping\n"
                    "  pifleet call list_commands\n"
                    "  pifleet call led_on pin=17\n"
                    "  pifleet call gpio_test pin=GPIO17 times=3 interval=0.2\n"
                    "  pifleet call echo text='two words' list='[1,2,3]' note=@note.txt\n"
                    "  pifleet call get_metrics --json | jq .temperature\n"
                    "  pifleet call get_status --host pi.local --token-file ~/.pifleet-token",
        .after =
                "Exit status: 0 done, 1 refused (the reason is on standard error), 2 wrong usage,\n"
                "3 no connection.",
        .words_min = 1,
        .words_max = 1 + ARGUMENTS_MAX,
};

static enum exit_status call(struct exchange *exchange, const cJSON *request)
{
        AUTO_JSON cJSON *reply = NULL;
        enum exit_status status = exchange_ask(exchange, request, &reply);

        return status == EXIT_OK ? exchange_print(&exchange->console, reply) : status;
}

static enum exit_status run(int argc, char *argv[])
{
        struct call_options options = {.target = TARGET_OPTIONS_DEFAULT};
        AUTO_JSON cJSON *request = NULL;
        struct error error = {0};
        struct exchange exchange;
        enum exit_status status;
        size_t words;
        int r;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status) ||
            !exchange_begin(&exchange, &options.shape, &options.target, &status))
                return status;
        request = exchange_request(argv[0]);
        r = request ? arguments_add(request, argv + 1, words - 1, &error)
                    : error_set(&error, -ENOMEM, "out of memory");
        if (r < 0) {
                console_complain(&exchange.console, "%s", error.text);
                status = EXIT_USAGE;
        } else {
                status = call(&exchange, request);
        }
        exchange_end(&exchange);
        return status;
}

const struct subcommand subcommand_call = {"call", &form, run};
