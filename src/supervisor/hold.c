#include "supervisor/hold.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint64_t bit(size_t i)
{
        return UINT64_C(1) << i;
}

static uint64_t lines_with(const struct guard_hold *hold, uint8_t action)
{
        uint64_t mask = 0;

        for (size_t i = 0; i < hold->lines_count; i++)
                if (hold->actions[i] == action)
                        mask |= bit(i);
        return mask;
}

static unsigned count_bits(uint64_t mask)
{
        return (unsigned)__builtin_popcountll(mask);
}

static void note(struct hold_result *result, uint64_t mask, int r)
{
        if (r >= 0) {
                result->driven += count_bits(mask);
                return;
        }
        result->failed += count_bits(mask);
        if (result->error == 0)
                result->error = r;
}

/* How a line is configured when it is safe. */
static uint64_t safe_flags(const struct guard_hold *hold, size_t i)
{
        const uint64_t of_inputs = GPIO_V2_LINE_FLAG_ACTIVE_LOW | GPIO_V2_LINE_FLAG_BIAS_PULL_UP |
                                   GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN |
                                   GPIO_V2_LINE_FLAG_BIAS_DISABLED;

        if (hold->actions[i] == GUARD_INPUT)
                return (hold->flags[i] & of_inputs) | GPIO_V2_LINE_FLAG_INPUT;
        return hold->flags[i];
}

/* The attribute with these flags; a new one where there is none. NULL: no room. */
static struct gpio_v2_line_config_attribute *flags_attribute(struct gpio_v2_line_config *config,
                                                             uint64_t flags)
{
        struct gpio_v2_line_config_attribute *attribute;

        for (size_t i = 0; i < config->num_attrs; i++)
                if (config->attrs[i].attr.flags == flags)
                        return &config->attrs[i];
        if (config->num_attrs == GPIO_V2_LINE_NUM_ATTRS_MAX)
                return NULL;
        attribute = &config->attrs[config->num_attrs++];
        attribute->attr.id = GPIO_V2_LINE_ATTR_ID_FLAGS;
        attribute->attr.flags = flags;
        return attribute;
}

/* The safe state of the lines in `mask`, numbered anew from 0; `values` by their
 * old numbers. One attribute for each set of flags that is not the first line's,
 * and one with the levels of all outputs. */
static int safe_config(const struct guard_hold *hold, uint64_t mask, uint64_t values,
                       struct gpio_v2_line_config *ret)
{
        struct gpio_v2_line_config_attribute levels = {.attr.id =
                                                               GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES};
        size_t number = 0;

        memset(ret, 0, sizeof(*ret));
        for (size_t i = 0; i < hold->lines_count; i++) {
                uint64_t flags = safe_flags(hold, i);
                struct gpio_v2_line_config_attribute *attribute;

                if (!(mask & bit(i)))
                        continue;
                if (number == 0)
                        ret->flags = flags;
                if (flags != ret->flags) {
                        attribute = flags_attribute(ret, flags);
                        if (!attribute)
                                return -E2BIG;
                        attribute->mask |= bit(number);
                }
                if (flags & GPIO_V2_LINE_FLAG_OUTPUT)
                        levels.mask |= bit(number);
                if (values & bit(i))
                        levels.attr.values |= bit(number);
                number++;
        }
        if (levels.mask == 0)
                return 0;
        if (ret->num_attrs == GPIO_V2_LINE_NUM_ATTRS_MAX)
                return -E2BIG;
        ret->attrs[ret->num_attrs++] = levels;
        return 0;
}

static uint64_t all_lines(const struct guard_hold *hold)
{
        return hold->lines_count == 64 ? UINT64_MAX : bit(hold->lines_count) - 1;
}

static int verify_lines(const struct line_driver *driver, const struct guard_hold *hold, int fd)
{
        struct gpio_v2_line_config config;
        uint64_t values;
        int r;

        r = driver->get_values(fd, all_lines(hold), &values);
        if (r == 0)
                r = driver->get_values(fd, bit(hold->lines_count - 1), &values);
        if (r < 0)
                return -EBADF;
        /* A line more than was said would be driven by nobody. */
        if (hold->lines_count < 64 && driver->get_values(fd, bit(hold->lines_count), &values) == 0)
                return -EBADF;
        return safe_config(hold, all_lines(hold), 0, &config);
}

