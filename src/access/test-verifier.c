/* What a verifier answers, what it remembers, and how it ends. */
#include "access/verifier-fixture.h"
#include "base/attributes.h"
#include "support/allocation.h"

#include <errno.h>

TEST(a_token_is_found_whichever_hash_it_belongs_to)
{
        static const struct {
                const char *token;
                int result;
                size_t index;
        } cases[] = {
                {"first secret", 1, 0},
                {"second secret", 1, 1},
                {"third secret", 1, 2},
        };
        struct fixture f = fixture_new(8);
        struct asked asked;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CHECK_EQ(submit(&f, HERE, cases[i].token, &asked), 0);
                CHECK_EQ(asked.answers, 0);
                run_until_idle(&f);
                CHECK_EQ(asked.answers, 1);
                CHECK_EQ(asked.result, cases[i].result);
                CHECK_EQ(asked.index, cases[i].index);
                CHECK(asked.first);
        }
        fixture_done(&f);
}

TEST(a_wrong_token_belongs_to_none_and_is_not_remembered)
{
        struct fixture f = fixture_new(8);
        struct asked asked;
        size_t index;

        CHECK_EQ(submit(&f, HERE, "fourth secret", &asked), 0);
        run_until_idle(&f);
        CHECK_EQ(asked.answers, 1);
        CHECK_EQ(asked.result, 0);
        CHECK_EQ(recall(&f, "fourth secret", &index), 0);
        fixture_done(&f);
}

TEST(a_good_token_is_remembered_for_five_minutes)
{
        struct fixture f = fixture_new(8);
        struct asked asked;
        size_t index = 77;

        CHECK_EQ(recall(&f, "second secret", &index), 0);
        CHECK_EQ(submit(&f, HERE, "second secret", &asked), 0);
        run_until_idle(&f);
        CHECK_EQ(recall(&f, "second secret", &index), 1);
        CHECK_EQ(index, 1);
        loop_advance_ms(f.loop, 299999);
        CHECK_EQ(recall(&f, "second secret", &index), 1);
        loop_advance_ms(f.loop, 1);
        CHECK_EQ(recall(&f, "second secret", &index), 0);
        fixture_done(&f);
}

TEST(the_same_token_from_the_same_origin_is_worked_on_once)
{
        struct fixture f = fixture_new(8);
        struct asked asked[16];

        for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
                CHECK_EQ(submit(&f, HERE, "third secret", &asked[i]), 0);
        CHECK_EQ(verifier_jobs(f.verifier), 1);
        run_until_idle(&f);
        for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
                CHECK_EQ(asked[i].answers, 1);
                CHECK_EQ(asked[i].result, 1);
                CHECK_EQ(asked[i].index, 2);
                CHECK_EQ(asked[i].first, i == 0);
        }
        fixture_done(&f);
}

TEST(the_same_token_from_another_origin_is_another_attempt)
{
        struct fixture f = fixture_new(8);
        struct asked here, elsewhere;

        CHECK_EQ(submit(&f, HERE, "fourth secret", &here), 0);
        CHECK_EQ(submit(&f, ELSEWHERE, "fourth secret", &elsewhere), 0);
        CHECK_EQ(verifier_jobs(f.verifier), 2);
        run_until_idle(&f);
        CHECK(here.first);
        CHECK(elsewhere.first);
        fixture_done(&f);
}

/* The answer to one that waits may be the end of all. */
struct end {
        struct verifier_waiter waiter;
        struct fixture *fixture;
};

static void end_all(struct verifier_waiter *waiter, int result, size_t index, bool first)
{
        struct fixture *f = container_of(waiter, struct end, waiter)->fixture;

        (void)result;
        (void)index;
        (void)first;
        f->verifier = verifier_free(f->verifier);
}

