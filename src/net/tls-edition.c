#include "net/tls-edition.h"

#include "base/attributes.h"
#include "net/tls-internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum {
        CHAIN_MAX = 32 * 1024, /* bytes of a peer's certificates, before we know who it is */
        DEPTH_MAX = 8,         /* of them */
};

static int fail(struct error *error, const char *what, const char *path, const char *need)
{
        char text[128];

        return error_set(error, -EINVAL, "%s %s cannot be used: %s; %s", what, path,
                         net_tls_error_text(text, sizeof(text)), need);
}

/* ---- what was read ---- */

static bool digest_text(EVP_MD_CTX *digest, const char *text)
{
        /* Each ends with its NUL, so that no two lists of texts are alike. */
        return EVP_DigestUpdate(digest, text ? text : "\1", text ? strlen(text) + 1 : 2) == 1;
}

static bool digest_file(EVP_MD_CTX *digest, const char *path)
{
        FILE *file = path ? fopen(path, "re") : NULL;
        unsigned char bytes[4096], hash[TLS_DIGEST_SIZE] = {0};
        EVP_MD_CTX *content = EVP_MD_CTX_new();
        bool done = content && EVP_DigestInit_ex(content, EVP_sha256(), NULL) == 1;
        size_t n;

        while (file && done && (n = fread(bytes, 1, sizeof(bytes), file)) > 0)
                done = EVP_DigestUpdate(content, bytes, n) == 1;
        done = done && EVP_DigestFinal_ex(content, hash, NULL) == 1 && digest_text(digest, path) &&
               EVP_DigestUpdate(digest, hash, sizeof(hash)) == 1;
        if (file)
                fclose(file);
        EVP_MD_CTX_free(content);
        return done;
}

static bool digest_options(EVP_MD_CTX *digest, const struct net_tls_options *options)
{
        const unsigned char choices[] = {(unsigned char)options->peers,
                                         (unsigned char)options->version, options->any_date};
        const char *const *protocol = options->protocols;
        bool done =
                EVP_DigestUpdate(digest, choices, sizeof(choices)) == 1 &&
                digest_text(digest, options->ciphers) && digest_text(digest, options->suites) &&
                digest_text(digest, options->authorities_folder) &&
                digest_file(digest, options->certificate) && digest_file(digest, options->key) &&
                digest_file(digest, options->authorities) && digest_file(digest, options->revoked);

        for (; done && protocol && *protocol; protocol++)
                done = digest_text(digest, *protocol);
        return done;
}

/* Before it is loaded: what changes in between is a change for the next time. */
static int read_digest(struct tls_edition *edition, const struct net_tls_options *options)
{
        EVP_MD_CTX *digest = EVP_MD_CTX_new();
        bool done = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
                    digest_options(digest, options) &&
                    EVP_DigestFinal_ex(digest, edition->digest, NULL) == 1;

        EVP_MD_CTX_free(digest);
        return done ? 0 : -ENOMEM;
}

/* ---- loading ---- */

/* An encrypted key must not make a daemon ask on its terminal. */
static int refuse_passphrase(char *text, int size, int writing, void *unused)
{
        return -1;
}

static int load_identity(SSL_CTX *context, const struct net_tls_options *options,
                         struct error *error)
{
        char text[128];

        if (!options->certificate)
                return 0;
        if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
                return fail(error, "the certificate", options->certificate,
                            "it must be a PEM file");
        if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1)
                return error_set(error, -EINVAL,
                                 "the key %s cannot be used: %s; it must be a PEM file without a "
                                 "passphrase that belongs to %s",
                                 options->key, net_tls_error_text(text, sizeof(text)),
                                 options->certificate);
        if (SSL_CTX_check_private_key(context) != 1)
                return error_set(error, -EINVAL, "the key %s does not belong to %s: %s",
                                 options->key, options->certificate,
                                 net_tls_error_text(text, sizeof(text)));
        return 0;
}

