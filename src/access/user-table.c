#include "access/user-table.h"

#include "access/password-hash.h"
#include "base/map.h"
#include "base/siphash.h"
#include "base/utf8.h"

#include <errno.h>
#include <string.h>

struct user_table {
        struct map *by_name; /* struct entry */
        struct entry **entries;
        size_t count, capacity;
        /* Of those that have a hash: what decoys are taken from. */
        const struct user **hashed;
        size_t hashed_count;
        struct siphash_key key;
};

struct entry {
        struct user user;
        char texts[]; /* name, role, hash */
};

int user_table_new(struct user_table **ret)
{
        AUTO(user_table) struct user_table *table = calloc(1, sizeof(*table));
        int r;

        if (!table)
                return -ENOMEM;
        r = siphash_key_draw(&table->key);
        if (r == 0)
                r = map_new_borrowing(USERS_MAX, &table->by_name);
        if (r < 0)
                return r;
        *ret = TAKE(table);
        return 0;
}

struct user_table *user_table_free(struct user_table *table)
{
        if (!table)
                return NULL;
        map_free(table->by_name);
        for (size_t i = 0; i < table->count; i++)
                free(table->entries[i]);
        free(table->entries);
        free(table->hashed);
        free(table);
        return NULL;
}

int user_name_check(const char *name, struct error *error)
{
        size_t length = strlen(name);

        if (length == 0 || length > USER_NAME_MAX)
                return error_set(error, -EINVAL, "a user's name has 1 to %d bytes", USER_NAME_MAX);
        for (size_t i = 0; i < length; i++) {
                if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
                        return error_set(error, -EINVAL, "a user's name has no control characters");
        }
        if (utf8_valid_prefix(name, length) < length)
                return error_set(error, -EINVAL, "a user's name is UTF-8");
        return 0;
}

static int check(const struct user_table *table, const char *name, const char *role,
                 const char *hash, struct error *error)
{
        int r = user_name_check(name, error);

        if (r < 0)
                return r;
        if (strlen(role) > USER_ROLE_MAX)
                return error_set(error, -EINVAL, "the name of a role has at most %d bytes",
                                 USER_ROLE_MAX);
        r = hash ? password_hash_check(hash, error) : 0;
        if (r < 0)
                return r;
        if (map_get(table->by_name, name, strlen(name)))
                return error_set(error, -EEXIST, "this user is there already");
        if (table->count == USERS_MAX)
                return error_set(error, -ENOSPC, "there are more than %d users", USERS_MAX);
        return 0;
}

/* Room for one more in both lists. */
static int grow(struct user_table *table)
{
        size_t capacity = table->capacity ? table->capacity * 2 : 8;
        void *entries, *hashed;

        if (table->count < table->capacity)
                return 0;
        entries = reallocarray(table->entries, capacity, sizeof(table->entries[0]));
        if (!entries)
                return -ENOMEM;
        table->entries = entries;
        hashed = reallocarray(table->hashed, capacity, sizeof(table->hashed[0]));
        if (!hashed)
                return -ENOMEM;
        table->hashed = hashed;
        table->capacity = capacity;
        return 0;
}

static struct entry *entry_new(const char *name, const char *role, const char *hash)
{
        size_t name_size = strlen(name) + 1, role_size = strlen(role) + 1;
        struct entry *entry =
                calloc(1, sizeof(*entry) + name_size + role_size + (hash ? strlen(hash) + 1 : 0));

        if (!entry)
                return NULL;
        entry->user.name = memcpy(entry->texts, name, name_size);
        entry->user.role = memcpy(entry->texts + name_size, role, role_size);
        if (hash)
                entry->user.hash = strcpy(entry->texts + name_size + role_size, hash);
        return entry;
}

int user_table_add(struct user_table *table, const char *name, const char *role, const char *hash,
                   struct error *error)
{
        struct entry *entry;
        int r = check(table, name, role, hash, error);

        if (r < 0)
                return r;
        r = grow(table);
        entry = r == 0 ? entry_new(name, role, hash) : NULL;
        r = entry ? map_put(table->by_name, entry->user.name, entry, NULL) : -ENOMEM;
        if (r < 0) {
                free(entry);
                return error_set(error, r, "not enough memory");
        }
        table->entries[table->count++] = entry;
        if (hash)
                table->hashed[table->hashed_count++] = &entry->user;
        return 0;
}

size_t user_table_count(const struct user_table *table)
{
        return table->count;
}

const struct user *user_table_find(const struct user_table *table, struct mqtt_text name)
{
        const struct entry *entry = map_get(table->by_name, name.bytes, name.length);

        return entry ? &entry->user : NULL;
}

const struct user *user_table_decoy(const struct user_table *table, struct mqtt_text name)
{
        if (table->hashed_count == 0)
                return NULL;
        return table->hashed[siphash(&table->key, name.bytes, name.length) % table->hashed_count];
}
