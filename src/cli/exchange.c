#include "cli/exchange.h"

#include <string.h>

bool exchange_begin(struct exchange *exchange, const struct console_shape *shape,
                    const struct target_options *target, enum exit_status *status)
{
        struct error error = {0};

        exchange->client = NULL;
        console_init(&exchange->console, shape->json, shape->text);
        if (target_resolve(target, &exchange->target, &error) == 0)
                return true;
        console_complain(&exchange->console, "%s", error.text);
        target_done(&exchange->target);
        *status = EXIT_USAGE;
        return false;
}

void exchange_disconnect(struct exchange *exchange)
{
        exchange->client = client_free(exchange->client);
}

void exchange_end(struct exchange *exchange)
{
        exchange_disconnect(exchange);
        target_done(&exchange->target);
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

void exchange_complain(const struct console *console, const cJSON *reply)
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
