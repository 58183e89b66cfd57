/* access/user-table.h - who may log in with a password, and in which role.
 *
 * A value that a program makes when it starts or reads its files again, and does not change
 * while it is used. At most USERS_MAX users. One thread. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "proto/mqtt/packet.h"

enum {
        USERS_MAX = 100000,
        USER_NAME_MAX = 255, /* bytes */
        USER_ROLE_MAX = 31,  /* bytes */
};

struct user {
        const char *name;
        const char *role; /* "": none */
        const char *hash; /* password-hash.h; NULL: no password will do, a certificate may */
};

/* -EINVAL with a sentence: empty, too long, with control characters, or no UTF-8. */
int user_name_check(const char *name, struct error *error);

struct user_table;

int user_table_new(struct user_table **ret); /* -ENOMEM; -EIO: no random numbers */
struct user_table *user_table_free(struct user_table *table);
DEFINE_CLEANUP(user_table)

/* Copies all three. -EINVAL with a sentence: one of them is none; -EEXIST: the name is there;
 * -ENOSPC, -ENOMEM, with a sentence each. */
int user_table_add(struct user_table *table, const char *name, const char *role, const char *hash,
                   struct error *error);
size_t user_table_count(const struct user_table *table);
/* NULL: no such user. What it points to lives as long as the table. */
const struct user *user_table_find(const struct user_table *table, struct mqtt_text name);
/* One whose hash is to be verified in place of that of `name`, which is nobody's, so that the
 * time does not tell who exists: always the same one for the same name. NULL: nobody is there. */
const struct user *user_table_decoy(const struct user_table *table, struct mqtt_text name);
