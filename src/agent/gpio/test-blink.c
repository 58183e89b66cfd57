#include "agent/gpio/blink.h"
#include "agent/gpio/sim.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

struct fixture {
        struct gpio_blink blink;
        struct loop *loop;
        struct gpio_chip *chip;
        struct gpio_lines *lines;
        char changes[256]; /* "+" on, "-" off */
        unsigned done;
        int result;
};

static void fixture_on_changed(struct gpio_blink *blink, bool value)
{
        struct fixture *f = container_of(blink, struct fixture, blink);
        size_t length = strlen(f->changes);

        snprintf(f->changes + length, sizeof(f->changes) - length, "%c", value ? '+' : '-');
}

static void fixture_on_done(struct gpio_blink *blink, int result)
{
        struct fixture *f = container_of(blink, struct fixture, blink);

        f->done++;
        f->result = result;
}

static void fixture_on_nothing(struct gpio_blink *blink, bool value)
{
}

static void fixture_init(struct fixture *f, unsigned times, uint64_t interval_ms)
{
        *f = (struct fixture){0};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(gpio_sim_new(NULL, &f->chip), 0);
        CHECK_EQ(gpio_lines_new(f->chip, &f->lines), 0);
        f->blink.loop = f->loop;
        f->blink.lines = f->lines;
        f->blink.pin = 17;
        f->blink.first = true;
        f->blink.halves = 2 * times;
        f->blink.half_ms[0] = f->blink.half_ms[1] = interval_ms;
        f->blink.reads = true;
        f->blink.end = GPIO_BLINK_ENDS_RESTORED;
        f->blink.on_changed = fixture_on_changed;
        f->blink.on_done = fixture_on_done;
}

/* An effect that is not a test. */
static void fixture_init_effect(struct fixture *f, bool first, uint32_t halves, uint64_t on_ms,
                                uint64_t off_ms, enum gpio_blink_end end)
{
        fixture_init(f, 1, 0);
        f->blink.first = first;
        f->blink.halves = halves;
        f->blink.half_ms[0] = on_ms;
        f->blink.half_ms[1] = off_ms;
        f->blink.reads = false;
        f->blink.end = end;
}

static void fixture_done(struct fixture *f)
{
        gpio_lines_free(f->lines);
        gpio_chip_free(f->chip);
        loop_free(f->loop);
}

static bool level_of(struct fixture *f)
{
        bool level;

        CHECK_EQ(gpio_sim_level(f->chip, 17, &level), 0);
        return level;
}

static struct gpio_line_info info_of(struct fixture *f)
{
        struct gpio_line_info info;

        CHECK_EQ(gpio_chip_line_info(f->chip, 17, &info), 0);
        return info;
}

TEST(a_pin_goes_on_and_off_at_its_times)
{
        struct fixture f;

        fixture_init(&f, 2, 500);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        for (unsigned half = 0; half < 4; half++) {
                CHECK_EQ(level_of(&f), half % 2 == 0);
                loop_advance_ms(f.loop, 499);
                CHECK_EQ(level_of(&f), half % 2 == 0);
                CHECK_EQ(f.blink.readings_count, half);
                CHECK_EQ(f.done, 0);
                loop_advance_ms(f.loop, 1);
        }
        CHECK_EQ(f.done, 1);
        CHECK_EQ(f.result, 0);
        CHECK_TEXT(f.changes, "+-+-");
        CHECK_EQ(f.blink.readings_count, 4);
        CHECK(gpio_blink_passed(&f.blink));
        loop_advance_ms(f.loop, 10000);
        CHECK_EQ(f.done, 1);
        fixture_done(&f);
}

TEST(the_most_there_can_be_fits_the_readings)
{
        struct fixture f;

        fixture_init(&f, GPIO_BLINK_TIMES_MAX, 10);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, UINT64_C(2) * GPIO_BLINK_TIMES_MAX * 10);
        CHECK_EQ(f.done, 1);
        CHECK_EQ(f.blink.readings_count, 2 * GPIO_BLINK_TIMES_MAX);
        CHECK(gpio_blink_passed(&f.blink));
        fixture_done(&f);
}

