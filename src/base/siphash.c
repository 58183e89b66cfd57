#include "base/siphash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

int siphash_key_draw(struct siphash_key *ret)
{
        struct siphash_key key;

        if (getrandom(&key, sizeof(key), 0) != sizeof(key))
                return -EIO;
        *ret = key;
        return 0;
}

struct state {
        uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
        return x << bits | x >> (64 - bits);
}

static inline void mix(struct state *s)
{
        s->v0 += s->v1;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
}

static inline struct state begin(const struct siphash_key *key)
{
        /* The constants spell "somepseudorandomlygeneratedbytes". */
        return (struct state){
                key->words[0] ^ 0x736f6d6570736575, key->words[1] ^ 0x646f72616e646f6d,
                key->words[0] ^ 0x6c7967656e657261, key->words[1] ^ 0x7465646279746573};
}

static inline void add(struct state *s, uint64_t block)
{
        s->v3 ^= block;
        mix(s);
        s->v0 ^= block;
}

static inline uint64_t end(struct state *s)
{
        s->v2 ^= 0xff;
        mix(s);
        mix(s);
        mix(s);
        return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t count)
{
        struct state s = begin(key);
        const unsigned char *at = bytes;
        uint64_t block, last = (uint64_t)count << 56;
        size_t left = count;

        for (; left >= sizeof(block); left -= sizeof(block), at += sizeof(block)) {
                memcpy(&block, at, sizeof(block));
                add(&s, le64toh(block));
        }
        for (size_t i = 0; i < left; i++)
                last |= (uint64_t)at[i] << (8 * i);
        add(&s, last);
        return end(&s);
}

uint64_t siphash_number(const struct siphash_key *key, uint64_t number)
{
        struct state s = begin(key);

        add(&s, number);
        add(&s, (uint64_t)sizeof(number) << 56);
        return end(&s);
}
