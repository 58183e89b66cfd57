#include "agent/gpio/uapi.h"

#include "base/attributes.h"

#include "support/test.h"

#include <errno.h>

static const struct {
        struct gpio_line_config config;
        uint64_t flags;
} flags_cases[] = {
        {{0}, 0},
        {{.active_low = true}, GPIO_V2_LINE_FLAG_ACTIVE_LOW},
        {{.direction = GPIO_DIRECTION_INPUT}, GPIO_V2_LINE_FLAG_INPUT},
        {{.direction = GPIO_DIRECTION_OUTPUT}, GPIO_V2_LINE_FLAG_OUTPUT},
        {{.direction = GPIO_DIRECTION_INPUT, .edges = GPIO_EDGE_RISING},
         GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING},
        {{.direction = GPIO_DIRECTION_INPUT, .edges = GPIO_EDGE_FALLING},
         GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_FALLING},
        {{.direction = GPIO_DIRECTION_INPUT, .edges = GPIO_EDGE_BOTH},
         GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING},
        {{.direction = GPIO_DIRECTION_OUTPUT, .drive = GPIO_DRIVE_OPEN_DRAIN},
         GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN},
        {{.direction = GPIO_DIRECTION_OUTPUT, .drive = GPIO_DRIVE_OPEN_SOURCE},
         GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_SOURCE},
        {{.direction = GPIO_DIRECTION_INPUT, .bias = GPIO_BIAS_DISABLED},
         GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_DISABLED},
        {{.direction = GPIO_DIRECTION_INPUT, .bias = GPIO_BIAS_PULL_UP},
         GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP},
        {{.direction = GPIO_DIRECTION_OUTPUT, .bias = GPIO_BIAS_PULL_DOWN, .active_low = true},
         GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN |
                 GPIO_V2_LINE_FLAG_ACTIVE_LOW},
};

TEST(flags_and_configurations_are_the_same_both_ways)
{
        for (size_t i = 0; i < ARRAY_SIZE(flags_cases); i++) {
                const struct gpio_line_config *config = &flags_cases[i].config;
                struct gpio_line_config back;

                CHECK_EQ(gpio_uapi_flags(config), flags_cases[i].flags);
                gpio_uapi_config(flags_cases[i].flags | GPIO_V2_LINE_FLAG_USED | 1ULL << 63, &back);
                CHECK_EQ(back.direction, config->direction);
                CHECK_EQ(back.edges, config->edges);
                CHECK_EQ(back.drive, config->drive);
                CHECK_EQ(back.bias, config->bias);
                CHECK_EQ(back.active_low, config->active_low);
        }
}

TEST(lines_that_are_alike_share_their_attributes)
{
        const struct gpio_line_config configs[] = {
                {.direction = GPIO_DIRECTION_OUTPUT, .value = true},
                {.direction = GPIO_DIRECTION_INPUT, .debounce_us = 5000},
                {.direction = GPIO_DIRECTION_OUTPUT},
                {.direction = GPIO_DIRECTION_INPUT, .debounce_us = 5000},
                {.direction = GPIO_DIRECTION_OUTPUT, .value = true},
        };
        struct gpio_v2_line_config encoded;

        CHECK_EQ(gpio_uapi_encode(configs, ARRAY_SIZE(configs), &encoded), 0);
        CHECK_EQ(encoded.flags, GPIO_V2_LINE_FLAG_OUTPUT);
        CHECK_EQ(encoded.num_attrs, 3);
        CHECK_EQ(encoded.attrs[0].attr.id, GPIO_V2_LINE_ATTR_ID_FLAGS);
        CHECK_EQ(encoded.attrs[0].attr.flags, GPIO_V2_LINE_FLAG_INPUT);
        CHECK_EQ(encoded.attrs[0].mask, 0x0a);
        CHECK_EQ(encoded.attrs[1].attr.id, GPIO_V2_LINE_ATTR_ID_DEBOUNCE);
        CHECK_EQ(encoded.attrs[1].attr.debounce_period_us, 5000);
        CHECK_EQ(encoded.attrs[1].mask, 0x0a);
        CHECK_EQ(encoded.attrs[2].attr.id, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES);
        CHECK_EQ(encoded.attrs[2].attr.values, 0x11);
        CHECK_EQ(encoded.attrs[2].mask, 0x15);
}

TEST(what_needs_more_than_ten_attributes_is_refused)
{
        struct gpio_line_config configs[12] = {{.direction = GPIO_DIRECTION_OUTPUT}};
        struct gpio_v2_line_config encoded = {.flags = 77};

        for (size_t i = 1; i < ARRAY_SIZE(configs); i++)
                configs[i] = (struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT,
                                                       .debounce_us = (uint32_t)i};
        /* Eight periods, the inputs' flags and the output's level. */
        CHECK_EQ(gpio_uapi_encode(configs, 9, &encoded), 0);
        CHECK_EQ(encoded.num_attrs, 10);
        /* A ninth period leaves no room for the level, a tenth has none itself. */
        encoded.flags = 77;
        CHECK_EQ(gpio_uapi_encode(configs, 10, &encoded), -E2BIG);
        CHECK_EQ(gpio_uapi_encode(configs, 11, &encoded), -E2BIG);
        CHECK_EQ(encoded.flags, 77);
}

TEST(what_is_reserved_is_zero)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_INPUT,
                                                .debounce_us = 1};
        struct gpio_v2_line_config encoded;
        const unsigned char *bytes = (const unsigned char *)&encoded;

        memset(&encoded, 0xff, sizeof(encoded));
        CHECK_EQ(gpio_uapi_encode(&config, 1, &encoded), 0);
        for (size_t i = offsetof(struct gpio_v2_line_config, padding);
             i < offsetof(struct gpio_v2_line_config, attrs); i++)
                CHECK_EQ(bytes[i], 0);
        CHECK_EQ(encoded.attrs[0].attr.padding, 0);
        /* The union is wider than the period. */
        CHECK_EQ(encoded.attrs[0].attr.flags & ~UINT64_C(0xffffffff), 0);
        for (size_t i = offsetof(struct gpio_v2_line_config, attrs[1]); i < sizeof(encoded); i++)
                CHECK_EQ(bytes[i], 0);
}

TEST(an_answer_full_of_ones_does_no_harm)
{
        struct gpio_v2_line_info info;
        struct gpio_line_info line;

        memset(&info, 0xff, sizeof(info));
        gpio_uapi_line_info(&info, &line);
        CHECK_EQ(strnlen(line.name, sizeof(line.name)), GPIO_NAME_MAX - 1);
        CHECK_EQ(strnlen(line.consumer, sizeof(line.consumer)), GPIO_NAME_MAX - 1);
        CHECK(line.used);
}
