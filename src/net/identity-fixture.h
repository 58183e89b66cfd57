/* net/identity-fixture.h - certificates and revocation lists for tests, made at run time. */
#pragma once

#include <stddef.h>

struct identity {
        char certificate[64], key[64]; /* paths of PEM files */
};

/* Two files in `directory`, named after `label`. Self-signed, for `names`
 * ("DNS:agent.test,IP:127.0.0.1"), valid from now on for `seconds`; `passphrase` of the key, or
 * NULL. */
void identity_make(struct identity *identity, const char *directory, const char *label,
                   const char *names, long seconds, const char *passphrase);

struct identity_request {
        const char *label;   /* also the subject's common name, but for */
        const char *subject; /* "CN=ann,O=Home,…", each a short name, in UTF-8; or NULL */
        const char *names;   /* subjectAltName, or NULL */
        const char *purpose; /* extendedKeyUsage ("clientAuth"), or NULL */
        const struct identity *issuer; /* NULL: signed by itself, an authority */
        long from, until;              /* seconds from now */
        unsigned serial;               /* 0: 1 */
        const char *passphrase;
};
void identity_make_as(struct identity *identity, const char *directory,
                      const struct identity_request *request);
/* Removes the files. */
void identity_done(struct identity *identity);

/* A revocation list of `issuer`, with these serial numbers, valid for `seconds`. */
void identity_revoke(const struct identity *issuer, const char *path, const unsigned *serials,
                     size_t count, long seconds);
