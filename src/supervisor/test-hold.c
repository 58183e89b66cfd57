/* The kernel is played: what it is asked is written down, and it fails on demand. */
#include "supervisor/hold.h"

#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { LINES = 3, CALLS_MAX = 128 };

static struct {
        unsigned lines; /* of the request */
        uint64_t levels;
        int set_error, configure_error, request_error, pwm_error;
        uint64_t refuse; /* lines whose levels cannot be set */
        uint32_t busy;   /* the offset somebody else has; 0: none */

        unsigned set_calls, configure_calls, request_calls, pwm_calls;
        uint64_t set_mask, set_values;
        struct gpio_v2_line_config config;
        struct gpio_v2_line_request requests[CALLS_MAX];
} kernel;

static int get_values(int fd, uint64_t mask, uint64_t *ret)
{
        uint64_t lines = kernel.lines == 64 ? UINT64_MAX : (UINT64_C(1) << kernel.lines) - 1;

        if ((mask & lines) == 0)
                return -EINVAL;
        *ret = kernel.levels & mask;
        return 0;
}

static int set_values(int fd, uint64_t mask, uint64_t values)
{
        kernel.set_calls++;
        if (kernel.set_error < 0)
                return kernel.set_error;
        if (mask & kernel.refuse)
                return -EPERM;
        kernel.set_mask |= mask;
        kernel.set_values |= values;
        return 0;
}

static int configure(int fd, const struct gpio_v2_line_config *config)
{
        kernel.configure_calls++;
        kernel.config = *config;
        return kernel.configure_error;
}

static int request(const char *chip, struct gpio_v2_line_request *wanted)
{
        CHECK_TEXT(chip, "/dev/gpiochip0");
        CHECK(kernel.request_calls < CALLS_MAX);
        kernel.requests[kernel.request_calls++] = *wanted;
        if (kernel.request_error < 0)
                return kernel.request_error;
        for (unsigned i = 0; i < wanted->num_lines; i++)
                if (kernel.busy != 0 && wanted->offsets[i] == kernel.busy)
                        return -EBUSY;
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int check_pwm(int fd)
{
        return kernel.pwm_error;
}

static int disable_pwm(int fd)
{
        kernel.pwm_calls++;
        return kernel.pwm_error;
}

static int open_pwm(const char *folder)
{
        CHECK_TEXT(folder, "/sys/class/pwm/pwmchip0/pwm1");
        return kernel.pwm_error < 0 ? kernel.pwm_error : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static const struct line_driver driver = {get_values, set_values,  configure, request,
                                          check_pwm,  disable_pwm, open_pwm};

#define OUTPUT GPIO_V2_LINE_FLAG_OUTPUT
#define INPUT GPIO_V2_LINE_FLAG_INPUT
#define UP GPIO_V2_LINE_FLAG_BIAS_PULL_UP
#define LOW GPIO_V2_LINE_FLAG_ACTIVE_LOW
#define DRAIN GPIO_V2_LINE_FLAG_OPEN_DRAIN

static struct guard_hold three(uint8_t a, uint8_t b, uint8_t c)
{
        kernel = (typeof(kernel)){.lines = LINES};
        return (struct guard_hold){.id = 1,
                                   .kind = GUARD_KIND_LINES,
                                   .lines_count = LINES,
                                   .consumer = "pifleet:test",
                                   .chip = "/dev/gpiochip0",
                                   .offsets = {17, 22, 27},
                                   .actions = {a, b, c},
                                   .flags = {OUTPUT, OUTPUT, OUTPUT}};
}

static struct guard_hold pwm(uint8_t action)
{
        kernel = (typeof(kernel)){0};
        return (struct guard_hold){.id = 1,
                                   .kind = GUARD_KIND_PWM,
                                   .lines_count = 1,
                                   .consumer = "pifleet:servo",
                                   .chip = "/sys/class/pwm/pwmchip0/pwm1",
                                   .actions = {action}};
}

static struct hold_result make_safe(const struct guard_hold *hold)
{
        struct hold_result result = {0};

        if (!hold_switch(&driver, hold, 0, &result))
                hold_reconfigure(&driver, hold, 0, &result);
        return result;
}

TEST(a_request_with_exactly_its_lines_is_verified)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_OFF, GUARD_OFF);

        CHECK_EQ(hold_verify(&driver, &hold, 0), 0);
        kernel.lines = 2;
        CHECK_EQ(hold_verify(&driver, &hold, 0), -EBADF);
        kernel.lines = 4;
        CHECK_EQ(hold_verify(&driver, &hold, 0), -EBADF);
        kernel.lines = 0;
        CHECK_EQ(hold_verify(&driver, &hold, 0), -EBADF);
}

