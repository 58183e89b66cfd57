/* access/verified.h - which passwords were found good a short while ago.
 *
 * A client may show its password, or token, with each request or connection; when its
 * hash is a slow one, the work is done once and remembered for five minutes. What is
 * kept is a BLAKE2b of the password, and of what it was compared with, under a key that
 * this process drew at random and tells nobody: tables made beforehand, or with another
 * process's memory, do not fit.
 *
 * Bounded to VERIFIED_MAX entries; the oldest makes room. One thread. */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

enum { VERIFIED_MAX = 256, VERIFIED_LIFETIME_MS = 5 * 60 * 1000 };

struct verified_mark {
        uint8_t bytes[32];
};

struct verified;

int verified_new(struct verified **ret); /* -ENOMEM; -EIO: no randomness */
struct verified *verified_free(struct verified *verified);
DEFINE_CLEANUP(verified)

/* What a question is known by in here: all of its texts, each with its length. */
struct verified_text {
        const void *bytes;
        size_t length;
};
void verified_mark(const struct verified *verified, const struct verified_text texts[],
                   size_t count, struct verified_mark *ret);
/* 1: it was good less than five minutes ago, and *owner says which hash it was of; 0. The
 * time does not tell which entry it was. */
int verified_find(const struct verified *verified, const struct verified_mark *mark,
                  uint64_t now_ms, size_t *owner);
void verified_put(struct verified *verified, const struct verified_mark *mark, size_t owner,
                  uint64_t now_ms);
