#include "net/tls.h"

#include "net/tls-internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

const char *net_tls_error_text(char *text, size_t size)
{
        /* The first is the cause, the others are what became of it further up. */
        unsigned long code = ERR_peek_error();
        const char *reason = ERR_reason_error_string(code);

        if (ERR_SYSTEM_ERROR(code))
                reason = strerror(ERR_GET_REASON(code));
        snprintf(text, size, "%s", reason ? reason : "unknown failure");
        ERR_clear_error();
        return text;
}

/* An encrypted key must not make a daemon ask on its terminal. */
static int refuse_passphrase(char *text, int size, int writing, void *unused)
{
        return -1;
}

static int tls_new(const SSL_METHOD *method, struct net_tls **ret, struct error *error)
{
        AUTO(net_tls) struct net_tls *tls = calloc(1, sizeof(*tls));

        if (!tls)
                return error_set(error, -ENOMEM, "not enough memory for TLS");
        ERR_clear_error();
        tls->context = SSL_CTX_new(method);
        if (!tls->context || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1) {
                ERR_clear_error();
                return error_set(error, -ENOMEM, "OpenSSL cannot be initialised");
        }
        SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        /* A peer that leaves without a close_notify (RFC 8446, 6.1) is like one
         * that leaves over plain TCP: framing tells a whole line from a cut one. */
        SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                                  SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_default_passwd_cb(tls->context, refuse_passphrase);
        *ret = TAKE(tls);
        return 0;
}

int net_tls_new_server(const char *certificate_path, const char *key_path, struct net_tls **ret,
                       struct error *error)
{
        AUTO(net_tls) struct net_tls *tls = NULL;
        char text[128];
        int r = tls_new(TLS_server_method(), &tls, error);

        if (r < 0)
                return r;
        SSL_CTX_set_num_tickets(tls->context, 0);
        if (SSL_CTX_use_certificate_chain_file(tls->context, certificate_path) != 1)
                return error_set(error, -EINVAL,
                                 "the certificate %s cannot be used: %s; it must be a PEM file",
                                 certificate_path, net_tls_error_text(text, sizeof(text)));
        if (SSL_CTX_use_PrivateKey_file(tls->context, key_path, SSL_FILETYPE_PEM) != 1)
                return error_set(error, -EINVAL,
                                 "the key %s cannot be used: %s; it must be a PEM file without a "
                                 "passphrase that belongs to %s",
                                 key_path, net_tls_error_text(text, sizeof(text)),
                                 certificate_path);
        if (SSL_CTX_check_private_key(tls->context) != 1)
                return error_set(error, -EINVAL, "the key %s does not belong to %s: %s", key_path,
                                 certificate_path, net_tls_error_text(text, sizeof(text)));
        *ret = TAKE(tls);
        return 0;
}

int net_tls_new_client(const char *authority_path, bool verify, struct net_tls **ret,
                       struct error *error)
{
        AUTO(net_tls) struct net_tls *tls = NULL;
        char text[128];
        int r = tls_new(TLS_client_method(), &tls, error);

        if (r < 0)
                return r;
        tls->verify = verify;
        SSL_CTX_set_verify(tls->context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        if (verify && authority_path && SSL_CTX_load_verify_file(tls->context, authority_path) != 1)
                return error_set(error, -EINVAL,
                                 "the authority's certificate %s cannot be used: %s; it must be a "
                                 "PEM file",
                                 authority_path, net_tls_error_text(text, sizeof(text)));
        if (verify && !authority_path && SSL_CTX_set_default_verify_paths(tls->context) != 1)
                return error_set(error, -EINVAL,
                                 "the system's trusted certificates cannot be loaded: %s",
                                 net_tls_error_text(text, sizeof(text)));
        *ret = TAKE(tls);
        return 0;
}

struct net_tls *net_tls_free(struct net_tls *tls)
{
        if (tls)
                SSL_CTX_free(tls->context);
        free(tls);
        return NULL;
}
