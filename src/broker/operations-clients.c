/* Clients and their sessions, as JSON. */
#include "broker/operations-internal.h"

#include "data/json-writer.h"
#include "mqtt/clients-json.h"
#include "proto/http/target.h"
#include "proto/mqtt/quoted.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char json[] = "application/json";

enum { QUERY_MAX = 4096 }; /* more than an id has (mqtt/limits.h) */

struct page {
        struct broker_operations *operations;
        struct json_writer writer;
};

static void write_client(struct page *page, const struct mqtt_client_info *info)
{
        struct mqtt_text user = info->user;

        if (page->operations->doors && info->identity)
                user = access_mqtt_user(info->identity);
        mqtt_client_info_write(info, user, &page->writer);
}

static void on_listed(void *owner, const struct mqtt_client_info *info)
{
        struct page *page = owner;

        json_write_object(&page->writer, NULL);
        write_client(page, info);
        json_write_end(&page->writer);
}

static bool read_number(struct http_text text, uint64_t most, uint64_t *ret)
{
        uint64_t number = 0;

        if (text.length == 0 || text.length > 19)
                return false;
        for (size_t i = 0; i < text.length; i++) {
                if (text.bytes[i] < '0' || text.bytes[i] > '9')
                        return false;
                number = number * 10 + (uint64_t)(text.bytes[i] - '0');
        }
        *ret = number;
        return number <= most;
}

/* ?cursor=N&limit=N */
static bool read_page(const struct http_request *request, uint64_t *cursor, uint64_t *limit)
{
        struct http_text rest = request->query;
        struct http_parameter parameter;
        char decoded[256];
        int r;

        *cursor = 0;
        *limit = BROKER_CLIENTS_PAGE;
        while ((r = http_query_next(&rest, decoded, sizeof(decoded), &parameter)) > 0) {
                if (http_text_equals(parameter.name, HTTP_TEXT("cursor"))) {
                        if (!read_number(parameter.value, INT64_MAX, cursor))
                                return false;
                } else if (!http_text_equals(parameter.name, HTTP_TEXT("limit")) ||
                           !read_number(parameter.value, BROKER_CLIENTS_PAGE_MAX, limit) ||
                           *limit == 0) {
                        return false;
                }
        }
        return r == 0;
}

/* One of them is asked for, by its id. */
static bool names_client(const struct http_request *request)
{
        struct http_text rest = request->query;
        struct http_parameter parameter;
        char decoded[QUERY_MAX];

        while (http_query_next(&rest, decoded, sizeof(decoded), &parameter) > 0)
                if (http_text_equals(parameter.name, HTTP_TEXT("id")))
                        return true;
        return false;
}

void broker_list_clients(struct broker_operations *operations, struct http_exchange *exchange)
{
        struct page page = {.operations = operations};
        uint64_t cursor, limit;
        char next[24];

        if (names_client(http_exchange_request(exchange))) {
                broker_show_client(operations, exchange);
                return;
        }
        if (!read_page(http_exchange_request(exchange), &cursor, &limit)) {
                http_exchange_refuse(exchange, 400,
                                     "the query is cursor=NUMBER&limit=NUMBER, 1 to 1000");
                return;
        }
        json_writer_init(&page.writer, &operations->text);
        json_write_object(&page.writer, NULL);
        json_write_array(&page.writer, "clients");
        mqtt_broker_each_client(operations->broker, &cursor, (uint32_t)limit, on_listed, &page);
        json_write_end(&page.writer);
        /* As text: a number beyond 2^53 is another one in JavaScript. */
        snprintf(next, sizeof(next), "%" PRIu64, cursor);
        if (cursor == 0)
                json_write_null(&page.writer, "next");
        else
                json_write_string(&page.writer, "next", next);
        json_write_end(&page.writer);
        broker_operations_answer(operations, exchange, json_writer_error(&page.writer), json);
}

