/* `pifleet status`: what the agent says of itself and of its machine, one page. */
#include "cli/client.h"
#include "cli/console.h"
#include "cli/subcommand.h"
#include "cli/target.h"
#include "data/json.h"

#include <errno.h>
#include <string.h>

struct status_options {
        bool json, text;
        struct target_options target;
};

static const struct options_entry entries[] = {
        {.name = "json",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct status_options, json),
         .help = "one line of JSON with the members \"status\" and \"metrics\",\n"
                 "as it is without a terminal"},
        {.name = "text",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct status_options, text),
         .help = "readable output, without a terminal too"},
};

static const struct options_form form = {
        .name = "pifleet status",
        .arguments = "",
        .summary = "what an agent says of itself and of its machine",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   TARGET_OPTIONS_GROUP(struct status_options, target)},
        .examples = "  pifleet status\n"
                    "  pifleet status --host pi.local --token-file ~/.pifleet-token\n"
                    "  pifleet status --text | less",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection.",
};

/* Takes out of a reply what every reply has. */
static void strip(cJSON *reply)
{
        static const char *const envelope[] = {"success", "type", "timestamp"};

        for (size_t i = 0; i < ARRAY_SIZE(envelope); i++)
                cJSON_DeleteItemFromObjectCaseSensitive(reply, envelope[i]);
}

/* The reply to `command` becomes a member of `page`. */
static int ask(struct client *client, const char *command, const char *member, cJSON *page,
               struct error *error)
{
        AUTO_JSON cJSON *request = cJSON_CreateObject();
        AUTO_JSON cJSON *reply = NULL;
        const char *sentence;
        int r;

        if (!cJSON_AddStringToObject(request, "command", command))
                return error_set(error, -ENOMEM, "out of memory");
        r = client_request(client, request, &reply, error);
        if (r < 0)
                return r;
        if (!client_reply_is_good(reply)) {
                sentence = json_get_string(reply, "error");
                error_set(error, -EACCES, "%s: %s", command,
                          sentence ? sentence : "refused without a reason");
                return CLIENT_REFUSED;
        }
        strip(reply);
        if (!cJSON_AddItemToObject(page, member, reply))
                return error_set(error, -ENOMEM, "out of memory");
        reply = NULL;
        return 0;
}

static enum exit_status print(const struct console *console, const cJSON *page)
{
        int r = console_write_object(console, page, false);

        if (r < 0)
                console_complain(console, "the status cannot be printed: %s", strerror(-r));
        return r < 0 ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_status show(const struct console *console, const struct client_target *target)
{
        AUTO(client) struct client *client = NULL;
        AUTO_JSON cJSON *page = cJSON_CreateObject();
        struct error error = {0};
        int r;

        r = client_open(target, &client, &error);
        if (r == 0)
                r = ask(client, "get_status", "status", page, &error);
        if (r == 0)
                r = ask(client, "get_metrics", "metrics", page, &error);
        if (r != 0) {
                console_complain(console, "%s", error.text);
                return r == CLIENT_REFUSED ? EXIT_REFUSED : EXIT_NO_CONNECTION;
        }
        return print(console, page);
}

static enum exit_status run(int argc, char *argv[])
{
        struct status_options options = {.target = TARGET_OPTIONS_DEFAULT};
        struct error error = {0};
        struct console console;
        struct target target;
        enum exit_status status;
        size_t words;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&console, options.json, options.text);
        if (target_resolve(&options.target, &target, &error) < 0) {
                console_complain(&console, "%s", error.text);
                status = EXIT_USAGE;
        } else {
                status = show(&console, &target.client);
        }
        target_done(&target);
        return status;
}

const struct subcommand subcommand_status = {"status", &form, run};
