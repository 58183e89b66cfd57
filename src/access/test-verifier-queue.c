/* Secrets that wait to be verified: how many, whose, and who is next. */
#include "access/verifier-fixture.h"
#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

TEST(an_origin_cannot_fill_the_queue)
{
        struct fixture f = fixture_new(VERIFIER_JOBS_MAX);
        struct asked here[VERIFIER_JOBS_PER_ORIGIN], more, elsewhere;
        char token[32];

        for (unsigned i = 0; i < VERIFIER_JOBS_PER_ORIGIN; i++) {
                snprintf(token, sizeof token, "guess number %u", i);
                CHECK_EQ(submit(&f, HERE, token, &here[i]), 0);
        }
        CHECK_EQ(submit(&f, HERE, "one guess more", &more), -EAGAIN);
        CHECK_EQ(submit(&f, ELSEWHERE, "first secret", &elsewhere), 0);
        run_until_idle(&f);
        CHECK_EQ(more.answers, 0);
        CHECK_EQ(elsewhere.result, 1);
        CHECK_EQ(submit(&f, HERE, "one guess more", &more), 0);
        run_until_idle(&f);
        CHECK_EQ(more.result, 0);
        fixture_done(&f);
}

TEST(a_full_queue_refuses_and_recovers)
{
        struct fixture f = fixture_new(VERIFIER_JOBS_MAX);
        struct asked asked[VERIFIER_JOBS_MAX], more;

        for (unsigned i = 0; i < VERIFIER_JOBS_MAX; i++)
                CHECK_EQ(submit(&f, i, "first secret", &asked[i]), 0);
        CHECK_EQ(submit(&f, 1000, "first secret", &more), -EAGAIN);
        run_until_idle(&f);
        for (unsigned i = 0; i < VERIFIER_JOBS_MAX; i++)
                CHECK_EQ(asked[i].result, 1);
        CHECK_EQ(more.answers, 0);
        CHECK_EQ(submit(&f, 1000, "first secret", &more), 0);
        run_until_idle(&f);
        CHECK_EQ(more.result, 1);
        fixture_done(&f);
}

/* The pool's queue is shared with others and may be the first to be full. */
TEST(a_full_work_queue_refuses_too)
{
        struct fixture f = fixture_new(1);
        struct held_work first, second;
        struct asked asked;

        held_work_begin(&first, f.work);
        held_work_begin(&second, f.work);
        CHECK_EQ(submit(&f, HERE, "first secret", &asked), -EAGAIN);
        CHECK_EQ(verifier_jobs(f.verifier), 0);
        held_work_release(&first);
        held_work_release(&second);
        for (int rounds = 0; rounds < 1000; rounds++) {
                if (submit(&f, HERE, "first secret", &asked) == 0)
                        break;
                loop_run_once(f.loop, 100);
        }
        run_until_idle(&f);
        CHECK_EQ(asked.result, 1);
        fixture_done(&f);
}

/* In which order they were answered. */
struct place {
        struct verifier_waiter waiter;
        unsigned *count, place;
        int result;
};

static void on_turn(struct verifier_waiter *waiter, int result, size_t index, bool first)
{
        struct place *place = container_of(waiter, struct place, waiter);

        (void)index;
        CHECK(first);
        place->result = result;
        place->place = ++*place->count;
}

static void queue(struct fixture *f, uint64_t origin, const char *secret, struct place *place,
                  unsigned *count)
{
        struct verifier_question question = question_of(secret);

        *place = (struct place){.waiter.on_verified = on_turn, .count = count};
        CHECK_EQ(verifier_submit(f->verifier, origin, &question, &place->waiter), 0);
}

TEST(origins_take_turns)
{
        struct fixture f = fixture_new(8);
        struct place crowd[8], two[2], one;
        struct held_work held;
        unsigned count = 0;
        char secret[32];

        held_work_begin(&held, f.work);
        for (unsigned i = 0; i < 8; i++) {
                snprintf(secret, sizeof secret, "of a crowd %u", i);
                queue(&f, HERE, secret, &crowd[i], &count);
        }
        queue(&f, ELSEWHERE, "of two, the first", &two[0], &count);
        queue(&f, ELSEWHERE, "of two, the second", &two[1], &count);
        queue(&f, 3, "of one", &one, &count);
        held_work_release(&held);
        run_until_idle(&f);
        CHECK_EQ(count, 11);
        /* The first was begun when it was alone. */
        CHECK_EQ(crowd[0].place, 1);
        CHECK_EQ(crowd[1].place, 2);
        CHECK_EQ(two[0].place, 3);
        CHECK_EQ(one.place, 4);
        CHECK_EQ(crowd[2].place, 5);
        CHECK_EQ(two[1].place, 6);
        for (unsigned i = 3; i < 8; i++)
                CHECK_EQ(crowd[i].place, i + 4);
        fixture_done(&f);
}

struct guess {
        struct verifier_waiter waiter;
        struct fixture *fixture;
        int result;
};

static void count_failure(struct verifier_waiter *waiter, int result, size_t index, bool first)
{
        struct guess *guess = container_of(waiter, struct guess, waiter);
        struct fixture *f = guess->fixture;

        (void)index;
        CHECK(first);
        guess->result = result;
        if (result == 0)
                slowdown_failed(f->slowdown, HERE, loop_now_ms(f->loop));
}

TEST(many_guesses_at_once_are_no_more_than_one_after_the_other)
{
        struct fixture f = fixture_new(8);
        struct guess guesses[VERIFIER_JOBS_PER_ORIGIN];
        struct asked elsewhere;
        char secret[32];

        for (unsigned i = 0; i < ARRAY_SIZE(guesses); i++) {
                struct verifier_question question;

                snprintf(secret, sizeof secret, "guess number %u", i);
                question = question_of(secret);
                guesses[i] = (struct guess){
                        .waiter.on_verified = count_failure, .fixture = &f, .result = NOT_YET};
                CHECK_EQ(verifier_submit(f.verifier, HERE, &question, &guesses[i].waiter), 0);
        }
        CHECK_EQ(submit(&f, ELSEWHERE, "first secret", &elsewhere), 0);
        run_until_idle(&f);
        for (unsigned i = 0; i < ARRAY_SIZE(guesses); i++)
                CHECK_EQ(guesses[i].result, i <= SLOWDOWN_FREE_FAILURES ? 0 : -EACCES);
        CHECK_EQ(elsewhere.result, 1);
        fixture_done(&f);
}

TEST(waiters_are_bounded)
{
        struct fixture f = fixture_new(8);
        struct asked *asked = calloc(VERIFIER_WAITERS_MAX, sizeof *asked);
        struct asked more;

        assert_non_null(asked);
        for (unsigned i = 0; i < VERIFIER_WAITERS_MAX; i++)
                CHECK_EQ(submit(&f, HERE, "first secret", &asked[i]), 0);
        CHECK_EQ(submit(&f, HERE, "first secret", &more), -EAGAIN);
        run_until_idle(&f);
        for (unsigned i = 0; i < VERIFIER_WAITERS_MAX; i++)
                CHECK_EQ(asked[i].answers, 1);
        CHECK_EQ(submit(&f, HERE, "first secret", &more), 0);
        run_until_idle(&f);
        CHECK_EQ(more.answers, 1);
        free(asked);
        fixture_done(&f);
}
