#include "agent/gpio/chardev.h"

#include "agent/gpio/fake-kernel.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

struct fixture {
        struct fake_kernel *kernel;
        struct fake_chip *board;
        struct gpio_chip *chip;
};

static struct gpio_chip *open_chip(struct fixture *f)
{
        struct gpio_chip *chip;
        struct error error;
        char path[128];

        snprintf(path, sizeof(path), "%s/gpiochip0", f->kernel->folder);
        CHECK_EQ(gpio_chardev_open(&f->kernel->system, path, &chip, &error), 0);
        return chip;
}

static void fixture_init(struct fixture *f)
{
        f->kernel = fake_kernel_new();
        f->board = fake_kernel_add(f->kernel, "pinctrl-bcm2711", FAKE_LINES_MAX, true);
        f->chip = open_chip(f);
}

/* Whatever a test did, nothing is left open in the kernel. */
static void fixture_done(struct fixture *f)
{
        gpio_chip_free(f->chip);
        CHECK_EQ(fake_kernel_free(f->kernel), 0);
}

static struct gpio_request *take(struct fixture *f, unsigned offset, struct gpio_line_config config)
{
        struct gpio_request *request = NULL;

        CHECK_EQ(gpio_chip_request(f->chip, "pifleet:test", &offset, &config, 1, &request), 0);
        return request;
}

static bool readable(int fd)
{
        struct pollfd wanted = {.fd = fd, .events = POLLIN};

        return poll(&wanted, 1, 0) == 1;
}

static uint64_t values_of(struct gpio_request *request, uint64_t mask)
{
        uint64_t values = 0;

        CHECK_EQ(gpio_request_get(request, mask, &values), 0);
        return values;
}

/* --- opening ----------------------------------------------------------------------------- */

TEST(a_chip_says_who_it_is)
{
        struct gpio_chip_info info;
        struct fixture f;

        fixture_init(&f);
        gpio_chip_info(f.chip, &info);
        CHECK_TEXT(info.name, "gpiochip0");
        CHECK_TEXT(info.label, "pinctrl-bcm2711");
        CHECK_EQ(info.lines, FAKE_LINES_MAX);
        CHECK(!info.simulated);
        CHECK_EQ(strncmp(info.path, f.kernel->folder, strlen(f.kernel->folder)), 0);
        fixture_done(&f);
}

