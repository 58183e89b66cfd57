/* net/transport.h - how a stream's bytes reach its socket: as they are, through
 * TLS, as the payload of a WebSocket. Non-blocking. For this room. */
#pragma once

#include "net/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct net_context;
struct net_transport;

/* Each returns -errno, and -EAGAIN when it has to wait: for LOOP_READABLE or
 * LOOP_WRITABLE, as `read_waits_for` and `write_waits_for` then say. */
struct net_transport_type {
        int (*handshake)(struct net_transport *transport);
        /* 0: the peer will send no more. */
        ssize_t (*read)(struct net_transport *transport, void *bytes, size_t count);
        /* Nothing is to be written only while the transport `owes`. */
        ssize_t (*write)(struct net_transport *transport, const void *bytes, size_t count);
        /* Tells the peer that no more comes. Waits like write. */
        int (*end)(struct net_transport *transport);
        /* Bytes are there that the descriptor's readiness does not tell of. */
        bool (*has_more)(const struct net_transport *transport);
        /* OpenSSL's session, its own or of what it wraps; NULL: no TLS. */
        struct ssl_st *(*tls)(const struct net_transport *transport);
        void (*done)(struct net_transport *transport);
};

struct net_transport {
        const struct net_transport_type *type;
        int fd;                  /* the stream's */
        uint8_t read_waits_for;  /* LOOP_READABLE but for TLS in special moments */
        uint8_t write_waits_for; /* LOOP_WRITABLE likewise */
        bool owes;               /* has something of its own to write, such as a pong */
        void *session;           /* TLS: OpenSSL's SSL; WebSocket: what it wraps */
        char *failure;           /* a sentence for people, or NULL; freed by its owner */
};

void net_transport_init_plain(struct net_transport *transport, int fd);
/* `server_name` NULL on the server's side, and without verification. */
int net_transport_init_tls_server(struct net_transport *transport, int fd, struct net_tls *tls);
int net_transport_init_tls_client(struct net_transport *transport, int fd, struct net_tls *tls,
                                  const char *server_name);
/* From here on bytes are the payload of binary frames (RFC 6455, the server's side), over what
 * the transport was before; but the next `written` ones go out as they are. A pong is sent by
 * itself. Text, and what is no frame for a server, ends reading with -EPROTO; a frame that
 * stays half-way is paid for from the context's budget, -ENOBUFS. -ENOMEM. */
int net_transport_wrap_websocket(struct net_transport *transport, struct net_context *context,
                                 size_t written);
