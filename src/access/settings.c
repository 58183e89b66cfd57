#include "access/settings.h"

#include <errno.h>

/* In the order of: */
static const uint8_t accesses[] = {ACL_READ, ACL_WRITE, ACL_READWRITE, ACL_SUBSCRIBE};
static const char *const access_names[] = {"read", "write", "readwrite", "subscribe", NULL};
static const char access_expected[] = "read, write, readwrite or subscribe";

const struct config_key user_setting_keys[] = {
        CONFIG_TEXT(struct user_setting, name, "name", NULL, "the user's name", .required = true),
        CONFIG_TEXT(struct user_setting, hash, "hash", NULL,
                    "the password's hash, as `pifleet passwd` prints it"),
        CONFIG_TEXT(struct user_setting, role, "role", NULL, "the user's role"),
};

const struct config_key rule_setting_keys[] = {
        CONFIG_TEXT(struct rule_setting, user, "user", NULL, "the name of the user it is for"),
        CONFIG_TEXT(struct rule_setting, role, "role", NULL, "the name of the role it is for"),
        CONFIG_BOOL(struct rule_setting, anonymous, "anonymous", false),
        CONFIG_CHOICE(struct rule_setting, allow, "allow", RULE_SETTING_NONE, access_names,
                      access_expected),
        CONFIG_CHOICE(struct rule_setting, deny, "deny", RULE_SETTING_NONE, access_names,
                      access_expected),
        CONFIG_TEXT(struct rule_setting, topic, "topic", NULL,
                    "a topic filter, such as home/# or devices/%u/+", .required = true),
};

int settings_add_users(const struct config_list *settings, const char *where,
                       struct user_table *table, struct error *error)
{
        const struct user_setting *users = settings->items;

        for (size_t i = 0; i < settings->count; i++) {
                int r = user_table_add(table, users[i].name, users[i].role ? users[i].role : "",
                                       users[i].hash, error);

                if (r < 0) {
                        error_prefix(error, "%s, entry %zu (\"%.64s\"): ", where, i + 1,
                                     users[i].name);
                        return r;
                }
        }
        return 0;
}

static int rule_of(const struct rule_setting *setting, struct acl_rule *ret, struct error *error)
{
        int choice = setting->allow != RULE_SETTING_NONE ? setting->allow : setting->deny;

        if ((setting->allow == RULE_SETTING_NONE) == (setting->deny == RULE_SETTING_NONE))
                return error_set(error, -EINVAL, "a rule has either allow or deny");
        if ((setting->user != NULL) + (setting->role != NULL) + setting->anonymous > 1)
                return error_set(error, -EINVAL,
                                 "a rule is for a user, for a role or for anonymous clients, or "
                                 "without any of these for everybody");
        *ret = (struct acl_rule){
                .whom = setting->user        ? ACL_USER
                        : setting->role      ? ACL_ROLE
                        : setting->anonymous ? ACL_ANONYMOUS
                                             : ACL_EVERYBODY,
                .name = setting->user ? setting->user : setting->role,
                .topic = setting->topic,
                .access = accesses[choice],
                .denies = setting->deny != RULE_SETTING_NONE,
        };
        return 0;
}

int settings_add_rules(const struct config_list *settings, const char *where, struct acl *acl,
                       struct error *error)
{
        const struct rule_setting *rules = settings->items;

        for (size_t i = 0; i < settings->count; i++) {
                struct acl_rule rule;
                int r = rule_of(&rules[i], &rule, error);

                if (r == 0)
                        r = acl_add(acl, &rule, error);
                if (r < 0) {
                        error_prefix(error, "%s, entry %zu: ", where, i + 1);
                        return r;
                }
        }
        return 0;
}