TEST(a_device_that_cannot_be_used_is_refused_with_a_reason)
{
        static const struct {
                unsigned long request;
                int result, expected;
                const char *text;
        } cases[] = {
                {GPIO_GET_CHIPINFO_IOCTL, -ENOTTY, -ENODEV, "not a GPIO chip"},
                {GPIO_GET_CHIPINFO_IOCTL, -ENODEV, -ENODEV, "No such device"},
                {GPIO_V2_GET_LINEINFO_IOCTL, -EINVAL, -EOPNOTSUPP, "Linux 5.10"},
                {GPIO_V2_GET_LINEINFO_IOCTL, -ENOTTY, -EOPNOTSUPP, "Linux 5.10"},
                {GPIO_V2_GET_LINEINFO_IOCTL, -EIO, -EIO, "Input/output error"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct gpio_chip *chip = NULL;
                struct error error;
                struct fixture f;
                char path[128];

                fixture_init(&f);
                snprintf(path, sizeof(path), "%s/gpiochip0", f.kernel->folder);
                fake_kernel_fail(f.kernel, cases[i].request, cases[i].result);
                CHECK_EQ(gpio_chardev_open(&f.kernel->system, path, &chip, &error),
                         cases[i].expected);
                CHECK_NULL(chip);
                CHECK(strstr(error.text, cases[i].text) != NULL);
                fixture_done(&f);
        }
}

TEST(a_path_that_is_no_chip_is_refused_with_a_reason)
{
        static const struct {
                const char *path;
                int open_result, expected;
                const char *text;
        } cases[] = {
                {"gpiochip7", 0, -ENODEV, "there is no such device"},
                {".", 0, -ENODEV, "not a GPIO chip"},
                {"gpiochip0", -EACCES, -EACCES, "udev rule"},
                {"gpiochip0", -EPERM, -EPERM, "udev rule"},
                {"gpiochip0", -EMFILE, -EMFILE, "Too many open files"},
                {"a-name-that-is-so-long-that-no-device-of-any-system-can-have-it", 0,
                 -ENAMETOOLONG, "longer"},
        };
        struct fixture f;

        fixture_init(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct gpio_chip *chip = NULL;
                struct error error;
                char path[256];

                snprintf(path, sizeof(path), "%s/%s", f.kernel->folder, cases[i].path);
                f.board->open_result = cases[i].open_result;
                CHECK_EQ(gpio_chardev_open(&f.kernel->system, path, &chip, &error),
                         cases[i].expected);
                CHECK_NULL(chip);
                CHECK(strstr(error.text, cases[i].text) != NULL);
        }
        fixture_done(&f);
}

TEST(a_kernel_with_the_first_version_only_is_too_old)
{
        struct gpio_chip *chip = NULL;
        struct error error;
        struct fixture f;
        char path[128];

        fixture_init(&f);
        f.kernel->first_version = true;
        snprintf(path, sizeof(path), "%s/gpiochip0", f.kernel->folder);
        CHECK_EQ(gpio_chardev_open(&f.kernel->system, path, &chip, &error), -EOPNOTSUPP);
        fixture_done(&f);
}

TEST(without_memory_a_chip_stays_closed)
{
        struct gpio_chip *chip = NULL;
        struct error error;
        struct fixture f;
        char path[128];

        fixture_init(&f);
        snprintf(path, sizeof(path), "%s/gpiochip0", f.kernel->folder);
        allocation_fail_at(1);
        CHECK_EQ(gpio_chardev_open(&f.kernel->system, path, &chip, &error), -ENOMEM);
        CHECK(allocation_end());
        CHECK_NULL(chip);
        fixture_done(&f);
}

/* --- requests ---------------------------------------------------------------------------- */

TEST(a_request_tells_the_kernel_direction_level_and_consumer)
{
        static const struct {
                struct gpio_line_config config;
                uint64_t flags;
                bool value;
        } cases[] = {
                {{.direction = GPIO_DIRECTION_OUTPUT, .value = true},
                 GPIO_V2_LINE_FLAG_OUTPUT,
                 true},
                {{.direction = GPIO_DIRECTION_OUTPUT}, GPIO_V2_LINE_FLAG_OUTPUT, false},
                {{.direction = GPIO_DIRECTION_OUTPUT, .active_low = true},
                 GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_ACTIVE_LOW,
                 true},
                {{.direction = GPIO_DIRECTION_OUTPUT, .drive = GPIO_DRIVE_OPEN_DRAIN},
                 GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN,
                 false},
                {{.direction = GPIO_DIRECTION_OUTPUT,
                  .drive = GPIO_DRIVE_OPEN_SOURCE,
                  .value = true},
                 GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_SOURCE,
                 true},
                {{.direction = GPIO_DIRECTION_INPUT, .bias = GPIO_BIAS_PULL_UP},
                 GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP,
                 false},
                {{.direction = GPIO_DIRECTION_INPUT,
                  .bias = GPIO_BIAS_DISABLED,
                  .edges = GPIO_EDGE_BOTH},
                 GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_DISABLED |
                         GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING,
                 false},
                {{.direction = GPIO_DIRECTION_AS_IS}, GPIO_V2_LINE_FLAG_INPUT, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct gpio_line_info info;
                struct gpio_request *request;
                struct fixture f;

                fixture_init(&f);
                request = take(&f, 17, cases[i].config);
                CHECK_EQ(f.board->lines[17].flags, cases[i].flags);
                CHECK_EQ(f.board->lines[17].level, cases[i].value);
                CHECK(fake_kernel_nonblocking(f.kernel, gpio_request_fd(request)));
                CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
                CHECK(info.used);
                CHECK_TEXT(info.name, "GPIO17");
                CHECK_TEXT(info.consumer, "pifleet:test");
                CHECK_EQ(info.config.bias, cases[i].config.bias);
                CHECK_EQ(info.config.drive, cases[i].config.drive);
                CHECK_EQ(info.config.edges, cases[i].config.edges);
                CHECK_EQ(info.config.active_low, cases[i].config.active_low);
                gpio_request_free(request);
                CHECK(!f.board->lines[17].used);
                fixture_done(&f);
        }
}

TEST(a_group_takes_different_lines_in_one_request)
{
        const unsigned offsets[] = {5, 6, 27, 4};
        const struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .value = true},
                {.direction = GPIO_DIRECTION_OUTPUT},
                {.direction = GPIO_DIRECTION_INPUT,
                 .bias = GPIO_BIAS_PULL_UP,
                 .debounce_us = 10000},
                {.direction = GPIO_DIRECTION_INPUT, .bias = GPIO_BIAS_PULL_UP, .debounce_us = 500},
        };
        struct gpio_request *request = NULL;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, NULL, offsets, configs, 4, &request), 0);
        CHECK(f.board->lines[5].level);
        CHECK(!f.board->lines[6].level);
        CHECK_EQ(gpio_chip_line_info(f.chip, 27, &info), 0);
        CHECK_EQ(info.config.debounce_us, 10000);
        CHECK_EQ(gpio_chip_line_info(f.chip, 4, &info), 0);
        CHECK_EQ(info.config.debounce_us, 500);
        CHECK_TEXT(info.consumer, "?");
        CHECK_EQ(gpio_request_set(request, 3, 2), 0);
        CHECK(!f.board->lines[5].level);
        CHECK(f.board->lines[6].level);
        CHECK_EQ(gpio_request_set(request, 7, 0), -EPERM);
        CHECK(f.board->lines[6].level);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(sixty_four_lines_fit_and_ten_kinds_of_them)
{
        struct gpio_line_config configs[GPIO_REQUEST_LINES];
        unsigned offsets[GPIO_REQUEST_LINES];
        struct gpio_request *request = NULL;
        struct fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < GPIO_REQUEST_LINES; i++) {
                offsets[i] = i;
                configs[i] = (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                       .debounce_us = i < 10 ? i + 1 : 1};
        }
        CHECK_EQ(gpio_chip_request(f.chip, "all", offsets, configs, 64, &request), 0);
        CHECK_EQ(f.board->lines[63].debounce_us, 1);
        CHECK_EQ(f.board->lines[9].debounce_us, 10);
        CHECK_EQ(gpio_request_get(request, UINT64_MAX, &(uint64_t){0}), 0);
        gpio_request_free(request);
        configs[63].debounce_us = 11;
        CHECK_EQ(gpio_chip_request(f.chip, "all", offsets, configs, 64, &request), -E2BIG);
        CHECK(!f.board->lines[0].used);
        fixture_done(&f);
}