TEST(a_verifier_may_end_inside_an_answer)
{
        for (int slowed = 0; slowed < 2; slowed++) {
                struct fixture f = fixture_new(8);
                struct verifier_question question = question_of("first secret");
                struct end end = {.waiter.on_verified = end_all, .fixture = &f};
                struct asked before, after;

                if (slowed) {
                        CHECK_EQ(submit(&f, ELSEWHERE, "first secret", &before), 0);
                        for (int i = 0; i <= SLOWDOWN_FREE_FAILURES; i++)
                                slowdown_failed(f.slowdown, HERE, loop_now_ms(f.loop));
                }
                CHECK_EQ(verifier_submit(f.verifier, HERE, &question, &end.waiter), 0);
                CHECK_EQ(submit(&f, HERE, "second secret", &after), 0);
                for (int rounds = 0; f.verifier && rounds < 1000; rounds++)
                        loop_run_once(f.loop, 100);
                CHECK_EQ(after.result, -ECANCELED);
                fixture_done(&f);
        }
}

TEST(a_secret_of_impossible_length_is_not_worked_on)
{
        struct fixture f = fixture_new(8);
        char secret[PASSWORD_MAX + 2];
        struct asked asked;
        size_t index;

        memset(secret, 'x', sizeof secret);
        secret[PASSWORD_MAX + 1] = '\0';
        CHECK_EQ(submit(&f, HERE, secret, &asked), -EINVAL);
        CHECK_EQ(recall(&f, secret, &index), 0);
        secret[PASSWORD_MAX] = '\0';
        CHECK_EQ(submit(&f, HERE, secret, &asked), 0);
        run_until_idle(&f);
        CHECK_EQ(asked.result, 0);
        CHECK_EQ(submit(&f, HERE, "", &asked), 0);
        run_until_idle(&f);
        CHECK_EQ(asked.result, 0);
        fixture_done(&f);
}

TEST(a_question_has_one_to_eight_hashes)
{
        struct fixture f = fixture_new(8);
        const char *many[VERIFIER_HASHES_MAX + 1];
        struct verifier_question question = question_of("third secret");
        struct asked asked;

        for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                many[i] = hashes[0];
        many[VERIFIER_HASHES_MAX - 1] = hashes[2];
        question.hashes = many;
        question.hashes_count = 0;
        CHECK_EQ(ask(&f, HERE, &question, &asked), -EINVAL);
        question.hashes_count = VERIFIER_HASHES_MAX + 1;
        CHECK_EQ(ask(&f, HERE, &question, &asked), -EINVAL);
        question.hashes_count = VERIFIER_HASHES_MAX;
        CHECK_EQ(ask(&f, HERE, &question, &asked), 0);
        run_until_idle(&f);
        CHECK_EQ(asked.result, 1);
        CHECK_EQ(asked.index, VERIFIER_HASHES_MAX - 1);
        fixture_done(&f);
}

TEST(a_decoy_takes_its_time_and_is_never_right)
{
        struct fixture f = fixture_new(8);
        struct verifier_question question = question_of("second secret");
        struct asked decoy, real;
        size_t index;

        question.decoy = true;
        CHECK_EQ(ask(&f, HERE, &question, &decoy), 0);
        CHECK_EQ(submit(&f, HERE, "second secret", &real), 0);
        CHECK_EQ(verifier_jobs(f.verifier), 2); /* they do not share one */
        run_until_idle(&f);
        CHECK_EQ(decoy.result, 0);
        CHECK_EQ(real.result, 1);
        CHECK_EQ(verifier_recall(f.verifier, &question, &index), 0);
        CHECK_EQ(recall(&f, "second secret", &index), 1);
        fixture_done(&f);
}

TEST(two_who_say_the_same_secret_under_different_names_are_two_attempts)
{
        struct fixture f = fixture_new(8);
        struct verifier_question question = question_of("fourth secret");
        struct asked ann, ben;

        question.whose = "ann";
        question.whose_length = 3;
        CHECK_EQ(ask(&f, HERE, &question, &ann), 0);
        question.whose = "ben";
        CHECK_EQ(ask(&f, HERE, &question, &ben), 0);
        CHECK_EQ(verifier_jobs(f.verifier), 2);
        run_until_idle(&f);
        CHECK(ann.first);
        CHECK(ben.first);
        fixture_done(&f);
}

