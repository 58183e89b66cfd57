/* Edges of a line, and what debouncing makes of them. */
#include "agent/gpio/sim-fixture.h"

/* --- edges ------------------------------------------------------------------------------- */

TEST(edges_come_in_order_with_time_and_sequence)
{
        struct gpio_edge_event events[3];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        fixture_advance_us(&f, 5);
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0); /* no change, no edge */
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        CHECK_EQ(gpio_request_read_events(request, events, 3), 2);
        CHECK_EQ(events[0].edge, GPIO_EDGE_RISING);
        CHECK_EQ(events[0].offset, 27);
        CHECK_EQ(events[0].timestamp_ns, 1000000);
        CHECK_EQ(events[0].sequence, 1);
        CHECK_EQ(events[0].line_sequence, 1);
        CHECK_EQ(events[1].edge, GPIO_EDGE_FALLING);
        CHECK_EQ(events[1].timestamp_ns, 1005000);
        CHECK_EQ(events[1].sequence, 2);
        CHECK_EQ(events[1].line_sequence, 2);
        CHECK_EQ(gpio_request_read_events(request, events, 3), 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(only_the_edges_asked_for_are_reported)
{
        struct gpio_request *rising, *falling, *none;
        struct fixture f;

        fixture_init(&f);
        rising = request_line(&f, 1, INPUT(.edges = GPIO_EDGE_RISING));
        falling = request_line(&f, 2, INPUT(.edges = GPIO_EDGE_FALLING));
        none = request_line(&f, 3, INPUT());
        for (unsigned offset = 1; offset <= 3; offset++)
                for (unsigned i = 0; i < 4; i++)
                        CHECK_EQ(gpio_sim_drive(f.chip, offset, i % 2 == 0), 0);
        CHECK_TEXT(events_of(rising), "1+ 1+");
        CHECK_TEXT(events_of(falling), "2- 2-");
        CHECK_TEXT(events_of(none), "");
        gpio_request_free(rising);
        gpio_request_free(falling);
        gpio_request_free(none);
        fixture_done(&f);
}

TEST(edges_are_logical_and_follow_active_low)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(
                &f, 27,
                INPUT(.edges = GPIO_EDGE_RISING, .active_low = true, .bias = GPIO_BIAS_PULL_UP));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        CHECK_TEXT(events_of(request), "27+");
        CHECK_EQ(gpio_sim_float(f.chip, 27), 0);
        CHECK_TEXT(events_of(request), "");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(an_output_has_no_edges)
{
        const unsigned offsets[] = {20, 21};
        const struct gpio_line_config configs[] = {OUTPUT(), INPUT(.edges = GPIO_EDGE_BOTH)};
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 2, &request), 0);
        CHECK_EQ(gpio_request_set(request, 1, 1), 0);
        CHECK_TEXT(events_of(request), "");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(the_descriptor_is_readable_while_events_wait)
{
        struct gpio_edge_event event;
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH));
        CHECK(!fd_is_readable(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        CHECK(fd_is_readable(request));
        CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
        CHECK(fd_is_readable(request));
        CHECK_EQ(gpio_request_read_events(request, &event, 0), 0);
        CHECK(fd_is_readable(request));
        CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
        CHECK(!fd_is_readable(request));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(events_wait_sixteen_per_line_and_the_oldest_are_dropped)
{
        struct gpio_edge_event events[GPIO_EVENTS_PER_LINE + 1];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH));
        for (unsigned i = 0; i < 21; i++)
                CHECK_EQ(gpio_sim_drive(f.chip, 27, i % 2 == 0), 0);
        CHECK(fd_is_readable(request));
        CHECK_EQ(gpio_request_read_events(request, events, ARRAY_SIZE(events)), 16);
        CHECK(!fd_is_readable(request));
        /* The gap before the first tells that five were lost. */
        for (unsigned i = 0; i < 16; i++) {
                CHECK_EQ(events[i].sequence, 6 + i);
                CHECK_EQ(events[i].line_sequence, 6 + i);
        }
        CHECK_EQ(events[15].edge, GPIO_EDGE_RISING);
        CHECK(value_of(request));

        /* Reading is what makes room; numbers go on. */
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        CHECK_EQ(gpio_request_read_events(request, events, ARRAY_SIZE(events)), 1);
        CHECK_EQ(events[0].sequence, 22);
        CHECK_EQ(events[0].edge, GPIO_EDGE_FALLING);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(lines_of_a_request_share_its_sequence_and_its_room_for_events)
{
        const unsigned offsets[] = {26, 27};
        const struct gpio_line_config configs[] = {INPUT(.edges = GPIO_EDGE_BOTH),
                                                   INPUT(.edges = GPIO_EDGE_BOTH)};
        struct gpio_edge_event events[33];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 2, &request), 0);
        CHECK_EQ(gpio_sim_drive(f.chip, 26, true), 0);
        for (unsigned i = 0; i < 32; i++)
                CHECK_EQ(gpio_sim_drive(f.chip, 27, i % 2 == 0), 0);
        CHECK_EQ(gpio_sim_drive(f.chip, 26, false), 0);
        CHECK_EQ(gpio_request_read_events(request, events, ARRAY_SIZE(events)), 32);
        CHECK_EQ(events[0].sequence, 3);
        CHECK_EQ(events[0].offset, 27);
        CHECK_EQ(events[0].line_sequence, 2);
        CHECK_EQ(events[31].sequence, 34);
        CHECK_EQ(events[31].offset, 26);
        CHECK_EQ(events[31].line_sequence, 2);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(sequences_start_again_with_each_request)
{
        struct gpio_edge_event event;
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 2; i++) {
                request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_RISING));
                CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
                CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
                CHECK_EQ(event.sequence, 1);
                CHECK_EQ(event.line_sequence, 1);
                gpio_request_free(request);
                CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        }
        fixture_done(&f);
}