TEST(what_the_kernel_refuses_comes_back_as_it_is)
{
        static const struct {
                unsigned long request;
                int result;
        } cases[] = {
                {GPIO_V2_GET_LINE_IOCTL, -EBUSY},  {GPIO_V2_GET_LINE_IOCTL, -EINVAL},
                {GPIO_V2_GET_LINE_IOCTL, -ENXIO},  {GPIO_V2_GET_LINE_IOCTL, -ENOMEM},
                {GPIO_V2_GET_LINE_IOCTL, -EMFILE}, {GPIO_V2_GET_LINE_IOCTL, -ENODEV},
        };
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_OUTPUT};
        const unsigned offset = 17;
        struct fixture f;

        fixture_init(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct gpio_request *request = NULL;

                fake_kernel_fail(f.kernel, cases[i].request, cases[i].result);
                CHECK_EQ(gpio_chip_request(f.chip, "x", &offset, &config, 1, &request),
                         cases[i].result);
                CHECK_NULL(request);
        }
        fixture_done(&f);
}

TEST(a_line_without_an_interrupt_has_no_edges)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_INPUT,
                                                .edges = GPIO_EDGE_BOTH};
        const unsigned offsets[] = {16, 17};
        struct gpio_request *request = NULL;
        struct fixture f;

        fixture_init(&f);
        f.board->lines[17].without_interrupt = true;
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets,
                                   (struct gpio_line_config[]){config, config}, 2, &request),
                 -ENXIO);
        CHECK(!f.board->lines[16].used);
        fixture_done(&f);
}

