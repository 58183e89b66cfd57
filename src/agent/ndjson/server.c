#include "agent/ndjson/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET_MODE = 0660, TRANSPORTS = 3, TLS_TRANSPORT = 1 };

struct transport {
        struct command_transport counts;
        struct ndjson_server *server;
        struct net_listener *listener;
        struct net_tls *tls; /* NULL: plain */
};

struct ndjson_server {
        struct ndjson_shared shared;
        struct transport transports[TRANSPORTS];
        ndjson_stopped_fn *stopped;
        void *stopped_owner;
};

static size_t connections_count(const struct ndjson_server *server)
{
        size_t count = 0;

        for (size_t i = 0; i < TRANSPORTS; i++)
                count += server->transports[i].counts.connections;
        return count;
}

static void server_on_gone(struct ndjson_shared *shared)
{
        struct ndjson_server *server = container_of(shared, struct ndjson_server, shared);
        ndjson_stopped_fn *stopped;

        if (!shared->stopping || !list_is_empty(&shared->connections) || !server->stopped)
                return;
        stopped = TAKE(server->stopped);
        stopped(server->stopped_owner);
}

int ndjson_server_new(const struct ndjson_config *config, const struct ndjson_setup *setup,
                      struct ndjson_server **ret)
{
        static const char *const names[TRANSPORTS] = {"tcp", "tls", "unix"};
        struct ndjson_server *server = calloc(1, sizeof(*server));

        if (!server)
                return -ENOMEM;
        server->shared.config = config;
        server->shared.setup = *setup;
        server->shared.on_gone = server_on_gone;
        list_init(&server->shared.connections);
        for (size_t i = 0; i < TRANSPORTS; i++) {
                int r;

                server->transports[i].counts.name = names[i];
                server->transports[i].server = server;
                r = command_registry_add_transport(setup->registry, &server->transports[i].counts);
                if (r < 0) {
                        free(server);
                        return r;
                }
        }
        server->transports[TLS_TRANSPORT].tls = setup->tls;
        *ret = server;
        return 0;
}

static void close_listeners(struct ndjson_server *server)
{
        for (size_t i = 0; i < TRANSPORTS; i++)
                server->transports[i].listener = net_listener_free(server->transports[i].listener);
}

struct ndjson_server *ndjson_server_free(struct ndjson_server *server)
{
        struct loop *loop;

        if (!server)
                return NULL;
        loop = command_registry_loop(server->shared.setup.registry);
        close_listeners(server);
        server->stopped = NULL;
        list_for_each (&server->shared.connections, position)
                ndjson_connection_close(ndjson_connection_from_link(position));
        /* Streams go at the end of a round. */
        while (!list_is_empty(&server->shared.connections))
                loop_run_once(loop, 0);
        free(server->shared.spare_slot);
        free(server);
        return NULL;
}

static struct transport *find_transport(struct ndjson_server *server, const char *name)
{
        for (size_t i = 0; i < TRANSPORTS; i++) {
                if (strcmp(server->transports[i].counts.name, name) == 0)
                        return &server->transports[i];
        }
        return NULL;
}

/* One more than we serve: told so in a line, as far as the socket takes it
 * without waiting. */
static void turn_away(struct transport *transport, int fd)
{
        struct loop *loop = command_registry_loop(transport->server->shared.setup.registry);
        char line[256];
        int length;

        transport->counts.refused++;
        length = snprintf(line, sizeof(line),
                          "{\"success\":false,\"type\":\"error\",\"timestamp\":%s,\"error\":\"too "
                          "many connections; close some, or raise limits.connections or "
                          "limits.memory\",\"code\":\"%s\"}\n",
                          loop_wall_text(loop), command_code_name(COMMAND_BUSY));
        if (!transport->tls)
                (void)!send(fd, line, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
}

static void transport_accept(struct transport *transport, int fd, const struct net_address *peer)
{
        struct ndjson_server *server = transport->server;
        const struct ndjson_setup *setup = &server->shared.setup;

        if (server->shared.stopping || connections_count(server) >= setup->connections_max ||
            net_budget_is_tight(net_context_budget(setup->net))) {
                turn_away(transport, fd);
                return;
        }
        if (ndjson_connection_new(&server->shared, &transport->counts, fd, transport->tls, peer) <
            0)
                transport->counts.refused++;
}

static void transport_on_accept(void *owner, int fd, const struct net_address *peer)
{
        transport_accept(owner, fd, peer);
}

static void transport_on_exhausted(void *owner, int error)
{
        struct transport *transport = owner;

        transport->counts.refused++;
        log_warning(transport->server->shared.setup.log, transport->counts.name,
                    "turning connections away connections=%zu: %s",
                    connections_count(transport->server), strerror(-error));
}

int ndjson_server_listen(struct ndjson_server *server, const char *name,
                         const struct net_address *address, struct error *error)
{
        struct transport *transport = find_transport(server, name);
        struct net_listener_owner owner = {.owner = transport,
                                           .on_accept = transport_on_accept,
                                           .on_exhausted = transport_on_exhausted};
        char text[NET_ADDRESS_TEXT_MAX];
        int r;

        net_address_text(address, text);
        r = net_listener_new(command_registry_loop(server->shared.setup.registry), address,
                             SOCKET_MODE, &owner, &transport->listener);
        if (r == -EADDRINUSE)
                return error_set(error, r,
                                 "cannot listen on %s: another program does already; stop it "
                                 "(`ss -ltnp` names it) or choose another port",
                                 text);
        if (r < 0)
                return error_set(error, r, "cannot listen on %s: %s", text, strerror(-r));
        log_info(server->shared.setup.log, name, "listening address=%s",
                 net_address_text(net_listener_address(transport->listener), text));
        return 0;
}

void ndjson_server_adopt(struct ndjson_server *server, const char *name, int fd,
                         const struct net_address *peer)
{
        transport_accept(find_transport(server, name), fd, peer);
}

void ndjson_server_stop(struct ndjson_server *server, ndjson_stopped_fn *stopped, void *owner)
{
        server->shared.stopping = true;
        server->stopped = stopped;
        server->stopped_owner = owner;
        close_listeners(server);
        list_for_each (&server->shared.connections, position)
                ndjson_connection_stop(ndjson_connection_from_link(position));
        if (list_is_empty(&server->shared.connections))
                server_on_gone(&server->shared);
}