int hold_verify(const struct line_driver *driver, const struct guard_hold *hold, int fd)
{
        if (hold->kind == GUARD_KIND_PWM)
                return driver->check_pwm(fd) < 0 ? -EBADF : 0;
        return verify_lines(driver, hold, fd);
}

bool hold_switch(const struct line_driver *driver, const struct guard_hold *hold, int fd,
                 struct hold_result *result)
{
        uint64_t on = lines_with(hold, GUARD_ON);
        uint64_t outputs = on | lines_with(hold, GUARD_OFF);

        result->kept += count_bits(lines_with(hold, GUARD_KEEP));
        if (hold->kind == GUARD_KIND_PWM) {
                if (outputs != 0)
                        note(result, outputs, driver->disable_pwm(fd));
                return true;
        }
        if (outputs != 0) {
                if (driver->set_values(fd, outputs, on) < 0)
                        return false;
                result->driven += count_bits(outputs);
        }
        return lines_with(hold, GUARD_INPUT) == 0;
}

/* All or none did not work: what can be saved, line by line. */
static void switch_each(const struct line_driver *driver, int fd, uint64_t outputs, uint64_t on,
                        struct hold_result *result)
{
        for (size_t i = 0; i < 64; i++)
                if (outputs & bit(i))
                        note(result, bit(i), driver->set_values(fd, bit(i), on & bit(i)));
}

void hold_reconfigure(const struct line_driver *driver, const struct guard_hold *hold, int fd,
                      struct hold_result *result)
{
        uint64_t on = lines_with(hold, GUARD_ON);
        uint64_t outputs = on | lines_with(hold, GUARD_OFF);
        uint64_t inputs = lines_with(hold, GUARD_INPUT);
        uint64_t keep = lines_with(hold, GUARD_KEEP);
        uint64_t kept_values = 0;
        struct gpio_v2_line_config config;
        bool switched = outputs == 0 || driver->set_values(fd, outputs, on) == 0;
        int r = 0;

        /* Kernels before 6.10 clear the flags of a line that is left out: all lines of
         * the request are named, those to be kept as they stand. */
        if (keep != 0)
                r = driver->get_values(fd, keep, &kept_values);
        if (r == 0)
                r = safe_config(hold, all_lines(hold), on | kept_values, &config);
        if (r == 0)
                r = driver->configure(fd, &config);
        if (inputs != 0)
                note(result, inputs, r);
        if (switched)
                return;
        if (r == 0)
                result->driven += count_bits(outputs);
        else
                switch_each(driver, fd, outputs, on, result);
}

static int request_lines(const struct line_driver *driver, const struct guard_hold *hold,
                         uint64_t mask)
{
        AUTO_CLOSE int fd = -1;
        struct gpio_v2_line_request request = {0};
        int r;

        r = safe_config(hold, mask, lines_with(hold, GUARD_ON), &request.config);
        if (r < 0)
                return r;
        snprintf(request.consumer, sizeof(request.consumer), "%s", "pifleet:safe-state");
        for (size_t i = 0; i < hold->lines_count; i++)
                if (mask & bit(i))
                        request.offsets[request.num_lines++] = hold->offsets[i];
        fd = driver->request(hold->chip, &request);
        return fd < 0 ? fd : 0;
}

static void take_over_lines(const struct line_driver *driver, const struct guard_hold *hold,
                            uint64_t wanted, struct hold_result *result)
{
        int r = request_lines(driver, hold, wanted);

        if (r == 0) {
                note(result, wanted, 0);
                return;
        }
        for (size_t i = 0; i < hold->lines_count; i++) {
                if (!(wanted & bit(i)))
                        continue;
                r = request_lines(driver, hold, bit(i));
                if (r == -EBUSY)
                        result->busy++;
                else
                        note(result, bit(i), r);
        }
}

static int take_over_pwm(const struct line_driver *driver, const char *folder)
{
        AUTO_CLOSE int fd = driver->open_pwm(folder);

        return fd < 0 ? fd : driver->disable_pwm(fd);
}

void hold_take_over(const struct line_driver *driver, const struct guard_hold *hold,
                    struct hold_result *result)
{
        uint64_t keep = lines_with(hold, GUARD_KEEP);
        uint64_t wanted = all_lines(hold) & ~keep;

        result->kept += count_bits(keep);
        if (wanted == 0)
                return;
        if (hold->kind == GUARD_KIND_PWM)
                note(result, wanted, take_over_pwm(driver, hold->chip));
        else
                take_over_lines(driver, hold, wanted, result);
}