TEST(a_full_request_is_verified)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_OFF, GUARD_OFF);

        for (uint32_t i = 0; i < 64; i++) {
                hold.offsets[i] = i;
                hold.flags[i] = OUTPUT;
        }
        hold.lines_count = kernel.lines = 64;
        CHECK_EQ(hold_verify(&driver, &hold, 0), 0);
        kernel.lines = 63;
        CHECK_EQ(hold_verify(&driver, &hold, 0), -EBADF);
}

TEST(more_configurations_than_the_kernel_takes_are_refused)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_OFF, GUARD_OFF);

        /* One set of flags is the request's own, nine have attributes, and one
         * attribute has the levels. */
        hold.lines_count = kernel.lines = 11;
        for (uint32_t i = 0; i < 11; i++) {
                hold.offsets[i] = i;
                hold.flags[i] = OUTPUT | (uint64_t)(i & 1) << 1 | (uint64_t)(i & 6) << 5 |
                                (uint64_t)(i & 8) << 5;
        }
        CHECK_EQ(hold_verify(&driver, &hold, 0), -E2BIG);
        hold.lines_count = kernel.lines = 10;
        CHECK_EQ(hold_verify(&driver, &hold, 0), 0);
}

TEST(outputs_are_switched_in_one_call)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_ON, GUARD_KEEP);
        struct hold_result result = make_safe(&hold);

        CHECK_EQ(kernel.set_calls, 1);
        CHECK_EQ(kernel.set_mask, 3);
        CHECK_EQ(kernel.set_values, 2);
        CHECK_EQ(kernel.configure_calls, 0);
        CHECK_EQ(result.driven, 2);
        CHECK_EQ(result.kept, 1);
        CHECK_EQ(result.failed, 0);
}

TEST(what_is_kept_alone_is_not_touched)
{
        struct guard_hold hold = three(GUARD_KEEP, GUARD_KEEP, GUARD_KEEP);
        struct hold_result result = make_safe(&hold);

        CHECK_EQ(kernel.set_calls + kernel.configure_calls, 0);
        CHECK_EQ(result.kept, 3);
        CHECK_EQ(result.driven, 0);
}

TEST(an_input_gets_its_bias_and_its_neighbours_stay_as_they_are)
{
        struct guard_hold hold = three(GUARD_INPUT, GUARD_ON, GUARD_KEEP);
        struct hold_result result;

        hold.flags[0] = OUTPUT | UP | LOW | DRAIN;
        kernel.levels = 4; /* the kept line is on */
        result = make_safe(&hold);
        CHECK_EQ(kernel.configure_calls, 1);
        CHECK_EQ(kernel.config.flags, INPUT | UP | LOW);
        CHECK_EQ(kernel.config.num_attrs, 2);
        CHECK_EQ(kernel.config.attrs[0].attr.id, GPIO_V2_LINE_ATTR_ID_FLAGS);
        CHECK_EQ(kernel.config.attrs[0].attr.flags, OUTPUT);
        CHECK_EQ(kernel.config.attrs[0].mask, 6);
        CHECK_EQ(kernel.config.attrs[1].attr.id, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES);
        CHECK_EQ(kernel.config.attrs[1].mask, 6);
        CHECK_EQ(kernel.config.attrs[1].attr.values, 6);
        CHECK_EQ(result.driven, 2);
        CHECK_EQ(result.kept, 1);
        CHECK_EQ(result.failed, 0);
}

TEST(inputs_alone_take_no_levels)
{
        struct guard_hold hold = three(GUARD_INPUT, GUARD_INPUT, GUARD_INPUT);
        struct hold_result result = make_safe(&hold);

        CHECK_EQ(kernel.set_calls, 0);
        CHECK_EQ(kernel.config.num_attrs, 0);
        CHECK_EQ(result.driven, 3);
}

TEST(a_line_that_became_an_input_is_made_an_output_again)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_ON, GUARD_OFF);
        struct hold_result result;

        kernel.refuse = 1;
        result = make_safe(&hold);
        CHECK_EQ(kernel.configure_calls, 1);
        CHECK_EQ(kernel.config.flags, OUTPUT);
        CHECK_EQ(kernel.config.attrs[0].attr.values, 2);
        CHECK_EQ(result.driven, 3);
        CHECK_EQ(result.failed, 0);
}

