#include "net/tls-session.h"

#include "net/stream-internal.h"

#include <openssl/ssl.h>
#include <string.h>

static const SSL *session_of(const struct net_stream *stream)
{
        /* Closed, there is nothing left of it. */
        return stream->state == STREAM_CLOSED ? NULL
                                              : stream->transport.type->tls(&stream->transport);
}

const char *net_stream_protocol(const struct net_stream *stream, char text[NET_PROTOCOL_SIZE])
{
        const SSL *session = session_of(stream);
        const unsigned char *name = NULL;
        unsigned length = 0;

        if (session)
                SSL_get0_alpn_selected(session, &name, &length);
        if (length > 0)
                memcpy(text, name, length);
        text[length] = '\0';
        return text;
}

bool net_stream_is_resumed(const struct net_stream *stream)
{
        const SSL *session = session_of(stream);

        return session && SSL_session_reused(session) == 1;
}
