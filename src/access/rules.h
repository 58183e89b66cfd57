/* access/rules.h - the users and the ACL that count now, and that may be replaced.
 *
 * Whoever asks, asks here each time; what is replaced is freed at once. Clients that are
 * connected stay: what they may do from then on is what the new tables say, and who is no
 * longer among the users may do nothing more. Loop thread. */
#pragma once

#include "access/acl.h"
#include "access/user-table.h"

struct access_rules {
        struct user_table *users; /* NULL: nobody has a password */
        struct acl *acl;          /* NULL: who is logged in may do everything */
        uint64_t generation;      /* another one after each replacement */
        bool shared;              /* both tables are another's */
};

/* Takes both over, and frees those before. To begin with, of one that is all zero. */
void access_rules_replace(struct access_rules *rules, struct user_table *users, struct acl *acl);
/* In place of those before: what `from` has now. To be shared again when that was replaced, before
 * anybody asks. */
void access_rules_share(struct access_rules *rules, const struct access_rules *from);
void access_rules_done(struct access_rules *rules);
