/* Lines that outlive the one who took them. */
#include "agent/gpio/chardev-fixture.h"

#include "support/allocation.h"

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
