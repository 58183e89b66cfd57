/* sandbox/wall-identity.h - who a program is, and what that may do: little.
 *
 * credentials(7), capabilities(7). */
#pragma once

#include "sandbox/sandbox.h"

struct identity {
        bool own; /* false: that of the spawner stays, which is not root then */
        uid_t uid;
        gid_t gid;
        gid_t groups[SANDBOX_GROUPS_MAX + 1];
        size_t groups_count;
};

/* May we become others, give files away, and so on? */
bool identity_may_change(void);

/* This process, for good. -EPERM also: root was asked for. */
int identity_enter(const struct identity *identity);

/* Nothing to be gained by executing, where that is ours to decide; where it is not,
 * no_new_privs sees to it. -errno. */
int capabilities_bound(void);
/* None but the bits of `keep` (1 << CAP_...), of those that are there. -errno. */
int capabilities_drop(uint64_t keep);
/* Is there none? */
bool capabilities_are_none(void);
int no_new_privs_enter(void);
