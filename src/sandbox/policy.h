/* sandbox/policy.h - what the spawner lets its asker have, whatever it asks for.
 *
 * From the command line only: an agent that was taken over cannot widen it. Lists
 * have defaults, to which options add; patterns are those of glob(7), in which a
 * star matches neither "/" nor a leading dot. */
#pragma once

#include "sandbox/sandbox.h"

enum { POLICY_ENTRIES_MAX = 64 };

struct policy_list {
        const char *entries[POLICY_ENTRIES_MAX + 1]; /* ends with NULL */
        size_t count;
};

struct policy {
        struct policy_list devices; /* patterns */
        struct policy_list groups;  /* names */
        struct policy_list shared;  /* patterns of folders that may be shared */
        struct policy_list hidden;  /* paths no program sees */
};

void policy_init(struct policy *policy);
/* -E2BIG: too many. The text stays the caller's. */
int policy_add(struct policy_list *list, const char *entry);

bool policy_allows_shared(const struct policy *policy, const char *path);
/* The groups' numbers behind those in ret; -EACCES: one is not allowed, *ret_which. */
int policy_resolve_groups(const struct policy *policy, const char *const names[], gid_t ret[],
                          size_t max, size_t *ret_count, const char **ret_which);

struct policy_devices {
        char *paths[129]; /* ends with NULL */
        size_t count;
};

/* What the patterns match now. -EACCES: something that is not allowed; -E2BIG: more
 * than 128; -ENOMEM; *ret_which: about which pattern. `done` in any case. */
int policy_expand_devices(const struct policy *policy, const char *const patterns[],
                          struct policy_devices *ret, const char **ret_which);
void policy_devices_done(struct policy_devices *devices);
