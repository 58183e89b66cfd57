#include "agent/access/config.h"

#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "proto/token.h"

#include <errno.h>
#include <string.h>

static const char *const modes[] = {"token", "open", NULL};
/* In the order of enum command_role, without NONE. */
static const char *const roles[] = {"viewer", "operator", "deployer", "admin", NULL};

enum { ROLE_ADMIN_CHOICE = COMMAND_ROLE_ADMIN - COMMAND_ROLE_VIEWER };

static const char role_expected[] = "viewer, operator, deployer or admin";

static const struct config_key token_keys[] = {
        CONFIG_TEXT(struct access_token, name, "name", NULL, "a name for the log",
                    .required = true),
        CONFIG_TEXT(struct access_token, hash, "hash", NULL,
                    "the token's hash, as `pifleet passwd` prints it", .required = true),
        CONFIG_CHOICE(struct access_token, role, "role", 0, roles, role_expected, .required = true),
};

static const struct config_key keys[] = {
        CONFIG_CHOICE(struct access_config, mode, "mode", ACCESS_MODE_TOKEN, modes,
                      "token or open"),
        CONFIG_BOOL(struct access_config, allow_open_network, "allow_open_network", false),
        CONFIG_CHOICE(struct access_config, open_role, "open_role", ROLE_ADMIN_CHOICE, roles,
                      role_expected),
        CONFIG_LIST(struct access_config, tokens, "tokens", struct access_token, token_keys,
                    ACCESS_TOKENS_MAX, "a list of tokens, each with name, hash and role"),
};

struct config_section access_config_section(struct access_config *config)
{
        return (struct config_section){
                .name = "access", .keys = keys, .keys_count = ARRAY_SIZE(keys), .target = config};
}

enum command_role access_role(int choice)
{
        return (enum command_role)(COMMAND_ROLE_VIEWER + choice);
}

/* Names go into log lines as key=value, and stand beside those of principals that
 * have no token. A colon is not in the alphabet, so "uid:1000" cannot be taken. */
static int check_name(const char *name, struct error *error)
{
        static const char *const taken[] = {"open", "local", "root"};
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@";
        size_t length = strlen(name);

        if (length == 0 || length >= COMMAND_PRINCIPAL_NAME_MAX || strspn(name, alphabet) < length)
                return error_set(error, -EINVAL,
                                 "a name has 1 to %d letters, digits, `.`, `_`, `-` or `@`",
                                 COMMAND_PRINCIPAL_NAME_MAX - 1);
        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
                if (strcmp(name, taken[i]) == 0)
                        return error_set(error, -EINVAL,
                                         "this name stands for callers without a token; choose "
                                         "another");
        return 0;
}

/* Remembers `text`; -EINVAL: it was there, with the token whose it is. */
static int check_is_new(struct map *map, const char *text, const struct access_token *token,
                        const char *noun, struct error *error)
{
        void *previous = NULL;
        int r;

        r = map_put(map, text, (void *)token, &previous);
        if (r < 0)
                return error_set(error, r, "not enough memory");
        if (previous)
                return error_set(error, -EINVAL, "the same %s stands at \"%s\" already", noun,
                                 ((const struct access_token *)previous)->name);
        return 0;
}

static int check_token(const struct access_token *token, struct map *names, struct map *hashes,
                       struct error *error)
{
        int r;

        r = check_name(token->name, error);
        if (r == 0)
                r = check_is_new(names, token->name, token, "name", error);
        if (r == 0)
                r = token_hash_check(token->hash, error);
        if (r == 0)
                r = check_is_new(hashes, token->hash, token, "hash", error);
        return r;
}

int access_config_check(const struct access_config *config, struct error *error)
{
        AUTO(map) struct map *names = NULL;
        AUTO(map) struct map *hashes = NULL;
        const struct access_token *tokens = config->tokens.items;
        size_t slow = 0;
        int r;

        if (config->tokens.count > ACCESS_TOKENS_MAX)
                return error_set(error, -EINVAL, "access.tokens: at most %d", ACCESS_TOKENS_MAX);
        r = map_new(ACCESS_TOKENS_MAX, &names);
        if (r == 0)
                r = map_new(ACCESS_TOKENS_MAX, &hashes);
        if (r < 0)
                return error_set(error, r, "access.tokens: not enough memory");
        for (size_t i = 0; i < config->tokens.count; i++) {
                r = check_token(&tokens[i], names, hashes, error);
                if (r < 0) {
                        error_prefix(error, "access.tokens, entry %zu (\"%.*s\"): ", i + 1,
                                     COMMAND_PRINCIPAL_NAME_MAX, tokens[i].name);
                        return r;
                }
                slow += token_hash_is_slow(tokens[i].hash);
        }
        if (slow > ACCESS_SLOW_TOKENS_MAX)
                return error_set(error, -EINVAL,
                                 "access.tokens: %zu argon2id hashes, but each attempt has to try "
                                 "all of them, so there may be %d; give machines tokens from "
                                 "`pifleet passwd`, of which there may be %d",
                                 slow, ACCESS_SLOW_TOKENS_MAX, ACCESS_TOKENS_MAX);
        return 0;
}

int access_check_other_name(const struct access_config *config, const char *name,
                            struct error *error)
{
        const struct access_token *tokens = config->tokens.items;
        int r = check_name(name, error);

        for (size_t i = 0; i < config->tokens.count && r == 0; i++) {
                if (strcmp(tokens[i].name, name) == 0)
                        r = error_set(error, -EEXIST, "a token of `access.tokens` has this name");
        }
        return r;
}

int access_check_listen(const struct access_config *config, const char *host, bool loopback,
                        struct error *error)
{
        if (loopback)
                return ACCESS_LISTEN_OK;
        if (config->mode == ACCESS_MODE_OPEN) {
                if (!config->allow_open_network)
                        return error_set(error, -EACCES,
                                         "access.mode is open, and anybody who reaches %s could "
                                         "take over this machine: use tokens (`pifleet setup` "
                                         "makes the first), or listen on 127.0.0.1, or set "
                                         "access.allow_open_network: true if that is wanted",
                                         host);
                error_set(error, 0,
                          "access.mode is open on %s: anybody who reaches it has the role %s", host,
                          command_role_name(access_role(config->open_role)));
                return ACCESS_LISTEN_OPEN;
        }
        if (config->tokens.count == 0) {
                error_set(error, 0,
                          "no token exists yet: listening on loopback only, not on %s; run "
                          "`pifleet setup`",
                          host);
                return ACCESS_LISTEN_LOOPBACK_ONLY;
        }
        return ACCESS_LISTEN_OK;
}
