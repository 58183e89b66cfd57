#include "broker/operations.h"

#include "broker/operations-internal.h"
#include "mqtt/metrics.h"
#include "proto/http/basic.h"
#include "proto/http/origin.h"
#include "proto/mqtt/quoted.h"

#include <errno.h>
#include <string.h>

enum { TEXT_MAX = 16 * 1024 * 1024, TEXT_KEEP = 64 * 1024 };

static const char role_needed[] = "admin";

/* One request whose password is being verified. */
struct visit {
        struct list link;
        struct broker_operations *operations;
        struct http_exchange *exchange; /* NULL: gone */
        broker_operation_fn *then;
        struct login_attempt attempt;
        size_t name_length;
        char name[USER_NAME_MAX];
};

void broker_operations_answer(struct broker_operations *operations, struct http_exchange *exchange,
                              int r, const char *type)
{
        struct http_response *response;

        if (r < 0) {
                log_warning(operations->log, "http", "cannot answer error=\"%s\"", strerror(-r));
                http_exchange_refuse(exchange, 503, "there is no memory for the answer");
        } else {
                response = http_exchange_begin(exchange, 200);
                http_response_field(response, "Content-Type", type);
                http_response_field(response, "Cache-Control", "no-store");
                http_response_field(response, "X-Content-Type-Options", "nosniff");
                http_exchange_end(exchange, buffer_data(&operations->text),
                                  buffer_length(&operations->text));
        }
        buffer_truncate(&operations->text, 0);
        buffer_shrink(&operations->text, TEXT_KEEP);
}

/* Who is it? */

static bool is_local(struct http_exchange *exchange)
{
        struct net_address address;

        net_peer_address(http_exchange_peer(exchange), &address);
        return net_address_is_loopback(&address);
}

static void ask_for_login(struct http_exchange *exchange)
{
        static const char why[] =
                "this needs the name and password of a user with the role admin\n";
        struct http_response *response = http_exchange_begin(exchange, 401);

        http_response_field(response, "WWW-Authenticate",
                            "Basic realm=\"pifleet-broker\", charset=\"UTF-8\"");
        http_response_field(response, "Content-Type", "text/plain; charset=utf-8");
        http_exchange_end(exchange, why, sizeof(why) - 1);
}

static bool has_role(const struct broker_operations *operations, struct mqtt_text name)
{
        const struct access_rules *rules = broker_doors_rules(operations->doors);
        const struct user *user = rules->users ? user_table_find(rules->users, name) : NULL;

        return user && strcmp(user->role, role_needed) == 0;
}

static void go_on(struct broker_operations *operations, struct http_exchange *exchange,
                  struct mqtt_text name, enum login_result result, broker_operation_fn *then)
{
        if (result == LOGIN_SLOWED || result == LOGIN_BUSY) {
                http_exchange_refuse(exchange, 503, "too many passwords were tried: try later");
        } else if (result != LOGIN_GOOD) {
                struct mqtt_quoted user;

                log_info(operations->log, "http",
                         "refused user=%s why=\"wrong user name or password\"",
                         mqtt_quote_unless_word(name, &user));
                ask_for_login(exchange);
        } else if (!has_role(operations, name)) {
                http_exchange_refuse(exchange, 403, "this needs the role admin");
        } else {
                then(operations, exchange);
        }
}

static void on_gone(void *owner)
{
        struct visit *visit = owner;

        visit->exchange = NULL;
}

static void visit_free(struct visit *visit)
{
        list_remove(&visit->link);
        free(visit);
}

static void on_answer(struct login_attempt *attempt, enum login_result result)
{
        struct visit *visit = container_of(attempt, struct visit, attempt);

        if (visit->exchange && visit->operations)
                go_on(visit->operations, visit->exchange,
                      (struct mqtt_text){visit->name, (uint16_t)visit->name_length}, result,
                      visit->then);
        visit_free(visit);
}

static uint64_t origin_of(struct http_exchange *exchange)
{
        struct net_address address;

        net_peer_address(http_exchange_peer(exchange), &address);
        return net_address_origin(&address);
}

static void log_in(struct broker_operations *operations, struct http_exchange *exchange,
                   const struct http_basic *basic, broker_operation_fn *then)
{
        const struct access_rules *rules = broker_doors_rules(operations->doors);
        struct visit *visit;
        enum login_result result;

        if (!rules->users || basic->user.length == 0 || basic->user.length > USER_NAME_MAX) {
                ask_for_login(exchange);
                return;
        }
        visit = calloc(1, sizeof(*visit));
        if (!visit) {
                http_exchange_refuse(exchange, 503, "out of memory");
                return;
        }
        *visit = (struct visit){.operations = operations,
                                .exchange = exchange,
                                .then = then,
                                .attempt.on_answer = on_answer,
                                .name_length = basic->user.length};
        memcpy(visit->name, basic->user.bytes, basic->user.length);
        list_append(&operations->visits, &visit->link);
        result = login_begin(
                broker_doors_login(operations->doors), rules, origin_of(exchange),
                (struct mqtt_text){visit->name, (uint16_t)visit->name_length},
                (struct mqtt_text){basic->password.bytes, (uint16_t)basic->password.length},
                &visit->attempt);
        if (result == LOGIN_PENDING) {
                http_exchange_defer(exchange, on_gone, visit);
                return;
        }
        go_on(operations, exchange, (struct mqtt_text){visit->name, (uint16_t)visit->name_length},
              result, then);
        visit_free(visit);
}

