#include "cli/exchange.h"

#include <string.h>

void exchange_disconnect(struct exchange *exchange)
{
        exchange->client = client_free(exchange->client);
}

enum exit_status exchange_run(const struct options_form *form, int argc, char *argv[],
                              void *options, const struct exchange_options *common,
                              exchange_talk_fn *talk)
{
        struct exchange exchange = {.client = NULL};
        struct error error = {0};
        enum exit_status status;
        size_t words;

        if (!subcommand_parse(form, argc, argv, options, &words, &status))
                return status;
        console_init(&exchange.console, common->shape.json, common->shape.text);
        if (target_resolve(&common->target, &exchange.target, &error) < 0) {
                console_complain(&exchange.console, "%s", error.text);
                status = EXIT_USAGE;
        } else {
                status = talk(&exchange, options, argv, words);
        }
        exchange_disconnect(&exchange);
        target_done(&exchange.target);
        return status;
}

enum exit_status exchange_ask(struct exchange *exchange, const cJSON *request, cJSON **reply)
{
        struct error error = {0};
        int r = 0;

        if (!request) {
                console_complain(&exchange->console, "out of memory");
                return EXIT_REFUSED;
        }
        if (!exchange->client)
                r = client_open(&exchange->target.client, &exchange->client, &error);
        if (r == 0)
                r = client_request(exchange->client, request, reply, &error);
        if (r == 0)
                return EXIT_OK;
        console_complain(&exchange->console, "%s", error.text);
        exchange_disconnect(exchange);
        return r == CLIENT_REFUSED ? EXIT_REFUSED : EXIT_NO_CONNECTION;
}

cJSON *exchange_request(const char *command)
{
        AUTO_JSON cJSON *request = cJSON_CreateObject();

        return cJSON_AddStringToObject(request, "command", command) ? TAKE(request) : NULL;
}

/* The agent's sentence is for those who write requests themselves. */
static const char token_hint[] =
        ". Here: --token-file FILE, or the token in $PIFLEET_TOKEN; pifleet setup makes one";

void exchange_complain(const struct console *console, const cJSON *reply)
{
        const char *sentence = json_get_string(reply, "error");
        const char *name = json_get_string(reply, "code");
        int64_t number;

        if (!sentence)
                sentence = "the agent refused without saying why";
        if (name)
                console_complain(console, "%s (%s)%s", sentence, name,
                                 strcmp(name, "UNAUTHORIZED") == 0 ? token_hint : "");
        else if (json_get_integer(reply, "code", &number))
                console_complain(console, "%s (%lld)", sentence, (long long)number);
        else
                console_complain(console, "%s", sentence);
}

enum exit_status exchange_print(const struct console *console, const cJSON *reply)
{
        bool good = client_reply_is_good(reply);
        int r = 0;

        if (good || !console->readable)
                r = console_write_object(console, reply, true);
        if (!good)
                exchange_complain(console, reply);
        if (r < 0)
                console_complain(console, "the reply cannot be printed: %s", strerror(-r));
        return good && r == 0 ? EXIT_OK : EXIT_REFUSED;
}

enum exit_status exchange_show(struct exchange *exchange, const cJSON *request)
{
        AUTO_JSON cJSON *reply = NULL;
        enum exit_status status = exchange_ask(exchange, request, &reply);

        return status == EXIT_OK ? exchange_print(&exchange->console, reply) : status;
}
