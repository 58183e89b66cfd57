/* command/registry-internal.h - what the files of this room know of each other:
 * the registry's fields (registry.c), a request on its way (dispatch.c) and the
 * reply it is given (reply.c). */
#pragma once

#include "base/buffer.h"
#include "base/list.h"
#include "base/map.h"
#include "command/audit.h"
#include "command/registry.h"
#include "command/reply.h"
#include "data/json-schema.h"
#include "loop/timer.h"

enum { GUARDS_MAX = 8, STATUS_MAX = 16, TRANSPORTS_MAX = 8 };

/* How the replies of one command begin, made once per round. */
struct reply_head {
        const struct command_entry *entry; /* NULL: not made */
        const char *type;
        uint64_t round;
        struct json_writer writer; /* as it stood behind it */
        size_t length;
        char text[256];
};

/* Lives as long as it is registered or covered, or a request runs it. */
struct command_entry {
        struct command definition; /* its texts are this entry's own */
        char *texts;
        char *source;
        void *owner;
        struct json_schema *schema;
        struct command_statistics statistics;
        struct command_entry *covered; /* the built-in that a deployed one stands for */
        unsigned references;
};

struct command_registry {
        struct loop *loop;
        struct command_bus *bus;
        struct map *by_name;
        struct command_entry **sorted; /* by name */
        size_t count;
        size_t sorted_capacity;

        struct {
                command_guard_fn *ask;
                void *owner;
        } guards[GUARDS_MAX];
        size_t guards_count;
        struct {
                command_status_fn *write;
                void *owner;
        } status[STATUS_MAX];
        size_t status_count;
        struct command_transport *transports[TRANSPORTS_MAX];
        size_t transports_count;
        uint64_t last_session_id;
        command_identify_fn *identify;
        void *identify_owner;

        struct list requests; /* all that have not ended */
        size_t requests_count;
        struct command_request *spare; /* one, so that most requests allocate none */

        struct buffer reply; /* the one that is being written */
        struct json_writer writer;
        struct reply_head head;
        uint64_t now_ns, now_round; /* the clock, and the round it was last read in */
};

struct command_request {
        struct list link;
        struct command_registry *registry;
        struct command_entry *entry; /* NULL before the command is known */
        struct command_session *session;
        struct command_principal principal;
        const char *transport;
        cJSON *object; /* the arguments, after the envelope was taken off */
        cJSON *command, *id, *lease_token;
        command_on_reply_fn *on_reply; /* NULL: abandoned */
        void *owner;
        struct loop_timer deadline;
        uint64_t started_ns;
        uint64_t timeout_ms;
        bool authenticating; /* counted in the session */
        bool running;        /* inside `run` or on the way to it */
        bool answered;       /* the caller has its reply */
        bool ended;          /* the command has replied; nothing more comes from it */
        bool success;        /* what the reply being written says */
        enum command_code code;
};

/* When a request begins: where the one before it in this round ended, else now.
 * So that a request costs one look at the clock, and what it took counts whole. */
uint64_t command_registry_begin_ns(struct command_registry *registry);
uint64_t command_registry_end_ns(struct command_registry *registry);

struct command_entry *command_entry_reference(struct command_entry *entry);
void command_entry_release(struct command_entry *entry);

/* Hands the finished reply in registry->reply to the caller; the request may be
 * gone afterwards. */
void command_request_answer(struct command_request *request);
void command_request_release_if_done(struct command_request *request);

/* Answers the caller in place of a command that is late and still owes a reply. */
void command_reply_expire(struct command_request *request);
