/* net/tls.h - TLS contexts: what a server shows, what a client trusts.
 *
 * OpenSSL, TLS 1.2 and up, its default ciphers, no renegotiation, no session
 * tickets (connections last). It is initialised by the first context, so that a
 * daemon without TLS never pays for it. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>

struct net_tls; /* shared by all its streams; free it after the last of them */

/* PEM files. -EINVAL with a sentence: unreadable, not PEM, the key does not
 * belong to the certificate. */
int net_tls_new_server(const char *certificate_path, const char *key_path, struct net_tls **ret,
                       struct error *error);
/* `authority_path` NULL: the system's. `verify` false accepts any certificate
 * (for a person who says so on the command line). */
int net_tls_new_client(const char *authority_path, bool verify, struct net_tls **ret,
                       struct error *error);
struct net_tls *net_tls_free(struct net_tls *tls);
DEFINE_CLEANUP(net_tls)
