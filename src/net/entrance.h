/* net/entrance.h - what a connection goes through before anybody speaks with it: the header of a
 * proxy in front of us, and the handshake of TLS.
 *
 * One for each listener. What it hands on is open: its peer is who the proxy says it is, its
 * protocol and certificate are known, so that its new owner can be chosen by them.
 *
 *     static void on_accept(void *owner, int fd, const struct net_address *peer)
 *     {
 *             net_entrance_admit(owner, fd, peer);
 *     }
 *
 * Connections on their way are bounded in number and in time: 5 s for the header, which has 536
 * bytes at most, and 10 s for the handshake. Loop thread. */
#pragma once

#include "net/stream.h"

struct net_entrance;

/* What the header of a proxy has to say of the client; else it is closed: -EACCES. */
enum net_entrance_proof {
        NET_ENTRANCE_PROOF_NONE,
        NET_ENTRANCE_PROOF_TLS,         /* it came to the proxy by TLS */
        NET_ENTRANCE_PROOF_CERTIFICATE, /* and showed a certificate that the proxy has verified */
};

struct net_entrance_options {
        struct net_tls *tls; /* NULL: none; stays until others are set */
        /* Each connection begins with a header of the PROXY protocol (proto/proxy.h): without a
         * good one it is closed. Only where nobody but the proxy can connect: whoever can, may
         * be anybody. What it does not know is left as it is; a health check ends at once. */
        bool proxy;
        /* The proxy has verified certificates, and net_stream_certificate() is what it says. */
        bool proxy_certificates;
        enum net_entrance_proof proxy_proof;
        size_t waiting_max; /* connections on their way; 0: 1,024. Beyond: closed */
};

struct net_entrance_owner {
        void *owner;
        /* It came through. Nobody's yet: is to be handed over (net/upgrade.h), or closed. */
        void (*on_stream)(void *owner, struct net_stream *stream);
        /* It did not; `why` is a sentence for people, valid for this call. -ENOBUFS: too many
         * were on their way, or three quarters of the budget are spent. May be NULL. */
        void (*on_refused)(void *owner, const struct net_address *peer, int reason,
                           const char *why);
};

/* `context` outlives it. -ENOMEM. */
int net_entrance_new(struct loop *loop, struct net_context *context,
                     const struct net_entrance_options *options,
                     const struct net_entrance_owner *owner, struct net_entrance **ret);
/* Takes `fd` over in every case. May call the owner at once. */
void net_entrance_admit(struct net_entrance *entrance, int fd, const struct net_address *peer);
/* Other options, for those who come from now on, and for handshakes that have not begun. */
void net_entrance_change(struct net_entrance *entrance, const struct net_entrance_options *options);
size_t net_entrance_waiting(const struct net_entrance *entrance);
/* Closes those on their way, of which nobody is told; they are gone at the end of the round, and
 * need the context until then. Also from inside on_stream. */
struct net_entrance *net_entrance_free(struct net_entrance *entrance);
DEFINE_CLEANUP(net_entrance)
