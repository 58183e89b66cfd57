/* agent/gate/users.h - users and rules of the section `mqtt`, as tables.
 *
 *     mqtt:
 *       guest: viewer
 *       users:
 *         - {name: ann, role: operator, hash: "$argon2id$..."}
 *       acl:
 *         - {allow: readwrite, topic: "home/#"}
 *
 * Roles are those of the registry. Pure. */
#pragma once

#include "access/rules.h"
#include "agent/gate/config.h"
#include "command/principal.h"

/* Both NULL where the section has none. -EINVAL with a sentence that names the entry; -ENOMEM,
 * -EIO. */
int gate_users_make(const struct gate_config *config, struct user_table **ret_users,
                    struct acl **ret_acl, struct error *error);
/* Of one of those users. */
enum command_role gate_user_role(const struct user *user);
