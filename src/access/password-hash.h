/* access/password-hash.h - what is stored of a password, in the forms that brokers know.
 *
 *     $argon2id$v=19$m=M,t=T,p=1$SALT$HASH  RFC 9106, in the PHC string format; what we make
 *     blake2b:HEX                           of a random token (proto/token.h): fast
 *     $7$ITERATIONS$SALT$HASH               mosquitto's: PBKDF2 (RFC 8018) with HMAC-SHA-512
 *     $6$SALT$HASH                          mosquitto's older one: SHA-512, once
 *
 * The last two are read so that a password file can be brought along; nobody should make new
 * ones of them. Pure functions, any thread; what they hold of a password is wiped. No password
 * and no hash belongs into a log. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
        PASSWORD_MAX = 512,       /* bytes of a password; a longer one is wrong */
        PASSWORD_HASH_SIZE = 256, /* room for a hash of any kind, with its NUL */
        /* A line in a file must not exhaust the machine at each attempt. */
        PASSWORD_ITERATIONS_MAX = 1000000, /* of $7$ */
        PASSWORD_SALT_MAX = 64,            /* bytes of a salt of $6$ and $7$, at least one */
};

/* Is this text a hash that we can verify against? -EINVAL with a sentence that does not
 * quote it. */
int password_hash_check(const char *hash, struct error *error);
/* Takes a millisecond or more, tens of them most often: never on a loop's thread. Of a hash
 * that passed the check. */
bool password_hash_is_slow(const char *hash);
/* 1: the password belongs to the hash, 0: it does not. The time depends on the hash and on the
 * length of the password only. -EINVAL: not a hash; -ENOMEM: could not tell; -EIO. */
int password_hash_verify(const char *hash, const char *password, size_t length);
/* Argon2id, as proto/token.h makes it. Slow. -EINVAL: empty or longer than PASSWORD_MAX;
 * -ENOMEM; -EIO: no random numbers. */
int password_hash_make(const char *password, size_t length, char ret[PASSWORD_HASH_SIZE]);
