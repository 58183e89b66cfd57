/* access/login.h - is that this user's password?
 *
 * Slow hashes are verified off the loop, one at a time (verifier.h). Failed attempts slow their
 * address down (slowdown.h); a machine-made token (proto/token.h) of a user with a fast hash is
 * looked at all the same, so that a guesser does not lock out others behind its address. A name
 * that nobody has costs what one costs that somebody has: neither the answer nor its time tells
 * who exists.
 *
 * Loop thread. */
#pragma once

#include "access/rules.h"
#include "access/slowdown.h"
#include "access/verifier.h"

/* What attempts share; all of it may be shared with others, and outlives them. */
struct login {
        struct loop *loop;
        struct verifier *verifier;
        struct slowdown *slowdown;
        bool uncounted; /* who asks counts failures itself */
};

enum login_result {
        LOGIN_GOOD,
        LOGIN_WRONG,   /* no such user, or not this password: counted as a failed attempt */
        LOGIN_SLOWED,  /* too many failed attempts from there: not looked at */
        LOGIN_BUSY,    /* cannot be verified now: too much waits already, or no memory */
        LOGIN_PENDING, /* on_answer comes later */
};

/* Embedded by who asks, whose memory stays until on_answer, which may free it. */
struct login_attempt {
        /* Set by who asks. Never from within login_begin(), and never LOGIN_PENDING. */
        void (*on_answer)(struct login_attempt *attempt, enum login_result result);

        const struct login *login;
        const struct access_rules *rules;
        struct verifier_waiter waiter;
        uint64_t origin;
        bool decoy;
        struct mqtt_text user;         /* in `name` */
        char name[USER_NAME_MAX];      /* the first bytes of it, if there are more */
        char hash[PASSWORD_HASH_SIZE]; /* the user's, or a decoy's */
};

/* `origin`: net_address_origin() of the peer. After LOGIN_GOOD the user is in rules->users, with
 * this password; `rules` and `login` outlive the attempt. */
enum login_result login_begin(const struct login *login, const struct access_rules *rules,
                              uint64_t origin, struct mqtt_text user, struct mqtt_text password,
                              struct login_attempt *attempt);
