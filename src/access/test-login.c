#include "access/login.h"
#include "access/password-fixture.h"

#include "base/attributes.h"
#include "proto/token.h"
#include "support/allocation.h"
#include "support/test.h"

#include <stdio.h>

enum { HERE = 1, ELSEWHERE = 2 };

struct fixture {
        struct loop *loop;
        struct loop_work *work;
        struct login login;
        struct access_rules rules;
        char token[TOKEN_MADE_LENGTH + 1]; /* of the user "machine" */
};

struct asked {
        struct login_attempt attempt;
        enum login_result result; /* LOGIN_PENDING: none yet */
        unsigned answers;
};

static struct mqtt_text text(const char *of)
{
        return (struct mqtt_text){of, (uint16_t)strlen(of)};
}

static void add(struct user_table *users, const char *name, const char *hash)
{
        CHECK_EQ(user_table_add(users, name, "", hash, NULL), 0);
}

static void fixture_open(struct fixture *f)
{
        char hash[TOKEN_HASH_SIZE];
        struct user_table *users;

        *f = (struct fixture){0};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(loop_work_new(f->loop, VERIFIER_JOBS_MAX, &f->work), 0);
        f->login.loop = f->loop;
        CHECK_EQ(slowdown_new(&f->login.slowdown), 0);
        CHECK_EQ(verifier_new(f->loop, f->work, f->login.slowdown, &f->login.verifier), 0);
        CHECK_EQ(user_table_new(&users), 0);
        add(users, "ann", FIRST_SECRET_HASH);
        add(users, "ben", SECOND_SECRET_HASH);
        add(users, "by certificate", NULL);
        CHECK_EQ(token_make(f->token), 0);
        CHECK_EQ(token_hash(f->token, hash), 0);
        add(users, "machine", hash);
        access_rules_replace(&f->rules, users, NULL);
}

static void fixture_close(struct fixture *f)
{
        verifier_free(f->login.verifier);
        slowdown_free(f->login.slowdown);
        loop_work_free(f->work);
        access_rules_done(&f->rules);
        loop_free(f->loop);
}

static void on_answer(struct login_attempt *attempt, enum login_result result)
{
        struct asked *asked = container_of(attempt, struct asked, attempt);

        CHECK(result != LOGIN_PENDING);
        asked->result = result;
        asked->answers++;
}

static enum login_result begin(struct fixture *f, uint64_t origin, const char *user,
                               const char *password, struct asked *asked)
{
        *asked = (struct asked){.attempt.on_answer = on_answer, .result = LOGIN_PENDING};
        return login_begin(&f->login, &f->rules, origin, text(user), text(password),
                           &asked->attempt);
}

static void run_until_idle(struct fixture *f)
{
        for (int rounds = 0; verifier_jobs(f->login.verifier) > 0 && rounds < 10000; rounds++)
                loop_run_once(f->loop, 100);
        CHECK_EQ(verifier_jobs(f->login.verifier), 0);
}

/* All the way to an answer. */
static enum login_result log_in(struct fixture *f, uint64_t origin, const char *user,
                                const char *password)
{
        struct asked asked;
        enum login_result result = begin(f, origin, user, password, &asked);

        if (result != LOGIN_PENDING)
                return result;
        CHECK_EQ(asked.answers, 0);
        run_until_idle(f);
        CHECK_EQ(asked.answers, 1);
        return asked.result;
}

