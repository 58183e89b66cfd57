/* net/tls-edition.h - what handshakes use that began after one reading of the files. For this
 * room.
 *
 * Counted: the streams that came of it keep it, since OpenSSL asks it for tickets and protocols
 * as long as they live. */
#pragma once

#include "net/tls-tickets.h"
#include "net/tls.h"

#include <openssl/ssl.h>

enum { TLS_DIGEST_SIZE = 32 };

struct tls_edition {
        SSL_CTX *context;
        unsigned references;
        bool verify; /* the peer's certificate, and for clients its name */
        struct tls_tickets tickets;
        unsigned char *protocols; /* as on the wire (RFC 7301, 3.1), or NULL */
        uint16_t protocols_length;
        unsigned char digest[TLS_DIGEST_SIZE]; /* of all that was read */
};

/* With one reference. -EINVAL with a sentence; -ENOMEM. */
int tls_edition_new(enum net_tls_role role, const struct net_tls_options *options,
                    struct tls_edition **ret, struct error *error);
struct tls_edition *tls_edition_ref(struct tls_edition *edition);
struct tls_edition *tls_edition_unref(struct tls_edition *edition); /* returns NULL */
/* Which one a session is of: its context knows, so that no session has to. */
static inline struct tls_edition *tls_edition_of(const SSL *session)
{
        return SSL_CTX_get_app_data(SSL_get_SSL_CTX(session));
}
static inline void tls_edition_cleanup(struct tls_edition **edition)
{
        tls_edition_unref(*edition);
}
