#include "access/acl-cache.h"

#include "base/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOPIC_KEPT = 256 }; /* bytes; a longer one is hashed each time */

struct acl_cache_hash {
        struct siphash_key key;
        uint64_t last; /* of: */
        uint16_t length;
        char topic[TOPIC_KEPT];
};

/* An entry is a hash, but for: */
enum { ALLOWED = 1, FILLED = 2 };

int acl_cache_hash_new(struct acl_cache_hash **ret)
{
        struct acl_cache_hash *hash = calloc(1, sizeof(*hash));
        int r;

        if (!hash)
                return -ENOMEM;
        r = siphash_key_draw(&hash->key);
        if (r < 0) {
                free(hash);
                return r;
        }
        hash->last = siphash(&hash->key, "", 0);
        *ret = hash;
        return 0;
}

struct acl_cache_hash *acl_cache_hash_free(struct acl_cache_hash *hash)
{
        free(hash);
        return NULL;
}

static uint64_t hash_of(struct acl_cache_hash *hash, struct mqtt_text topic)
{
        if (topic.length == hash->length && topic.length <= TOPIC_KEPT &&
            memcmp(topic.bytes, hash->topic, topic.length) == 0)
                return hash->last;
        hash->last = siphash(&hash->key, topic.bytes, topic.length);
        hash->length = topic.length;
        if (topic.length <= TOPIC_KEPT)
                memcpy(hash->topic, topic.bytes, topic.length);
        return hash->last;
}

bool acl_cache_allows_topic(struct acl_cache *cache, struct acl_cache_hash *hash,
                            uint64_t generation, const struct acl *acl,
                            const struct acl_subject *subject, enum acl_access access,
                            struct mqtt_text topic)
{
        /* What is asked is part of the question. */
        uint64_t wanted = hash_of(hash, topic) ^ ((uint64_t)access << 32);
        bool allowed;

        if (cache->generation != generation)
                *cache = (struct acl_cache){.generation = generation};
        wanted = (wanted & ~(uint64_t)ALLOWED) | FILLED;
        for (size_t i = 0; i < ACL_CACHE_ENTRIES; i++) {
                if ((cache->entries[i] & ~(uint64_t)ALLOWED) == wanted)
                        return cache->entries[i] & ALLOWED;
        }
        allowed = acl_allows_topic(acl, subject, access, topic);
        cache->entries[cache->next++ % ACL_CACHE_ENTRIES] = wanted | allowed;
        return allowed;
}