TEST(a_secret_counts_for_the_hashes_it_was_verified_against)
{
        struct fixture f = fixture_new(8);
        struct verifier_question question = question_of("first secret");
        struct asked asked;
        size_t index;

        CHECK_EQ(submit(&f, HERE, "first secret", &asked), 0);
        run_until_idle(&f);
        CHECK_EQ(verifier_recall(f.verifier, &question, &index), 1);
        question.hashes = hashes + 1;
        question.hashes_count = 2;
        CHECK_EQ(verifier_recall(f.verifier, &question, &index), 0);
        fixture_done(&f);
}

TEST(who_waits_when_the_verifier_ends_hears_of_it_at_once)
{
        struct fixture f = fixture_new(8);
        struct asked asked[3];

        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++)
                CHECK_EQ(submit(&f, i, "first secret", &asked[i]), 0);
        verifier_free(f.verifier);
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++) {
                CHECK_EQ(asked[i].answers, 1);
                CHECK_EQ(asked[i].result, -ECANCELED);
        }
        /* Its jobs are still with the pool, and end there. */
        for (int rounds = 0; rounds < 10; rounds++)
                loop_run_once(f.loop, 20);
        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++)
                CHECK_EQ(asked[i].answers, 1);
        loop_work_free(f.work);
        slowdown_free(f.slowdown);
        loop_free(f.loop);
}

TEST(the_work_queue_may_end_before_the_verifier)
{
        struct fixture f = fixture_new(8);
        struct asked asked[3];

        for (unsigned i = 0; i < ARRAY_SIZE(asked); i++)
                CHECK_EQ(submit(&f, i, "first secret", &asked[i]), 0);
        loop_work_free(f.work);
        CHECK_EQ(verifier_jobs(f.verifier), 0);
        /* The one that ran is finished; those that waited never ran. */
        CHECK_EQ(asked[0].result, 1);
        CHECK_EQ(asked[1].result, -ECANCELED);
        CHECK_EQ(asked[2].result, -ECANCELED);
        verifier_free(f.verifier);
        slowdown_free(f.slowdown);
        loop_free(f.loop);
}

struct chain {
        struct asked asked;
        struct fixture *fixture;
        unsigned rest;
};

static void submit_again(struct verifier_waiter *waiter, int result, size_t index, bool first)
{
        struct chain *chain = container_of(waiter, struct chain, asked.waiter);

        CHECK_EQ(result, 0);
        chain->asked.answers++;
        if (chain->rest-- > 0) {
                struct verifier_question question = question_of("fourth secret");

                CHECK_EQ(verifier_submit(chain->fixture->verifier, HERE, &question, waiter), 0);
        }
}

TEST(an_answer_may_bring_the_next_question)
{
        struct fixture f = fixture_new(8);
        struct chain chain = {.asked.waiter.on_verified = submit_again, .fixture = &f, .rest = 4};

        struct verifier_question question = question_of("fourth secret");

        CHECK_EQ(verifier_submit(f.verifier, HERE, &question, &chain.asked.waiter), 0);
        run_until_idle(&f);
        CHECK_EQ(chain.asked.answers, 5);
        fixture_done(&f);
}

TEST(a_verifier_is_made_whole_or_not_at_all)
{
        struct fixture f = fixture_new(8);
        size_t n = 0;
        bool failed;

        do {
                struct verifier *verifier = NULL;
                int r;

                allocation_fail_at(++n);
                r = verifier_new(f.loop, f.work, f.slowdown, &verifier);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(verifier != NULL, !failed);
                verifier_free(verifier);
        } while (failed);
        CHECK_EQ(n, 3); /* that is, two allocations */
        fixture_done(&f);
}

TEST(without_memory_a_token_is_not_taken_in_and_the_next_one_is)
{
        struct fixture f = fixture_new(8);
        struct asked asked;
        int r;

        allocation_fail_at(1);
        r = submit(&f, HERE, "first secret", &asked);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK_EQ(verifier_jobs(f.verifier), 0);
        CHECK_EQ(submit(&f, HERE, "first secret", &asked), 0);
        run_until_idle(&f);
        CHECK_EQ(asked.result, 1);
        CHECK_EQ(asked.answers, 1);
        fixture_done(&f);
}
