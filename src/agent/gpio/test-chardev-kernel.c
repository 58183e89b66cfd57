/* The character device of a real kernel, on lines that it simulates (gpio-sim).
 *
 * $PIFLEET_GPIO_SIM is the chip's folder, such as
 * "/sys/devices/platform/gpio-sim.0/gpiochip0": in it are sim_gpioN/pull and
 * sim_gpioN/value, and its name is that of the device. At least 12 free lines are
 * needed; without the variable all is skipped (tests/vm has both). */
#include "agent/gpio/chardev.h"
#include "agent/gpio/line-holder.h"

#include "base/attributes.h"
#include "base/clock.h"

#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

TESTS_NEED("PIFLEET_GPIO_SIM");

enum { DEBOUNCE_US = 200000 };

struct fixture {
        const char *folder;
        struct gpio_chip *chip;
};

static void open_chip(struct fixture *f)
{
        char path[GPIO_PATH_MAX];
        struct error error;
        int r;

        snprintf(path, sizeof(path), "/dev/%s", strrchr(f->folder, '/') + 1);
        r = gpio_chardev_open(&gpio_system_kernel, path, &f->chip, &error);
        if (r < 0)
                FAIL("%s", error.text);
}

static void fixture_init(struct fixture *f)
{
        f->folder = getenv("PIFLEET_GPIO_SIM");
        CHECK(strchr(f->folder, '/') != NULL);
        open_chip(f);
}

static void fixture_done(struct fixture *f)
{
        gpio_chip_free(f->chip);
}

static int sim_file(const struct fixture *f, unsigned offset, const char *name, int flags)
{
        char path[320];
        int fd;

        snprintf(path, sizeof(path), "%s/sim_gpio%u/%s", f->folder, offset, name);
        fd = open(path, flags | O_CLOEXEC);
        if (fd < 0)
                FAIL("%s: %s", path, strerror(errno));
        return fd;
}

static void drive(const struct fixture *f, unsigned offset, bool high)
{
        const char *pull = high ? "pull-up" : "pull-down";
        int fd = sim_file(f, offset, "pull", O_WRONLY);

        CHECK_EQ(write(fd, pull, strlen(pull)), strlen(pull));
        close(fd);
}

static bool level_of(const struct fixture *f, unsigned offset)
{
        int fd = sim_file(f, offset, "value", O_RDONLY);
        char value = '?';

        CHECK_EQ(read(fd, &value, 1), 1);
        close(fd);
        return value == '1';
}

static struct gpio_request *take(struct fixture *f, unsigned offset, struct gpio_line_config config)
{
        struct gpio_request *request = NULL;

        CHECK_EQ(gpio_chip_request(f->chip, "pifleet:test", &offset, &config, 1, &request), 0);
        return request;
}

static bool readable(int fd, int timeout_ms)
{
        struct pollfd wanted = {.fd = fd, .events = POLLIN};

        return poll(&wanted, 1, timeout_ms) == 1;
}

/* All `count` events; the kernel queues them in a thread of its own. */
static void read_events(struct gpio_request *request, struct gpio_edge_event events[], int count)
{
        int taken = 0;

        while (taken < count) {
                int r;

                CHECK(readable(gpio_request_fd(request), 5000));
                r = gpio_request_read_events(request, events + taken, (size_t)(count - taken));
                CHECK(r >= 0);
                taken += r;
        }
}

TEST(an_output_starts_at_its_level_and_follows)
{
        struct gpio_request *request;
        uint64_t values = 0, mismatches = 1;
        struct fixture f;

        fixture_init(&f);
        request =
                take(&f, 0,
                     (struct gpio_line_config){.direction = GPIO_DIRECTION_OUTPUT, .value = true});
        CHECK(level_of(&f, 0));
        CHECK_EQ(gpio_request_set(request, 1, 0), 0);
        CHECK(!level_of(&f, 0));
        CHECK_EQ(gpio_request_get(request, 1, &values), 0);
        CHECK_EQ(values, 0);
        CHECK_EQ(gpio_request_verify(request, &mismatches), 0);
        CHECK_EQ(mismatches, 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(a_group_of_many_kinds_is_taken_in_one_step)
{
        const unsigned offsets[] = {0, 1, 2, 3, 4};
        const struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .value = true},
                {.direction = GPIO_DIRECTION_OUTPUT, .active_low = true, .value = true},
                {.direction = GPIO_DIRECTION_OUTPUT, .drive = GPIO_DRIVE_OPEN_DRAIN},
                {.direction = GPIO_DIRECTION_INPUT, .bias = GPIO_BIAS_PULL_UP},
                {.direction = GPIO_DIRECTION_INPUT, .debounce_us = 2000},
        };
        struct gpio_request *request = NULL;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "pifleet:group", offsets, configs, 5, &request), 0);
        CHECK(level_of(&f, 0));
        CHECK(!level_of(&f, 1));
        CHECK_EQ(gpio_request_set(request, 3, 0), 0);
        CHECK(!level_of(&f, 0));
        CHECK(level_of(&f, 1));
        CHECK_EQ(gpio_request_set(request, 8, 8), -EPERM);
        CHECK_EQ(gpio_chip_line_info(f.chip, 4, &info), 0);
        CHECK_EQ(info.config.debounce_us, 2000);
        CHECK_TEXT(info.consumer, "pifleet:group");
        CHECK_EQ(gpio_chip_line_info(f.chip, 3, &info), 0);
        CHECK_EQ(info.config.bias, GPIO_BIAS_PULL_UP);
        gpio_request_free(request);
        CHECK_EQ(gpio_chip_line_info(f.chip, 3, &info), 0);
        CHECK(!info.used);
        fixture_done(&f);
}

