/* `pifleet rollback`: brings an earlier version of a module back. */
#include "cli/exchange.h"

struct rollback_options {
        const char *version;
        struct exchange_options common;
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
                   EXCHANGE_OPTIONS_GROUPS(struct rollback_options, common)},
        .examples = "  pifleet rollback camera_handlers.py\n"
                    "  pifleet call list_backups filename=camera_handlers.py\n"
                    "  pifleet rollback camera_handlers.py --version 9f86d081",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection.",
        .words_min = 1,
        .words_max = 1,
};

static enum exit_status rollback(struct exchange *exchange, const void *given, char *words[],
                                 size_t count)
{
        const struct rollback_options *options = given;
        AUTO_JSON cJSON *request = exchange_request("rollback_handler");
        bool whole = cJSON_AddStringToObject(request, "filename", words[0]) &&
                     (!options->version ||
                      cJSON_AddStringToObject(request, "version", options->version));

        return exchange_show(exchange, whole ? request : NULL);
}

static enum exit_status run(int argc, char *argv[])
{
        struct rollback_options options = {.common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, rollback);
}

const struct subcommand subcommand_rollback = {"rollback", &form, run};
