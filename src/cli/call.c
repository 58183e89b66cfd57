/* `pifleet call`: one command to an agent, and what it answers. */
#include "cli/arguments.h"
#include "cli/exchange.h"
#include "data/json.h"

struct call_options {
        struct exchange_options common;
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
        .groups = {EXCHANGE_OPTIONS_GROUPS(struct call_options, common)},
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

static enum exit_status call(struct exchange *exchange, const void *options, char *words[],
                             size_t count)
{
        AUTO_JSON cJSON *request = exchange_request(words[0]);
        struct error error = {0};

        if (request && arguments_add(request, words + 1, count - 1, &error) < 0) {
                console_complain(&exchange->console, "%s", error.text);
                return EXIT_USAGE;
        }
        return exchange_show(exchange, request);
}

static enum exit_status run(int argc, char *argv[])
{
        struct call_options options = {.common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, call);
}

const struct subcommand subcommand_call = {"call", &form, run};
