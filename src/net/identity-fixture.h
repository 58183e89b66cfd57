/* net/identity-fixture.h - certificates for tests, made at run time. */
#pragma once

struct identity {
        char certificate[64], key[64]; /* paths of PEM files */
};

/* Two files in `directory`, named after `label`. Self-signed, for `names`
 * ("DNS:agent.test,IP:127.0.0.1"), valid from now on for `seconds`; `passphrase` of the key, or
 * NULL. */
void identity_make(struct identity *identity, const char *directory, const char *label,
                   const char *names, long seconds, const char *passphrase);
/* Removes the files. */
void identity_done(struct identity *identity);
