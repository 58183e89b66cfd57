/* What moves a line, and what it looks like then. */
#include "agent/gpio/sim-fixture.h"

/* --- outputs ----------------------------------------------------------------------------- */

TEST(an_output_starts_with_its_level)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 17, OUTPUT(.value = true));
        CHECK(level_of(&f, 17));
        CHECK(value_of(request));
        gpio_request_free(request);
        request = request_line(&f, 18, OUTPUT());
        CHECK(!level_of(&f, 18));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(an_output_reads_back_what_it_drives_against_the_outside)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 17, OUTPUT());
        CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
        CHECK(!value_of(request));
        CHECK_EQ(gpio_request_set(request, 1, 1), 0);
        CHECK(value_of(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 17, false), 0);
        CHECK(value_of(request));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(active_low_swaps_what_is_written_and_what_is_read)
{
        struct gpio_request *output, *input;
        struct fixture f;

        fixture_init(&f);
        output = request_line(&f, 17, OUTPUT(.active_low = true, .value = true));
        CHECK(!level_of(&f, 17));
        CHECK(value_of(output));
        CHECK_EQ(gpio_request_set(output, 1, 0), 0);
        CHECK(level_of(&f, 17));
        CHECK(!value_of(output));
        input = request_line(&f, 18, INPUT(.active_low = true));
        CHECK(value_of(input));
        CHECK_EQ(gpio_sim_drive(f.chip, 18, true), 0);
        CHECK(!value_of(input));
        gpio_request_free(input);
        gpio_request_free(output);
        fixture_done(&f);
}

TEST(set_moves_the_lines_of_its_mask_only)
{
        const unsigned offsets[] = {20, 21, 22};
        const struct gpio_line_config configs[] = {OUTPUT(), OUTPUT(.value = true), OUTPUT()};
        struct gpio_request *request;
        struct fixture f;
        uint64_t values;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 3, &request), 0);
        CHECK_EQ(gpio_request_set(request, 5, 7), 0);
        CHECK_EQ(gpio_request_set(request, 1, 0), 0);
        CHECK_EQ(gpio_request_get(request, 7, &values), 0);
        CHECK_EQ(values, 6);
        CHECK_EQ(gpio_request_get(request, 4, &values), 0);
        CHECK_EQ(values, 4);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_mask_must_name_lines_of_the_request)
{
        struct gpio_request *request;
        struct fixture f;
        uint64_t values = 7;

        fixture_init(&f);
        request = request_line(&f, 17, OUTPUT());
        CHECK_EQ(gpio_request_get(request, 0, &values), -EINVAL);
        CHECK_EQ(gpio_request_get(request, 2, &values), -EINVAL);
        CHECK_EQ(values, 7);
        CHECK_EQ(gpio_request_set(request, 0, 0), -EINVAL);
        CHECK_EQ(gpio_request_set(request, 3, 3), -EINVAL);
        CHECK(!value_of(request));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(writing_an_input_is_not_permitted_and_moves_no_line_of_the_request)
{
        const unsigned offsets[] = {20, 21};
        const struct gpio_line_config configs[] = {OUTPUT(), INPUT()};
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 2, &request), 0);
        CHECK_EQ(gpio_request_set(request, 3, 3), -EPERM);
        CHECK(!level_of(&f, 20));
        CHECK_EQ(gpio_request_set(request, 2, 2), -EPERM);
        CHECK_EQ(gpio_request_set(request, 1, 1), 0);
        CHECK(level_of(&f, 20));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(an_open_drain_drives_low_only)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(
                &f, 17,
                OUTPUT(.drive = GPIO_DRIVE_OPEN_DRAIN, .value = true, .bias = GPIO_BIAS_PULL_UP));
        CHECK(value_of(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 17, false), 0);
        CHECK(!value_of(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
        CHECK_EQ(gpio_request_set(request, 1, 0), 0);
        CHECK(!value_of(request));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(an_open_source_drives_high_only)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(
                &f, 17, OUTPUT(.drive = GPIO_DRIVE_OPEN_SOURCE, .bias = GPIO_BIAS_PULL_DOWN));
        CHECK(!value_of(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
        CHECK(value_of(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 17, false), 0);
        CHECK_EQ(gpio_request_set(request, 1, 1), 0);
        CHECK(value_of(request));
        gpio_request_free(request);
        fixture_done(&f);
}

/* --- release and persist ----------------------------------------------------------------- */

TEST(a_released_output_returns_to_input)
{
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_drive(f.chip, 17, false), 0);
        gpio_request_free(request_line(&f, 17, OUTPUT(.value = true)));
        CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
        CHECK(!level_of(&f, 17));
        fixture_done(&f);
}

TEST(a_released_output_keeps_its_level_with_persist)
{
        struct gpio_request *request;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init_persist(&f, true);
        CHECK_EQ(gpio_sim_drive(f.chip, 17, false), 0);
        gpio_request_free(request_line(&f, 17, OUTPUT(.value = true, .active_low = false)));
        CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
        CHECK(!info.used);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_OUTPUT);
        CHECK(level_of(&f, 17));

        /* Taken as it is, it goes on driving and may be written. */
        request = request_line(&f, 17, (struct gpio_line_config){0});
        CHECK(value_of(request));
        CHECK_EQ(gpio_request_set(request, 1, 0), 0);
        CHECK(!level_of(&f, 17));
        gpio_request_free(request);

        /* An open drain that had let go drives nothing that could persist. */
        gpio_request_free(
                request_line(&f, 18, OUTPUT(.drive = GPIO_DRIVE_OPEN_DRAIN, .value = true)));
        CHECK_EQ(gpio_chip_line_info(f.chip, 18, &info), 0);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
        fixture_done(&f);
}

TEST(a_line_taken_as_it_is_stays_an_input)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
        request = request_line(&f, 17, (struct gpio_line_config){.active_low = true});
        CHECK(!value_of(request));
        CHECK_EQ(gpio_request_set(request, 1, 1), -EPERM);
        gpio_request_free(request);
        fixture_done(&f);
}

