/* What the kernel tells of held and watched lines, and what it lost. */
#include "agent/gpio/chardev-fixture.h"

/* --- events ------------------------------------------------------------------------------ */

static const struct gpio_line_config both_edges = {.direction = GPIO_DIRECTION_INPUT,
                                                   .edges = GPIO_EDGE_BOTH};

/* Lines 22 and 23. */
static struct gpio_request *take_two(struct fixture *f)
{
        const struct gpio_line_config configs[] = {both_edges, both_edges};
        const unsigned offsets[] = {22, 23};
        struct gpio_request *request = NULL;

        CHECK_EQ(gpio_chip_request(f->chip, "x", offsets, configs, 2, &request), 0);
        return request;
}

TEST(edges_arrive_with_their_line_direction_and_number)
{
        const unsigned offsets[] = {22, 23};
        const struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_INPUT, .edges = GPIO_EDGE_BOTH},
                {.direction = GPIO_DIRECTION_INPUT, .edges = GPIO_EDGE_FALLING, .active_low = true},
        };
        struct gpio_request *request = NULL;
        struct gpio_edge_event events[8];
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 2, &request), 0);
        CHECK(!readable(gpio_request_fd(request)));
        CHECK_EQ(gpio_request_read_events(request, events, 8), 0);
        fake_kernel_drive(f.kernel, f.board, 22, true);
        fake_kernel_drive(f.kernel, f.board, 23, true);
        fake_kernel_drive(f.kernel, f.board, 23, false);
        fake_kernel_drive(f.kernel, f.board, 22, false);
        CHECK(readable(gpio_request_fd(request)));
        CHECK_EQ(gpio_request_read_events(request, events, 8), 3);
        CHECK(!readable(gpio_request_fd(request)));
        CHECK_EQ(events[0].offset, 22);
        CHECK_EQ(events[0].edge, GPIO_EDGE_RISING);
        CHECK_EQ(events[0].timestamp_ns, 1);
        CHECK_EQ(events[1].offset, 23);
        CHECK_EQ(events[1].edge, GPIO_EDGE_FALLING);
        CHECK_EQ(events[1].sequence, 2);
        CHECK_EQ(events[1].line_sequence, 1);
        CHECK_EQ(events[2].edge, GPIO_EDGE_FALLING);
        CHECK_EQ(events[2].line_sequence, 2);
        for (size_t i = 0; i < 3; i++)
                CHECK_EQ(events[i].lost, 0);
        CHECK_EQ(gpio_request_lost(request), 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(events_are_taken_a_few_at_a_time_as_well)
{
        struct gpio_edge_event events[40];
        struct gpio_request *request;
        struct fixture f;
        uint32_t sequence = 0;
        int taken;

        fixture_init(&f);
        request = take(&f, 22, both_edges);
        for (int i = 0; i < 14; i++)
                fake_kernel_drive(f.kernel, f.board, 22, i % 2 == 0);
        while ((taken = gpio_request_read_events(request, events, 3)) > 0)
                for (int i = 0; i < taken; i++)
                        CHECK_EQ(events[i].sequence, ++sequence);
        CHECK_EQ(taken, 0);
        CHECK_EQ(sequence, 14);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(events_that_were_dropped_are_counted_and_the_levels_read_again)
{
        struct gpio_edge_event events[64];
        struct gpio_request *request;
        uint64_t values = 0;
        struct fixture f;

        fixture_init(&f);
        request = take_two(&f);
        CHECK_EQ(gpio_request_recover(request, &values), 0);
        /* The one edge of line 23 is pushed out by the many of line 22. */
        fake_kernel_drive(f.kernel, f.board, 23, true);
        for (int i = 0; i < 41; i++)
                fake_kernel_drive(f.kernel, f.board, 22, i % 2 == 0);
        CHECK_EQ(gpio_request_read_events(request, events, 64), 32);
        CHECK_EQ(events[0].lost, 10);
        CHECK_EQ(events[0].sequence, 11);
        CHECK_EQ(events[1].lost, 0);
        CHECK_EQ(events[31].edge, GPIO_EDGE_RISING);
        CHECK_EQ(gpio_request_lost(request), 10);
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_GET_VALUES_IOCTL, -EIO);
        CHECK_EQ(gpio_request_recover(request, &values), -EIO);
        CHECK_EQ(gpio_request_recover(request, &values), 1);
        CHECK_EQ(values, 3);
        CHECK_EQ(gpio_request_recover(request, &values), 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(an_event_out_of_order_is_not_lost)
{
        struct gpio_edge_event events[4];
        struct gpio_request *request;
        struct fake_request *held;
        struct fixture f;

        fixture_init(&f);
        request = take_two(&f);
        held = f.board->lines[22].request;
        fake_kernel_drive(f.kernel, f.board, 22, true);
        fake_kernel_drive(f.kernel, f.board, 23, true);
        fake_kernel_drive(f.kernel, f.board, 22, false);
        held->events[0].seqno = 2;
        held->events[1].seqno = 1;
        CHECK_EQ(gpio_request_read_events(request, events, 4), 3);
        CHECK_EQ(gpio_request_lost(request), 0);
        CHECK_EQ(events[2].lost, 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(numbers_that_wrap_around_are_no_gap)
{
        struct gpio_edge_event event;
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = take(&f, 22, both_edges);
        f.board->lines[22].request->sequence = INT32_MAX - 1;
        fake_kernel_drive(f.kernel, f.board, 22, true);
        CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
        CHECK_EQ(event.lost, INT32_MAX - 1);
        f.board->lines[22].request->sequence = UINT32_MAX - 1;
        fake_kernel_drive(f.kernel, f.board, 22, false);
        fake_kernel_drive(f.kernel, f.board, 22, true);
        CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
        CHECK_EQ(event.lost, INT32_MAX);
        CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
        CHECK_EQ(event.sequence, 0);
        CHECK_EQ(event.lost, 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(half_a_record_and_unknown_events_are_no_events)
{
        struct gpio_edge_event events[4];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = take(&f, 22, both_edges);
        fake_kernel_drive(f.kernel, f.board, 22, true);
        fake_kernel_drive(f.kernel, f.board, 22, false);
        f.board->lines[22].request->events[0].id = 9;
        CHECK_EQ(gpio_request_read_events(request, events, 4), 1);
        CHECK_EQ(events[0].edge, GPIO_EDGE_FALLING);
        CHECK_EQ(events[0].lost, 1);
        f.kernel->short_reads = true;
        fake_kernel_drive(f.kernel, f.board, 22, true);
        CHECK_EQ(gpio_request_read_events(request, events, 4), -EPROTO);
        gpio_request_free(request);
        fixture_done(&f);
}

/* --- watched lines ----------------------------------------------------------------------- */

TEST(a_busy_line_that_becomes_free_is_told)
{
        struct gpio_info_change changes[4];
        struct fixture f;

        fixture_init(&f);
        fake_kernel_hold(f.kernel, f.board, 8, "lg", GPIO_V2_LINE_FLAG_OUTPUT);
        CHECK_EQ(gpio_chip_watch(f.chip, 8), 0);
        CHECK_EQ(gpio_chip_watch(f.chip, 8), 0);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 0);
        CHECK(!readable(gpio_chip_fd(f.chip)));
        fake_kernel_configure(f.kernel, f.board, 8, GPIO_V2_LINE_FLAG_INPUT);
        CHECK(readable(gpio_chip_fd(f.chip)));
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 1);
        CHECK_EQ(changes[0].change, GPIO_CHANGE_CONFIGURED);
        CHECK_EQ(changes[0].info.config.direction, GPIO_DIRECTION_INPUT);
        fake_kernel_release(f.kernel, f.board, 8);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 1);
        CHECK_EQ(changes[0].change, GPIO_CHANGE_RELEASED);
        CHECK_EQ(changes[0].offset, 8);
        fake_kernel_hold(f.kernel, f.board, 8, "mine now", GPIO_V2_LINE_FLAG_OUTPUT);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 1);
        CHECK_EQ(changes[0].change, GPIO_CHANGE_REQUESTED);
        CHECK_TEXT(changes[0].info.consumer, "mine now");
        CHECK_EQ(gpio_chip_unwatch(f.chip, 8), 0);
        CHECK_EQ(gpio_chip_unwatch(f.chip, 8), 0);
        fake_kernel_release(f.kernel, f.board, 8);
        CHECK(!readable(gpio_chip_fd(f.chip)));
        fixture_done(&f);
}

TEST(what_we_do_ourselves_is_not_told)
{
        struct gpio_line_config config = {.direction = GPIO_DIRECTION_OUTPUT};
        struct gpio_info_change changes[4];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_watch(f.chip, 17), 0);
        request = take(&f, 17, config);
        config.value = true;
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK(readable(gpio_chip_fd(f.chip)));
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 0);
        gpio_request_free(request);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 0);
        CHECK(!readable(gpio_chip_fd(f.chip)));

        /* Let go by us and taken by somebody else before we looked. */
        request = take(&f, 17, config);
        gpio_request_free(request);
        fake_kernel_hold(f.kernel, f.board, 17, "lg", GPIO_V2_LINE_FLAG_OUTPUT);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 1);
        CHECK_EQ(changes[0].change, GPIO_CHANGE_REQUESTED);
        CHECK_TEXT(changes[0].info.consumer, "lg");
        fixture_done(&f);
}

