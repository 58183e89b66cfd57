/* What time has passed between two lives, and what becomes of deadlines. */
#include "mqtt/journal-clock.h"
#include "support/test.h"

#include <string.h>

#define WALL_2026 UINT64_C(1790000000000)

static uint64_t passed(struct mqtt_clock_reading then, struct mqtt_clock_reading now)
{
        return mqtt_clock_passed_ms(&then, &now);
}

TEST(in_the_same_boot_the_kernel_knows_whatever_the_wall_clock_says)
{
        struct mqtt_clock_reading then = {.wall_ms = WALL_2026, .boot_ms = 5000, .boot = 7};

        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, WALL_2026 + 900000, 6500, 7}), 1500);
        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, 0, 6500, 7}), 1500);
        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, WALL_2026, 4000, 7}), 0);
}

TEST(after_another_boot_the_wall_clock_says_it_if_it_can)
{
        struct mqtt_clock_reading then = {.wall_ms = WALL_2026, .boot_ms = 5000, .boot = 7};

        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, WALL_2026 + 4000, 100, 8}), 4000);
        /* It stands at 1970, or was set back. */
        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, 12000, 100, 8}), 0);
        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, WALL_2026 - 1, 100, 8}), 0);
        /* It stood at 1970 then, and knows better now. */
        then.wall_ms = 60000;
        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, WALL_2026, 100, 8}), 0);
        /* No boot is known: none is the same. */
        then = (struct mqtt_clock_reading){.wall_ms = WALL_2026, .boot_ms = 5000};
        CHECK_EQ(passed(then, (struct mqtt_clock_reading){0, WALL_2026 + 1, 9000, 0}), 1);
}

TEST(time_goes_on_where_it_was)
{
        struct mqtt_journal_clock clock;
        struct mqtt_clock_reading last;
        struct loop *loop;

        CHECK_EQ(loop_new_virtual(1000, &loop), 0);
        mqtt_journal_clock_init(&clock, loop);
        last = mqtt_journal_clock_read(&clock);
        last.time_ms = 50000;
        last.boot = 0;
        mqtt_journal_clock_start(&clock, &last);
        CHECK_EQ(mqtt_journal_clock_to(&clock, 1000), 50000);
        CHECK_EQ(mqtt_journal_clock_to(&clock, UINT64_MAX), UINT64_MAX);
        CHECK_EQ(mqtt_journal_clock_from(&clock, 50700), 1700);
        CHECK_EQ(mqtt_journal_clock_from(&clock, 49000), 1000);
        CHECK_EQ(mqtt_journal_clock_from(&clock, UINT64_MAX), UINT64_MAX);
        CHECK_EQ(mqtt_journal_clock_since(&clock, 49000), 1000);
        CHECK_EQ(mqtt_journal_clock_since(&clock, 51000), 0);
        loop_advance_ms(loop, 250);
        CHECK_EQ(mqtt_journal_clock_read(&clock).time_ms, 50250);
        /* A number that nobody wrote. */
        last.time_ms = 0;
        mqtt_journal_clock_start(&clock, &last);
        CHECK_EQ(mqtt_journal_clock_from(&clock, UINT64_MAX - 1), UINT64_MAX - 1);
        loop_free(loop);
}

TEST(it_is_written_again_after_a_minute_or_when_the_wall_clock_was_set)
{
        struct mqtt_journal_clock clock;
        struct mqtt_clock_reading now;
        struct loop *loop;

        CHECK_EQ(loop_new_virtual(1000, &loop), 0);
        mqtt_journal_clock_init(&clock, loop);
        now = mqtt_journal_clock_read(&clock);
        CHECK(mqtt_journal_clock_is_due(&clock, &now));
        clock.written = now;
        CHECK(!mqtt_journal_clock_is_due(&clock, &now));
        now.time_ms += 59000;
        now.wall_ms += 60000;
        CHECK(!mqtt_journal_clock_is_due(&clock, &now));
        now.time_ms += 1000;
        CHECK(mqtt_journal_clock_is_due(&clock, &now));
        now = clock.written;
        now.wall_ms += 3000;
        CHECK(mqtt_journal_clock_is_due(&clock, &now));
        now.wall_ms = clock.written.wall_ms - 3000;
        CHECK(mqtt_journal_clock_is_due(&clock, &now));
        now = clock.written;
        now.boot++;
        CHECK(mqtt_journal_clock_is_due(&clock, &now));
        loop_free(loop);
}
