#include "broker/entrance.h"

#include "broker/addresses.h"
#include "broker/certificate.h"
#include "broker/origins.h"
#include "broker/place.h"
#include "broker/terms.h"
#include "broker/texts.h"
#include "http/files.h"
#include "http/server.h"
#include "mqtt/websocket.h"
#include "net/entrance.h"
#include "net/listener.h"
#include "net/networks.h"
#include "net/tls-session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct broker_entrance {
        struct broker_entrance_options options;
        char place[BROKER_PLACE_MAX], name[BROKER_PLACE_MAX];
        int protocol, proxy;
        mode_t mode;
        const struct mqtt_terms *terms;
        struct net_tls *tls; /* NULL: plain */

        struct http_router *router; /* NULL: it does not speak HTTP */
        struct http_server *http;   /* the same */
        struct http_files *files;   /* NULL: none */
        struct mqtt_websocket websocket;
        struct broker_origins origins;

        struct net_entrance *way;    /* through the header of a proxy, and TLS */
        struct config_texts proxies; /* whose word counts; none: everybody's */

        struct net_listener *sockets[BROKER_ADDRESSES_MAX];
        size_t sockets_count;
};

static void log_turned_away(const struct broker_entrance *entrance, int r)
{
        log_warning(entrance->options.log, "broker", "turned away listener=%s error=\"%s\"",
                    entrance->name, strerror(-r));
}

/* Where one port is for both (certificate.c). */
static bool speaks_http(const struct broker_entrance *entrance, const struct net_stream *stream)
{
        char protocol[NET_PROTOCOL_SIZE];

        return entrance->http && strcmp(net_stream_protocol(stream, protocol), "mqtt") != 0;
}

static void on_stream(void *owner, struct net_stream *stream)
{
        struct broker_entrance *entrance = owner;
        int r;

        if (speaks_http(entrance, stream)) {
                http_server_adopt(entrance->http, stream);
                return;
        }
        r = mqtt_broker_adopt(entrance->options.broker, stream, entrance->terms);
        if (r < 0) {
                log_turned_away(entrance, r);
                net_stream_close(stream);
        }
}

static void on_refused(void *owner, const struct net_address *peer, int reason, const char *why)
{
        struct broker_entrance *entrance = owner;
        char text[NET_ADDRESS_TEXT_MAX];

        (void)reason;
        log_info(entrance->options.log, "broker", "refused listener=%s peer=%s why=\"%s\"",
                 entrance->name, net_address_text(peer, text), why);
}

static bool is_behind_proxy(const struct broker_entrance *entrance)
{
        return entrance->proxy != BROKER_PROXY_NONE;
}

static void on_accept(void *owner, int fd, const struct net_address *peer)
{
        struct broker_entrance *entrance = owner;
        int r;

        if (is_behind_proxy(entrance) &&
            !net_networks_have(entrance->proxies.items, entrance->proxies.count, peer)) {
                on_refused(entrance, peer, -EACCES, "it is none of the proxies");
                close(fd);
        } else if (is_behind_proxy(entrance) || entrance->tls) {
                net_entrance_admit(entrance->way, fd, peer);
        } else if (entrance->http) {
                http_server_attach(entrance->http, fd, NULL, peer);
        } else {
                r = mqtt_broker_attach(entrance->options.broker, fd, NULL, peer, entrance->terms);
                if (r < 0) {
                        log_turned_away(entrance, r);
                        close(fd);
                }
        }
}

static void on_exhausted(void *owner, int error)
{
        struct broker_entrance *entrance = owner;

        log_warning(entrance->options.log, "broker", "turning away listener=%s error=\"%s\"",
                    entrance->name, strerror(-error));
}

