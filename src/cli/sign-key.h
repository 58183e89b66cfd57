/* cli/sign-key.h - the key files that code is signed with, as minisign keeps them:
 * a secret one for the owner's eyes only, a public one for everybody. */
#pragma once

#include "base/error.h"
#include "proto/minisign.h"

/* Reads a secret key; asks for its password when it is locked. -errno, each with a
 * sentence. The caller wipes *ret. */
int sign_key_read(const char *path, struct minisign_secret *ret, struct error *error);

/* Makes a pair: PATH (0600, locked by a password that is asked for twice unless
 * `unlocked`) and PATH.pub. -EEXIST: neither file is ever replaced; -errno; each with
 * a sentence. */
int sign_key_make(const char *path, bool unlocked, struct minisign_key *ret, struct error *error);
