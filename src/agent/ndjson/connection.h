/* agent/ndjson/connection.h - one client of the command server. */
#pragma once

#include "agent/ndjson/server.h"
#include "base/list.h"

struct ndjson_connection;

/* What the connections of a server share with it. */
struct ndjson_shared {
        const struct ndjson_config *config;
        struct ndjson_setup setup;
        struct list connections;
        struct ndjson_slot *spare_slot; /* one, so that most requests allocate none */
        bool stopping;
        /* A connection is gone, its memory too. */
        void (*on_gone)(struct ndjson_shared *shared);
};

/* Takes `fd` over in every case. `transport` counts it; `tls` may be NULL. */
int ndjson_connection_new(struct ndjson_shared *shared, struct command_transport *transport, int fd,
                          struct net_tls *tls, const struct net_address *peer);
struct ndjson_connection *ndjson_connection_from_link(struct list *link);
/* No more requests; closes when those under way are answered. */
void ndjson_connection_stop(struct ndjson_connection *connection);
void ndjson_connection_close(struct ndjson_connection *connection);
