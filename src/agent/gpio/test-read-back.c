#include "agent/gpio/read-back.h"

#include "base/attributes.h"

#include "support/test.h"

TEST(only_what_we_drive_can_mismatch)
{
        static const struct {
                struct gpio_line_config config;
                bool read, mismatch;
        } cases[] = {
                {{.direction = GPIO_DIRECTION_OUTPUT, .value = true}, true, false},
                {{.direction = GPIO_DIRECTION_OUTPUT, .value = true}, false, true},
                {{.direction = GPIO_DIRECTION_OUTPUT}, true, true},
                {{.direction = GPIO_DIRECTION_OUTPUT, .active_low = true}, true, true},
                {{.direction = GPIO_DIRECTION_INPUT}, true, false},
                {{.direction = GPIO_DIRECTION_AS_IS}, true, false},
                /* Drives low only. */
                {{.direction = GPIO_DIRECTION_OUTPUT, .drive = GPIO_DRIVE_OPEN_DRAIN}, true, true},
                {{.direction = GPIO_DIRECTION_OUTPUT,
                  .drive = GPIO_DRIVE_OPEN_DRAIN,
                  .value = true},
                 false,
                 false},
                {{.direction = GPIO_DIRECTION_OUTPUT,
                  .drive = GPIO_DRIVE_OPEN_DRAIN,
                  .value = true,
                  .active_low = true},
                 false,
                 true},
                /* Drives high only. */
                {{.direction = GPIO_DIRECTION_OUTPUT, .drive = GPIO_DRIVE_OPEN_SOURCE},
                 true,
                 false},
                {{.direction = GPIO_DIRECTION_OUTPUT,
                  .drive = GPIO_DRIVE_OPEN_SOURCE,
                  .value = true},
                 false,
                 true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct gpio_read_back expected = {0};
                uint64_t bit = UINT64_C(1) << 63;

                gpio_read_back_configure(&expected, 63, &cases[i].config);
                CHECK_EQ(gpio_read_back_mismatches(&expected, cases[i].read ? bit : 0),
                         cases[i].mismatch ? bit : 0);
        }
}

TEST(what_was_set_later_counts)
{
        struct gpio_read_back expected = {0};

        gpio_read_back_configure(&expected, 0,
                                 &(struct gpio_line_config){.direction = GPIO_DIRECTION_OUTPUT});
        gpio_read_back_set(&expected, 5, 4);
        CHECK_EQ(gpio_read_back_driven(&expected), 5);
        CHECK_EQ(gpio_read_back_mismatches(&expected, 4), 0);
        CHECK_EQ(gpio_read_back_mismatches(&expected, 3), 5);
        gpio_read_back_configure(&expected, 2,
                                 &(struct gpio_line_config){.direction = GPIO_DIRECTION_AS_IS});
        CHECK_EQ(gpio_read_back_driven(&expected), 5);
        gpio_read_back_configure(&expected, 2,
                                 &(struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT});
        CHECK_EQ(gpio_read_back_driven(&expected), 1);
}
