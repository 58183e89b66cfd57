/* net/tls.h - what a server shows and asks for, what a client trusts.
 *
 * OpenSSL, TLS 1.2 and up, no renegotiation, no 0-RTT. It is initialised by the first use, so
 * that a daemon without TLS never pays for it.
 *
 * A struct net_tls is read from files and can be read again: handshakes that begin later use
 * what is new, those under way and connections go on with what they began with.
 *
 * Servers resume sessions by tickets, in TLS 1.2 and 1.3: nothing is kept here for them. Keys
 * live for two hours in memory only, and go when anything is read again that has changed: who
 * is revoked does not come back by a ticket. A resumed session has the certificate that its
 * client showed in the beginning, as long as that is valid.
 *
 * One thread for each. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct net_tls;

enum net_tls_role {
        NET_TLS_SERVER,
        NET_TLS_CLIENT,
};

/* Certificates of the other end. */
enum net_tls_peers {
        NET_TLS_PEERS_NONE,     /* servers do not ask; clients believe any */
        NET_TLS_PEERS_OPTIONAL, /* servers ask, and refuse those they do not trust; no clients */
        NET_TLS_PEERS_REQUIRED, /* refused without one that is trusted */
};

enum net_tls_version {
        NET_TLS_1_2,
        NET_TLS_1_3,
};

/* All but a server's certificate and key may be left out. Files are PEM. */
struct net_tls_options {
        const char *certificate, *key; /* the certificate with its chain; no passphrase */
        enum net_tls_peers peers;
        /* Who signs the certificates of peers: a file, a folder as `openssl rehash` makes it, or
         * both. None: a client trusts whom the system trusts, a server can trust nobody. What a
         * server's certificate lacks of its chain is taken from them, peers or no peers. */
        const char *authorities, *authorities_folder;
        /* Revocation lists, of those who sign the peers' own certificates: one whose list is
         * missing or has expired is not trusted. */
        const char *revoked;
        /* A peer's own certificate may have expired, or be valid later: nothing else of it, nor who
         * signed it. For devices that nobody can bring a new one. */
        bool any_date;
        enum net_tls_version version; /* at least */
        const char *ciphers;          /* of TLS 1.2, as ciphers(1) has them */
        const char *suites;           /* of TLS 1.3 */
        /* ALPN (RFC 7301): names, the last followed by NULL. A server takes the first that the
         * client offers too; one that offers others only is refused, one that offers none is
         * not: net_stream_protocol(). */
        const char *const *protocols;
};

enum { NET_TLS_PROTOCOL_MAX = 255 }; /* bytes of the name of a protocol */

/* -EINVAL with a sentence: files that are unreadable, not PEM, or do not belong together;
 * unknown ciphers; options that contradict each other. The options are copied. */
int net_tls_new(enum net_tls_role role, const struct net_tls_options *options, struct net_tls **ret,
                struct error *error);
int net_tls_new_server(const char *certificate, const char *key, struct net_tls **ret,
                       struct error *error);
/* `authorities` NULL: the system's. `verify` false accepts any certificate (for a person who
 * says so on the command line). */
int net_tls_new_client(const char *authorities, bool verify, struct net_tls **ret,
                       struct error *error);
/* Its streams go on. */
struct net_tls *net_tls_free(struct net_tls *tls);
DEFINE_CLEANUP(net_tls)

/* Reads all files again, of these options from now on, or of the same (NULL). 1: new
 * handshakes use what is new; 0: nothing has changed, and sessions are resumed as before.
 * -EINVAL with a sentence, also for a certificate of its own that is not valid now: all stays as
 * it is; -ENOMEM. */
int net_tls_reload(struct net_tls *tls, const struct net_tls_options *options, struct error *error);

/* When our certificate is valid, in seconds since 1970; both 0: there is none. */
struct net_tls_validity {
        int64_t from, until;
};
struct net_tls_validity net_tls_validity(const struct net_tls *tls);