TEST(reconfiguring_one_line_leaves_the_other_as_it_is)
{
        const unsigned offsets[] = {0, 1};
        struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .active_low = true},
                {.direction = GPIO_DIRECTION_INPUT},
        };
        struct gpio_request *request = NULL;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 2, &request), 0);
        CHECK(level_of(&f, 0));
        configs[0] = (struct gpio_line_config){.direction = GPIO_DIRECTION_AS_IS};
        configs[1] = (struct gpio_line_config){.direction = GPIO_DIRECTION_OUTPUT, .value = true};
        CHECK_EQ(gpio_request_reconfigure(request, configs), 0);
        CHECK(level_of(&f, 0));
        CHECK(level_of(&f, 1));
        CHECK_EQ(gpio_chip_line_info(f.chip, 0, &info), 0);
        CHECK(info.config.active_low);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(edges_come_in_order_with_their_numbers)
{
        struct gpio_edge_event events[4];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        drive(&f, 2, false);
        request = take(&f, 2,
                       (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                 .edges = GPIO_EDGE_BOTH});
        CHECK_EQ(gpio_request_read_events(request, events, 4), 0);
        for (int i = 0; i < 4; i++) {
                drive(&f, 2, i % 2 == 0);
                read_events(request, &events[i], 1);
        }
        for (unsigned i = 0; i < 4; i++) {
                CHECK_EQ(events[i].offset, 2);
                CHECK_EQ(events[i].edge, i % 2 == 0 ? GPIO_EDGE_RISING : GPIO_EDGE_FALLING);
                CHECK_EQ(events[i].sequence, i + 1);
                CHECK_EQ(events[i].line_sequence, i + 1);
        }
        CHECK_EQ(gpio_request_lost(request), 0);
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(events_that_nobody_took_are_counted_as_lost)
{
        struct gpio_edge_event events[64];
        struct gpio_request *request;
        uint64_t values = 0;
        struct fixture f;
        int taken;

        fixture_init(&f);
        drive(&f, 2, false);
        request = take(&f, 2,
                       (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                 .edges = GPIO_EDGE_BOTH});
        for (int i = 0; i < 41; i++) {
                drive(&f, 2, i % 2 == 0);
                usleep(2000); /* two edges at once would be one interrupt */
        }
        taken = gpio_request_read_events(request, events, 64);
        CHECK_EQ(taken, GPIO_EVENTS_PER_LINE);
        CHECK_EQ(events[taken - 1].edge, GPIO_EDGE_RISING);
        CHECK(gpio_request_lost(request) > 0);
        CHECK_EQ(gpio_request_lost(request) + (uint64_t)taken, events[taken - 1].sequence);
        CHECK_EQ(gpio_request_recover(request, &values), 1);
        CHECK_EQ(values, 1);
        gpio_request_free(request);
        fixture_done(&f);
}

/* High, low, high. False: it took so long that it was no glitch. */
static bool glitch(const struct fixture *f, unsigned offset)
{
        const uint64_t begun_ns = clock_monotonic_ns();

        for (int i = 0; i < 3; i++)
                drive(f, offset, i % 2 == 0);
        return clock_monotonic_ns() - begun_ns < DEBOUNCE_US * UINT64_C(1000);
}

TEST(a_short_glitch_is_debounced_away)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_INPUT,
                                                .edges = GPIO_EDGE_BOTH,
                                                .debounce_us = DEBOUNCE_US};
        struct gpio_edge_event events[4];
        struct gpio_request *request;
        struct fixture f;

        fixture_init(&f);
        drive(&f, 3, false);
        request = take(&f, 3, config);
        while (!glitch(&f, 3)) {
                gpio_request_free(request);
                drive(&f, 3, false);
                request = take(&f, 3, config);
        }
        read_events(request, events, 1);
        CHECK_EQ(events[0].edge, GPIO_EDGE_RISING);
        CHECK(!readable(gpio_request_fd(request), 300));
        gpio_request_free(request);
        fixture_done(&f);
}

