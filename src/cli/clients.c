/* `pifleet clients`: who is connected to an agent's MQTT broker, and whose sessions are kept. */
#include "cli/exchange.h"

#include <errno.h>
#include <string.h>

/* A page has a thousand: what is printed fits into the memory of a small machine. */
enum { PAGES_MAX = 200 };

struct clients_options {
        struct exchange_options common;
};

static const struct options_form form = {
        .name = "pifleet clients",
        .arguments = "[CLIENT-ID]",
        .summary = "list the clients of an agent's MQTT broker, or tell all of one",
        .text = "Needs the role admin. Of one client: its subscriptions, and why messages did not\n"
                "reach it. The first 200000 are listed. Clients of pifleet-broker: GET "
                "/api/v1/clients\n"
                "at its HTTP port.",
        .groups = {EXCHANGE_OPTIONS_GROUPS(struct clients_options, common)},
        .examples = "  pifleet clients\n"
                    "  pifleet clients garden-sensor\n"
                    "  pifleet clients --json | jq '.clients[].client_id'",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage, 3 no connection.",
        .words_max = 1,
};

/* One that is away has none of it. */
static bool copy(cJSON *row, const char *column, const cJSON *client, const char *member)
{
        const cJSON *value = json_get(client, member);

        return value ? cJSON_AddItemToObject(row, column, cJSON_Duplicate(value, true))
                     : cJSON_AddStringToObject(row, column, "-") != NULL;
}

/* A client in one line of the table. NULL: out of memory. */
static cJSON *row_of(const cJSON *client)
{
        AUTO_JSON cJSON *row = cJSON_CreateObject();
        bool connected = false;

        (void)json_get_bool(client, "connected", &connected);
        if (!copy(row, "client", client, "client_id") ||
            !cJSON_AddStringToObject(row, "state", connected ? "connected" : "away") ||
            !copy(row, "seconds", client, "since_seconds") || !copy(row, "user", client, "user") ||
            !copy(row, "from", client, "peer") || !copy(row, "mqtt", client, "version") ||
            !copy(row, "filters", client, "subscriptions_count") ||
            !copy(row, "queued", client, "queued_messages"))
                return NULL;
        return TAKE(row);
}

/* The clients of a reply go to those that there are already. */
static bool take_clients(cJSON *all, cJSON *reply)
{
        cJSON *clients = cJSON_GetObjectItemCaseSensitive(reply, "clients"), *client;

        while (cJSON_IsArray(clients) && (client = cJSON_DetachItemFromArray(clients, 0)))
                if (!cJSON_AddItemToArray(all, client)) {
                        cJSON_Delete(client);
                        return false;
                }
        return true;
}

static enum exit_status no_memory(const struct exchange *exchange)
{
        console_complain(&exchange->console, "out of memory");
        return EXIT_REFUSED;
}

/* Page by page. EXIT_OK: *ret_reply is the last one, which is a failure or has no clients left,
 * but the `next` of those that were not asked for. */
static enum exit_status read_all(struct exchange *exchange, cJSON *all, cJSON **ret_reply)
{
        char cursor[32] = "";

        for (unsigned pages = 1;; pages++) {
                AUTO_JSON cJSON *request = exchange_request("mqtt_clients");
                AUTO_JSON cJSON *reply = NULL;
                enum exit_status status;
                const char *next;

                if (!cJSON_AddNumberToObject(request, "limit", 1000) ||
                    (cursor[0] != '\0' && !cJSON_AddStringToObject(request, "cursor", cursor)))
                        return no_memory(exchange);
                status = exchange_ask(exchange, request, &reply);
                if (status != EXIT_OK)
                        return status;
                if (!take_clients(all, reply))
                        return no_memory(exchange);
                next = json_get_string(reply, "next");
                if (!client_reply_is_good(reply) || !next || strlen(next) >= sizeof(cursor) ||
                    pages == PAGES_MAX) {
                        *ret_reply = TAKE(reply);
                        return EXIT_OK;
                }
                strcpy(cursor, next);
        }
}

static enum exit_status print_table(const struct exchange *exchange, const cJSON *clients)
{
        AUTO_JSON cJSON *page = cJSON_CreateObject();
        cJSON *rows = cJSON_AddArrayToObject(page, "clients");
        const cJSON *client;
        bool whole = rows != NULL;
        int r;

        cJSON_ArrayForEach(client, clients)
        {
                cJSON *row = whole ? row_of(client) : NULL;

                whole = row && cJSON_AddItemToArray(rows, row);
        }
        r = whole ? console_write_object(&exchange->console, page, false) : -ENOMEM;
        if (r < 0) {
                console_complain(&exchange->console, "the list cannot be printed: %s",
                                 strerror(-r));
                return EXIT_REFUSED;
        }
        if (!rows->child)
                console_note("Nobody is connected.\n");
        return EXIT_OK;
}

static enum exit_status list(struct exchange *exchange)
{
        AUTO_JSON cJSON *all = cJSON_CreateArray();
        AUTO_JSON cJSON *reply = NULL;
        enum exit_status status;

        if (!all)
                return no_memory(exchange);
        status = read_all(exchange, all, &reply);
        if (status != EXIT_OK)
                return status;
        if (!client_reply_is_good(reply))
                return exchange_print(&exchange->console, reply);
        if (json_get_string(reply, "next"))
                console_note("There are more: pifleet call mqtt_clients cursor=%s\n",
                             json_get_string(reply, "next"));
        if (exchange->console.readable)
                return print_table(exchange, all);
        if (!cJSON_ReplaceItemInObjectCaseSensitive(reply, "clients", all))
                return no_memory(exchange);
        all = NULL;
        return exchange_print(&exchange->console, reply);
}

static enum exit_status show(struct exchange *exchange, const char *client_id)
{
        AUTO_JSON cJSON *request = exchange_request("mqtt_client");
        bool whole = cJSON_AddStringToObject(request, "client_id", client_id);

        return exchange_show(exchange, whole ? request : NULL);
}

static enum exit_status talk(struct exchange *exchange, const void *options, char *words[],
                             size_t count)
{
        (void)options;
        return count > 0 ? show(exchange, words[0]) : list(exchange);
}

static enum exit_status run(int argc, char *argv[])
{
        struct clients_options options = {.common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, talk);
}

const struct subcommand subcommand_clients = {"clients", &form, run};
