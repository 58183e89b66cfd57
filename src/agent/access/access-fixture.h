/* agent/access/access-fixture.h - the commands of access on a virtual clock, for tests: a
 * caller's session, and what it and the bus were told. */
#pragma once

#include "agent/access/access.h"

#include "agent/access/access-event.h"
#include "base/attributes.h"
#include "proto/token.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

#define SERVER_TOKEN "the token of a server"
#define SERVER_HASH "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"
#define DISPLAY_TOKEN "the token of a display"
#define DISPLAY_HASH "blake2b:6e4616ba485d7ff160dde955bb90a9f12f558d6df0e7c10ce84615a97cfe1f76"
/* The same cheap ones as in test-verifier.c. */
#define ANN_SECRET "first secret"
#define ANN_HASH                                                                                   \
        "$argon2id$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$"                                       \
        "jkdTWcF0abDTO2jnUNAay6Is2vmdstxrKZaHaXCrM2Y"
#define BEN_SECRET "second secret"
#define BEN_HASH                                                                                   \
        "$argon2id$v=19$m=8,t=1,p=1$F5l9jv3jc+Bgs4CuHTH9EA$"                                       \
        "hDb3FW0QAd6RD4L4Z4mY5E85GbNsg9FvfuZAdWsJq1I"

enum { VIEWER, OPERATOR, DEPLOYER, ADMIN }; /* as the configuration counts roles */

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct loop_work *work;
        struct access *access;
        struct command_session session;
        struct command_subscription *denials;
        struct command_subscription *grants;
        struct access_token tokens[8];
        size_t tokens_count;
        char made[TOKEN_MADE_LENGTH + 1]; /* the admin's */
        char made_hash[TOKEN_HASH_SIZE];

        char reply[4096]; /* the last */
        unsigned replies, successes;
        struct access_denied denied; /* the last */
        unsigned denied_count;
        struct access_granted granted;
        unsigned granted_count;
};

/* With the tokens that were added before. */
void fixture_open(struct fixture *f, enum access_mode mode);
/* Five tokens: three of machines, one of them an admin's made by us, two of people. */
void fixture_open_with_tokens(struct fixture *f, enum access_mode mode);
void fixture_close(struct fixture *f);
/* Both texts have to outlive the fixture. */
void add_token(struct fixture *f, const char *name, const char *hash, int role);

/* Calls; the reply is in the fixture, or comes later to the request that is returned. */
struct command_request *ask_as(struct fixture *f, struct command_session *session,
                               const char *json);
struct command_request *ask(struct fixture *f, const char *json);
struct command_request *send_token_as(struct fixture *f, struct command_session *session,
                                      const char *command, const char *token);
struct command_request *send_token(struct fixture *f, const char *command, const char *token);
void authenticate(struct fixture *f, const char *token);

void run_until_replies(struct fixture *f, unsigned replies);
/* Whatever is put off to the end of the round: the bus delivers. */
void finish_round(struct fixture *f);
/* Whether the last reply has `part` in it. */
bool replied(const struct fixture *f, const char *part);
