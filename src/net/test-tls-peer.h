/* net/test-tls-peer.h - for the tests of TLS: two streams that talk to each other. */
#pragma once

#include "base/attributes.h"
#include "net/identity-fixture.h"
#include "net/stream-internal.h"
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

struct side {
        struct net_stream *stream; /* NULL once closed */
        size_t consumed;
        unsigned long sum; /* of the bytes, to see that none changed */
        char seen[64];
        unsigned ends, closings;
        bool pause, finish_on_bytes;
        int reason;
        char failure[200];
};

static inline size_t on_bytes(void *owner, const char *bytes, size_t count)
{
        struct side *side = owner;
        size_t take = side->pause && count > 10 ? 10 : count;

        for (size_t i = 0; i < take; i++) {
                if (side->consumed + i < sizeof(side->seen) - 1)
                        side->seen[side->consumed + i] = bytes[i];
                side->sum = side->sum * 31 + (unsigned char)bytes[i];
        }
        side->consumed += take;
        if (side->pause)
                net_stream_pause(side->stream);
        if (side->finish_on_bytes) {
                net_stream_write(side->stream, "bye", 3);
                net_stream_finish(side->stream);
        }
        return take;
}

static inline void on_end(void *owner)
{
        ((struct side *)owner)->ends++;
}

static inline void on_closed(void *owner, int reason)
{
        struct side *side = owner;

        side->closings++;
        side->reason = reason;
        snprintf(side->failure, sizeof(side->failure), "%s", net_stream_failure(side->stream));
        side->stream = NULL;
}

struct fixture {
        char directory[32];
        struct identity identity;
        struct loop *loop;
        struct net_context *context;
        struct net_tls *server_tls, *client_tls;
        struct side server, client;
        int fds[2];
};

static const struct net_stream_limits limits = {
        .input = MIB, .output = 16 * MIB, .output_high = 256 * KIB};

static inline struct net_stream_owner side_owner(struct side *side)
{
        static const struct net_stream_calls calls = {
                .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};

        return (struct net_stream_owner){.owner = side, .calls = &calls};
}

/* Everything but the streams. */
static inline void fixture_prepare(struct fixture *f, const char *names, long seconds)
{
        *f = (struct fixture){0};
        signal(SIGPIPE, SIG_IGN);
        strcpy(f->directory, "/tmp/tls-XXXXXX");
        CHECK(mkdtemp(f->directory) != NULL);
        identity_make(&f->identity, f->directory, "agent", names, seconds, NULL);
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(net_context_new(f->loop, 64 * MIB, &f->context), 0);
        CHECK_EQ(net_tls_new_server(f->identity.certificate, f->identity.key, &f->server_tls, NULL),
                 0);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->fds), 0);
}

static inline void fixture_serve(struct fixture *f)
{
        struct net_address peer = {0};
        struct net_stream_owner owner = side_owner(&f->server);

        CHECK_EQ(net_stream_new(f->context, TAKE_FD(f->fds[0]), f->server_tls, &peer, &limits,
                                &owner, &f->server.stream),
                 0);
}

/* With the client's TLS that is there. */
static inline int fixture_connect(struct fixture *f, const char *name)
{
        struct net_stream_owner owner = side_owner(&f->client);
        int r;

        r = net_stream_new_client(f->context, f->fds[1], f->client_tls, name, &limits, &owner,
                                  &f->client.stream);
        if (r == 0)
                f->fds[1] = -1;
        return r;
}

static inline int fixture_call(struct fixture *f, const char *authority, bool verify,
                               const char *name)
{
        CHECK_EQ(net_tls_new_client(authority, verify, &f->client_tls, NULL), 0);
        return fixture_connect(f, name);
}

/* Another connection between the same two, once the one before is gone. */
static inline void fixture_again(struct fixture *f)
{
        net_stream_close(f->server.stream);
        net_stream_close(f->client.stream);
        for (unsigned i = 0; i < 3; i++)
                loop_run_once(f->loop, 0);
        for (size_t i = 0; i < 2; i++)
                if (f->fds[i] >= 0)
                        close(f->fds[i]);
        f->server = f->client = (struct side){0};
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->fds), 0);
}

static inline void fixture_rounds(struct fixture *f, unsigned rounds)
{
        for (unsigned i = 0; i < rounds; i++)
                loop_run_once(f->loop, 0);
}

static inline void fixture_init(struct fixture *f)
{
        fixture_prepare(f, "DNS:agent.test,IP:127.0.0.1,IP:::1", 86400);
        fixture_serve(f);
        CHECK_EQ(fixture_call(f, f->identity.certificate, true, "agent.test"), 0);
        fixture_rounds(f, 8);
}

static inline void fixture_done(struct fixture *f)
{
        net_stream_close(f->server.stream);
        net_stream_close(f->client.stream);
        fixture_rounds(f, 2);
        CHECK_EQ(net_context_budget(f->context)->used, 0);
        net_context_free(f->context);
        net_tls_free(f->server_tls);
        net_tls_free(f->client_tls);
        loop_free(f->loop);
        for (size_t i = 0; i < 2; i++)
                if (f->fds[i] >= 0)
                        close(f->fds[i]);
        identity_done(&f->identity);
        CHECK_EQ(rmdir(f->directory), 0);
}
