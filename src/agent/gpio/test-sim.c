/* The rules of the kernel's line interface, one test for each. */
#include "agent/gpio/sim-fixture.h"

#include "support/allocation.h"

#include <poll.h>
#include <sys/resource.h>

/* --- the chip and its lines -------------------------------------------------------------- */

TEST(a_chip_says_that_it_is_simulated)
{
        struct gpio_sim_config config = {.label = "a label that is longer than what fits in there"};
        struct gpio_chip_info info;
        struct gpio_chip *chip;

        CHECK_EQ(gpio_sim_new(NULL, &chip), 0);
        gpio_chip_info(chip, &info);
        CHECK_TEXT(info.label, "pifleet-sim");
        CHECK_TEXT(info.name, "gpiochip-sim");
        CHECK_EQ(info.lines, 54);
        CHECK(info.simulated);
        gpio_chip_free(chip);

        CHECK_EQ(gpio_sim_new(&config, &chip), 0);
        gpio_chip_info(chip, &info);
        CHECK_TEXT(info.label, "a label that is longer than wha");
        gpio_chip_free(chip);
        CHECK_NULL(gpio_chip_free(NULL));
}

TEST(a_chip_has_as_many_lines_as_asked_for_up_to_a_limit)
{
        struct gpio_sim_config config = {.lines = GPIO_SIM_LINES_MAX};
        struct gpio_line_info info;
        struct gpio_chip *chip;

        CHECK_EQ(gpio_sim_new(&config, &chip), 0);
        CHECK_EQ(gpio_chip_line_info(chip, GPIO_SIM_LINES_MAX - 1, &info), 0);
        CHECK_TEXT(info.name, "GPIO1023");
        CHECK_EQ(gpio_chip_line_info(chip, GPIO_SIM_LINES_MAX, &info), -EINVAL);
        gpio_chip_free(chip);

        config.lines = GPIO_SIM_LINES_MAX + 1;
        CHECK_EQ(gpio_sim_new(&config, &chip), -EINVAL);
}

TEST(a_free_line_is_an_input_that_nobody_holds)
{
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
        CHECK_TEXT(info.name, "GPIO17");
        CHECK_TEXT(info.consumer, "");
        CHECK(!info.used);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
        CHECK_EQ(info.config.bias, GPIO_BIAS_AS_IS);
        fixture_done(&f);
}

TEST(line_info_repeats_the_configuration_of_a_held_line)
{
        struct gpio_request *request;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 4,
                               INPUT(.bias = GPIO_BIAS_PULL_UP, .active_low = true,
                                     .edges = GPIO_EDGE_BOTH, .debounce_us = 10000));
        CHECK_EQ(gpio_chip_line_info(f.chip, 4, &info), 0);
        CHECK(info.used);
        CHECK_TEXT(info.consumer, "test");
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
        CHECK_EQ(info.config.bias, GPIO_BIAS_PULL_UP);
        CHECK_EQ(info.config.edges, GPIO_EDGE_BOTH);
        CHECK_EQ(info.config.debounce_us, 10000);
        CHECK(info.config.active_low);
        gpio_request_free(request);
        CHECK_EQ(gpio_chip_line_info(f.chip, 4, &info), 0);
        CHECK(!info.used);
        CHECK_TEXT(info.consumer, "");
        CHECK(!info.config.active_low);
        CHECK_EQ(info.config.debounce_us, 0);
        fixture_done(&f);
}

/* --- requests ---------------------------------------------------------------------------- */

TEST(a_held_line_is_busy_and_names_its_consumer)
{
        struct gpio_request *first, *second = NULL;
        struct gpio_line_config config = INPUT();
        struct gpio_line_info info;
        unsigned offset = 17;
        struct fixture f;

        fixture_init(&f);
        first = request_line(&f, 17, OUTPUT());
        CHECK_EQ(gpio_chip_request(f.chip, "other", &offset, &config, 1, &second), -EBUSY);
        CHECK_NULL(second);
        CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
        CHECK_TEXT(info.consumer, "test");
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_OUTPUT);
        gpio_request_free(first);
        CHECK_EQ(gpio_chip_request(f.chip, "other", &offset, &config, 1, &second), 0);
        gpio_request_free(second);
        fixture_done(&f);
}

