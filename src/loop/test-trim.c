#include "loop/trim.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 1000, WAIT = LOOP_TRIM_AFTER_MS };

static void open_trim(struct loop **loop, struct loop_trim *trim)
{
        CHECK_EQ(loop_new_virtual(1, loop), 0);
        loop_trim_init(trim, *loop, LEAST);
}

TEST(a_burst_that_is_over_is_followed_by_one_trim)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_trim trim;

        open_trim(&loop, &trim);
        loop_trim_note(&trim, LEAST);
        loop_trim_note(&trim, LEAST / 2);
        CHECK(!trim.timer.armed);
        for (size_t i = LEAST / 2; i > 0; i--)
                loop_trim_note(&trim, i - 1);
        loop_advance_ms(loop, WAIT - 1);
        CHECK_EQ(trim.trims, 0);
        loop_advance_ms(loop, 1);
        CHECK_EQ(trim.trims, 1);

        /* Nothing runs from then on, until the next one. */
        loop_trim_note(&trim, LEAST - 1);
        loop_trim_note(&trim, 0);
        CHECK(!trim.timer.armed);
        loop_trim_note(&trim, LEAST);
        loop_trim_note(&trim, 0);
        loop_advance_ms(loop, WAIT);
        CHECK_EQ(trim.trims, 2);
        loop_trim_done(&trim);
}

TEST(what_comes_and_goes_is_left_alone_until_it_stays_away)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_trim trim;

        open_trim(&loop, &trim);
        for (unsigned i = 0; i < 10; i++) {
                loop_trim_note(&trim, LEAST + i);
                loop_trim_note(&trim, 0);
                loop_advance_ms(loop, WAIT / 2);
        }
        CHECK_EQ(trim.trims, 0);
        CHECK(trim.timer.armed);
        loop_advance_ms(loop, 2 * WAIT);
        CHECK_EQ(trim.trims, 1);
        CHECK(!trim.timer.armed);
        loop_trim_done(&trim);
}

TEST(what_comes_again_is_left_alone)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_trim trim;

        open_trim(&loop, &trim);
        loop_trim_note(&trim, LEAST);
        loop_trim_note(&trim, 0);
        loop_trim_note(&trim, LEAST);
        loop_advance_ms(loop, WAIT);
        CHECK_EQ(trim.trims, 0);
        loop_trim_note(&trim, 0);
        CHECK(trim.timer.armed);
        loop_trim_done(&trim);
        loop_advance_ms(loop, WAIT);
        CHECK_EQ(trim.trims, 0);
}