/* WebSockets at every path, and files where nobody asks for one. */
static void on_any_path(void *owner, struct http_exchange *exchange)
{
        struct broker_entrance *entrance = owner;
        const struct http_request *request = http_exchange_request(exchange);

        if (entrance->files && !http_request_field(request, HTTP_TEXT("Upgrade")))
                http_files_answer(entrance->files, exchange,
                                  http_exchange_parameter(exchange, "path"));
        else
                mqtt_websocket_handle(&entrance->websocket, exchange);
}

static void on_file(void *owner, struct http_exchange *exchange)
{
        struct broker_entrance *entrance = owner;

        http_files_answer(entrance->files, exchange, http_exchange_parameter(exchange, "path"));
}

static int add_routes(struct broker_entrance *entrance)
{
        static const struct http_route any_path = {
                .method = HTTP_GET, .pattern = "/{path...}", .handler = on_any_path};
        static const struct http_route file = {
                .method = HTTP_GET, .pattern = "/{path...}", .handler = on_file};
        int r;

        if (entrance->protocol == BROKER_PROTOCOL_WEBSOCKET)
                return http_router_add(entrance->router, &any_path, 1, entrance);
        r = mqtt_websocket_route(entrance->router, &entrance->websocket);
        if (r == 0)
                r = broker_operations_route(entrance->options.operations, entrance->router);
        if (r == 0 && entrance->files)
                r = http_router_add(entrance->router, &file, 1, entrance);
        return r;
}

static int open_http(struct broker_entrance *entrance, const struct broker_listener *listener,
                     struct error *error)
{
        struct broker_entrance_options *options = &entrance->options;
        int r = 0;

        if (listener->files)
                r = http_files_new(listener->files, &entrance->files, error);
        if (r < 0)
                return r;
        entrance->websocket = (struct mqtt_websocket){.broker = options->broker,
                                                      .terms = entrance->terms,
                                                      .trusts = broker_origins_trust,
                                                      .owner = &entrance->origins};
        r = http_router_new(&entrance->router);
        if (r == 0)
                r = add_routes(entrance);
        if (r == 0)
                r = http_server_new(options->loop, options->net, entrance->router, NULL,
                                    &entrance->http);
        return r < 0 ? error_set(error, r, "cannot serve HTTP: %s", strerror(-r)) : 0;
}

static int open_way(struct broker_entrance *entrance)
{
        static const struct net_entrance_options nothing;
        const struct net_entrance_owner owner = {
                .owner = entrance, .on_stream = on_stream, .on_refused = on_refused};

        return net_entrance_new(entrance->options.loop, entrance->options.net, &nothing, &owner,
                                &entrance->way);
}

/* Where a proxy ends TLS, it is the proxy that asks for certificates. */
static enum net_entrance_proof proof_of(const struct broker_listener *listener)
{
        if (!listener->certificate && listener->client_certificates == BROKER_CERTIFICATES_REQUIRED)
                return NET_ENTRANCE_PROOF_CERTIFICATE;
        return listener->proxy_tls ? NET_ENTRANCE_PROOF_TLS : NET_ENTRANCE_PROOF_NONE;
}

/* What the header of a proxy says about a certificate counts where names come of one, and we do
 * not see it ourselves. */
static void change_way(struct broker_entrance *entrance, const struct broker_listener *listener)
{
        const struct net_entrance_options options = {
                .tls = entrance->tls,
                .proxy = is_behind_proxy(entrance),
                .proxy_certificates = !entrance->tls && broker_listener_asks_names(listener),
                .proxy_proof = proof_of(listener),
        };

        net_entrance_change(entrance->way, &options);
}

static bool is_absent(int r)
{
        return r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT;
}

/* An address that the machine does not have may be left out, but not one where somebody else's
 * program listens: those who call "localhost" would reach it. A port that the kernel chose for
 * the first one may be taken at the second. */
static bool may_leave_out(const struct broker_listener *listener,
                          const struct broker_addresses *addresses, size_t index, int r)
{
        if (addresses->need == BROKER_ADDRESSES_ANY)
                return is_absent(r) && index + 1 < addresses->count;
        return addresses->need == BROKER_ADDRESSES_FIRST && index > 0 &&
               (is_absent(r) || listener->port == 0);
}