TEST(a_hogged_line_is_busy_until_its_hog_lets_go)
{
        struct gpio_line_config config = INPUT();
        struct gpio_request *request = NULL;
        struct gpio_line_info info;
        unsigned offset = 8;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_hog(f.chip, 8, "spi0 CS0"), 0);
        CHECK_EQ(gpio_chip_request(f.chip, "test", &offset, &config, 1, &request), -EBUSY);
        CHECK_EQ(gpio_chip_line_info(f.chip, 8, &info), 0);
        CHECK(info.used);
        CHECK_TEXT(info.consumer, "spi0 CS0");
        CHECK_EQ(gpio_sim_hog(f.chip, 8, NULL), 0);
        CHECK_EQ(gpio_chip_request(f.chip, "test", &offset, &config, 1, &request), 0);
        CHECK_EQ(gpio_sim_hog(f.chip, 8, "spi0 CS0"), -EBUSY);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_request_takes_all_lines_or_none)
{
        const unsigned offsets[] = {5, 6, 7};
        const struct gpio_line_config configs[] = {OUTPUT(.value = true), OUTPUT(.value = true),
                                                   OUTPUT(.value = true)};
        struct gpio_request *request = NULL;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_hog(f.chip, 7, "onewire@0"), 0);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 3, &request), -EBUSY);
        for (unsigned offset = 5; offset <= 6; offset++) {
                CHECK_EQ(gpio_chip_line_info(f.chip, offset, &info), 0);
                CHECK(!info.used);
                CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
                CHECK(!level_of(&f, offset));
        }
        fixture_done(&f);
}

TEST(a_consumer_is_cut_to_31_bytes_and_a_nameless_one_is_a_question_mark)
{
        struct gpio_line_config config = INPUT();
        struct gpio_request *request;
        struct gpio_line_info info;
        unsigned offset = 3;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "0123456789012345678901234567890123456789", &offset,
                                   &config, 1, &request),
                 0);
        CHECK_EQ(gpio_chip_line_info(f.chip, 3, &info), 0);
        CHECK_TEXT(info.consumer, "0123456789012345678901234567890");
        gpio_request_free(request);

        CHECK_EQ(gpio_chip_request(f.chip, NULL, &offset, &config, 1, &request), 0);
        CHECK_EQ(gpio_chip_line_info(f.chip, 3, &info), 0);
        CHECK_TEXT(info.consumer, "?");
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_request_holds_1_to_64_lines_of_the_chip_each_once)
{
        struct gpio_line_config configs[GPIO_REQUEST_LINES + 1];
        unsigned offsets[GPIO_REQUEST_LINES + 1];
        struct gpio_sim_config sim = {.lines = 100};
        struct gpio_request *request;
        struct gpio_chip *chip;
        uint64_t values;

        for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
                offsets[i] = 99 - i;
                configs[i] = OUTPUT(.value = i % 2);
        }
        CHECK_EQ(gpio_sim_new(&sim, &chip), 0);
        CHECK_EQ(gpio_chip_request(chip, "test", offsets, configs, 0, &request), -EINVAL);
        CHECK_EQ(gpio_chip_request(chip, "test", offsets, configs, 65, &request), -EINVAL);
        CHECK_EQ(gpio_chip_request(chip, "test", offsets, configs, 64, &request), 0);
        CHECK_EQ(gpio_request_get(request, UINT64_MAX, &values), 0);
        CHECK(values == UINT64_C(0xaaaaaaaaaaaaaaaa));
        gpio_request_free(request);

        offsets[1] = offsets[0];
        CHECK_EQ(gpio_chip_request(chip, "test", offsets, configs, 2, &request), -EINVAL);
        offsets[1] = 100;
        CHECK_EQ(gpio_chip_request(chip, "test", offsets, configs, 2, &request), -EINVAL);
        gpio_chip_free(chip);
}

static const struct {
        const char *why;
        struct gpio_line_config config;
} contradictions[] = {
        {"edges on an output", {.direction = GPIO_DIRECTION_OUTPUT, .edges = GPIO_EDGE_BOTH}},
        {"edges without a direction", {.edges = GPIO_EDGE_RISING}},
        {"debouncing on an output", {.direction = GPIO_DIRECTION_OUTPUT, .debounce_us = 1}},
        {"debouncing without a direction", {.debounce_us = 1}},
        {"open drain on an input",
         {.direction = GPIO_DIRECTION_INPUT, .drive = GPIO_DRIVE_OPEN_DRAIN}},
        {"open source on an input",
         {.direction = GPIO_DIRECTION_INPUT, .drive = GPIO_DRIVE_OPEN_SOURCE}},
        {"open drain without a direction", {.drive = GPIO_DRIVE_OPEN_DRAIN}},
        {"a pull without a direction", {.bias = GPIO_BIAS_PULL_UP}},
        {"no pull without a direction", {.bias = GPIO_BIAS_DISABLED}},
        {"an unknown direction", {.direction = (enum gpio_direction)3}},
        {"an unknown bias", {.direction = GPIO_DIRECTION_INPUT, .bias = (enum gpio_bias)4}},
        {"an unknown drive", {.direction = GPIO_DIRECTION_OUTPUT, .drive = (enum gpio_drive)3}},
        {"an unknown edge", {.direction = GPIO_DIRECTION_INPUT, .edges = (enum gpio_edge)4}},
};