TEST(a_password_is_good_for_its_own_user_only)
{
        static const struct {
                const char *user, *password;
                enum login_result result;
        } cases[] = {
                {"ann", "first secret", LOGIN_GOOD},
                {"ben", "second secret", LOGIN_GOOD},
                {"ann", "second secret", LOGIN_WRONG},
                {"ann", "", LOGIN_WRONG},
                {"nobody", "first secret", LOGIN_WRONG},
                {"nobody", "second secret", LOGIN_WRONG},
                {"", "first secret", LOGIN_WRONG},
                {"by certificate", "first secret", LOGIN_WRONG},
                {"machine", "first secret", LOGIN_WRONG},
        };
        struct fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                CHECK_EQ(log_in(&f, 100 + i, cases[i].user, cases[i].password), cases[i].result);
        CHECK_EQ(log_in(&f, HERE, "machine", f.token), LOGIN_GOOD);
        CHECK_EQ(log_in(&f, HERE, "ann", f.token), LOGIN_WRONG);
        fixture_close(&f);
}

TEST(a_password_that_is_too_long_is_wrong)
{
        char longest[PASSWORD_MAX + 2], name[400];
        struct fixture f;

        fixture_open(&f);
        memset(longest, 'x', sizeof(longest));
        longest[PASSWORD_MAX + 1] = '\0';
        CHECK_EQ(log_in(&f, HERE, "ann", longest), LOGIN_WRONG);
        memset(name, 'x', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        CHECK_EQ(log_in(&f, HERE, name, "first secret"), LOGIN_WRONG);
        fixture_close(&f);
}

TEST(nobody_is_there_to_log_in_as)
{
        struct fixture f;
        struct user_table *users;

        fixture_open(&f);
        CHECK_EQ(user_table_new(&users), 0);
        access_rules_replace(&f.rules, users, NULL);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_WRONG);
        access_rules_replace(&f.rules, NULL, NULL);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_WRONG);
        CHECK_EQ(slowdown_count(f.login.slowdown), 1);
        fixture_close(&f);
}

TEST(a_good_password_is_known_at_once_the_next_time)
{
        struct fixture f;
        struct asked asked;

        fixture_open(&f);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_GOOD);
        CHECK_EQ(begin(&f, ELSEWHERE, "ann", "first secret", &asked), LOGIN_GOOD);
        loop_advance_ms(f.loop, VERIFIED_LIFETIME_MS);
        CHECK_EQ(begin(&f, HERE, "ann", "first secret", &asked), LOGIN_PENDING);
        run_until_idle(&f);
        CHECK_EQ(asked.result, LOGIN_GOOD);
        fixture_close(&f);
}

/* Or who asks could tell by the time who exists. */
TEST(a_name_that_nobody_has_is_verified_like_any_other)
{
        struct fixture f;
        struct asked asked[2];
        struct user_table *users;

        fixture_open(&f);
        CHECK_EQ(user_table_new(&users), 0);
        add(users, "ann", FIRST_SECRET_HASH);
        access_rules_replace(&f.rules, users, NULL);
        CHECK_EQ(begin(&f, HERE, "ann", "a wrong one", &asked[0]), LOGIN_PENDING);
        CHECK_EQ(begin(&f, HERE, "nobody", "a wrong one", &asked[1]), LOGIN_PENDING);
        CHECK_EQ(verifier_jobs(f.login.verifier), 2);
        run_until_idle(&f);
        CHECK_EQ(asked[0].result, LOGIN_WRONG);
        CHECK_EQ(asked[1].result, LOGIN_WRONG);
        /* Even with the password of the one whose hash stood in. */
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(begin(&f, ELSEWHERE, "nobody", "first secret", &asked[0]), LOGIN_PENDING);
                run_until_idle(&f);
                CHECK_EQ(asked[0].result, LOGIN_WRONG);
        }
        fixture_close(&f);
}

TEST(wrong_passwords_slow_their_address_down_and_no_other)
{
        struct fixture f;

        fixture_open(&f);
        for (unsigned i = 0; i <= SLOWDOWN_FREE_FAILURES; i++)
                CHECK_EQ(log_in(&f, HERE, i % 2 ? "ann" : "nobody", "a wrong one"), LOGIN_WRONG);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_SLOWED);
        CHECK_EQ(log_in(&f, HERE, "nobody", "first secret"), LOGIN_SLOWED);
        CHECK_EQ(log_in(&f, ELSEWHERE, "ann", "first secret"), LOGIN_GOOD);
        /* Whole tokens cannot be guessed. */
        CHECK_EQ(log_in(&f, HERE, "machine", f.token), LOGIN_GOOD);
        CHECK_EQ(log_in(&f, HERE, "machine", "a wrong one"), LOGIN_SLOWED);
        loop_advance_ms(f.loop, SLOWDOWN_FIRST_MS);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_GOOD);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_GOOD);
        fixture_close(&f);
}

