#include "bench/mqtt/secure.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct secure {
        SSL_CTX *context;
        SSL_SESSION *session; /* the newest; NULL: none yet, or none is to be resumed */
        bool resume;
};

struct secure_stream {
        struct secure *secure;
        SSL *ssl;
        bool writes;
};

int secure_new(bool resume, struct secure **ret)
{
        struct secure *secure = calloc(1, sizeof(*secure));

        if (!secure)
                return -ENOMEM;
        secure->resume = resume;
        secure->context = SSL_CTX_new(TLS_client_method());
        if (!secure->context) {
                free(secure);
                return -ENOMEM;
        }
        SSL_CTX_set_verify(secure->context, SSL_VERIFY_NONE, NULL);
        /* Many idle connections of ours are not to need the machine's memory. */
        SSL_CTX_set_mode(secure->context, SSL_MODE_RELEASE_BUFFERS);
        /* With a cache the library would use each session for one connection only. */
        SSL_CTX_set_session_cache_mode(secure->context, SSL_SESS_CACHE_OFF);
        *ret = secure;
        return 0;
}

struct secure *secure_free(struct secure *secure)
{
        if (!secure)
                return NULL;
        SSL_SESSION_free(secure->session);
        SSL_CTX_free(secure->context);
        free(secure);
        return NULL;
}

int secure_stream_new(struct secure *secure, int fd, struct secure_stream **ret)
{
        struct secure_stream *stream = calloc(1, sizeof(*stream));

        if (!stream)
                return -ENOMEM;
        stream->secure = secure;
        stream->ssl = SSL_new(secure->context);
        if (!stream->ssl || SSL_set_fd(stream->ssl, fd) != 1 ||
            (secure->session && SSL_set_session(stream->ssl, secure->session) != 1)) {
                secure_stream_free(stream);
                return -ENOMEM;
        }
        SSL_set_connect_state(stream->ssl);
        *ret = stream;
        return 0;
}

struct secure_stream *secure_stream_free(struct secure_stream *stream)
{
        if (!stream)
                return NULL;
        SSL_free(stream->ssl);
        free(stream);
        return NULL;
}

/* What a call that has failed means. */
static int failure(struct secure_stream *stream, int result)
{
        int error = errno;

        switch (SSL_get_error(stream->ssl, result)) {
        case SSL_ERROR_WANT_READ:
                stream->writes = false;
                return -EAGAIN;
        case SSL_ERROR_WANT_WRITE:
                stream->writes = true;
                return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        case SSL_ERROR_SYSCALL:
                return error != 0 ? -error : -ECONNRESET;
        default:
                return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                               ? -ECONNRESET
                               : -EPROTO;
        }
}

int secure_handshake(struct secure_stream *stream)
{
        int result, r;

        ERR_clear_error();
        errno = 0;
        result = SSL_do_handshake(stream->ssl);
        if (result == 1)
                return 0;
        r = failure(stream, result);
        return r == 0 ? -ECONNRESET : r;
}

bool secure_stream_writes(const struct secure_stream *stream)
{
        return stream->writes;
}

bool secure_stream_resumed(const struct secure_stream *stream)
{
        return SSL_session_reused(stream->ssl) == 1;
}

ssize_t secure_send(struct secure_stream *stream, const void *bytes, size_t count)
{
        size_t sent;
        int result;

        ERR_clear_error();
        errno = 0;
        result = SSL_write_ex(stream->ssl, bytes, count, &sent);
        if (result == 1)
                return (ssize_t)sent;
        result = failure(stream, result);
        return result == 0 ? -ECONNRESET : result;
}

ssize_t secure_recv(struct secure_stream *stream, void *bytes, size_t room)
{
        size_t count;
        int result;

        ERR_clear_error();
        errno = 0;
        result = SSL_read_ex(stream->ssl, bytes, room, &count);
        return result == 1 ? (ssize_t)count : failure(stream, result);
}

static void keep_session(struct secure_stream *stream)
{
        SSL_SESSION *session = SSL_get1_session(stream->ssl);

        if (!session || !SSL_SESSION_is_resumable(session)) {
                SSL_SESSION_free(session);
                return;
        }
        SSL_SESSION_free(stream->secure->session);
        stream->secure->session = session;
}

void secure_finish(struct secure_stream *stream)
{
        if (stream->secure->resume)
                keep_session(stream);
        ERR_clear_error();
        (void)SSL_shutdown(stream->ssl);
        ERR_clear_error();
}