static int load_revoked(SSL_CTX *context, const char *path, struct error *error)
{
        X509_STORE *store = SSL_CTX_get_cert_store(context);
        X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

        if (!lookup || X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) < 1)
                return fail(error, "the revocation list", path, "it must be a PEM file");
        if (X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) != 1)
                return error_set(error, -ENOMEM, "not enough memory for %s", path);
        return 0;
}

static int load_authorities(SSL_CTX *context, enum net_tls_role role,
                            const struct net_tls_options *options, struct error *error)
{
        const char *file = options->authorities, *folder = options->authorities_folder;
        char text[128];

        if (file && SSL_CTX_load_verify_file(context, file) != 1)
                return fail(error, "the authority's certificate", file, "it must be a PEM file");
        if (folder && SSL_CTX_load_verify_dir(context, folder) != 1)
                return fail(error, "the authorities' folder", folder,
                            "it must be one that `openssl rehash` made");
        if (!file && !folder && SSL_CTX_set_default_verify_paths(context) != 1)
                return error_set(error, -EINVAL,
                                 "the system's trusted certificates cannot be loaded: %s",
                                 net_tls_error_text(text, sizeof(text)));
        /* Tells clients which of their certificates to show (RFC 8446, 4.2.4). */
        if (role == NET_TLS_SERVER && file) {
                STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);

                if (!names)
                        return fail(error, "the authority's certificate", file,
                                    "it must be a PEM file");
                SSL_CTX_set_client_CA_list(context, names);
        }
        return 0;
}

/* Also forgets the error, which else stays as the result of the whole, and in the session. */
static int on_date(int good, X509_STORE_CTX *verification)
{
        const int error = X509_STORE_CTX_get_error(verification);

        if (good || X509_STORE_CTX_get_error_depth(verification) > 0 ||
            (error != X509_V_ERR_CERT_HAS_EXPIRED && error != X509_V_ERR_CERT_NOT_YET_VALID))
                return good;
        X509_STORE_CTX_set_error(verification, X509_V_OK);
        return 1;
}

static int load_peers(SSL_CTX *context, enum net_tls_role role,
                      const struct net_tls_options *options, struct error *error)
{
        int mode = SSL_VERIFY_PEER, r;

        if (options->peers == NET_TLS_PEERS_NONE) {
                bool completes = options->authorities || options->authorities_folder;

                return role == NET_TLS_SERVER && completes
                               ? load_authorities(context, role, options, error)
                               : 0;
        }
        if (options->peers == NET_TLS_PEERS_REQUIRED)
                mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        SSL_CTX_set_verify(context, mode, options->any_date ? on_date : NULL);
        SSL_CTX_set_verify_depth(context, DEPTH_MAX);
        SSL_CTX_set_max_cert_list(context, CHAIN_MAX);
        r = load_authorities(context, role, options, error);
        if (r == 0 && options->revoked)
                r = load_revoked(context, options->revoked, error);
        return r;
}

/* ---- protocols ---- */

static int encode_protocols(struct tls_edition *edition, const char *const *protocols)
{
        size_t length = 0;

        for (size_t i = 0; protocols[i]; i++)
                length += 1 + strlen(protocols[i]);
        edition->protocols = malloc(length);
        if (!edition->protocols)
                return -ENOMEM;
        edition->protocols_length = (uint16_t)length;
        length = 0;
        for (size_t i = 0; protocols[i]; i++) {
                size_t bytes = strlen(protocols[i]);

                edition->protocols[length++] = (unsigned char)bytes;
                memcpy(edition->protocols + length, protocols[i], bytes);
                length += bytes;
        }
        return 0;
}

