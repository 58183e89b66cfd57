/* net/tls-session.h - what the handshake of a stream has settled, through a WebSocket too. Who
 * the peer is: net/certificate.h. */
#pragma once

#include "net/stream.h"

/* The protocol that both ends have agreed on (ALPN); "": none. */
enum { NET_PROTOCOL_SIZE = NET_TLS_PROTOCOL_MAX + 1 };
const char *net_stream_protocol(const struct net_stream *stream, char text[NET_PROTOCOL_SIZE]);

/* The session is one of earlier. */
bool net_stream_is_resumed(const struct net_stream *stream);
