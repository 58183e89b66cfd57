#include "access/rules.h"

void access_rules_replace(struct access_rules *rules, struct user_table *users, struct acl *acl)
{
        if (!rules->shared) {
                user_table_free(rules->users);
                acl_free(rules->acl);
        }
        rules->users = users;
        rules->acl = acl;
        rules->shared = false;
        rules->generation++;
}

void access_rules_share(struct access_rules *rules, const struct access_rules *from)
{
        access_rules_replace(rules, NULL, NULL);
        rules->users = from->users;
        rules->acl = from->acl;
        rules->shared = true;
}

void access_rules_done(struct access_rules *rules)
{
        access_rules_replace(rules, NULL, NULL);
}
