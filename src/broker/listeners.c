#include "broker/listeners.h"

#include "broker/addresses.h"
#include "broker/place.h"
#include "broker/terms.h"
#include "http/server.h"
#include "mqtt/websocket.h"
#include "net/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One listener of the configuration. */
struct entrance {
        struct broker_listeners *listeners;
        const struct broker_listener *config;
        char name[BROKER_PLACE_MAX];
        const struct mqtt_terms *terms;
        struct net_tls *tls;        /* NULL: plain */
        struct http_router *router; /* NULL: it does not speak HTTP */
        struct http_server *http;   /* the same */
        struct mqtt_websocket websocket;
        struct net_listener *sockets[BROKER_ADDRESSES_MAX];
        size_t sockets_count;
};

struct broker_listeners {
        struct broker_listeners_options options;
        size_t count;
        struct entrance entrances[];
};

static void on_accept(void *owner, int fd, const struct net_address *peer)
{
        struct entrance *entrance = owner;
        struct broker_listeners_options *options = &entrance->listeners->options;
        int r;

        if (entrance->http) {
                http_server_attach(entrance->http, fd, entrance->tls, peer);
                return;
        }
        r = mqtt_broker_attach(options->broker, fd, entrance->tls, peer, entrance->terms);
        if (r < 0) {
                log_warning(options->log, "broker", "turned away listener=%s error=\"%s\"",
                            entrance->name, strerror(-r));
                close(fd);
        }
}

static void on_exhausted(void *owner, int error)
{
        struct entrance *entrance = owner;

        log_warning(entrance->listeners->options.log, "broker",
                    "turning away listener=%s error=\"%s\"", entrance->name, strerror(-error));
}

static int open_http(struct entrance *entrance)
{
        struct broker_listeners_options *options = &entrance->listeners->options;
        int r = http_router_new(&entrance->router);

        entrance->websocket =
                (struct mqtt_websocket){.broker = options->broker, .terms = entrance->terms};
        if (r == 0)
                r = mqtt_websocket_route(entrance->router, &entrance->websocket);
        if (r == 0)
                r = http_server_new(options->loop, options->net, entrance->router, NULL,
                                    &entrance->http);
        return r;
}

static bool is_absent(int r)
{
        return r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT;
}

/* An address that the machine does not have may be left out, but not one where somebody else's
 * program listens: those who call "localhost" would reach it. A port that the kernel chose for
 * the first one may be taken at the second. */
static bool may_leave_out(const struct entrance *entrance, const struct broker_addresses *addresses,
                          size_t index, int r)
{
        if (addresses->need == BROKER_ADDRESSES_ANY)
                return is_absent(r) && index + 1 < addresses->count;
        return addresses->need == BROKER_ADDRESSES_FIRST && index > 0 &&
               (is_absent(r) || entrance->config->port == 0);
}

static void set_port(struct net_address *address, uint16_t port)
{
        if (address->any.sa_family == AF_INET)
                address->v4.sin_port = htons(port);
        else if (address->any.sa_family == AF_INET6)
                address->v6.sin6_port = htons(port);
}

static int open_socket(struct entrance *entrance, struct net_address *address, struct error *error)
{
        const struct net_listener_owner owner = {
                .owner = entrance, .on_accept = on_accept, .on_exhausted = on_exhausted};
        const mode_t mode = (mode_t)strtoul(entrance->config->socket_mode, NULL, 8);
        char text[NET_ADDRESS_TEXT_MAX];
        int r;

        /* All have the port that the kernel chose for the first. */
        if (entrance->sockets_count > 0 && net_address_port(address) == 0)
                set_port(address, net_address_port(net_listener_address(entrance->sockets[0])));
        r = net_listener_new(entrance->listeners->options.loop, address, mode, &owner,
                             &entrance->sockets[entrance->sockets_count]);
        if (r < 0)
                return error_set(error, r, "cannot listen at %s: %s%s",
                                 net_address_text(address, text), strerror(-r),
                                 r == -EADDRINUSE ? " (`ss -ltnp` names the other program)" : "");
        entrance->sockets_count++;
        return 0;
}

