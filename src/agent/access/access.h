/* agent/access/access.h - who a caller is, and what they may do.
 *
 * Tokens come with the command `auth`, which is registered here, or inside a
 * request; in both cases the registry asks whose they are. Tokens that machines
 * were given are found at once. Secrets that people chose are verified off the
 * loop (verifier.h), and remembered for a while.
 *
 * Failed attempts are counted for each origin and slowed down (slowdown.h). A
 * whole machine-made token is looked up even while its origin is slowed down:
 * guessing 256 bits is hopeless, and so a guesser, or a script with an old token,
 * does not lock out the others behind the same address. Each attempt that fails
 * is an event (access-event.h).
 *
 * Loop thread only. */
#pragma once

#include "access/login.h"
#include "agent/access/config.h"
#include "base/cleanup.h"
#include "command/registry.h"
#include "loop/work.h"

#include <stdbool.h>
#include <sys/types.h>

struct access;

/* Copies what it needs of `config`, of which the hashes are checked again.
 * -EINVAL with a sentence; -EEXIST: somebody else registered `auth`; -ENOMEM, -EIO.
 * `registry` and `work` must live until access_free(). */
int access_attach(struct command_registry *registry, struct loop_work *work,
                  const struct access_config *config, struct access **ret, struct error *error);
/* Takes `auth` back; who waits for a slow hash hears "not now". */
struct access *access_free(struct access *access);
DEFINE_CLEANUP(access)

/* By which other rooms verify passwords of their own users: one at a time with ours, and counted
 * with ours. Valid until access_free(). */
void access_lend_login(const struct access *access, struct login *ret);

bool access_is_open(const struct access *access);
bool access_has_tokens(const struct access *access);

/* What a connection may do before it shows a token. `peer_uid` is what the kernel
 * says of the other end of a Unix socket (SO_PEERCRED, unix(7)), NULL for any
 * other: root and the agent's own user are admins ("root", "local"), whoever else
 * may open the socket can read ("uid:1000"). In open mode everybody may do at least
 * what `open_role` may ("open"). */
void access_initial_principal(const struct access *access, const uid_t *peer_uid,
                              struct command_principal *ret);
