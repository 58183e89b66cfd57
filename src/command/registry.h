/* command/registry.h - every capability, by name.
 *
 * Transports bring requests (command/request.h), rooms bring commands
 * (command/command.h); neither knows the other. The way of a request: find,
 * identify, access, arguments, guards, run, reply, statistics, audit. */
#pragma once

#include "base/error.h"
#include "command/bus.h"
#include "command/command.h"
#include "command/request.h"
#include "command/statistics.h"
#include "loop/loop.h"

struct command_registry;

enum {
        COMMAND_REGISTRY_MAX = 4096,  /* commands */
        COMMAND_PENDING_MAX = 16384,  /* requests that run on; beyond: BUSY */
        COMMAND_REPLY_MAX = 16 << 20, /* bytes of one reply; beyond: TOO_LARGE */
};

int command_registry_new(struct loop *loop, struct command_bus *bus, struct command_registry **ret);
/* After the rooms whose commands it holds, which end what still runs. Events
 * of the bus must not be delivered to it any more. */
struct command_registry *command_registry_free(struct command_registry *registry);
DEFINE_CLEANUP(command_registry)

/* Adds commands of one source ("builtin", "handlers/camera.py"), all or none.
 * Copies the definitions. A DEPLOYED command may cover an UPDATABLE one, which
 * comes back when it is removed. -EEXIST: the name is taken; -EINVAL: a bad name
 * or schema; -ENOSPC; -ENOMEM. */
int command_registry_add(struct command_registry *registry, const struct command commands[],
                         size_t count, const char *source, void *owner, struct error *error);
/* The same for a source that may have commands already: these are then the ones it has, all
 * or none. A command that stays is never missing in between; its statistics begin anew. */
int command_registry_replace(struct command_registry *registry, const struct command commands[],
                             size_t count, const char *source, void *owner, struct error *error);
/* Removes all commands of a source; its requests that run on still may reply. */
void command_registry_remove(struct command_registry *registry, const char *source);

/* One command as it stands, for lists; NULL: no such command, or the end. */
struct command_entry;
const struct command_entry *command_registry_find(const struct command_registry *registry,
                                                  const char *name);
/* All commands in the order of their names; start with NULL. */
const struct command_entry *command_registry_next(const struct command_registry *registry,
                                                  const struct command_entry *previous);
const struct command *command_entry_definition(const struct command_entry *entry);
const char *command_entry_source(const struct command_entry *entry);
const struct command_statistics *command_entry_statistics(const struct command_entry *entry);

/* Somebody to ask after access and before the command runs (leases). Returns 0
 * to let it pass; else it has replied. At most 8. */
typedef int command_guard_fn(void *owner, struct command_request *request);
int command_registry_add_guard(struct command_registry *registry, command_guard_fn *guard,
                               void *owner);

/* Who a token belongs to, for `auth` and for a `token` member. */
typedef void command_identified_fn(void *context, int result,
                                   const struct command_principal *principal,
                                   const struct error *error, uint64_t retry_ms);
/* Calls `identified` once, at once or later: 0 and the principal; -EACCES;
 * -EAGAIN: not now, `retry_ms` says when. The token is the caller's, copied when
 * needed later. */
typedef void command_identify_fn(void *owner, const struct command_session *session,
                                 const char *token, command_identified_fn *identified,
                                 void *context);
/* At most one; without it every token is refused. */
void command_registry_set_identify(struct command_registry *registry, command_identify_fn *identify,
                                   void *owner);
/* Asks it, for a transport whose own packets carry a token. */
void command_registry_identify(struct command_registry *registry,
                               const struct command_session *session, const char *token,
                               command_identified_fn *identified, void *context);

/* What `get_status` says: rooms contribute members. At most 16. */
typedef void command_status_fn(void *owner, struct json_writer *writer);
int command_registry_add_status(struct command_registry *registry, command_status_fn *status,
                                void *owner);
void command_registry_write_status(struct command_registry *registry, struct json_writer *writer);

/* What a transport counts; registered once, read by `connection_stats`. */
struct command_transport {
        const char *name; /* "tcp"; static */
        uint64_t connections, connections_total, refused;
        uint64_t requests, errors;
        uint64_t bytes_in, bytes_out;
};
int command_registry_add_transport(struct command_registry *registry,
                                   struct command_transport *transport);
const struct command_transport *command_registry_transport(const struct command_registry *registry,
                                                           size_t index); /* NULL: the end */

/* For a new session of whatever transport. */
uint64_t command_registry_new_session_id(struct command_registry *registry);

struct loop *command_registry_loop(const struct command_registry *registry);
struct command_bus *command_registry_bus(const struct command_registry *registry);
size_t command_registry_pending(const struct command_registry *registry);
