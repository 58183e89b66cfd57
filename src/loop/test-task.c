#include "loop/task.h"

#include "base/attributes.h"
#include "support/test.h"

struct fixture {
        struct loop *loop;
        struct loop_task tasks[4];
        char ran[32];
        size_t ran_count;
};

static struct fixture *fixture; /* of the test that runs */

static void note(struct loop_task *task)
{
        fixture->ran[fixture->ran_count++] = (char)('a' + (task - fixture->tasks));
        fixture->ran[fixture->ran_count] = '\0';
}

static void note_and_post_again(struct loop_task *task)
{
        note(task);
        if (fixture->ran_count < 16)
                loop_task_post(task);
}

static void note_and_cancel_the_next(struct loop_task *task)
{
        note(task);
        loop_task_cancel(task + 1);
}

static void fixture_init(struct fixture *f)
{
        *f = (struct fixture){0};
        fixture = f;
        CHECK_EQ(loop_new_virtual(0, &f->loop), 0);
        for (size_t i = 0; i < ARRAY_SIZE(f->tasks); i++)
                loop_task_init(&f->tasks[i], f->loop, note);
}

TEST(tasks_run_in_the_order_they_were_posted_and_once)
{
        struct fixture f;

        fixture_init(&f);
        loop_task_post(&f.tasks[2]);
        loop_task_post(&f.tasks[0]);
        loop_task_post(&f.tasks[2]);
        loop_task_post(&f.tasks[1]);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.ran, "cab");
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.ran, "cab");
        loop_free(f.loop);
}

static void note_and_post_the_next_last(struct loop_task *task)
{
        note(task);
        loop_task_post_last(task + 1);
}

static void note_and_post_again_last(struct loop_task *task)
{
        note(task);
        if (fixture->ran_count < 4)
                loop_task_post_last(task);
}

TEST(last_tasks_run_after_all_others_of_the_round)
{
        struct fixture f;

        fixture_init(&f);
        loop_task_post_last(&f.tasks[3]);
        loop_task_post(&f.tasks[0]);
        loop_task_post_last(&f.tasks[3]);
        loop_task_post(&f.tasks[1]);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.ran, "abd");
        /* Also those that the others have put off. */
        loop_task_init(&f.tasks[2], f.loop, note_and_post_the_next_last);
        loop_task_post(&f.tasks[2]);
        loop_task_post(&f.tasks[0]);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.ran, "abdcad");
        loop_task_post_last(&f.tasks[3]);
        loop_task_cancel(&f.tasks[3]);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.ran, "abdcad");
        loop_free(f.loop);
}

TEST(a_last_task_that_posts_itself_waits_for_the_next_round_which_does_not_wait)
{
        struct fixture f;

        fixture_init(&f);
        loop_task_init(&f.tasks[0], f.loop, note_and_post_again_last);
        loop_task_post_last(&f.tasks[0]);
        while (f.ran_count < 4) {
                size_t before = f.ran_count;

                /* A minute, if it did. */
                loop_run_once(f.loop, 60000);
                CHECK(f.ran_count > before);
        }
        loop_free(f.loop);
}

TEST(a_cancelled_task_does_not_run_even_in_the_batch_that_runs)
{
        struct fixture f;

        fixture_init(&f);
        f.tasks[0].run = note_and_cancel_the_next;
        for (size_t i = 0; i < 4; i++)
                loop_task_post(&f.tasks[i]);
        loop_task_cancel(&f.tasks[3]);
        loop_task_cancel(&f.tasks[3]);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.ran, "ac");
        loop_free(f.loop);
}

TEST(a_task_posted_by_a_task_waits_for_the_next_round_but_nobody_waits_for_events)
{
        struct fixture f;

        fixture_init(&f);
        f.tasks[0].run = note_and_post_again;
        loop_task_post(&f.tasks[0]);
        loop_task_post(&f.tasks[1]);
        /* One batch before the wait and one behind it: the wait must be skipped,
         * or the test takes a minute. */
        loop_run_once(f.loop, 60000);
        CHECK_TEXT(f.ran, "aba");
        loop_run_once(f.loop, 60000);
        CHECK_TEXT(f.ran, "abaaa");
        loop_free(f.loop);
}