/* Who has to log in for something. */
enum login_needed { LOGIN_NEEDED_BY_ALL, LOGIN_NEEDED_ELSEWHERE, LOGIN_NEEDED_BY_NOBODY };

static void admit(struct broker_operations *operations, struct http_exchange *exchange,
                  enum login_needed needed, broker_operation_fn *then)
{
        const bool local = needed == LOGIN_NEEDED_ELSEWHERE && is_local(exchange);
        const struct http_request *request = http_exchange_request(exchange);
        struct http_basic basic;
        int r = http_basic_read(request, &basic);

        if (!http_origin_is_own(request))
                http_exchange_refuse(exchange, 403, "this page is of another origin");
        else if (r == -EINVAL)
                http_exchange_refuse(exchange, 400, "the Authorization cannot be read");
        else if (r == 0 && operations->doors)
                log_in(operations, exchange, &basic, then);
        else if (!local && needed != LOGIN_NEEDED_BY_NOBODY)
                ask_for_login(exchange);
        else if (local && request->host.length > 0 && !http_host_is_address(request))
                http_exchange_refuse(exchange, 403,
                                     "without a login, ask by an address or localhost");
        else
                then(operations, exchange);
        http_basic_done(&basic);
}

static void admit_admin(struct broker_operations *operations, struct http_exchange *exchange,
                        broker_operation_fn *then)
{
        admit(operations, exchange,
              operations->local_admin ? LOGIN_NEEDED_ELSEWHERE : LOGIN_NEEDED_BY_ALL, then);
}

/* What they may do. */

static void put_metrics(struct broker_operations *operations, struct http_exchange *exchange)
{
        struct prometheus_writer writer;

        prometheus_writer_init(&writer, &operations->text);
        mqtt_metrics_put(operations->broker, &writer);
        broker_operations_answer(operations, exchange, prometheus_writer_error(&writer),
                                 "text/plain; version=0.0.4; charset=utf-8");
}

static void begin_events(struct broker_operations *operations, struct http_exchange *exchange)
{
        broker_events_add_reader(&operations->events, exchange);
}

static void on_metrics(void *owner, struct http_exchange *exchange)
{
        struct broker_operations *operations = owner;

        switch (operations->metrics) {
        case BROKER_METRICS_OFF:
                http_exchange_refuse(exchange, 404, "there are no metrics here");
                break;
        case BROKER_METRICS_ADMIN:
                admit_admin(operations, exchange, put_metrics);
                break;
        case BROKER_METRICS_LOOPBACK:
                admit(operations, exchange, LOGIN_NEEDED_ELSEWHERE, put_metrics);
                break;
        case BROKER_METRICS_ALL:
                admit(operations, exchange, LOGIN_NEEDED_BY_NOBODY, put_metrics);
                break;
        }
}

static void on_clients(void *owner, struct http_exchange *exchange)
{
        admit_admin(owner, exchange, broker_list_clients);
}

static void on_client(void *owner, struct http_exchange *exchange)
{
        admit_admin(owner, exchange, broker_show_client);
}

static void on_delete(void *owner, struct http_exchange *exchange)
{
        admit_admin(owner, exchange, broker_end_client);
}

static void on_events(void *owner, struct http_exchange *exchange)
{
        admit_admin(owner, exchange, begin_events);
}

int broker_operations_route(struct broker_operations *operations, struct http_router *router)
{
        static const struct http_route routes[] = {
                {.method = HTTP_GET, .pattern = "/metrics", .handler = on_metrics},
                {.method = HTTP_GET, .pattern = "/api/v1/clients", .handler = on_clients},
                {.method = HTTP_DELETE, .pattern = "/api/v1/clients", .handler = on_delete},
                {.method = HTTP_GET, .pattern = "/api/v1/clients/{id...}", .handler = on_client},
                {.method = HTTP_DELETE, .pattern = "/api/v1/clients/{id...}", .handler = on_delete},
                {.method = HTTP_GET, .pattern = "/api/v1/events", .handler = on_events},
        };

        return http_router_add(router, routes, ARRAY_SIZE(routes), operations);
}

int broker_operations_new(struct loop *loop, struct broker_doors *doors, struct log *log,
                          struct broker_operations **ret)
{
        struct broker_operations *operations = calloc(1, sizeof(*operations));

        if (!operations)
                return -ENOMEM;
        operations->loop = loop;
        operations->log = log;
        operations->doors = doors;
        buffer_init(&operations->text, TEXT_MAX);
        list_init(&operations->visits);
        broker_events_init(&operations->events, loop);
        *ret = operations;
        return 0;
}

struct broker_operations *broker_operations_free(struct broker_operations *operations)
{
        struct list *link;

        if (!operations)
                return NULL;
        /* The verifier answers them when it ends. */
        while ((link = list_take_first(&operations->visits)))
                container_of(link, struct visit, link)->operations = NULL;
        broker_events_done(&operations->events);
        buffer_done(&operations->text);
        free(operations);
        return NULL;
}

void broker_operations_start(struct broker_operations *operations, struct mqtt_broker *broker)
{
        operations->broker = broker;
}

void broker_operations_configure(struct broker_operations *operations,
                                 const struct broker_config *config)
{
        operations->local_admin = config->operations.local_admin;
        operations->metrics = (enum broker_metrics)config->operations.metrics;
}

struct broker_events *broker_operations_events(struct broker_operations *operations)
{
        return &operations->events;
}