TEST(a_busy_line_names_its_holder)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_OUTPUT};
        const unsigned offset = 8;
        struct gpio_line_info info;
        struct gpio_request *request = NULL;
        struct fixture f;

        fixture_init(&f);
        fake_kernel_hold(f.kernel, f.board, 8, "spi0 CS0", GPIO_V2_LINE_FLAG_OUTPUT);
        CHECK_EQ(gpio_chip_request(f.chip, "x", &offset, &config, 1, &request), -EBUSY);
        CHECK_EQ(gpio_chip_line_info(f.chip, 8, &info), 0);
        CHECK_TEXT(info.consumer, "spi0 CS0");
        /* Muxed to a peripheral: used, by nobody with a name. */
        fake_kernel_hold(f.kernel, f.board, 8, "", GPIO_V2_LINE_FLAG_INPUT);
        CHECK_EQ(gpio_chip_line_info(f.chip, 8, &info), 0);
        CHECK_TEXT(info.consumer, "?");
        fake_kernel_fail(f.kernel, GPIO_V2_GET_LINEINFO_IOCTL, -EIO);
        CHECK_EQ(gpio_chip_line_info(f.chip, 8, &info), -EIO);
        CHECK_EQ(gpio_chip_line_info(f.chip, FAKE_LINES_MAX, &info), -EINVAL);
        fixture_done(&f);
}

TEST(without_memory_no_line_is_taken)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_OUTPUT, .value = true};
        const unsigned offset = 17;
        struct gpio_request *request = NULL;
        struct fixture f;

        fixture_init(&f);
        allocation_fail_at(1);
        CHECK_EQ(gpio_chip_request(f.chip, "x", &offset, &config, 1, &request), -ENOMEM);
        CHECK(allocation_end());
        CHECK(!f.board->lines[17].used);
        CHECK(!f.board->lines[17].level);
        fixture_done(&f);
}

TEST(inputs_cannot_be_set_and_failures_of_values_are_told)
{
        struct gpio_request *request;
        uint64_t values = 7;
        struct fixture f;

        fixture_init(&f);
        request = take(&f, 17, (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT});
        CHECK_EQ(gpio_request_set(request, 1, 1), -EPERM);
        fake_kernel_drive(f.kernel, f.board, 17, true);
        CHECK_EQ(values_of(request, 1), 1);
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_GET_VALUES_IOCTL, -EIO);
        CHECK_EQ(gpio_request_get(request, 1, &values), -EIO);
        CHECK_EQ(values, 7);
        f.board->gone = true;
        CHECK_EQ(gpio_request_get(request, 1, &values), -ENODEV);
        CHECK_EQ(gpio_request_set(request, 1, 1), -ENODEV);
        CHECK_EQ(gpio_request_read_events(request, &(struct gpio_edge_event){0}, 1), -ENODEV);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(reconfiguring_some_lines_leaves_the_others_as_they_are)
{
        const unsigned offsets[] = {5, 6, 7};
        struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .active_low = true},
                {.direction = GPIO_DIRECTION_INPUT,
                 .bias = GPIO_BIAS_PULL_UP,
                 .edges = GPIO_EDGE_RISING},
                {.direction = GPIO_DIRECTION_AS_IS, .active_low = true},
        };
        const struct gpio_line_config changed[] = {
                {0},
                {.direction = GPIO_DIRECTION_OUTPUT, .value = true},
                {0},
        };
        struct gpio_request *request = NULL;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 3, &request), 0);
        CHECK_EQ(gpio_request_set(request, 1, 1), 0);
        CHECK(!f.board->lines[5].level);
        CHECK_EQ(gpio_request_reconfigure(request, changed), 0);
        CHECK_EQ(f.kernel->set_configs, 1);
        CHECK_EQ(f.board->lines[5].flags, GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_ACTIVE_LOW);
        CHECK(!f.board->lines[5].level);
        CHECK_EQ(f.board->lines[6].flags, GPIO_V2_LINE_FLAG_OUTPUT);
        CHECK(f.board->lines[6].level);
        CHECK_EQ(f.board->lines[7].flags, GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_ACTIVE_LOW);

        fake_kernel_fail(f.kernel, GPIO_V2_LINE_SET_CONFIG_IOCTL, -EINVAL);
        CHECK_EQ(gpio_request_reconfigure(request, configs), -EINVAL);
        CHECK_EQ(f.board->lines[6].flags, GPIO_V2_LINE_FLAG_OUTPUT);
        gpio_request_free(request);
        fixture_done(&f);
}

