/* access/mqtt-client.h - one client of a broker: who it is, and what it may do now.
 *
 * Loop thread. */
#pragma once

#include "access/acl-cache.h"
#include "access/rules.h"

enum access_known_by {
        ACCESS_KNOWN_BY_WORD, /* its own, or nothing */
        ACCESS_KNOWN_BY_PASSWORD,
        ACCESS_KNOWN_BY_CERTIFICATE,
};

/* There may be ten thousands that are silent. */
struct access_client {
        const struct access_rules *rules;
        uint64_t generation; /* of the rules that what follows is of */
        struct mqtt_text role;
        const char *own_role;       /* where the tables say nothing of it; outlives it */
        struct mqtt_text user;      /* empty: no name */
        struct mqtt_text client_id; /* that it is known by instead of its own; empty: none */
        struct acl_cache *cache;    /* NULL: no ACL was asked yet */
        bool gone;                  /* it is a user no more */
        uint8_t known_by;           /* enum access_known_by */
        uint8_t access;             /* of enum acl_access, beside the rules */
        char texts[];
};

/* Copies both texts. -ENOMEM. */
int access_client_new(const struct access_rules *rules, struct mqtt_text user,
                      struct mqtt_text client_id, struct access_client **ret);
struct access_client *access_client_free(struct access_client *client);
DEFINE_CLEANUP(access_client)

/* What the tables say of it now: `gone` and `role`. The others do so themselves. */
void access_client_refresh(struct access_client *client);
/* May it publish to (ACL_WRITE) or receive this topic? */
bool access_client_may(struct access_client *client, struct acl_cache_hash *hash,
                       struct mqtt_text client_id, enum acl_access access, struct mqtt_text topic);
bool access_client_may_subscribe(struct access_client *client, struct mqtt_text client_id,
                                 struct mqtt_text filter);