TEST(a_free_pin_is_free_and_an_input_afterwards)
{
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f, 1, 500);
        CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        info = info_of(&f);
        CHECK_TEXT(info.consumer, "pifleet:pin17");
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_OUTPUT);
        loop_advance_ms(f.loop, 1000);
        CHECK_EQ(f.done, 1);
        info = info_of(&f);
        CHECK(!info.used);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
        CHECK(level_of(&f));
        fixture_done(&f);
}

TEST(a_pin_that_was_on_is_on_again)
{
        struct fixture f;

        fixture_init(&f, 1, 500);
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 500);
        CHECK(!level_of(&f));
        loop_advance_ms(f.loop, 500);
        CHECK_EQ(f.done, 1);
        CHECK(level_of(&f));
        CHECK(gpio_lines_held(f.lines, 17));
        CHECK_TEXT(f.changes, "+-+");
        fixture_done(&f);
}

TEST(a_pin_that_was_off_stays_off_and_held)
{
        struct fixture f;

        fixture_init(&f, 1, 500);
        CHECK_EQ(gpio_lines_set(f.lines, 17, false), 0);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 1000);
        CHECK_EQ(f.done, 1);
        CHECK(!level_of(&f));
        CHECK(gpio_lines_held(f.lines, 17));
        CHECK_TEXT(f.changes, "+-");
        fixture_done(&f);
}

TEST(a_busy_pin_is_not_blinked)
{
        struct fixture f;

        fixture_init(&f, 1, 500);
        CHECK_EQ(gpio_sim_hog(f.chip, 17, "onewire@0"), 0);
        CHECK_EQ(gpio_blink_start(&f.blink), -EBUSY);
        loop_advance_ms(f.loop, 10000);
        CHECK_EQ(f.done, 0);
        CHECK_TEXT(f.changes, "");
        fixture_done(&f);
}

TEST(without_memory_nothing_starts)
{
        struct fixture f;

        fixture_init(&f, 1, 500);
        allocation_fail_at(1);
        CHECK_EQ(gpio_blink_start(&f.blink), -ENOMEM);
        (void)allocation_end();
        CHECK(!info_of(&f).used);
        fixture_done(&f);
}

TEST(a_cancelled_blink_restores_at_once)
{
        struct fixture f;

        fixture_init(&f, 3, 500);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 1200);
        CHECK(level_of(&f));
        gpio_blink_cancel(&f.blink);
        CHECK_EQ(f.done, 1);
        CHECK_EQ(f.result, -ECANCELED);
        CHECK(!info_of(&f).used);
        CHECK_EQ(info_of(&f).config.direction, GPIO_DIRECTION_INPUT);
        loop_advance_ms(f.loop, 10000);
        CHECK_EQ(f.done, 1);
        fixture_done(&f);
}

TEST(a_pin_that_vanishes_ends_the_blink_with_the_error)
{
        struct fixture f;

        fixture_init(&f, 3, 500);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        CHECK_EQ(gpio_lines_release(f.lines, 17), 0);
        loop_advance_ms(f.loop, 500);
        CHECK_EQ(f.done, 1);
        CHECK_EQ(f.result, -ENOENT);
        fixture_done(&f);
}

TEST(a_reading_that_differs_fails_the_test)
{
        struct fixture f;

        fixture_init(&f, 1, 500);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 200);
        /* Somebody else's write, which the next reading has to show. */
        CHECK_EQ(gpio_lines_set(f.lines, 17, false), 0);
        loop_advance_ms(f.loop, 800);
        CHECK_EQ(f.done, 1);
        CHECK_EQ(f.result, 0);
        CHECK(f.blink.readings[0].expected);
        CHECK(!f.blink.readings[0].read);
        CHECK(!f.blink.readings[1].expected);
        CHECK(!f.blink.readings[1].read);
        CHECK(!gpio_blink_passed(&f.blink));
        fixture_done(&f);
}