/* Of which client a request is. */
struct wanted {
        struct mqtt_text id;
        bool ends_session;
        char text[QUERY_MAX];
};

/* /ID, or ?id=ID: a client calls itself as it likes, and no path has a "..", or holds two slashes
 * for two. And ?session=end, if `may_end`. */
static bool read_wanted(struct http_exchange *exchange, bool may_end, struct wanted *ret)
{
        const char *id = http_exchange_parameter(exchange, "id");
        struct http_text rest = http_exchange_request(exchange)->query;
        struct http_parameter parameter;
        char *place = ret->text;
        int r;

        ret->id = (struct mqtt_text){id, id ? (uint16_t)strlen(id) : 0};
        ret->ends_session = false;
        while ((r = http_query_next(&rest, place, (size_t)(ret->text + QUERY_MAX - place),
                                    &parameter)) > 0) {
                if (http_text_equals(parameter.name, HTTP_TEXT("id")) && ret->id.length == 0) {
                        ret->id = (struct mqtt_text){parameter.value.bytes,
                                                     (uint16_t)parameter.value.length};
                        place += parameter.name.length + parameter.value.length + 2;
                } else if (!may_end || !http_text_equals(parameter.name, HTTP_TEXT("session")) ||
                           !http_text_equals(parameter.value, HTTP_TEXT("end"))) {
                        return false;
                } else {
                        ret->ends_session = true;
                }
        }
        return r == 0 && ret->id.length > 0;
}

static void on_shown(void *owner, const struct mqtt_client_info *info)
{
        struct page *page = owner;

        write_client(page, info);
}

static void on_subscription(void *owner, struct mqtt_text filter,
                            const struct mqtt_subscription_options *options)
{
        struct page *page = owner;

        mqtt_subscription_info_write(filter, options, &page->writer);
}

static void refuse_unknown(struct http_exchange *exchange)
{
        http_exchange_refuse(exchange, 404, "there is no client and no session of that id");
}

void broker_show_client(struct broker_operations *operations, struct http_exchange *exchange)
{
        struct page page = {.operations = operations};
        struct wanted wanted;
        int r;

        if (!read_wanted(exchange, false, &wanted)) {
                http_exchange_refuse(exchange, 400, "a client is /ID or ?id=ID, and no more");
                return;
        }
        json_writer_init(&page.writer, &operations->text);
        json_write_object(&page.writer, NULL);
        r = mqtt_broker_client(operations->broker, wanted.id, on_shown, &page);
        if (r == 0) {
                json_write_array(&page.writer, "subscriptions");
                (void)mqtt_broker_subscriptions(operations->broker, wanted.id, BROKER_FILTERS_MAX,
                                                on_subscription, &page);
                json_write_end(&page.writer);
                json_write_end(&page.writer);
                broker_operations_answer(operations, exchange, json_writer_error(&page.writer),
                                         json);
                return;
        }
        buffer_truncate(&operations->text, 0);
        refuse_unknown(exchange);
}

void broker_end_client(struct broker_operations *operations, struct http_exchange *exchange)
{
        struct mqtt_quoted id;
        struct wanted wanted;
        int r;

        if (!read_wanted(exchange, true, &wanted)) {
                http_exchange_refuse(exchange, 400,
                                     "a client is /ID or ?id=ID, with session=end or without");
                return;
        }
        if (wanted.ends_session)
                r = mqtt_broker_forget(operations->broker, wanted.id);
        else
                r = mqtt_broker_kick(operations->broker, wanted.id, MQTT_ADMINISTRATIVE_ACTION);
        if (r < 0) {
                refuse_unknown(exchange);
                return;
        }
        log_info(operations->log, "http", "ended %s client=%s",
                 wanted.ends_session ? "session" : "connection",
                 mqtt_quote_unless_word(wanted.id, &id));
        http_exchange_answer(exchange, 204, NULL, NULL, 0);
}
