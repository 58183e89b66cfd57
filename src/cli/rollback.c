/* `pifleet rollback`: brings an earlier version of a module back. */
#include "cli/exchange.h"

struct rollback_options {
        const char *version;
        struct console_shape shape;
        struct target_options target;
};

static const struct options_entry entries[] = {
        {.name = "version",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct rollback_options, version),
         .value = "VERSION",
         .help = "a backup's name or the first digits of its sha256\n"
                 "(the newest good version before the one in place)"},
};

static const struct options_form form = {
        .name = "pifleet rollback",
        .arguments = "MODULE",
        .summary = "bring an earlier version of a module back",
        .text = "The version in place goes on serving until the earlier one has passed all checks\n"
                "again. A built-in command that the module stood in for comes back with it.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   CONSOLE_SHAPE_GROUP(struct rollback_options, shape),
                   TARGET_OPTIONS_GROUP(struct rollback_options, target)},
        .examples = "  pifleet rollback camera_handlers.py\n"
                    "  pifleet call list_backups filename=camera_handlers.py\n"
                    "  pifleet rollback camera_handlers.py --version 9f86d081",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection.",
        .words_min = 1,
        .words_max = 1,
};

static enum exit_status rollback(struct exchange *exchange, const char *module, const char *version)
{
        AUTO_JSON cJSON *request = exchange_request("rollback_handler");
        AUTO_JSON cJSON *reply = NULL;
        enum exit_status status;

        if (!cJSON_AddStringToObject(request, "filename", module) ||
            (version && !cJSON_AddStringToObject(request, "version", version))) {
                console_complain(&exchange->console, "out of memory");
                return EXIT_REFUSED;
        }
        status = exchange_ask(exchange, request, &reply);
        return status == EXIT_OK ? exchange_print(&exchange->console, reply) : status;
}

static enum exit_status run(int argc, char *argv[])
{
        struct rollback_options options = {.target = TARGET_OPTIONS_DEFAULT};
        struct exchange exchange;
        enum exit_status status;
        size_t words;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status) ||
            !exchange_begin(&exchange, &options.shape, &options.target, &status))
                return status;
        status = rollback(&exchange, argv[0], options.version);
        exchange_end(&exchange);
        return status;
}

const struct subcommand subcommand_rollback = {"rollback", &form, run};
