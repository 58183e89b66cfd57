/* access/acl-cache.h - what an ACL said a short while ago, for one client.
 *
 * Topics repeat. A message that goes to many has its topic hashed once for all of them; each
 * then looks into a few words of its own. What is kept is 63 bits of a keyed hash: strangers
 * cannot find two topics that share them. One thread. */
#pragma once

#include "access/acl.h"

enum { ACL_CACHE_ENTRIES = 8 };

/* Of one client; all zero: empty. */
struct acl_cache {
        uint64_t generation;
        uint32_t next; /* entry to be replaced */
        uint64_t entries[ACL_CACHE_ENTRIES];
};

/* What all caches of a thread share: the key, and the last topic. */
struct acl_cache_hash;
int acl_cache_hash_new(struct acl_cache_hash **ret); /* -ENOMEM; -EIO: no random numbers */
struct acl_cache_hash *acl_cache_hash_free(struct acl_cache_hash *hash);
DEFINE_CLEANUP(acl_cache_hash)

/* acl_allows_topic(), remembered. `generation`: another number than before empties the cache;
 * not 0. */
bool acl_cache_allows_topic(struct acl_cache *cache, struct acl_cache_hash *hash,
                            uint64_t generation, const struct acl *acl,
                            const struct acl_subject *subject, enum acl_access access,
                            struct mqtt_text topic);