/* --- bias -------------------------------------------------------------------------------- */

TEST(bias_decides_the_level_of_an_undriven_input)
{
        struct gpio_request *up, *down;
        struct fixture f;

        fixture_init(&f);
        up = request_line(&f, 4, INPUT(.bias = GPIO_BIAS_PULL_UP));
        down = request_line(&f, 5, INPUT(.bias = GPIO_BIAS_PULL_DOWN));
        CHECK(value_of(up));
        CHECK(!value_of(down));
        CHECK_EQ(gpio_sim_drive(f.chip, 4, false), 0);
        CHECK_EQ(gpio_sim_drive(f.chip, 5, true), 0);
        CHECK(!value_of(up));
        CHECK(value_of(down));
        CHECK_EQ(gpio_sim_float(f.chip, 4), 0);
        CHECK_EQ(gpio_sim_float(f.chip, 5), 0);
        CHECK(value_of(up));
        CHECK(!value_of(down));
        gpio_request_free(up);
        gpio_request_free(down);
        fixture_done(&f);
}

TEST(an_undriven_input_without_bias_stays_where_it_was)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 4, INPUT(.bias = GPIO_BIAS_DISABLED));
        CHECK(!value_of(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 4, true), 0);
        CHECK_EQ(gpio_sim_float(f.chip, 4), 0);
        CHECK(value_of(request));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(bias_as_is_leaves_the_pull_that_was_there)
{
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        gpio_request_free(request_line(&f, 4, INPUT(.bias = GPIO_BIAS_PULL_UP)));
        request = request_line(&f, 4, INPUT());
        CHECK(value_of(request));
        gpio_request_free(request);
        fixture_done(&f);
}

/* --- reconfiguration --------------------------------------------------------------------- */

TEST(reconfiguring_changes_direction_without_letting_go)
{
        struct gpio_line_config config;
        struct gpio_request *request;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 17, INPUT(.edges = GPIO_EDGE_BOTH));
        config = OUTPUT(.value = true);
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK(level_of(&f, 17));
        CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_OUTPUT);
        CHECK_EQ(info.config.edges, GPIO_EDGE_NONE);
        CHECK_TEXT(info.consumer, "test");
        CHECK_TEXT(events_of(request), "");
        config = INPUT(.bias = GPIO_BIAS_PULL_DOWN);
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK(!value_of(request));
        CHECK_EQ(gpio_request_set(request, 1, 1), -EPERM);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(reconfiguring_leaves_lines_without_a_direction_as_they_are)
{
        const unsigned offsets[] = {20, 21};
        struct gpio_line_config configs[] = {OUTPUT(.value = true), INPUT(.edges = GPIO_EDGE_BOTH)};
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 2, &request), 0);
        configs[0] = (struct gpio_line_config){.active_low = true};
        configs[1] = (struct gpio_line_config){0};
        CHECK_EQ(gpio_request_reconfigure(request, configs), 0);
        CHECK(level_of(&f, 20));
        CHECK_EQ(gpio_sim_drive(f.chip, 21, true), 0);
        CHECK_TEXT(events_of(request), "21+");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(edges_can_be_switched_on_and_off)
{
        struct gpio_line_config config = INPUT(.edges = GPIO_EDGE_BOTH);
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT());
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK_TEXT(events_of(request), "");
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        CHECK_TEXT(events_of(request), "27-");
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        config.edges = GPIO_EDGE_NONE;
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        CHECK_TEXT(events_of(request), "27+"); /* what waited is still there */
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_new_pull_moves_an_undriven_line_that_is_watched)
{
        struct gpio_line_config config = INPUT(.edges = GPIO_EDGE_BOTH, .bias = GPIO_BIAS_PULL_UP);
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .bias = GPIO_BIAS_PULL_DOWN));
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK_TEXT(events_of(request), "27+");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(debouncing_can_be_changed_and_switched_off)
{
        struct gpio_line_config config = INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 1000);
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 27, INPUT(.edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        fixture_advance_us(&f, 9999);
        CHECK_TEXT(events_of(request), ""); /* the period that ran goes on */
        fixture_advance_us(&f, 1);
        CHECK_TEXT(events_of(request), "27+");
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        fixture_advance_us(&f, 1000);
        CHECK_TEXT(events_of(request), "27-");

        CHECK_EQ(gpio_sim_drive(f.chip, 27, true), 0);
        config.debounce_us = 0;
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK(gpio_sim_next_ns(f.chip) == UINT64_MAX);
        CHECK(value_of(request));
        CHECK_EQ(gpio_sim_drive(f.chip, 27, false), 0);
        CHECK_TEXT(events_of(request), "27-");
        gpio_request_free(request);
        fixture_done(&f);
}
