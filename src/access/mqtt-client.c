#include "access/mqtt-client.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int access_client_new(const struct access_rules *rules, struct mqtt_text user,
                      struct mqtt_text client_id, struct access_client **ret)
{
        size_t size = offsetof(struct access_client, texts) + user.length + client_id.length;
        struct access_client *client = calloc(1, size > sizeof(*client) ? size : sizeof(*client));

        if (!client)
                return -ENOMEM;
        client->rules = rules;
        client->generation = rules->generation - 1; /* to be looked up */
        client->access = ACL_READWRITE;
        client->own_role = "";
        memcpy(client->texts, user.bytes, user.length);
        client->user = (struct mqtt_text){client->texts, user.length};
        memcpy(client->texts + user.length, client_id.bytes, client_id.length);
        client->client_id = (struct mqtt_text){client->texts + user.length, client_id.length};
        *ret = client;
        return 0;
}

struct access_client *access_client_free(struct access_client *client)
{
        if (!client)
                return NULL;
        free(client->cache);
        free(client);
        return NULL;
}

/* What the tables say of it, if they were replaced. */
void access_client_refresh(struct access_client *client)
{
        const struct user_table *users = client->rules->users;
        const struct user *user = NULL;
        const char *role;

        if (client->generation == client->rules->generation)
                return;
        client->generation = client->rules->generation;
        if (client->user.length > 0 && users)
                user = user_table_find(users, client->user);
        client->gone = client->known_by == ACCESS_KNOWN_BY_PASSWORD && !user;
        role = user ? user->role : client->own_role;
        client->role = (struct mqtt_text){role, (uint16_t)strlen(role)};
}

static struct acl_subject subject_of(const struct access_client *client, struct mqtt_text client_id)
{
        return (struct acl_subject){client->user, client->role, client_id};
}

/* Most listeners have no ACL, and most clients are asked about nothing for a long time. */
static struct acl_cache *cache_of(struct access_client *client)
{
        if (!client->cache)
                client->cache = calloc(1, sizeof(*client->cache));
        return client->cache;
}

bool access_client_may(struct access_client *client, struct acl_cache_hash *hash,
                       struct mqtt_text client_id, enum acl_access access, struct mqtt_text topic)
{
        const struct access_rules *rules = client->rules;
        struct acl_subject subject;

        access_client_refresh(client);
        if (client->gone || !(client->access & access))
                return false;
        if (!rules->acl)
                return true;
        subject = subject_of(client, client_id);
        /* Without memory it is only slower. */
        if (!cache_of(client))
                return acl_allows_topic(rules->acl, &subject, access, topic);
        return acl_cache_allows_topic(client->cache, hash, client->generation, rules->acl, &subject,
                                      access, topic);
}

bool access_client_may_subscribe(struct access_client *client, struct mqtt_text client_id,
                                 struct mqtt_text filter)
{
        struct acl_subject subject;

        access_client_refresh(client);
        if (client->gone || !(client->access & ACL_SUBSCRIBE))
                return false;
        subject = subject_of(client, client_id);
        return !client->rules->acl || acl_allows_filter(client->rules->acl, &subject, filter);
}