TEST(when_all_together_fail_each_is_tried)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_ON, GUARD_INPUT);
        struct hold_result result;

        kernel.refuse = 1;
        kernel.configure_error = -EINVAL;
        result = make_safe(&hold);
        CHECK_EQ(kernel.set_mask, 2);
        CHECK_EQ(result.driven, 1);
        CHECK_EQ(result.failed, 2);
        CHECK_EQ(result.error, -EINVAL);
}

TEST(making_safe_twice_changes_nothing)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_ON, GUARD_INPUT);
        struct hold_result once = make_safe(&hold), twice = make_safe(&hold);

        CHECK_EQ(memcmp(&once, &twice, sizeof(once)), 0);
        CHECK_EQ(kernel.set_mask, 3);
        CHECK_EQ(kernel.set_values, 2);
}

TEST(a_pwm_channel_is_disabled_unless_it_is_kept)
{
        struct guard_hold hold = pwm(GUARD_OFF);
        struct hold_result result = make_safe(&hold);

        CHECK_EQ(hold_verify(&driver, &hold, 0), 0);
        CHECK_EQ(kernel.pwm_calls, 1);
        CHECK_EQ(result.driven, 1);
        hold = pwm(GUARD_KEEP);
        result = make_safe(&hold);
        CHECK_EQ(kernel.pwm_calls, 0);
        CHECK_EQ(result.kept, 1);
        hold = pwm(GUARD_OFF);
        kernel.pwm_error = -EIO;
        result = make_safe(&hold);
        CHECK_EQ(result.failed, 1);
        CHECK_EQ(result.error, -EIO);
        CHECK_EQ(hold_verify(&driver, &hold, 0), -EBADF);
}

TEST(free_lines_are_taken_over_together)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_KEEP, GUARD_ON);
        struct hold_result result = {0};

        hold.flags[2] = OUTPUT | LOW;
        hold_take_over(&driver, &hold, &result);
        CHECK_EQ(kernel.request_calls, 1);
        CHECK_EQ(kernel.requests[0].num_lines, 2);
        CHECK_EQ(kernel.requests[0].offsets[0], 17);
        CHECK_EQ(kernel.requests[0].offsets[1], 27);
        CHECK_EQ(kernel.requests[0].config.flags, OUTPUT);
        CHECK_EQ(kernel.requests[0].config.num_attrs, 2);
        CHECK_EQ(kernel.requests[0].config.attrs[0].attr.flags, OUTPUT | LOW);
        CHECK_EQ(kernel.requests[0].config.attrs[0].mask, 2);
        CHECK_EQ(kernel.requests[0].config.attrs[1].attr.values, 2);
        CHECK_EQ(result.driven, 2);
        CHECK_EQ(result.kept, 1);
}

TEST(a_line_somebody_holds_is_left_alone_and_the_others_are_driven)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_OFF, GUARD_INPUT);
        struct hold_result result = {0};

        kernel.busy = 22;
        hold_take_over(&driver, &hold, &result);
        CHECK_EQ(kernel.request_calls, 4);
        CHECK_EQ(result.driven, 2);
        CHECK_EQ(result.busy, 1);
        CHECK_EQ(result.failed, 0);
}

TEST(a_chip_that_is_gone_is_a_failure_of_all_its_lines)
{
        struct guard_hold hold = three(GUARD_OFF, GUARD_OFF, GUARD_OFF);
        struct hold_result result = {0};

        kernel.request_error = -ENOENT;
        hold_take_over(&driver, &hold, &result);
        CHECK_EQ(result.failed, 3);
        CHECK_EQ(result.error, -ENOENT);
}

TEST(what_is_all_kept_is_not_taken_over)
{
        struct guard_hold hold = three(GUARD_KEEP, GUARD_KEEP, GUARD_KEEP);
        struct hold_result result = {0};

        hold_take_over(&driver, &hold, &result);
        CHECK_EQ(kernel.request_calls, 0);
        CHECK_EQ(result.kept, 3);
}

TEST(a_pwm_channel_is_taken_over_by_its_folder)
{
        struct guard_hold hold = pwm(GUARD_OFF);
        struct hold_result result = {0};

        hold_take_over(&driver, &hold, &result);
        CHECK_EQ(kernel.pwm_calls, 1);
        CHECK_EQ(result.driven, 1);
        kernel.pwm_error = -ENOENT;
        hold_take_over(&driver, &hold, &result);
        CHECK_EQ(result.failed, 1);
}