static int on_protocols(SSL *session, const unsigned char **ret, unsigned char *ret_length,
                        const unsigned char *offered, unsigned offered_length, void *owner)
{
        const struct tls_edition *edition = owner;
        unsigned char *chosen;

        (void)session;
        if (SSL_select_next_proto(&chosen, ret_length, edition->protocols,
                                  edition->protocols_length, offered,
                                  offered_length) != OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_ALERT_FATAL;
        *ret = chosen;
        return SSL_TLSEXT_ERR_OK;
}

static int set_protocols(struct tls_edition *edition, enum net_tls_role role,
                         const struct net_tls_options *options)
{
        int r;

        if (!options->protocols || !options->protocols[0])
                return 0;
        r = encode_protocols(edition, options->protocols);
        if (r < 0)
                return r;
        if (role == NET_TLS_SERVER)
                SSL_CTX_set_alpn_select_cb(edition->context, on_protocols, edition);
        else if (SSL_CTX_set_alpn_protos(edition->context, edition->protocols,
                                         edition->protocols_length) != 0)
                return -ENOMEM;
        return 0;
}

/* ---- the whole ---- */

static int set_ciphers(SSL_CTX *context, const struct net_tls_options *options, struct error *error)
{
        if (options->ciphers && SSL_CTX_set_cipher_list(context, options->ciphers) != 1)
                return fail(error, "ciphers", options->ciphers,
                            "`openssl ciphers` lists those of TLS 1.2");
        if (options->suites && SSL_CTX_set_ciphersuites(context, options->suites) != 1)
                return fail(error, "cipher suites", options->suites,
                            "`openssl ciphers -s -tls1_3` lists those of TLS 1.3");
        return 0;
}

static int make_context(enum net_tls_role role, const struct net_tls_options *options,
                        SSL_CTX **ret)
{
        SSL_CTX *context =
                SSL_CTX_new(role == NET_TLS_SERVER ? TLS_server_method() : TLS_client_method());
        const int version = options->version == NET_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

        if (!context)
                return -ENOMEM;
        *ret = context;
        if (SSL_CTX_set_min_proto_version(context, version) != 1)
                return -ENOMEM;
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        /* Else one read goes on for as long as a peer sends what is no data. */
        SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
        /* A peer that leaves without a close_notify (RFC 8446, 6.1) is like one that leaves over
         * plain TCP: framing tells a whole line from a cut one. Of the ciphers that both have,
         * the client's first one wins where it is ChaCha20: it has no AES in hardware. */
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                             SSL_OP_IGNORE_UNEXPECTED_EOF |
                                             SSL_OP_CIPHER_SERVER_PREFERENCE |
                                             SSL_OP_PRIORITIZE_CHACHA);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
        return 0;
}

static int edition_load(struct tls_edition *edition, enum net_tls_role role,
                        const struct net_tls_options *options, struct error *error)
{
        int r = make_context(role, options, &edition->context);

        if (r == 0 && SSL_CTX_set_app_data(edition->context, edition) != 1)
                r = -ENOMEM;
        if (r == 0 && role == NET_TLS_SERVER)
                r = tls_tickets_init(&edition->tickets, edition->context);
        else if (r == 0)
                SSL_CTX_set_options(edition->context, SSL_OP_NO_TICKET);
        if (r == 0)
                r = set_protocols(edition, role, options);
        if (r == 0)
                r = read_digest(edition, options);
        if (r < 0)
                return error_set(error, r, "OpenSSL cannot be initialised");
        r = set_ciphers(edition->context, options, error);
        if (r == 0)
                r = load_identity(edition->context, options, error);
        if (r == 0)
                r = load_peers(edition->context, role, options, error);
        return r;
}

int tls_edition_new(enum net_tls_role role, const struct net_tls_options *options,
                    struct tls_edition **ret, struct error *error)
{
        AUTO(tls_edition) struct tls_edition *edition = calloc(1, sizeof(*edition));
        int r;

        if (!edition)
                return error_set(error, -ENOMEM, "not enough memory for TLS");
        edition->references = 1;
        edition->verify = options->peers != NET_TLS_PEERS_NONE;
        ERR_clear_error();
        r = edition_load(edition, role, options, error);
        ERR_clear_error();
        if (r == 0)
                *ret = TAKE(edition);
        return r;
}

struct tls_edition *tls_edition_ref(struct tls_edition *edition)
{
        edition->references++;
        return edition;
}

struct tls_edition *tls_edition_unref(struct tls_edition *edition)
{
        if (!edition || --edition->references > 0)
                return NULL;
        SSL_CTX_free(edition->context);
        tls_tickets_done(&edition->tickets);
        free(edition->protocols);
        free(edition);
        return NULL;
}