TEST(no_change_is_lost_when_the_kernels_buffer_runs_over)
{
        struct gpio_info_change changes[4];
        struct fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 6; i++)
                CHECK_EQ(gpio_chip_watch(f.chip, i), 0);
        for (int i = 0; i < 20; i++) {
                fake_kernel_hold(f.kernel, f.board, 0, "busy", GPIO_V2_LINE_FLAG_INPUT);
                fake_kernel_release(f.kernel, f.board, 0);
        }
        /* The kernel has no room for these any more. */
        for (unsigned i = 1; i < 6; i++)
                fake_kernel_hold(f.kernel, f.board, i, "late", GPIO_V2_LINE_FLAG_INPUT);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 4);
        CHECK_EQ(changes[0].offset, 1);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 1);
        CHECK_EQ(changes[0].offset, 5);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), 0);
        fixture_done(&f);
}

TEST(watching_has_its_limit_and_its_failures)
{
        struct gpio_info_change changes[4];
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_watch(f.chip, FAKE_LINES_MAX), -EINVAL);
        fake_kernel_fail(f.kernel, GPIO_V2_GET_LINEINFO_WATCH_IOCTL, -ENOMEM);
        CHECK_EQ(gpio_chip_watch(f.chip, 0), -ENOMEM);
        fake_kernel_fail(f.kernel, GPIO_V2_GET_LINEINFO_IOCTL, -EIO);
        CHECK_EQ(gpio_chip_watch(f.chip, 0), -EIO);
        for (unsigned i = 0; i < GPIO_WATCHES_MAX; i++)
                CHECK_EQ(gpio_chip_watch(f.chip, i), 0);
        CHECK_EQ(gpio_chip_watch(f.chip, GPIO_WATCHES_MAX), -ENOSPC);
        CHECK_EQ(gpio_chip_unwatch(f.chip, 0), 0);
        CHECK_EQ(gpio_chip_watch(f.chip, GPIO_WATCHES_MAX), 0);
        f.board->gone = true;
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 4), -ENODEV);
        fixture_done(&f);
}