/* --- events ------------------------------------------------------------------------------ */

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
        request = take(&f, 22,
                       (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                 .edges = GPIO_EDGE_BOTH});
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
        const unsigned offsets[] = {22, 23};
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_INPUT,
                                                .edges = GPIO_EDGE_BOTH};
        const struct gpio_line_config configs[] = {config, config};
        struct gpio_edge_event events[64];
        struct gpio_request *request = NULL;
        uint64_t values = 0;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 2, &request), 0);
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
        const unsigned offsets[] = {22, 23};
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_INPUT,
                                                .edges = GPIO_EDGE_BOTH};
        const struct gpio_line_config configs[] = {config, config};
        struct gpio_edge_event events[4];
        struct gpio_request *request = NULL;
        struct fake_request *held;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 2, &request), 0);
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
        request = take(&f, 22,
                       (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                 .edges = GPIO_EDGE_BOTH});
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
        request = take(&f, 22,
                       (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                 .edges = GPIO_EDGE_BOTH});
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

/* --- a request that came back ------------------------------------------------------------ */

/* The agent held two lines and died; `fd` is what its supervisor kept. */
static int fixture_crash(struct fixture *f, const unsigned offsets[2])
{
        const struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .value = true},
                {.direction = GPIO_DIRECTION_INPUT}};
        struct gpio_request *request = NULL;
        int fd;

        CHECK_EQ(gpio_chip_request(f->chip, "pifleet:motor", offsets, configs, 2, &request), 0);
        CHECK_EQ(gpio_request_guardable_fd(request), gpio_request_fd(request));
        fd = fake_kernel_duplicate(f->kernel, gpio_request_guardable_fd(request));
        gpio_request_free(request);
        gpio_chip_free(f->chip);
        f->chip = open_chip(f);
        return fd;
}

TEST(a_request_that_came_back_goes_on_without_a_glitch)
{
        const unsigned offsets[] = {5, 6};
        const struct gpio_line_config configs[] = {{.direction = GPIO_DIRECTION_OUTPUT},
                                                   {.direction = GPIO_DIRECTION_INPUT}};
        struct gpio_request *request = NULL;
        uint64_t mismatches;
        struct fixture f;
        int fd;

        fixture_init(&f);
        fd = fixture_crash(&f, offsets);
        CHECK(f.board->lines[5].level);
        CHECK(f.board->lines[5].used);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:motor", offsets, configs, 2, &request), 0);
        CHECK_EQ(gpio_request_fd(request), fd);
        CHECK(fake_kernel_nonblocking(f.kernel, fd));
        CHECK(f.board->lines[5].level);
        /* Its level is known, so that a foreign write is found from the start. */
        CHECK_EQ(gpio_request_verify(request, &mismatches), 0);
        CHECK_EQ(mismatches, 0);
        fake_kernel_write(f.board, 5, false);
        CHECK_EQ(gpio_request_verify(request, &mismatches), 0);
        CHECK_EQ(mismatches, 1);
        CHECK_EQ(gpio_request_set(request, 1, 0), 0);
        CHECK(!f.board->lines[5].level);
        gpio_request_free(request);
        CHECK(!f.board->lines[5].used);
        fixture_done(&f);
}

