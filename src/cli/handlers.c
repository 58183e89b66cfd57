/* `pifleet handlers`: the modules on an agent and how they fare. */
#include "cli/exchange.h"

#include <errno.h>
#include <string.h>

struct handlers_options {
        struct exchange_options common;
};

static const struct options_form form = {
        .name = "pifleet handlers",
        .arguments = "[MODULE]",
        .summary = "list the modules on an agent, or tell all of one",
        .text = "Of one module: its commands with calls, errors and latencies, and which walls of\n"
                "its sandbox stand on that machine.",
        .groups = {EXCHANGE_OPTIONS_GROUPS(struct handlers_options, common)},
        .examples = "  pifleet handlers\n"
                    "  pifleet handlers camera_handlers.py\n"
                    "  pifleet handlers --json | jq .handlers",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection.",
        .words_max = 1,
};

static double sum(const cJSON *commands, const char *member)
{
        double total = 0, value;

        for (const cJSON *item = commands ? commands->child : NULL; item; item = item->next)
                if (json_get_double(item, member, &value))
                        total += value;
        return total;
}

static bool copy(cJSON *row, const cJSON *module, const char *member)
{
        const cJSON *value = json_get(module, member);

        return !value || cJSON_AddItemToObject(row, member, cJSON_Duplicate(value, true));
}

/* What its owner should do about it. */
static const char *advice(const cJSON *module)
{
        bool suggested = false;

        (void)json_get_bool(module, "rollback_suggested", &suggested);
        return suggested ? "roll back" : "-";
}

/* A module in one line of the table. NULL: out of memory. */
static cJSON *row_of(const cJSON *module)
{
        AUTO_JSON cJSON *row = cJSON_CreateObject();
        const cJSON *commands = json_get(module, "commands");

        if (!cJSON_AddStringToObject(row, "module", module->string) ||
            !copy(row, module, "state") ||
            !cJSON_AddNumberToObject(row, "commands", cJSON_GetArraySize(commands)) ||
            !cJSON_AddNumberToObject(row, "calls", sum(commands, "calls")) ||
            !cJSON_AddNumberToObject(row, "errors", sum(commands, "errors")) ||
            !copy(row, module, "memory") || !cJSON_AddStringToObject(row, "advice", advice(module)))
                return NULL;
        return TAKE(row);
}

static enum exit_status print_table(const struct console *console, const cJSON *handlers)
{
        AUTO_JSON cJSON *page = cJSON_CreateObject();
        cJSON *rows = cJSON_AddArrayToObject(page, "handlers");
        bool whole = rows != NULL;
        int r;

        for (const cJSON *item = handlers ? handlers->child : NULL; item && whole;
             item = item->next)
                whole = cJSON_AddItemToArray(rows, row_of(item));
        r = whole ? console_write_object(console, page, false) : -ENOMEM;
        if (r < 0) {
                console_complain(console, "the list cannot be printed: %s", strerror(-r));
                return EXIT_REFUSED;
        }
        if (!rows->child)
                console_note("No modules yet. Send one: pifleet deploy FILE\n");
        return EXIT_OK;
}

static enum exit_status list(struct exchange *exchange, const void *options, char *words[],
                             size_t count)
{
        const char *module = count > 0 ? words[0] : NULL;
        AUTO_JSON cJSON *request = exchange_request("handler_stats");
        AUTO_JSON cJSON *reply = NULL;
        bool whole = !module || cJSON_AddStringToObject(request, "filename", module);
        enum exit_status status = exchange_ask(exchange, whole ? request : NULL, &reply);

        if (status != EXIT_OK)
                return status;
        if (module || !exchange->console.readable || !client_reply_is_good(reply))
                return exchange_print(&exchange->console, reply);
        return print_table(&exchange->console, json_get(reply, "handlers"));
}

static enum exit_status run(int argc, char *argv[])
{
        struct handlers_options options = {.common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, list);
}

const struct subcommand subcommand_handlers = {"handlers", &form, run};
