/* bench/mqtt/channel.h - the bytes of a client: plain or under TLS, bare or in WebSocket messages.
 *
 * Blocking, for connections that are set up and then idle. Of WebSockets as much as is said by
 * then: every write is one binary message, what comes has to be binary and in one frame. One
 * thread.
 *
 * Source: RFC 6455. */
#pragma once

#include "bench/mqtt/secure.h"

enum channel_kind { CHANNEL_TCP, CHANNEL_TLS, CHANNEL_WS, CHANNEL_WSS };

/* -EINVAL: no kind has that name ("tcp", "tls", "ws", "wss"). */
int channel_kind_parse(const char *name, enum channel_kind *ret);

struct channel;
/* On a socket that is connected and borrowed. `secure`: for TLS, else NULL. As secure_handshake();
 * -EACCES: the server does not switch to MQTT over WebSocket; -ENOMEM, -errno. */
int channel_new(enum channel_kind kind, struct secure *secure, int fd, struct channel **ret);
struct channel *channel_free(struct channel *channel); /* NULL is fine; returns NULL */

enum { CHANNEL_SEND_MAX = 65535 };

/* All of it; 0, -EMSGSIZE, -errno. */
int channel_send(struct channel *channel, const void *bytes, size_t count);
/* As recv(2), with -errno. -EPROTO: a frame that is none of those above. */
ssize_t channel_recv(struct channel *channel, void *bytes, size_t room);
