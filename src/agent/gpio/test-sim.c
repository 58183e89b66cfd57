/* The rules of the kernel's line interface, one test for each. */
#include "agent/gpio/sim.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>

struct fixture {
        struct gpio_chip *chip;
        uint64_t now_ns;
};

static uint64_t fixture_now_ns(void *owner)
{
        return ((struct fixture *)owner)->now_ns;
}

static void fixture_init_persist(struct fixture *f, bool persist)
{
        struct gpio_sim_config config = {.persist = persist, .now_ns = fixture_now_ns, .owner = f};

        f->now_ns = 1000000;
        CHECK_EQ(gpio_sim_new(&config, &f->chip), 0);
}

static void fixture_init(struct fixture *f)
{
        fixture_init_persist(f, false);
}

static void fixture_done(struct fixture *f)
{
        f->chip = gpio_chip_free(f->chip);
}

static void fixture_advance_us(struct fixture *f, uint64_t us)
{
        f->now_ns += us * 1000;
}

static struct gpio_request *request_line(struct fixture *f, unsigned offset,
                                         struct gpio_line_config config)
{
        struct gpio_request *request = NULL;

        CHECK_EQ(gpio_chip_request(f->chip, "test", &offset, &config, 1, &request), 0);
        return request;
}

#define INPUT(...) ((struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT, ##__VA_ARGS__})
#define OUTPUT(...) ((struct gpio_line_config){.direction = GPIO_DIRECTION_OUTPUT, ##__VA_ARGS__})

static bool value_of(struct gpio_request *request)
{
        uint64_t values = 2;

        CHECK_EQ(gpio_request_get(request, 1, &values), 0);
        CHECK(values <= 1);
        return values == 1;
}

static bool level_of(struct fixture *f, unsigned offset)
{
        bool level;

        CHECK_EQ(gpio_sim_level(f->chip, offset, &level), 0);
        return level;
}

static bool fd_is_readable(struct gpio_request *request)
{
        struct pollfd poll_fd = {.fd = gpio_request_fd(request), .events = POLLIN};

        return poll(&poll_fd, 1, 0) == 1;
}

/* Takes all events that wait, as text: "17+" rising, "17-" falling. */
static const char *events_of(struct gpio_request *request)
{
        static char text[4096];
        struct gpio_edge_event event;
        size_t length = 0;

        text[0] = '\0';
        while (gpio_request_read_events(request, &event, 1) == 1)
                length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%u%c",
                                           length > 0 ? " " : "", event.offset,
                                           event.edge == GPIO_EDGE_RISING ? '+' : '-');
        return text;
}

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
