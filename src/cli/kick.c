/* `pifleet kick`: ends the connection of a client of an agent's MQTT broker. */
#include "cli/exchange.h"

struct kick_options {
        struct exchange_options common;
        bool session;
};

static const struct options_entry own[] = {
        {"session", 0, OPTIONS_SWITCH, offsetof(struct kick_options, session), NULL,
         "end its session, too: subscriptions, and messages that wait", 0, 0},
};

static const struct options_form form = {
        .name = "pifleet kick",
        .arguments = "CLIENT-ID",
        .summary = "end the connection of a client of an agent's MQTT broker",
        .text = "Needs the role admin. The client may connect again at once; take its token away\n"
                "to keep it out. At pifleet-broker: DELETE /api/v1/clients/CLIENT-ID at its HTTP\n"
                "port.",
        .groups = {{"Options", own, ARRAY_SIZE(own), 0},
                   EXCHANGE_OPTIONS_GROUPS(struct kick_options, common)},
        .examples = "  pifleet kick garden-sensor\n"
                    "  pifleet kick --session garden-sensor",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection.",
        .words_min = 1,
        .words_max = 1,
};

static enum exit_status talk(struct exchange *exchange, const void *options, char *words[],
                             size_t count)
{
        const struct kick_options *kick = options;
        AUTO_JSON cJSON *request = exchange_request("mqtt_kick");
        bool whole = cJSON_AddStringToObject(request, "client_id", words[0]) &&
                     (!kick->session || cJSON_AddTrueToObject(request, "session"));

        (void)count;
        return exchange_show(exchange, whole ? request : NULL);
}

static enum exit_status run(int argc, char *argv[])
{
        struct kick_options options = {.common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, talk);
}

const struct subcommand subcommand_kick = {"kick", &form, run};
