#include "net/upgrade.h"

#include "net/stream-internal.h"

#include <errno.h>
#include <openssl/evp.h>

int net_stream_become_websocket(struct net_stream *stream)
{
        struct net_budget *budget = &stream->context->budget;
        int r;

        if (stream->state == STREAM_CLOSED)
                return -EPIPE;
        r = net_budget_take(budget, NET_WEBSOCKET_SIZE);
        if (r < 0)
                return r;
        r = net_transport_wrap_websocket(&stream->transport, stream->context,
                                         buffer_length(&stream->output));
        if (r < 0)
                net_budget_give(budget, NET_WEBSOCKET_SIZE);
        stream->framed = r == 0;
        return r;
}

static size_t throw_away(void *owner, const char *bytes, size_t count)
{
        (void)owner;
        (void)bytes;
        return count;
}

static void end_nobodys(void *owner)
{
        (void)owner;
}

static void forget_nobodys(void *owner, int reason)
{
        (void)owner;
        (void)reason;
}

void net_stream_hand_over(struct net_stream *stream, const struct net_stream_limits *limits,
                          const struct net_stream_owner *owner)
{
        static const struct net_stream_calls nobodys = {
                .on_bytes = throw_away, .on_end = end_nobodys, .on_closed = forget_nobodys};

        stream->owner = owner ? *owner : (struct net_stream_owner){NULL, &nobodys};
        stream_set_limits(stream, limits);
        net_stream_resume(stream);
        net_stream_again(stream);
}

int net_websocket_accept(const char *key, size_t length, char accept[NET_WEBSOCKET_ACCEPT_SIZE])
{
        static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* 1.3 */
        unsigned char digest[EVP_MAX_MD_SIZE];
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        bool done;

        done = context && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
               EVP_DigestUpdate(context, key, length) == 1 &&
               EVP_DigestUpdate(context, guid, sizeof(guid) - 1) == 1 &&
               EVP_DigestFinal_ex(context, digest, NULL) == 1;
        EVP_MD_CTX_free(context);
        if (!done)
                return -ENOMEM;
        EVP_EncodeBlock((unsigned char *)accept, digest, 20);
        return 0;
}
