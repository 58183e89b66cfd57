/* `pifleet call`: one command to an agent, and what it answers. */
#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/console.h"
#include "cli/subcommand.h"
#include "cli/target.h"
#include "data/json.h"

#include <errno.h>
#include <string.h>

struct call_options {
        bool json, text;
        struct target_options target;
};

static const struct options_entry entries[] = {
        {.name = "json",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct call_options, json),
         .help = "the whole reply as one line of JSON, as it is without a terminal"},
        {.name = "text",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct call_options, text),
         .help = "readable output, without a terminal too"},
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
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
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

/* A failure's code, a name or a number, for the end of its sentence. */
static void complain(const struct console *console, const cJSON *reply)
{
        const char *sentence = json_get_string(reply, "error");
        const char *name = json_get_string(reply, "code");
        int64_t number;

        if (!sentence)
                sentence = "the agent refused without saying why";
        if (name)
                console_complain(console, "%s (%s)", sentence, name);
        else if (json_get_integer(reply, "code", &number))
                console_complain(console, "%s (%lld)", sentence, (long long)number);
        else
                console_complain(console, "%s", sentence);
}

static enum exit_status print(const struct console *console, const cJSON *reply)
{
        bool good = client_reply_is_good(reply);
        int r = 0;

        if (good || !console->readable)
                r = console_write_object(console, reply, true);
        if (!good)
                complain(console, reply);
        if (r < 0)
                console_complain(console, "the reply cannot be printed: %s", strerror(-r));
        return good && r == 0 ? EXIT_OK : EXIT_REFUSED;
}

static enum exit_status call(const struct console *console, const struct client_target *target,
                             const cJSON *request)
{
        AUTO(client) struct client *client = NULL;
        AUTO_JSON cJSON *reply = NULL;
        struct error error = {0};
        int r;

        r = client_open(target, &client, &error);
        if (r == 0)
                r = client_request(client, request, &reply, &error);
        if (r != 0) {
                console_complain(console, "%s", error.text);
                return r == CLIENT_REFUSED ? EXIT_REFUSED : EXIT_NO_CONNECTION;
        }
        return print(console, reply);
}

static enum exit_status run(int argc, char *argv[])
{
        struct call_options options = {.target = TARGET_OPTIONS_DEFAULT};
        AUTO_JSON cJSON *request = cJSON_CreateObject();
        struct error error = {0};
        struct console console;
        struct target target;
        enum exit_status status;
        size_t words;
        int r;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&console, options.json, options.text);
        r = target_resolve(&options.target, &target, &error);
        if (r == 0)
                r = cJSON_AddStringToObject(request, "command", argv[0])
                            ? arguments_add(request, argv + 1, words - 1, &error)
                            : error_set(&error, -ENOMEM, "out of memory");
        if (r < 0) {
                console_complain(&console, "%s", error.text);
                status = EXIT_USAGE;
        } else {
                status = call(&console, &target.client, request);
        }
        target_done(&target);
        return status;
}

const struct subcommand subcommand_call = {"call", &form, run};
