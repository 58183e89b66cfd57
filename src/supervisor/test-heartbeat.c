#include "supervisor/heartbeat.h"

#include "supervisor/backoff.h"
#include "support/test.h"

static struct guard_page page;
static struct heartbeat heartbeat;
static uint64_t now;

static void begin(bool beating)
{
        atomic_store(&page.beating, beating);
        atomic_store(&page.beat, 7);
        now = 1000000;
        heartbeat = (struct heartbeat){.seen_ms = now};
}

static bool look_after(uint64_t ms)
{
        now += ms;
        return heartbeat_is_lost(&heartbeat, &page, now);
}

static unsigned looks_until_lost(uint64_t ms)
{
        unsigned looks = 1;

        while (!look_after(ms) && looks < 100)
                looks++;
        return looks;
}

TEST(who_beats_is_never_lost)
{
        begin(true);
        for (unsigned i = 0; i < 100; i++) {
                atomic_fetch_add(&page.beat, 1);
                CHECK(!look_after(GUARD_BEAT_MS));
        }
}

TEST(a_beat_that_wraps_around_is_a_beat)
{
        begin(true);
        atomic_store(&page.beat, UINT32_MAX);
        CHECK(!look_after(1500));
        atomic_fetch_add(&page.beat, 1);
        for (unsigned i = 0; i < 4; i++)
                CHECK(!look_after(GUARD_BEAT_MS));
}

TEST(silence_is_lost_after_its_time_and_not_before)
{
        begin(true);
        /* The first look learns the beat, four more are two seconds. */
        CHECK_EQ(looks_until_lost(GUARD_BEAT_MS), 5);
}

TEST(who_does_not_beat_yet_or_any_more_is_not_lost)
{
        begin(false);
        CHECK_EQ(looks_until_lost(GUARD_BEAT_MS), 100);
        atomic_store(&page.beating, 1);
        CHECK_EQ(looks_until_lost(GUARD_BEAT_MS), 5);
        atomic_store(&page.beating, 0);
        CHECK(!look_after(GUARD_BEAT_MS));
        atomic_store(&page.beating, 2); /* nonsense is no promise to beat */
        CHECK_EQ(looks_until_lost(GUARD_BEAT_MS), 100);
}

TEST(time_in_which_nobody_looked_is_not_silence)
{
        begin(true);
        CHECK(!look_after(GUARD_BEAT_MS));
        CHECK(!look_after(3600000));
        atomic_fetch_add(&page.beat, 1);
        CHECK(!look_after(GUARD_BEAT_MS));
        CHECK(!look_after(3600000));
        CHECK(look_after(3600000));
}

TEST(starting_again_slows_down_to_a_minute_and_recovers)
{
        static const uint64_t expected[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
        struct backoff backoff = {0};

        for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                CHECK_EQ(backoff_next_ms(&backoff, 59999), expected[i]);
        CHECK_EQ(backoff_next_ms(&backoff, 60000), 1000);
        CHECK_EQ(backoff_next_ms(&backoff, 0), 2000);
}