TEST(more_than_can_be_verified_comes_again_and_is_no_failure)
{
        struct fixture f;
        struct asked asked[VERIFIER_JOBS_PER_ORIGIN], more;
        char guess[32];

        fixture_open(&f);
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++) {
                snprintf(guess, sizeof(guess), "guess %u", i);
                CHECK_EQ(begin(&f, HERE, "ann", guess, &asked[i]), LOGIN_PENDING);
        }
        CHECK_EQ(begin(&f, HERE, "ann", "one guess more", &more), LOGIN_BUSY);
        CHECK_EQ(log_in(&f, ELSEWHERE, "ben", "second secret"), LOGIN_GOOD);
        /* Many guesses at once are no more than one after the other. */
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++)
                CHECK_EQ(asked[i].result, i <= SLOWDOWN_FREE_FAILURES ? LOGIN_WRONG : LOGIN_SLOWED);
        CHECK_EQ(more.answers, 0);
        fixture_close(&f);
}

TEST(the_same_guess_at_the_same_time_counts_once)
{
        struct fixture f;
        struct asked asked[8];

        fixture_open(&f);
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++)
                CHECK_EQ(begin(&f, HERE, "ann", "a wrong one", &asked[i]), LOGIN_PENDING);
        CHECK_EQ(verifier_jobs(f.login.verifier), 1);
        run_until_idle(&f);
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++)
                CHECK_EQ(asked[i].result, LOGIN_WRONG);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_GOOD);
        fixture_close(&f);
}

TEST(who_is_removed_or_gets_another_password_meanwhile_comes_again)
{
        struct fixture f;
        struct user_table *users;
        struct asked ann, ben;

        fixture_open(&f);
        CHECK_EQ(begin(&f, HERE, "ann", "first secret", &ann), LOGIN_PENDING);
        CHECK_EQ(begin(&f, HERE, "ben", "second secret", &ben), LOGIN_PENDING);
        CHECK_EQ(user_table_new(&users), 0);
        add(users, "ann", SECOND_SECRET_HASH);
        access_rules_replace(&f.rules, users, NULL);
        run_until_idle(&f);
        CHECK_EQ(ann.result, LOGIN_BUSY);
        CHECK_EQ(ben.result, LOGIN_BUSY);
        CHECK_EQ(log_in(&f, HERE, "ann", "second secret"), LOGIN_GOOD);
        CHECK_EQ(log_in(&f, HERE, "ben", "second secret"), LOGIN_WRONG);
        fixture_close(&f);
}

TEST(who_waits_when_the_verifier_ends_is_told_so)
{
        struct fixture f;
        struct asked asked;

        fixture_open(&f);
        CHECK_EQ(begin(&f, HERE, "ann", "first secret", &asked), LOGIN_PENDING);
        f.login.verifier = verifier_free(f.login.verifier);
        CHECK_EQ(asked.result, LOGIN_BUSY);
        fixture_close(&f);
}

TEST(without_memory_one_comes_again)
{
        struct fixture f;
        struct asked asked;
        enum login_result result;

        fixture_open(&f);
        allocation_fail_at(1);
        result = begin(&f, HERE, "ann", "first secret", &asked);
        CHECK(allocation_end());
        CHECK_EQ(result, LOGIN_BUSY);
        CHECK_EQ(log_in(&f, HERE, "ann", "first secret"), LOGIN_GOOD);
        fixture_close(&f);
}
