#include "agent/gpio/chardev-fixture.h"

#include "support/allocation.h"

#include <stdio.h>

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
