/* access/settings.h - users and rules as a YAML file writes them, for any section.
 *
 *     users:
 *       - {name: ann, hash: "$argon2id$…", role: viewer}
 *     acl:
 *       - {allow: read, topic: "news/#"}
 *       - {user: ann, allow: readwrite, topic: "home/#"}
 *       - {role: viewer, deny: read, topic: "home/cellar/#"}
 *       - {anonymous: true, allow: read, topic: "public/#"}
 *       - {allow: write, topic: "devices/%u/#"}
 *
 * A section takes them in with
 *
 *     CONFIG_LIST(struct my_config, users, "users", struct user_setting, user_setting_keys,
 *                 USERS_MAX, USER_SETTING_EXPECTED),
 *     CONFIG_LIST(struct my_config, acl, "acl", struct rule_setting, rule_setting_keys,
 *                 ACL_RULES_MAX, RULE_SETTING_EXPECTED), */
#pragma once

#include "access/acl.h"
#include "access/user-table.h"
#include "data/config.h"

struct user_setting {
        char *name;
        char *hash; /* NULL: no password will do */
        char *role; /* NULL: none */
};

struct rule_setting {
        char *user, *role; /* NULL: not given */
        bool anonymous;
        int allow, deny; /* RULE_SETTING_NONE: not given */
        char *topic;
};
enum { RULE_SETTING_NONE = -1 };

extern const struct config_key user_setting_keys[3];
extern const struct config_key rule_setting_keys[6];
#define USER_SETTING_EXPECTED "a list of users, each with name and hash, and a role if it has one"
#define RULE_SETTING_EXPECTED                                                                      \
        "a list of rules, each with allow or deny (read, write, readwrite or subscribe) and topic"

/* Adds all of `settings` (of struct user_setting, of struct rule_setting). `where` begins the
 * sentences of errors ("mqtt.users"). -EINVAL, -EEXIST, -ENOSPC, -ENOMEM as acl_add() and
 * user_table_add(). */
int settings_add_users(const struct config_list *settings, const char *where,
                       struct user_table *table, struct error *error);
int settings_add_rules(const struct config_list *settings, const char *where, struct acl *acl,
                       struct error *error);
