#include "agent/gate/users.h"

#include "access/settings.h"

#include <errno.h>
#include <string.h>

static const char role_expected[] = "viewer, operator, deployer or admin";

static bool is_role(const char *name)
{
        enum command_role role;

        return command_role_parse(name, &role) && role > COMMAND_ROLE_NONE;
}

enum command_role gate_user_role(const struct user *user)
{
        enum command_role role = COMMAND_ROLE_NONE;

        command_role_parse(user->role, &role);
        return role;
}

static int check_users(const struct config_list *list, struct error *error)
{
        const struct user_setting *users = list->items;

        for (size_t i = 0; i < list->count; i++) {
                if (strlen(users[i].name) >= COMMAND_PRINCIPAL_NAME_MAX)
                        return error_set(error, -EINVAL,
                                         "mqtt.users, entry %zu: a name has at most %d bytes",
                                         i + 1, COMMAND_PRINCIPAL_NAME_MAX - 1);
                if (!users[i].hash)
                        return error_set(error, -EINVAL,
                                         "mqtt.users, entry %zu (\"%s\"): has no hash; `pifleet "
                                         "passwd` makes one",
                                         i + 1, users[i].name);
                if (!users[i].role || !is_role(users[i].role))
                        return error_set(error, -EINVAL,
                                         "mqtt.users, entry %zu (\"%s\"): expected a role: %s",
                                         i + 1, users[i].name, role_expected);
        }
        return 0;
}

static int check_rules(const struct config_list *list, struct error *error)
{
        const struct rule_setting *rules = list->items;

        for (size_t i = 0; i < list->count; i++) {
                if (rules[i].role && !is_role(rules[i].role))
                        return error_set(error, -EINVAL, "mqtt.acl, entry %zu: expected a role: %s",
                                         i + 1, role_expected);
        }
        return 0;
}

int gate_users_make(const struct gate_config *config, struct user_table **ret_users,
                    struct acl **ret_acl, struct error *error)
{
        AUTO(user_table) struct user_table *users = NULL;
        AUTO(acl) struct acl *acl = NULL;
        int r = check_users(&config->users, error);

        if (r == 0)
                r = check_rules(&config->acl, error);
        if (r < 0)
                return r;
        if (config->users.count > 0)
                r = user_table_new(&users);
        if (r == 0 && config->acl.count > 0)
                r = acl_new(ACL_FILTERS_WHOLE, &acl);
        if (r < 0)
                return error_set(error, r, "mqtt: %s", strerror(-r));
        r = settings_add_users(&config->users, "mqtt.users", users, error);
        if (r == 0)
                r = settings_add_rules(&config->acl, "mqtt.acl", acl, error);
        if (r < 0)
                return r;
        *ret_users = TAKE(users);
        *ret_acl = TAKE(acl);
        return 0;
}
