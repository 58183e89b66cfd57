#include "agent/web/web.h"

#include "agent/web/call.h"
#include "agent/web/figures.h"
#include "agent/web/web-internal.h"
#include "net/networks.h"
#include "net/tls-session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
        FIGURES_MAX = 4 << 20,
        OUTPUT_MAX = COMMAND_REPLY_MAX + 64 * 1024, /* one reply, and the head of its answer */
};

/* What is counted of connections is the server's to know. */
static void on_count(void *owner, const struct http_figures *figures)
{
        struct web *web = owner;

        if (figures->connections > web->counts.connections)
                web->counts.connections_total++;
        web->counts.connections = figures->connections;
        web->counts.refused = figures->turned_away + web->outside;
}

/* Paths without a handler of their own. */

static void on_file(void *owner, struct http_exchange *exchange)
{
        const struct web *web = owner;
        const char *path = http_exchange_parameter(exchange, "file");

        http_files_answer(web->files, exchange, path ? path : "");
}

/* Where there is no page, whoever comes by a browser learns what there is. */
static void on_index(void *owner, struct http_exchange *exchange)
{
        static const char text[] = "This is pifleet-agent.\n\n"
                                   "POST /api/command   a command, as JSON\n"
                                   "GET  /api/events    what happens, as server-sent events\n"
                                   "GET  /metrics       figures, for Prometheus\n"
                                   "GET  /mqtt          MQTT, as a WebSocket\n\n"
                                   "No page is configured (http.page).\n";

        (void)owner;
        http_exchange_answer(exchange, 200, "text/plain; charset=utf-8", text, sizeof(text) - 1);
}

static int add_routes(struct web *web)
{
        static const struct http_route file = {
                .method = HTTP_GET, .pattern = "/{file...}", .handler = on_file};
        static const struct http_route index = {
                .method = HTTP_GET, .pattern = "/", .handler = on_index};
        const struct http_route routes[] = {
                {.method = HTTP_POST,
                 .pattern = "/api/command",
                 .handler = web_call_run,
                 .admit = web_call_admit,
                 .body_max = web->options.request_bytes},
                {.method = HTTP_GET, .pattern = "/api/events", .handler = web_events_handle},
                {.method = HTTP_GET, .pattern = "/metrics", .handler = web_figures_handle},
        };
        size_t count = ARRAY_SIZE(routes);
        int r;

        memcpy(web->routes, routes, sizeof(routes));
        if (web->options.config->metrics == WEB_METRICS_OFF)
                count--;
        r = http_router_add(web->router, web->routes, count, web);
        return r < 0 ? r : http_router_add(web->router, web->files ? &file : &index, 1, web);
}

static void write_status(void *owner, struct json_writer *writer)
{
        struct web *web = owner;
        char text[NET_ADDRESS_TEXT_MAX];

        json_write_object(writer, web->counts.name);
        json_write_bool(writer, "listening", web->listeners[WEB_PLAIN] || web->listeners[WEB_TLS]);
        for (size_t i = 0; i < WEB_PORTS; i++) {
                const struct net_address *address;

                if (!web->listeners[i])
                        continue;
                address = net_listener_address(web->listeners[i]);
                json_write_string(writer, i == WEB_TLS ? "tls_address" : "address",
                                  net_address_text(address, text));
                json_write_integer(writer, i == WEB_TLS ? "tls_port" : "port",
                                   net_address_port(address));
        }
        json_write_bool(writer, "page", web->files);
        json_write_integer(writer, "event_streams", (int64_t)web->events.count);
        json_write_end(writer);
}

/* Connections. */

static void count_refused(struct web *web)
{
        web->outside++;
        web->counts.refused++;
}

static void refuse(struct web *web, const char *area, const struct net_address *peer,
                   const char *why)
{
        char text[NET_ADDRESS_TEXT_MAX];

        count_refused(web);
        log_info(web->options.log, area, "refused peer=%s why=\"%s\"", net_address_text(peer, text),
                 why);
}

static void on_refused(void *owner, const struct net_address *peer, int reason, const char *why)
{
        (void)reason;
        refuse(owner, "https", peer, why);
}

static void on_refused_proxy(void *owner, const struct net_address *peer, int reason,
                             const char *why)
{
        (void)reason;
        refuse(owner, "http", peer, why);
}

static bool has_room(const struct web *web)
{
        size_t count = http_server_figures(web->server).connections;

        for (size_t i = 0; i < WEB_PORTS; i++)
                count += web->ways[i] ? net_entrance_waiting(web->ways[i]) : 0;
        return count < web->options.connections_max;
}

void web_adopt(struct web *web, enum web_port port, int fd, const struct net_address *peer)
{
        const struct config_texts *proxies = &web->options.config->proxies;

        if (port == WEB_PLAIN && !net_networks_have(proxies->items, proxies->count, peer)) {
                refuse(web, "http", peer, "it is none of http.proxies");
                close(fd);
        } else if (!web->ways[port]) {
                http_server_attach(web->server, fd, NULL, peer);
        } else if (has_room(web)) {
                net_entrance_admit(web->ways[port], fd, peer);
        } else {
                count_refused(web);
                close(fd);
        }
}

static void on_stream(void *owner, struct net_stream *stream)
{
        char protocol[NET_PROTOCOL_SIZE];
        struct web *web = owner;

        if (web->on_mqtt && strcmp(net_stream_protocol(stream, protocol), "mqtt") == 0)
                web->on_mqtt(web->mqtt_owner, stream);
        else
                http_server_adopt(web->server, stream);
}