static int open_sockets(struct entrance *entrance, struct error *error)
{
        struct broker_addresses addresses;
        int r = broker_addresses_of(entrance->config, &addresses, error);

        for (size_t i = 0; i < addresses.count && r == 0; i++) {
                r = open_socket(entrance, &addresses.items[i], error);
                if (r == 0 && addresses.need == BROKER_ADDRESSES_ANY)
                        break;
                if (r < 0 && may_leave_out(entrance, &addresses, i, r))
                        r = 0;
        }
        return r;
}

static void log_sockets(const struct entrance *entrance)
{
        static const char *const protocols[] = {"mqtt", "http", "websocket"};
        char first[NET_ADDRESS_TEXT_MAX], last[NET_ADDRESS_TEXT_MAX] = "";
        const size_t count = entrance->sockets_count;

        if (count > 1)
                net_address_text(net_listener_address(entrance->sockets[count - 1]), last);
        log_info(entrance->listeners->options.log, "broker",
                 "listening address=%s%s%s protocol=%s%s",
                 net_address_text(net_listener_address(entrance->sockets[0]), first),
                 count > 1 ? " and=" : "", last, protocols[entrance->config->protocol],
                 entrance->tls ? " tls=yes" : "");
}

static int open_entrance(struct entrance *entrance, struct error *error)
{
        const struct broker_listeners_options *options = &entrance->listeners->options;
        const struct broker_listener *config = entrance->config;
        struct broker_door *door = NULL;
        int r = 0;

        if (config->name)
                snprintf(entrance->name, sizeof(entrance->name), "%s", config->name);
        else
                broker_place(config, entrance->name);
        if (options->doors)
                door = broker_doors_find(options->doors, config);
        if (config->certificate)
                r = net_tls_new_server(config->certificate, config->key, &entrance->tls, error);
        if (r < 0)
                return r;
        r = broker_terms_new(options->config, config, entrance->name, door, NULL, &entrance->terms);
        if (r == 0 && config->protocol != BROKER_PROTOCOL_MQTT)
                r = open_http(entrance);
        if (r < 0)
                return error_set(error, r, "cannot listen: %s", strerror(-r));
        return open_sockets(entrance, error);
}

static void close_entrance(struct entrance *entrance)
{
        while (entrance->sockets_count > 0)
                net_listener_free(entrance->sockets[--entrance->sockets_count]);
        if (entrance->http)
                http_server_stop(entrance->http, NULL, NULL);
}

int broker_listeners_new(const struct broker_listeners_options *options,
                         struct broker_listeners **ret, struct error *error)
{
        const struct config_list *list = &options->config->listeners;
        const struct broker_listener *configs = list->items;
        AUTO(broker_listeners) struct broker_listeners *listeners = NULL;

        listeners = calloc(1, sizeof(*listeners) + list->count * sizeof(listeners->entrances[0]));
        if (!listeners)
                return error_set(error, -ENOMEM, "out of memory");
        listeners->options = *options;
        for (size_t i = 0; i < list->count; i++) {
                struct entrance *entrance = &listeners->entrances[i];
                int r;

                *entrance = (struct entrance){.listeners = listeners, .config = &configs[i]};
                listeners->count++;
                r = open_entrance(entrance, error);
                if (r < 0)
                        return error_prefix(error, "%s%slistener %s: ",
                                            configs[i].place ? configs[i].place : "",
                                            configs[i].place ? ": " : "", entrance->name);
        }
        for (size_t i = 0; i < listeners->count; i++)
                log_sockets(&listeners->entrances[i]);
        *ret = TAKE(listeners);
        return 0;
}

void broker_listeners_close(struct broker_listeners *listeners)
{
        for (size_t i = 0; i < listeners->count; i++)
                close_entrance(&listeners->entrances[i]);
}

struct broker_listeners *broker_listeners_free(struct broker_listeners *listeners)
{
        if (!listeners)
                return NULL;
        broker_listeners_close(listeners);
        for (size_t i = 0; i < listeners->count; i++) {
                struct entrance *entrance = &listeners->entrances[i];

                http_server_free(entrance->http);
                http_router_free(entrance->router);
                mqtt_terms_unref(entrance->terms);
                net_tls_free(entrance->tls);
        }
        free(listeners);
        return NULL;
}