TEST(whatever_happens_the_last_event_agrees_with_the_level_and_gaps_tell_the_loss)
{
        struct gpio_edge_event event;
        struct gpio_request *request;
        uint32_t seed = 1, sequence = 0, lost = 0, taken = 0, changes = 0;
        enum gpio_edge last = GPIO_EDGE_FALLING;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH));
        for (unsigned step = 0; step < 5000; step++) {
                bool level = level_of(&f, 27);

                seed = seed * 1664525 + 1013904223;
                if (seed >> 28 > 1) {
                        CHECK_EQ(gpio_sim_drive(f.chip, 27, seed >> 27 & 1), 0);
                        changes += level_of(&f, 27) != level;
                        continue;
                }
                while (gpio_request_read_events(request, &event, 1) == 1) {
                        lost += event.sequence - sequence - 1;
                        sequence = event.sequence;
                        last = event.edge;
                        taken++;
                }
                CHECK_EQ(last, level ? GPIO_EDGE_RISING : GPIO_EDGE_FALLING);
                CHECK_EQ(taken + lost, changes);
        }
        CHECK(lost > 0 && taken > lost);
        gpio_request_free(request);
        fixture_done(&f);
}

/* --- debouncing -------------------------------------------------------------------------- */

TEST(a_level_counts_once_it_was_stable_for_the_period)
{
        struct gpio_edge_event event;
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        CHECK(gpio_sim_next_ns(f.chip) == UINT64_MAX);
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        CHECK(gpio_sim_next_ns(f.chip) == f.now_ns + 10000000);
        fixture_advance_us(&f, 9999);
        CHECK(!value_of(request));
        CHECK_TEXT(events_of(request), "");
        fixture_advance_us(&f, 1);
        CHECK(!fd_is_readable(request));
        gpio_sim_settle(f.chip);
        CHECK(fd_is_readable(request));
        CHECK(value_of(request));
        CHECK(gpio_sim_next_ns(f.chip) == UINT64_MAX);
        CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
        CHECK_EQ(event.edge, GPIO_EDGE_RISING);
        CHECK_EQ(event.timestamp_ns, 11000000); /* when it counted, not when it moved */
        CHECK_EQ(event.sequence, 1);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(each_bounce_starts_the_period_again)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        for (unsigned i = 0; i < 5; i++) {
                CHECK_EQ(gpio_sim_drive(f.chip, 27, i % 2 == 0), 0);
                fixture_advance_us(&f, 9000);
        }
        CHECK(!value_of(request));
        fixture_advance_us(&f, 1000);
        CHECK_TEXT(events_of(request), "27+");
        CHECK(value_of(request));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_pulse_shorter_than_the_period_is_never_seen)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        fixture_advance_us(&f, 9999);
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        fixture_advance_us(&f, 20000);
        CHECK(!value_of(request));
        CHECK_TEXT(events_of(request), "");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_period_that_is_over_counts_however_late_its_owner_is)
{
        struct gpio_edge_event events[2];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        fixture_advance_us(&f, 50000);
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        fixture_advance_us(&f, 50000);
        CHECK_EQ(gpio_request_read_events(request, events, 2), 2);
        CHECK_EQ(events[0].timestamp_ns, 11000000);
        CHECK_EQ(events[1].timestamp_ns, 61000000);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(lines_that_settle_do_so_in_the_order_of_time)
{
        const unsigned offsets[] = {20, 21};
        const struct gpio_line_config configs[] = {
                INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 9000),
                INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 3000)};
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 2, &request), 0);
        CHECK_EQ(gpio_sim_drive(f.chip, 20, true), 0);
        CHECK_EQ(gpio_sim_drive(f.chip, 21, true), 0);
        CHECK(gpio_sim_next_ns(f.chip) == f.now_ns + 3000000);
        fixture_advance_us(&f, 10000);
        CHECK_TEXT(events_of(request), "21+ 20+");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_debounced_line_starts_with_the_level_it_finds)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        CHECK(value_of(request));
        fixture_advance_us(&f, 20000);
        CHECK_TEXT(events_of(request), "");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_released_line_settles_no_more)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        gpio_request_free(request);
        CHECK(gpio_sim_next_ns(f.chip) == UINT64_MAX);
        fixture_advance_us(&f, 20000);
        gpio_sim_settle(f.chip);
        fixture_done(&f);
}

TEST(the_longest_period_does_not_overflow)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.debounce_us = UINT32_MAX));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        CHECK(gpio_sim_next_ns(f.chip) == f.now_ns + UINT64_C(4294967295000));
        gpio_request_free(request);
        fixture_done(&f);
}
