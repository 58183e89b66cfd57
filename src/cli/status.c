/* `pifleet status`: what the agent says of itself and of its machine, one page. */
#include "cli/exchange.h"
#include "data/json.h"

#include <errno.h>
#include <string.h>

struct status_options {
        struct exchange_options common;
};

static const struct options_form form = {
        .name = "pifleet status",
        .arguments = "",
        .summary = "what an agent says of itself and of its machine",
        .text = "As JSON it is an object with the members \"status\" and \"metrics\".",
        .groups = {EXCHANGE_OPTIONS_GROUPS(struct status_options, common)},
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
static enum exit_status ask(struct exchange *exchange, const char *command, const char *member,
                            cJSON *page)
{
        AUTO_JSON cJSON *request = exchange_request(command);
        AUTO_JSON cJSON *reply = NULL;
        enum exit_status status = exchange_ask(exchange, request, &reply);

        if (status != EXIT_OK)
                return status;
        if (!client_reply_is_good(reply)) {
                exchange_complain(&exchange->console, reply);
                return EXIT_REFUSED;
        }
        strip(reply);
        if (!cJSON_AddItemToObject(page, member, reply)) {
                console_complain(&exchange->console, "out of memory");
                return EXIT_REFUSED;
        }
        reply = NULL;
        return EXIT_OK;
}

static enum exit_status print(const struct console *console, const cJSON *page)
{
        int r = console_write_object(console, page, false);

        if (r < 0)
                console_complain(console, "the status cannot be printed: %s", strerror(-r));
        return r < 0 ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_status show(struct exchange *exchange, const void *options, char *words[],
                             size_t count)
{
        AUTO_JSON cJSON *page = cJSON_CreateObject();
        enum exit_status status = ask(exchange, "get_status", "status", page);

        if (status == EXIT_OK)
                status = ask(exchange, "get_metrics", "metrics", page);
        return status == EXIT_OK ? print(&exchange->console, page) : status;
}

static enum exit_status run(int argc, char *argv[])
{
        struct status_options options = {.common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, show);
}

const struct subcommand subcommand_status = {"status", &form, run};
