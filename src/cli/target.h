/* cli/target.h - which agent is meant, and with which token: the options that
 * all subcommands which talk to an agent have in common. */
#pragma once

#include "cli/client.h"
#include "cli/options.h"
#include "cli/server.h"

#include <stdint.h>

struct target_options {
        struct server_options server;
        const char *token;
        const char *token_file;
        double timeout_seconds;
};

enum { TARGET_PORT = 3000, TARGET_TOKEN_MAX = 4096 };
#define TARGET_SOCKET "/run/pifleet/agent.sock"
#define TARGET_OPTIONS_DEFAULT                                                                     \
        {                                                                                          \
                .server = SERVER_OPTIONS_DEFAULT, .timeout_seconds = 30                            \
        }

enum { TARGET_OPTIONS_COUNT = SERVER_OPTIONS_COUNT + 3 };
extern const struct options_entry target_options[TARGET_OPTIONS_COUNT];

#define TARGET_OPTIONS_GROUP(type, member)                                                         \
        {                                                                                          \
                "Which agent", target_options, TARGET_OPTIONS_COUNT, offsetof(type, member)        \
        }

struct target {
        struct client_target client;
        char token[TARGET_TOKEN_MAX + 1]; /* what client.token points to, when there is one */
};

/* Options and $PIFLEET_TOKEN into a target; `target` must stay where it is and
 * is wiped with target_done(). Without --host, --port, --tls and --socket it is
 * the Unix socket where somebody answers there, else the TCP port of this
 * machine. -EINVAL with a sentence: options that exclude each other; -errno: a
 * token file that cannot be read. */
int target_resolve(const struct target_options *options, struct target *target,
                   struct error *error);
void target_done(struct target *target);