TEST(flags_that_contradict_each_other_are_refused)
{
        struct gpio_request *request = NULL, *held;
        struct fixture f;

        fixture_init(&f);
        held = request_line(&f, 5, OUTPUT(.value = true));
        for (size_t i = 0; i < ARRAY_SIZE(contradictions); i++) {
                unsigned offset = 4;

                if (gpio_chip_request(f.chip, "test", &offset, &contradictions[i].config, 1,
                                      &request) != -EINVAL)
                        FAIL("accepted: %s", contradictions[i].why);
                if (gpio_request_reconfigure(held, &contradictions[i].config) != -EINVAL)
                        FAIL("accepted anew: %s", contradictions[i].why);
                CHECK(value_of(held));
        }
        gpio_request_free(held);
        fixture_done(&f);
}

/* --- failure ----------------------------------------------------------------------------- */

TEST(without_memory_nothing_is_taken)
{
        struct gpio_line_config config = INPUT(.edges = GPIO_EDGE_BOTH);
        struct gpio_request *request = NULL;
        struct gpio_chip *chip = NULL;
        struct gpio_line_info info;
        unsigned offset = 27;
        struct fixture f;

        fixture_init(&f);
        allocation_fail_at(1);
        CHECK_EQ(gpio_sim_new(NULL, &chip), -ENOMEM);
        CHECK_NULL(chip);
        for (unsigned allocation = 1; allocation <= 2; allocation++) {
                allocation_fail_at(allocation);
                CHECK_EQ(gpio_chip_request(f.chip, "test", &offset, &config, 1, &request), -ENOMEM);
                CHECK_NULL(request);
        }
        allocation_fail_at(3);
        CHECK_EQ(gpio_chip_request(f.chip, "test", &offset, &config, 1, &request), 0);
        (void)allocation_end();
        gpio_request_free(request);

        request = request_line(&f, 27, INPUT(.bias = GPIO_BIAS_PULL_UP));
        allocation_fail_at(1);
        CHECK_EQ(gpio_request_reconfigure(request, &config), -ENOMEM);
        (void)allocation_end();
        CHECK_EQ(gpio_chip_line_info(f.chip, 27, &info), 0);
        CHECK_EQ(info.config.edges, GPIO_EDGE_NONE);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(without_descriptors_nothing_is_taken)
{
        struct gpio_line_config config = INPUT(.edges = GPIO_EDGE_BOTH);
        struct rlimit before, none = {0};
        struct gpio_request *request = NULL;
        struct gpio_line_info info;
        unsigned offset = 27;
        struct fixture f;
        int r;

        fixture_init(&f);
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
        none.rlim_max = before.rlim_max;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
        r = gpio_chip_request(f.chip, "test", &offset, &config, 1, &request);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
        CHECK_EQ(r, -EMFILE);
        CHECK_NULL(request);
        CHECK_EQ(gpio_chip_line_info(f.chip, 27, &info), 0);
        CHECK(!info.used);
        fixture_done(&f);
}

TEST(the_outside_knows_the_lines_of_the_chip_only)
{
        struct fixture f;
        bool level;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_drive(f.chip, 54, true), -EINVAL);
        CHECK_EQ(gpio_sim_float(f.chip, 54), -EINVAL);
        CHECK_EQ(gpio_sim_level(f.chip, 54, &level), -EINVAL);
        CHECK_EQ(gpio_sim_hog(f.chip, 54, "hog"), -EINVAL);
        fixture_done(&f);
}

TEST(the_clock_is_monotonic_unless_another_is_given)
{
        struct gpio_line_config config = INPUT(.edges = GPIO_EDGE_BOTH);
        struct gpio_edge_event event;
        struct gpio_request *request;
        struct gpio_chip *chip;
        unsigned offset = 27;

        CHECK_EQ(gpio_sim_new(NULL, &chip), 0);
        CHECK_EQ(gpio_chip_request(chip, "test", &offset, &config, 1, &request), 0);
        CHECK_EQ(gpio_sim_drive(chip, 27, true), 0);
        CHECK_EQ(gpio_request_read_events(request, &event, 1), 1);
        CHECK(event.timestamp_ns > 0);
        gpio_request_free(request);
        gpio_chip_free(chip);
}

/* --- what the port tells beyond lines ------------------------------------------------------ */