TEST(a_descriptor_of_something_else_is_not_adopted)
{
        static const struct {
                const char *consumer;
                unsigned offsets[3];
                size_t count;
                struct gpio_line_config first;
                int expected;
        } cases[] = {
                {"pifleet:motor", {5, 6}, 1, {.direction = GPIO_DIRECTION_OUTPUT}, -EBADF},
                {"pifleet:motor", {5, 6, 7}, 3, {.direction = GPIO_DIRECTION_OUTPUT}, -EBADF},
                {"pifleet:other", {5, 6}, 2, {.direction = GPIO_DIRECTION_OUTPUT}, -EBADF},
                {"pifleet:motor", {5, 7}, 2, {.direction = GPIO_DIRECTION_OUTPUT}, -EBADF},
                {"pifleet:motor", {5, 6}, 2, {.direction = GPIO_DIRECTION_INPUT}, -EBADF},
                {"pifleet:motor", {5, 5}, 2, {.direction = GPIO_DIRECTION_OUTPUT}, -EINVAL},
                {"pifleet:motor", {5, 200}, 2, {.direction = GPIO_DIRECTION_OUTPUT}, -EINVAL},
                {"pifleet:motor", {5, 6}, 0, {.direction = GPIO_DIRECTION_OUTPUT}, -EINVAL},
        };
        const unsigned offsets[] = {5, 6};
        struct fixture f;
        int fd;

        fixture_init(&f);
        fd = fixture_crash(&f, offsets);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct gpio_line_config configs[] = {cases[i].first,
                                                           {.direction = GPIO_DIRECTION_INPUT},
                                                           {.direction = GPIO_DIRECTION_INPUT}};
                struct gpio_request *request = NULL;

                CHECK_EQ(gpio_chip_adopt(f.chip, fd, cases[i].consumer, cases[i].offsets, configs,
                                         cases[i].count, &request),
                         cases[i].expected);
                CHECK_NULL(request);
        }
        /* It is still the caller's. */
        f.kernel->system.close(f.kernel, fd);
        CHECK(!f.board->lines[5].used);
        fixture_done(&f);
}

TEST(adopting_fails_as_the_kernel_fails)
{
        static const struct {
                unsigned long request;
                int result, expected;
        } cases[] = {
                {GPIO_V2_LINE_GET_VALUES_IOCTL, -ENODEV, -ENODEV},
                {GPIO_V2_LINE_GET_VALUES_IOCTL, -EINVAL, -EBADF},
                {GPIO_V2_LINE_GET_VALUES_IOCTL, -ENOTTY, -EBADF},
                {GPIO_V2_GET_LINEINFO_IOCTL, -EIO, -EIO},
        };
        const struct gpio_line_config configs[] = {{.direction = GPIO_DIRECTION_OUTPUT},
                                                   {.direction = GPIO_DIRECTION_INPUT}};
        const unsigned offsets[] = {5, 6};
        struct gpio_request *request = NULL, *again = NULL;
        struct fixture f;
        int fd, chip_fd;

        fixture_init(&f);
        fd = fixture_crash(&f, offsets);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                fake_kernel_fail(f.kernel, cases[i].request, cases[i].result);
                CHECK_EQ(
                        gpio_chip_adopt(f.chip, fd, "pifleet:motor", offsets, configs, 2, &request),
                        cases[i].expected);
        }
        chip_fd = gpio_chip_fd(f.chip);
        CHECK_EQ(gpio_chip_adopt(f.chip, chip_fd, "pifleet:motor", offsets, configs, 2, &request),
                 -EBADF);
        allocation_fail_at(1);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:motor", offsets, configs, 2, &request),
                 -ENOMEM);
        CHECK(allocation_end());
        CHECK_NULL(request);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:motor", offsets, configs, 2, &request), 0);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:motor", offsets, configs, 2, &again), -EBUSY);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(the_first_number_after_an_adoption_is_no_gap)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_INPUT,
                                                .edges = GPIO_EDGE_BOTH};
        const unsigned offset = 22;
        struct gpio_edge_event events[4];
        struct gpio_request *request;
        struct fixture f;
        int fd;

        fixture_init(&f);
        request = take(&f, 22, config);
        fake_kernel_drive(f.kernel, f.board, 22, true);
        fake_kernel_drive(f.kernel, f.board, 22, false);
        CHECK_EQ(gpio_request_read_events(request, events, 4), 2);
        fd = fake_kernel_duplicate(f.kernel, gpio_request_fd(request));
        gpio_request_free(request);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:test", &offset, &config, 1, &request), 0);
        fake_kernel_drive(f.kernel, f.board, 22, true);
        CHECK_EQ(gpio_request_read_events(request, events, 4), 1);
        CHECK_EQ(events[0].sequence, 3);
        CHECK_EQ(events[0].lost, 0);
        CHECK_EQ(gpio_request_lost(request), 0);
        gpio_request_free(request);
        fixture_done(&f);
}
