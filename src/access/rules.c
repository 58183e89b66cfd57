#include "access/rules.h"

void access_rules_replace(struct access_rules *rules, struct user_table *users, struct acl *acl)
{
        user_table_free(rules->users);
        acl_free(rules->acl);
        rules->users = users;
        rules->acl = acl;
        rules->generation++;
}

void access_rules_done(struct access_rules *rules)
{
        access_rules_replace(rules, NULL, NULL);
}