static void set_port(struct net_address *address, uint16_t port)
{
        if (address->any.sa_family == AF_INET)
                address->v4.sin_port = htons(port);
        else if (address->any.sa_family == AF_INET6)
                address->v6.sin6_port = htons(port);
}

static int open_socket(struct broker_entrance *entrance, struct net_address *address,
                       struct error *error)
{
        const struct net_listener_owner owner = {
                .owner = entrance, .on_accept = on_accept, .on_exhausted = on_exhausted};
        char text[NET_ADDRESS_TEXT_MAX];
        int r;

        /* All have the port that the kernel chose for the first. */
        if (entrance->sockets_count > 0 && net_address_port(address) == 0)
                set_port(address, net_address_port(net_listener_address(entrance->sockets[0])));
        r = net_listener_new(entrance->options.loop, address, entrance->mode, &owner,
                             &entrance->sockets[entrance->sockets_count]);
        if (r < 0)
                return error_set(error, r, "cannot listen at %s: %s%s",
                                 net_address_text(address, text), strerror(-r),
                                 r == -EADDRINUSE ? " (`ss -ltnp` names the other program)" : "");
        entrance->sockets_count++;
        return 0;
}

static int open_sockets(struct broker_entrance *entrance, const struct broker_listener *listener,
                        struct error *error)
{
        struct broker_addresses addresses;
        int r = broker_addresses_of(listener, &addresses, error);

        for (size_t i = 0; i < addresses.count && r == 0; i++) {
                r = open_socket(entrance, &addresses.items[i], error);
                if (r == 0 && addresses.need == BROKER_ADDRESSES_ANY)
                        break;
                if (r < 0 && may_leave_out(listener, &addresses, i, r))
                        r = 0;
        }
        return r;
}

void broker_entrance_log(const struct broker_entrance *entrance)
{
        static const char *const protocols[] = {"mqtt", "http", "websocket"};
        char first[NET_ADDRESS_TEXT_MAX], last[NET_ADDRESS_TEXT_MAX] = "";
        const size_t count = entrance->sockets_count;

        if (count > 1)
                net_address_text(net_listener_address(entrance->sockets[count - 1]), last);
        log_info(entrance->options.log, "broker", "listening address=%s%s%s protocol=%s%s",
                 net_address_text(net_listener_address(entrance->sockets[0]), first),
                 count > 1 ? " and=" : "", last, protocols[entrance->protocol],
                 entrance->tls ? " tls=yes" : "");
}

/* What may change under clients that are connected. */
struct change {
        char name[BROKER_PLACE_MAX];
        const struct mqtt_terms *terms;
        struct broker_origins origins;
        struct config_texts proxies;
};

static void change_done(struct change *change)
{
        mqtt_terms_unref(change->terms);
        broker_origins_done(&change->origins);
        broker_texts_done(&change->proxies);
}

static int change_init(struct change *change, const struct broker_entrance *entrance,
                       const struct broker_config *config, const struct broker_listener *listener)
{
        struct broker_doors *doors = entrance->options.doors;
        /* Where mosquitto asks for no origin, every page may connect. */
        const bool all =
                config->grammar == BROKER_GRAMMAR_MOSQUITTO && listener->origins.count == 0;
        int r;

        *change = (struct change){.terms = NULL};
        if (listener->name)
                snprintf(change->name, sizeof(change->name), "%.250s", listener->name);
        else
                broker_place(listener, change->name);
        r = broker_origins_set(&change->origins, &listener->origins, all);
        if (r == 0)
                r = broker_texts_copy(&change->proxies, &listener->proxies);
        if (r == 0)
                r = broker_terms_new(config, listener, change->name,
                                     doors ? broker_doors_find(doors, listener) : NULL,
                                     entrance->terms, &change->terms);
        return r;
}

