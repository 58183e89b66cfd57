/* net/upgrade.h - a stream that goes on in another protocol, for another owner: from HTTP to
 * what is spoken over a WebSocket. */
#pragma once

#include "net/stream.h"

/* From here on the stream's bytes are the payload of binary WebSocket frames (RFC 6455, the
 * server's side). What was written before goes out as it is, such as the answer to the
 * handshake. Pings are answered; text frames and what breaks the protocol close the stream
 * with -EPROTO, a frame that is half-way for which the budget has no 5 KiB with -ENOBUFS. Not
 * twice. -ENOMEM; -ENOBUFS: the budget has nothing for it; -EPIPE: it is closed already. */
int net_stream_become_websocket(struct net_stream *stream);

/* The stream has another owner and other limits; the one before hears no more of it. Its
 * input is resumed, its tail is presented to the new one. From inside on_bytes: the bytes at
 * hand that are not consumed come again, to the new owner. `owner` NULL: nobody's, until it is
 * handed over again; what comes is thrown away. */
void net_stream_hand_over(struct net_stream *stream, const struct net_stream_limits *limits,
                          const struct net_stream_owner *owner);

/* "Sec-WebSocket-Accept" for a key, 4.2.2: base64 of a SHA-1. -ENOMEM. */
enum { NET_WEBSOCKET_ACCEPT_SIZE = 29 };
int net_websocket_accept(const char *key, size_t length, char accept[NET_WEBSOCKET_ACCEPT_SIZE]);