void web_on_mqtt(struct web *web, web_stream_fn *on_mqtt, void *owner)
{
        web->on_mqtt = on_mqtt;
        web->mqtt_owner = owner;
}

static void on_accept(void *owner, int fd, const struct net_address *peer)
{
        web_adopt(owner, WEB_PLAIN, fd, peer);
}

static void on_accept_tls(void *owner, int fd, const struct net_address *peer)
{
        web_adopt(owner, WEB_TLS, fd, peer);
}

static void on_exhausted(void *owner, int error)
{
        struct web *web = owner;

        count_refused(web);
        log_warning(web->options.log, web->counts.name,
                    "turning connections away connections=%zu: %s", (size_t)web->counts.connections,
                    strerror(-error));
}

int web_listen(struct web *web, enum web_port port, const struct net_address *address,
               struct error *error)
{
        const struct net_listener_owner owner = {
                .owner = web,
                .on_accept = port == WEB_TLS ? on_accept_tls : on_accept,
                .on_exhausted = on_exhausted,
        };
        char text[NET_ADDRESS_TEXT_MAX];
        int r = net_listener_new(web_loop(web), address, 0, &owner, &web->listeners[port]);

        net_address_text(address, text);
        if (r == -EADDRINUSE) {
                error_set(error, r,
                          "cannot listen on %s: another program does already; stop it (`ss -ltnp` "
                          "names it), or set http.%s to another port or http.enabled to false; all "
                          "but HTTP is served",
                          text, port == WEB_TLS ? "tls_port" : "port");
                return WEB_PORT_IN_USE;
        }
        if (r < 0)
                return error_set(error, r, "http: cannot listen on %s: %s", text, strerror(-r));
        log_info(web->options.log, port == WEB_TLS ? "https" : web->counts.name,
                 "listening address=%s",
                 net_address_text(net_listener_address(web->listeners[port]), text));
        return 0;
}

/* The end. */

static void close_listeners(struct web *web)
{
        for (size_t i = 0; i < WEB_PORTS; i++)
                web->listeners[i] = net_listener_free(web->listeners[i]);
        for (size_t i = 0; i < WEB_PORTS; i++)
                web->ways[i] = net_entrance_free(web->ways[i]);
}

void web_stop(struct web *web, web_stopped_fn *stopped, void *owner)
{
        close_listeners(web);
        http_server_stop(web->server, stopped, owner);
}

struct web *web_free(struct web *web)
{
        if (!web)
                return NULL;
        close_listeners(web);
        http_server_free(web->server);
        web_events_done(&web->events);
        http_router_free(web->router);
        http_files_free(web->files);
        buffer_done(&web->figures);
        free(web);
        return NULL;
}

/* The beginning. */

static int open_ways(struct web *web)
{
        const struct net_entrance_options tls = {.tls = web->options.tls}, proxy = {.proxy = true};
        struct net_entrance_owner owner = {
                .owner = web, .on_stream = on_stream, .on_refused = on_refused};
        int r = 0;

        if (tls.tls)
                r = net_entrance_new(web_loop(web), web->options.net, &tls, &owner,
                                     &web->ways[WEB_TLS]);
        owner.on_refused = on_refused_proxy;
        if (r == 0 && web->options.config->proxies.count > 0)
                r = net_entrance_new(web_loop(web), web->options.net, &proxy, &owner,
                                     &web->ways[WEB_PLAIN]);
        return r;
}

static int open_server(struct web *web)
{
        const struct http_limits limits = {
                .connections = web->options.connections_max,
                .output = OUTPUT_MAX,
        };
        int r = http_router_new(&web->router);

        if (r == 0)
                r = open_ways(web);
        if (r == 0)
                r = add_routes(web);
        if (r == 0)
                r = http_server_new(web_loop(web), web->options.net, web->router, &limits,
                                    &web->server);
        if (r == 0)
                http_server_on_count(web->server, on_count, web);
        return r;
}

static int web_open(struct web *web, struct error *error)
{
        const char *page = web->options.config->page;
        int r = 0;

        if (gethostname(web->host_name, sizeof(web->host_name) - 1) < 0)
                web->host_name[0] = '\0';
        if (page && page[0] != '\0')
                r = http_files_new(page, &web->files, error);
        if (r < 0)
                return error_prefix(error, "http.page: ");
        r = open_server(web);
        if (r == 0)
                r = command_registry_add_transport(web->registry, &web->counts);
        if (r == 0)
                r = command_registry_add_status(web->registry, write_status, web);
        return r < 0 ? error_set(error, r, "http: %s", strerror(-r)) : 0;
}

int web_attach(struct command_registry *registry, const struct web_options *options,
               struct web **ret, struct error *error)
{
        struct web *web = calloc(1, sizeof(*web));
        int r;

        if (!web)
                return error_set(error, -ENOMEM, "http: not enough memory");
        web->registry = registry;
        web->options = *options;
        web->counts.name = "http";
        buffer_init(&web->figures, FIGURES_MAX);
        web_events_init(&web->events, web);
        r = web_open(web, error);
        if (r < 0) {
                web_free(web);
                return r;
        }
        *ret = web;
        return 0;
}

struct http_router *web_router(struct web *web)
{
        return web->router;
}

void web_add_figures(struct web *web, web_figures_fn *write, void *owner)
{
        if (web->sources_count == WEB_SOURCES_MAX)
                return;
        web->sources[web->sources_count].write = write;
        web->sources[web->sources_count++].owner = owner;
}
