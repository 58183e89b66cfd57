/* agent/ndjson/server.h - the command server: newline-delimited JSON over TCP,
 * TLS and a Unix socket.
 *
 * One request per line, one reply per line, in order unless a request carries an
 * `id`. It turns bytes into requests for the registry and replies into bytes,
 * and knows no command. One slow, silent or hostile client never delays another:
 * a connection gets one read and NDJSON_LINES_PER_ROUND lines in a round, is
 * paused while it does not read its replies, and is closed when it is idle. */
#pragma once

#include "agent/ndjson/config.h"
#include "base/log.h"
#include "command/registry.h"
#include "net/listener.h"
#include "net/stream.h"

enum {
        NDJSON_LINES_PER_ROUND = 128,
        NDJSON_PENDING_MAX = 256,        /* requests under way per connection; then it is paused */
        NDJSON_LINE_BEFORE_AUTH = 65536, /* bytes of a line while not authenticated */
        NDJSON_OUTPUT_HIGH = 256 << 10,  /* bytes waiting to be read; then it is paused */
        NDJSON_OUTPUT_MAX = 32 << 20,    /* bytes waiting to be read; then it is closed */
        NDJSON_DEPTH_MAX = 32,           /* of nested arrays and objects in a request */
        NDJSON_LINE_RATE = 16 << 10,     /* bytes a second an unfinished line must come at,
                                            once it is older than the idle timeout */
};

struct ndjson_server;

/* Who a new connection is before it has said anything. `fd` is for SO_PEERCRED. */
typedef void ndjson_admit_fn(void *owner, int fd, const struct net_address *peer,
                             struct command_principal *ret);

struct ndjson_setup {
        struct command_registry *registry;
        struct net_context *net;
        struct log *log;
        struct net_tls *tls; /* NULL: no TLS listener */
        size_t connections_max;
        ndjson_admit_fn *admit;
        void *admit_owner;
};

/* `config` and what `setup` points to must outlive the server. */
int ndjson_server_new(const struct ndjson_config *config, const struct ndjson_setup *setup,
                      struct ndjson_server **ret);
/* Closes what is left at once. The loop must run one more round after. */
struct ndjson_server *ndjson_server_free(struct ndjson_server *server);
DEFINE_CLEANUP(ndjson_server)

/* Opens one listener; `transport` is "tcp", "tls" or "unix". The error names
 * the address and what to do. */
int ndjson_server_listen(struct ndjson_server *server, const char *transport,
                         const struct net_address *address, struct error *error);

/* Takes a connection that somebody else accepted (tests, socket activation).
 * The descriptor is the server's from here on. */
void ndjson_server_adopt(struct ndjson_server *server, const char *transport, int fd,
                         const struct net_address *peer);

/* No new connections, no new requests; those under way are answered, then the
 * connections close. `stopped` is called once all are gone. */
typedef void ndjson_stopped_fn(void *owner);
void ndjson_server_stop(struct ndjson_server *server, ndjson_stopped_fn *stopped, void *owner);