/* What was there before is in `change` then. */
static void exchange(struct broker_entrance *entrance, struct change *change)
{
        const struct change before = {.terms = entrance->terms,
                                      .origins = entrance->origins,
                                      .proxies = entrance->proxies};

        memcpy(entrance->name, change->name, sizeof(entrance->name));
        entrance->terms = entrance->websocket.terms = change->terms;
        entrance->origins = change->origins;
        entrance->proxies = change->proxies;
        *change = before;
}

static int become(struct broker_entrance *entrance, const struct broker_config *config,
                  const struct broker_listener *listener, struct error *error)
{
        struct change change;
        int r = change_init(&change, entrance, config, listener);

        if (r < 0)
                error_set(error, r, "%s", strerror(-r));
        else
                r = broker_certificate_load(listener, &entrance->tls, error);
        if (r == 0) {
                exchange(entrance, &change);
                change_way(entrance, listener);
                broker_certificate_warn(entrance->tls, listener, entrance->name,
                                        entrance->options.log);
        }
        change_done(&change);
        return r;
}

static int open_entrance(struct broker_entrance *entrance, const struct broker_config *config,
                         const struct broker_listener *listener, struct error *error)
{
        int r;

        broker_place(listener, entrance->place);
        entrance->protocol = listener->protocol;
        entrance->proxy = listener->proxy;
        entrance->mode = (mode_t)strtoul(listener->socket_mode, NULL, 8);
        r = open_way(entrance);
        if (r < 0)
                return error_set(error, r, "cannot listen: %s", strerror(-r));
        r = become(entrance, config, listener, error);
        if (r == 0 && listener->protocol != BROKER_PROTOCOL_MQTT)
                r = open_http(entrance, listener, error);
        return r < 0 ? r : open_sockets(entrance, listener, error);
}

int broker_entrance_new(const struct broker_entrance_options *options,
                        const struct broker_config *config, const struct broker_listener *listener,
                        struct broker_entrance **ret, struct error *error)
{
        AUTO(broker_entrance) struct broker_entrance *entrance = calloc(1, sizeof(*entrance));
        int r;

        if (!entrance)
                return error_set(error, -ENOMEM, "out of memory");
        entrance->options = *options;
        r = open_entrance(entrance, config, listener, error);
        if (r < 0)
                return r;
        *ret = TAKE(entrance);
        return 0;
}

bool broker_entrance_is(const struct broker_entrance *entrance,
                        const struct broker_listener *listener)
{
        char place[BROKER_PLACE_MAX];

        return entrance->sockets_count > 0 && entrance->protocol == listener->protocol &&
               entrance->proxy == listener->proxy &&
               strcmp(entrance->place, broker_place(listener, place)) == 0;
}

int broker_entrance_reload(struct broker_entrance *entrance, const struct broker_config *config,
                           const struct broker_listener *listener, struct error *error)
{
        return become(entrance, config, listener, error);
}

void broker_entrance_close(struct broker_entrance *entrance)
{
        while (entrance->sockets_count > 0)
                net_listener_free(entrance->sockets[--entrance->sockets_count]);
        entrance->way = net_entrance_free(entrance->way);
        if (entrance->http)
                http_server_stop(entrance->http, NULL, NULL);
}

struct broker_entrance *broker_entrance_free(struct broker_entrance *entrance)
{
        if (!entrance)
                return NULL;
        broker_entrance_close(entrance);
        http_server_free(entrance->http);
        http_router_free(entrance->router);
        http_files_free(entrance->files);
        broker_origins_done(&entrance->origins);
        broker_texts_done(&entrance->proxies);
        mqtt_terms_unref(entrance->terms);
        net_tls_free(entrance->tls);
        free(entrance);
        return NULL;
}

bool broker_entrance_is_open(const struct broker_entrance *entrance)
{
        return entrance->sockets_count > 0;
}

const char *broker_entrance_name(const struct broker_entrance *entrance)
{
        return entrance->name;
}
