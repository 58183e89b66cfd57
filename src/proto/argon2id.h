/* proto/argon2id.h - passwords as RFC 9106 hashes them, in the PHC string format:
 *
 *     $argon2id$v=19$m=M,t=T,p=1$SALT$HASH
 *
 * Pure functions, any thread; what they hold of a password is wiped. Tens of milliseconds each
 * on a desktop, many times that on the smallest Pi: never on a loop's thread. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { ARGON2ID_SIZE = 128 }; /* room for a hash, with its NUL */

/* Does it begin like one? */
bool argon2id_is(const char *hash);
/* -EINVAL with a sentence that does not quote it: more than one lane, a salt of other than 16
 * bytes, more than 64 MiB or more than 10 passes. */
int argon2id_check(const char *hash, struct error *error);
/* 1: the password belongs to the hash, 0: it does not. The time depends on the hash and on the
 * length of the password only. -EINVAL: not a hash; -ENOMEM: could not tell; -EIO. */
int argon2id_verify(const char *hash, const char *password, size_t length);
/* With 19 MiB and two passes, one lane and a random salt (token.h says why). -ENOMEM; -EIO: no
 * random numbers. */
int argon2id_make(const char *password, size_t length, char ret[ARGON2ID_SIZE]);
