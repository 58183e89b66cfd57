/* agent/access/config.h - the section `access` of the configuration: who may
 * come in, and from where.
 *
 *     access:
 *       mode: token
 *       tokens:
 *         - {name: node-server, hash: "blake2b:...", role: deployer}
 *
 * A value that the daemon loads once and that stays unchanged while it runs. */
#pragma once

#include "base/error.h"
#include "command/principal.h"
#include "data/config.h"

#include <stdbool.h>

enum {
        ACCESS_TOKENS_MAX = 1000,
        /* Hashes of secrets that people chose. Each attempt has to try all of them,
         * at tens of milliseconds and more each, so they are few. */
        ACCESS_SLOW_TOKENS_MAX = 8,
};

enum access_mode { ACCESS_MODE_TOKEN, ACCESS_MODE_OPEN };

struct access_token {
        char *name;
        char *hash;
        int role; /* access_role() reads it */
};

struct access_config {
        enum access_mode mode; /* a daemon without a file sets ACCESS_MODE_OPEN */
        bool allow_open_network;
        int open_role;             /* what everybody may do in open mode; access_role() reads it */
        struct config_list tokens; /* of struct access_token */
};

/* The section for config_load(), which fills *config. */
struct config_section access_config_section(struct access_config *config);
enum command_role access_role(int choice);

/* What a table of keys cannot say: names are unique, plain and not those of
 * principals that have no token; no hash stands there twice; all can be verified
 * (proto/token.h). -EINVAL with a sentence
 * that names the entry. */
int access_config_check(const struct access_config *config, struct error *error);

enum access_listen {
        ACCESS_LISTEN_OK = 0,
        /* Listen, and warn at each start: whoever reaches the address may do all that
         * open_role may. */
        ACCESS_LISTEN_OPEN = 1,
        /* Listen on loopback in place of the address, and say so: no token exists
         * that anybody could come in with. */
        ACCESS_LISTEN_LOOPBACK_ONLY = 2,
};

/* -EEXIST with a sentence: a token has this name; -EINVAL with one: it is not good for one who can
 * come in at all. */
int access_check_other_name(const struct access_config *config, const char *name,
                            struct error *error);

/* May a listener be bound to an address? `loopback`: net_address_is_loopback() of
 * it; `host` is for the sentence. For any outcome but OK `error` holds a sentence
 * for the log. -EACCES: refused, since it would be open by accident. */
int access_check_listen(const struct access_config *config, const char *host, bool loopback,
                        struct error *error);
