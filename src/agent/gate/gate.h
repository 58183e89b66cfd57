/* agent/gate/gate.h - the MQTT broker as a way in to the registry's commands.
 *
 * Clients log in by the tokens of the command server: a password is a token, a user name the
 * token's name; or as users of the section `mqtt`. A message to `pi/rpc/request` is a request,
 * answered where its Response Topic or, without one, `pi/rpc/response/CLIENTID` says, once it was
 * carried out. `pi/status` says whether the agent is there. All else is plain messaging (topics.h).
 *
 * Knows no command. Loop thread only. */
#pragma once

#include "access/login.h"
#include "agent/gate/config.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "command/registry.h"
#include "data/prometheus.h"
#include "http/router.h"
#include "net/stream.h"

struct gate;

enum {
        GATE_PENDING_MAX = 256, /* requests of a client under way; the next is BUSY */
        GATE_REQUESTS_PER_ROUND =
                128,         /* of all clients; then each has one packet handled a round */
        GATE_DEPTH_MAX = 32, /* of nested arrays and objects in a request */
};

/* Who a client is that shows no password. */
typedef void gate_admit_fn(void *owner, struct command_principal *ret);
/* Who it is when it comes by a Unix socket, where the kernel says whose it is; `fd` is for
 * SO_PEERCRED. */
typedef void gate_vouch_fn(void *owner, int fd, struct command_principal *ret);

struct gate_options {
        const struct gate_config *config;
        const char *state_dir; /* what survives the agent is in the folder `mqtt` of it */
        struct net_context *net;
        struct log *log;
        struct net_tls *tls;    /* NULL: no TLS */
        size_t connections_max; /* the next is closed */
        size_t request_bytes;   /* of a payload; beyond: TOO_LARGE */
        gate_admit_fn *admit;
        gate_vouch_fn *vouch; /* NULL: no Unix socket */
        void *admit_owner;    /* of both */
        struct login login;   /* for `users`; what it points to outlives the gate */
};

/* Says in `pi/status` that the agent is there. What `options` points to, and the registry, must
 * outlive the gate. -EINVAL with a sentence; -ENOMEM, -EIO. */
int gate_attach(struct command_registry *registry, const struct gate_options *options,
                struct gate **ret, struct error *error);
/* Closes what is left at once; before the rooms that know whose tokens are whose. */
struct gate *gate_free(struct gate *gate);
DEFINE_CLEANUP(gate)

/* Other users and rules (users.h) for all, those who are connected included: who is no user any
 * more stays, and may do nothing. -EINVAL with a sentence, -ENOMEM, -EIO: all stays as it was. */
int gate_set_users(struct gate *gate, const struct gate_config *config, struct error *error);
/* Accepts clients; by each entrance once. GATE_PORT_IN_USE: another program
 * listens there, which is no reason for the agent not to start; `error` says so, and so does
 * the status. -errno with a sentence. */
enum { GATE_PORT_IN_USE = 1 };
enum gate_entrance { GATE_TCP, GATE_TLS, GATE_SOCKET, GATE_ENTRANCES };
int gate_listen(struct gate *gate, enum gate_entrance entrance, const struct net_address *address,
                struct error *error);
/* Is the host that a request asks for a name of ours? */
typedef bool gate_named_fn(void *owner, const struct http_request *request);
/* Accepts clients over WebSockets, too: GET /mqtt; of pages only those that came from here, by an
 * address or such a name. The gate outlives the router. -ENOMEM. */
int gate_route(struct gate *gate, struct http_router *router, gate_named_fn *is_named, void *owner);
/* The broker's figures; `gate` is a struct gate. */
void gate_write_figures(void *gate, struct prometheus_writer *writer);
/* Takes a connection that somebody else accepted. The descriptor is the gate's from here on. */
void gate_adopt(struct gate *gate, enum gate_entrance entrance, int fd,
                const struct net_address *peer);
/* The same with a stream that is open and nobody's (net/entrance.h). */
void gate_adopt_stream(struct gate *gate, struct net_stream *stream);

/* Says that the agent is not there any more, and takes no more clients and requests. Once those
 * under way are answered, clients are disconnected with 0x8b; `stopped` is called when all are
 * gone, never from within. */
typedef void gate_stopped_fn(void *owner);
void gate_stop(struct gate *gate, gate_stopped_fn *stopped, void *owner);
