/* base/siphash.h - SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF";
 * one round a block and three at the end): hashes for tables whose keys strangers choose.
 *
 * Who does not know the key cannot find names that collide. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
        uint64_t words[2];
};

int siphash_key_draw(struct siphash_key *ret); /* from the kernel; -EIO: no random numbers */
uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t count);
/* The same as of the number's eight bytes, the lowest first. */
uint64_t siphash_number(const struct siphash_key *key, uint64_t number);