/* --- foreign writes ---------------------------------------------------------------------- */

TEST(an_output_that_somebody_else_writes_is_found)
{
        const unsigned offsets[] = {5, 6, 7, 8};
        const struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .active_low = true},
                {.direction = GPIO_DIRECTION_INPUT},
                {.direction = GPIO_DIRECTION_OUTPUT, .drive = GPIO_DRIVE_OPEN_DRAIN, .value = true},
                {.direction = GPIO_DIRECTION_AS_IS},
        };
        struct gpio_request *request = NULL;
        uint64_t mismatches = 77;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 4, &request), 0);
        CHECK_EQ(gpio_request_verify(request, &mismatches), 0);
        CHECK_EQ(mismatches, 0);
        fake_kernel_write(f.board, 5, false);
        fake_kernel_write(f.board, 7, false);
        fake_kernel_write(f.board, 8, true);
        CHECK_EQ(gpio_request_verify(request, &mismatches), 0);
        CHECK_EQ(mismatches, 1);
        CHECK_EQ(gpio_request_set(request, 5, 0), 0);
        fake_kernel_write(f.board, 7, true);
        CHECK_EQ(gpio_request_verify(request, &mismatches), 0);
        CHECK_EQ(mismatches, 4);
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_GET_VALUES_IOCTL, -EIO);
        CHECK_EQ(gpio_request_verify(request, &mismatches), -EIO);
        CHECK_EQ(mismatches, 4);
        gpio_request_free(request);
        fixture_done(&f);
}
