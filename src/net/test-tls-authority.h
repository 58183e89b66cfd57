/* net/test-tls-authority.h - for the tests of certificates of clients: an authority, what it
 * signed, and a server that asks for it. */
#pragma once

#include "net/test-tls-peer.h"

struct hall {
        struct fixture f;
        struct identity authority, ann;
        char revoked[64];
        struct net_tls_options server, client; /* as they are now */
};

static inline void hall_init(struct hall *hall, enum net_tls_peers peers)
{
        struct identity_request request = {.label = "authority", .from = -3600, .until = 3600};

        *hall = (struct hall){0};
        fixture_prepare(&hall->f, "DNS:agent.test", 86400);
        identity_make_as(&hall->authority, hall->f.directory, &request);
        request.label = "ann";
        request.issuer = &hall->authority;
        request.serial = 7;
        identity_make_as(&hall->ann, hall->f.directory, &request);
        snprintf(hall->revoked, sizeof(hall->revoked), "%s/revoked", hall->f.directory);
        hall->server = (struct net_tls_options){.certificate = hall->f.identity.certificate,
                                                .key = hall->f.identity.key,
                                                .peers = peers,
                                                .authorities = hall->authority.certificate};
        hall->client = (struct net_tls_options){.certificate = hall->ann.certificate,
                                                .key = hall->ann.key,
                                                .peers = NET_TLS_PEERS_REQUIRED,
                                                .authorities = hall->f.identity.certificate};
}

/* A connection with what both have; 0, or how the server ended it. */
static inline int hall_meet(struct hall *hall)
{
        struct fixture *f = &hall->f;

        CHECK_EQ(net_tls_reload(f->server_tls, &hall->server, NULL) >= 0, 1);
        net_tls_free(f->client_tls);
        f->client_tls = NULL;
        CHECK_EQ(net_tls_new(NET_TLS_CLIENT, &hall->client, &f->client_tls, NULL), 0);
        fixture_again(f);
        fixture_serve(f);
        CHECK_EQ(fixture_connect(f, "agent.test"), 0);
        net_stream_write(f->client.stream, "hello", 5);
        fixture_rounds(f, 10);
        if (f->server.closings == 0)
                CHECK_TEXT(f->server.seen, "hello");
        else
                CHECK_EQ(f->server.consumed, 0);
        return f->server.reason;
}

static inline void hall_done(struct hall *hall)
{
        identity_done(&hall->authority);
        identity_done(&hall->ann);
        unlink(hall->revoked);
        fixture_done(&hall->f);
}