TEST(a_blink_has_a_time_on_and_another_off_and_ends_off)
{
        struct fixture f;

        fixture_init_effect(&f, true, 4, 100, 300, GPIO_BLINK_ENDS_OPPOSITE);
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 99);
        CHECK(level_of(&f));
        loop_advance_ms(f.loop, 1);
        CHECK(!level_of(&f));
        loop_advance_ms(f.loop, 299);
        CHECK(!level_of(&f));
        loop_advance_ms(f.loop, 1);
        CHECK(level_of(&f));
        loop_advance_ms(f.loop, 400);
        CHECK_EQ(f.done, 1);
        CHECK_EQ(f.result, 0);
        CHECK(!level_of(&f));
        CHECK(gpio_lines_held(f.lines, 17));
        CHECK_EQ(f.blink.readings_count, 0);
        fixture_done(&f);
}

TEST(a_blink_without_end_goes_on_until_it_is_cancelled)
{
        struct fixture f;

        fixture_init_effect(&f, true, 0, 10, 10, GPIO_BLINK_ENDS_OPPOSITE);
        f.blink.on_changed = fixture_on_nothing;
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 100000);
        CHECK_EQ(f.done, 0);
        CHECK_EQ(f.blink.halves_done, 10000);
        CHECK(level_of(&f));
        gpio_blink_cancel(&f.blink);
        CHECK_EQ(f.result, -ECANCELED);
        CHECK(!level_of(&f));
        fixture_done(&f);
}

TEST(a_pulse_of_either_level_gives_back_what_was_there)
{
        for (unsigned on = 0; on <= 1; on++) {
                struct fixture f;

                fixture_init_effect(&f, on, 1, 250, 0, GPIO_BLINK_ENDS_RESTORED);
                CHECK_EQ(gpio_lines_set(f.lines, 17, !on), 0);
                CHECK_EQ(gpio_blink_start(&f.blink), 0);
                CHECK_EQ(level_of(&f), on);
                loop_advance_ms(f.loop, 249);
                CHECK_EQ(f.done, 0);
                loop_advance_ms(f.loop, 1);
                CHECK_EQ(f.done, 1);
                CHECK_EQ(level_of(&f), !on);
                fixture_done(&f);
        }
}

TEST(a_timed_set_ends_with_the_opposite_whatever_was_there)
{
        struct fixture f;

        fixture_init_effect(&f, true, 1, 250, 0, GPIO_BLINK_ENDS_OPPOSITE);
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 250);
        CHECK_EQ(f.done, 1);
        CHECK(!level_of(&f));
        fixture_done(&f);
}

TEST(a_pin_that_was_free_is_let_go_of_though_it_was_held_at_the_start)
{
        struct fixture f;

        fixture_init(&f, 1, 10);
        CHECK_EQ(gpio_lines_set(f.lines, 17, false), 0);
        f.blink.lets_go = true;
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        loop_advance_ms(f.loop, 20);
        CHECK_EQ(f.done, 1);
        CHECK(!info_of(&f).used);
        fixture_done(&f);
}

TEST(an_effect_that_is_left_leaves_the_pin_as_it_is)
{
        struct fixture f;

        fixture_init(&f, 3, 500);
        CHECK_EQ(gpio_blink_start(&f.blink), 0);
        gpio_blink_leave(&f.blink);
        CHECK_EQ(f.done, 1);
        CHECK_EQ(f.result, -ECANCELED);
        CHECK(level_of(&f));
        CHECK(gpio_lines_held(f.lines, 17));
        loop_advance_ms(f.loop, 10000);
        CHECK_EQ(f.done, 1);
        fixture_done(&f);
}

TEST(more_readings_than_there_is_room_for_are_refused)
{
        static const uint32_t halves[] = {0, 2 * GPIO_BLINK_TIMES_MAX + 1};

        for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
                struct fixture f;

                fixture_init(&f, 1, 10);
                f.blink.halves = halves[i];
                CHECK_EQ(gpio_blink_start(&f.blink), -EINVAL);
                CHECK(!info_of(&f).used);
                fixture_done(&f);
        }
}