/* Kernels before 6.2 do not. */
static bool kernel_tells_processes(const struct gpio_request *request)
{
        char path[64], text[1024] = "";
        int fd;

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", gpio_request_fd(request));
        fd = open(path, O_RDONLY | O_CLOEXEC);
        CHECK(fd >= 0);
        CHECK(read(fd, text, sizeof(text) - 1) > 0);
        close(fd);
        return strstr(text, "gpio-line:") != NULL;
}

TEST(a_busy_line_names_us_and_is_told_when_it_is_free)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_OUTPUT};
        const unsigned offset = 5;
        struct gpio_info_change changes[2];
        struct gpio_chip_info chip;
        struct gpio_line_info info;
        int64_t pid = 0;
        struct gpio_request *theirs, *ours = NULL;
        struct fixture f, other;

        fixture_init(&f);
        other = f;
        open_chip(&other);
        theirs = take(&other, 5, config);
        CHECK_EQ(gpio_chip_request(f.chip, "x", &offset, &config, 1, &ours), -EBUSY);
        CHECK_EQ(gpio_chip_line_info(f.chip, 5, &info), 0);
        CHECK(info.used);
        CHECK_TEXT(info.consumer, "pifleet:test");
        gpio_chip_info(f.chip, &chip);
        (void)gpio_line_holder_find("/proc", chip.name, 5, 5000, &pid);
        CHECK_EQ(pid, kernel_tells_processes(theirs) ? getpid() : 0);
        CHECK_EQ(gpio_chip_watch(f.chip, 5), 0);
        gpio_request_free(theirs);
        CHECK(readable(gpio_chip_fd(f.chip), 5000));
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 2), 1);
        CHECK_EQ(changes[0].change, GPIO_CHANGE_RELEASED);
        CHECK_EQ(gpio_chip_request(f.chip, "x", &offset, &config, 1, &ours), 0);
        CHECK(readable(gpio_chip_fd(f.chip), 5000));
        CHECK_EQ(gpio_chip_read_changes(f.chip, changes, 2), 0);
        gpio_request_free(ours);
        fixture_done(&other);
        fixture_done(&f);
}

TEST(a_request_lives_on_in_a_duplicate_and_is_adopted)
{
        const unsigned offsets[] = {6, 7};
        const struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .value = true},
                {.direction = GPIO_DIRECTION_INPUT}};
        struct gpio_request *request = NULL;
        struct fixture f;
        int fd;

        fixture_init(&f);
        CHECK_EQ(gpio_chip_request(f.chip, "pifleet:kept", offsets, configs, 2, &request), 0);
        fd = dup(gpio_request_guardable_fd(request));
        gpio_request_free(request);
        fixture_done(&f);
        CHECK(level_of(&f, 6));

        open_chip(&f);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:kept", offsets, configs, 1, &request),
                 -EBADF);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:else", offsets, configs, 2, &request),
                 -EBADF);
        CHECK_EQ(gpio_chip_adopt(f.chip, STDIN_FILENO, "pifleet:kept", offsets, configs, 2,
                                 &request),
                 -EBADF);
        CHECK_EQ(gpio_chip_adopt(f.chip, fd, "pifleet:kept", offsets, configs, 2, &request), 0);
        CHECK(level_of(&f, 6));
        CHECK_EQ(gpio_request_set(request, 1, 0), 0);
        CHECK(!level_of(&f, 6));
        gpio_request_free(request);
        fixture_done(&f);
}

TEST(ten_kinds_of_lines_fit_in_one_request)
{
        struct gpio_line_config configs[11];
        unsigned offsets[11];
        struct gpio_request *request = NULL;
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 11; i++) {
                offsets[i] = i;
                configs[i] = (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                       .debounce_us = 1000 * (i + 1)};
        }
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 10, &request), 0);
        CHECK_EQ(gpio_chip_line_info(f.chip, 9, &info), 0);
        CHECK_EQ(info.config.debounce_us, 10000);
        gpio_request_free(request);
        CHECK_EQ(gpio_chip_request(f.chip, "x", offsets, configs, 11, &request), -E2BIG);
        fixture_done(&f);
}
