#include "agent/gpio/read-back.h"

static void assign(uint64_t *bits, uint64_t mask, bool value)
{
        *bits = value ? *bits | mask : *bits & ~mask;
}

void gpio_read_back_configure(struct gpio_read_back *expected, size_t index,
                              const struct gpio_line_config *config)
{
        uint64_t bit = UINT64_C(1) << index;

        if (config->direction == GPIO_DIRECTION_AS_IS)
                return;
        assign(&expected->given, bit, config->direction == GPIO_DIRECTION_OUTPUT);
        assign(&expected->values, bit, config->value);
        assign(&expected->active_low, bit, config->active_low);
        assign(&expected->open_drain, bit, config->drive == GPIO_DRIVE_OPEN_DRAIN);
        assign(&expected->open_source, bit, config->drive == GPIO_DRIVE_OPEN_SOURCE);
}

void gpio_read_back_set(struct gpio_read_back *expected, uint64_t mask, uint64_t values)
{
        expected->given |= mask;
        expected->values = (expected->values & ~mask) | (values & mask);
}

uint64_t gpio_read_back_driven(const struct gpio_read_back *expected)
{
        uint64_t high = expected->values ^ expected->active_low;

        return expected->given & ~(expected->open_drain & high) & ~(expected->open_source & ~high);
}

uint64_t gpio_read_back_mismatches(const struct gpio_read_back *expected, uint64_t values)
{
        return (expected->values ^ values) & gpio_read_back_driven(expected);
}