static bool chip_is_readable(struct fixture *f)
{
        struct pollfd wanted = {.fd = gpio_chip_fd(f->chip), .events = POLLIN};

        return poll(&wanted, 1, 0) == 1;
}

TEST(what_others_do_with_watched_lines_is_told)
{
        struct gpio_info_change changes[2];
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_watch(f.chip, 54), -EINVAL);
        CHECK_EQ(gpio_chip_watch(f.chip, 17), 0);
        CHECK_EQ(gpio_chip_watch(f.chip, 4), 0);
        CHECK(!chip_is_readable(&f));
        CHECK_EQ(gpio_sim_hog(f.chip, 17, "onewire@0"), 0);
        CHECK_EQ(gpio_sim_hog(f.chip, 5, "unwatched"), 0);
        CHECK(chip_is_readable(&f));
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 2), 1);
        CHECK_EQ(changes[0].change, GPIO_CHANGE_REQUESTED);
        CHECK_EQ(changes[0].offset, 17);
        CHECK_TEXT(changes[0].info.consumer, "onewire@0");
        CHECK(!chip_is_readable(&f));

        CHECK_EQ(gpio_sim_hog(f.chip, 17, NULL), 0);
        CHECK_EQ(gpio_sim_hog(f.chip, 4, "lg"), 0);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 1), 1);
        CHECK_EQ(changes[0].change, GPIO_CHANGE_RELEASED);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 1), 1);
        CHECK_EQ(changes[0].offset, 4);
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 1), 0);

        CHECK_EQ(gpio_sim_hog(f.chip, 4, NULL), 0);
        CHECK_EQ(gpio_chip_unwatch(f.chip, 4), 0);
        CHECK(!chip_is_readable(&f));
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 2), 0);
        fixture_done(&f);
}

TEST(our_own_requests_are_not_told_to_a_watcher)
{
        struct gpio_info_change change;
        struct gpio_line_config config = INPUT();
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_watch(f.chip, 17), 0);
        request = request_line(&f, 17, OUTPUT());
        CHECK_EQ(gpio_chip_read_changes(f.chip, &change, 1), 0);
        CHECK_EQ(gpio_request_reconfigure(request, &config), 0);
        CHECK(chip_is_readable(&f));
        CHECK_EQ(gpio_chip_read_changes(f.chip, &change, 1), 0);
        gpio_request_free(request);
        CHECK_EQ(gpio_chip_read_changes(f.chip, &change, 1), 0);
        CHECK(!chip_is_readable(&f));
        fixture_done(&f);
}

TEST(a_simulated_line_cannot_be_guarded)
{
        struct gpio_line_config config = OUTPUT();
        struct gpio_request *request, *adopted = NULL;
        unsigned offset = 17;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 17, config);
        CHECK_EQ(gpio_request_guardable_fd(request), -EOPNOTSUPP);
        CHECK_EQ(gpio_chip_adopt(f.chip, 0, "test", &offset, &config, 1, &adopted), -EOPNOTSUPP);
        CHECK_NULL(adopted);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(dropped_events_are_counted_and_the_level_read_again)
{
        struct gpio_edge_event events[32];
        struct gpio_request *request;
        uint64_t values = 0;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 17, INPUT(.edges = GPIO_EDGE_BOTH));
        for (int i = 0; i < 21; i++)
                CHECK_EQ(gpio_sim_drive(f.chip, 17, i % 2 == 0), 0);
        CHECK_EQ(gpio_request_read_events(request, events, 32), 16);
        CHECK_EQ(events[0].lost, 5);
        CHECK_EQ(gpio_request_lost(request), 5);
        CHECK_EQ(gpio_request_recover(request, &values), 1);
        CHECK_EQ(values, 1);
        CHECK_EQ(gpio_request_recover(request, &values), 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(outputs_read_what_they_were_given_and_more_kinds_than_ten_are_refused)
{
        struct gpio_line_config configs[11];
        unsigned offsets[11];
        struct gpio_request *request;
        uint64_t mismatches = 7;
        struct fixture f;

        fixture_init(&f);
        request = request_line(&f, 17, OUTPUT(.value = true));
        CHECK_EQ(gpio_request_verify(request, &mismatches), 0);
        CHECK_EQ(mismatches, 0);
        gpio_request_free(request);
        for (unsigned i = 0; i < 11; i++) {
                offsets[i] = i;
                configs[i] = INPUT(.debounce_us = i + 1);
        }
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 11, &request), -E2BIG);
        CHECK_EQ(gpio_chip_request(f.chip, "test", offsets, configs, 10, &request), 0);
        gpio_request_free(request);
        fixture_done(&f);
}
