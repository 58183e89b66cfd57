#include "agent/gpio/chip-choice.h"

#include "agent/gpio/fake-kernel.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

enum board { NONE, HEADER, OTHER, SECRET, OLD };

static void add_board(struct fake_kernel *kernel, enum board board)
{
        if (board == HEADER || board == OLD)
                fake_kernel_add(kernel, "pinctrl-bcm2711", 58, true);
        if (board == OTHER)
                fake_kernel_add(kernel, "mcp23017", 16, false);
        if (board == SECRET)
                fake_kernel_add(kernel, "pinctrl-rp1", 54, true)->open_result = -EACCES;
        kernel->first_version = board == OLD;
}

TEST(the_backend_and_the_board_decide_on_the_chip)
{
        static const struct {
                enum board board;
                enum gpio_backend backend;
                const char *chip;
                const char *label; /* of the chip that is taken; NULL: refused */
                int result;        /* the reason why not, or why simulated */
                const char *text;
        } cases[] = {
                {HEADER, GPIO_BACKEND_AUTO, NULL, "pinctrl-bcm2711", 0, ""},
                {HEADER, GPIO_BACKEND_CHARDEV, NULL, "pinctrl-bcm2711", 0, ""},
                {HEADER, GPIO_BACKEND_SIMULATED, NULL, "pifleet-sim", 0, ""},
                {OTHER, GPIO_BACKEND_CHARDEV, "mcp23017", "mcp23017", 0, ""},
                {NONE, GPIO_BACKEND_AUTO, NULL, "pifleet-sim", -ENODEV, "no GPIO chip with"},
                {OTHER, GPIO_BACKEND_AUTO, NULL, "pifleet-sim", -ENODEV, "\"mcp23017\""},
                {SECRET, GPIO_BACKEND_AUTO, NULL, "pifleet-sim", -EACCES, "Permission denied"},
                {NONE, GPIO_BACKEND_SIMULATED, "pinctrl-rp1", NULL, -EINVAL, "remove one"},
                {NONE, GPIO_BACKEND_CHARDEV, NULL, NULL, -ENODEV, "gpio.backend: no GPIO chip"},
                {OTHER, GPIO_BACKEND_CHARDEV, "pinctrl-rp1", NULL, -ENODEV,
                 "gpio.chip: no GPIO chip with label \"pinctrl-rp1\"; there are:"},
                {SECRET, GPIO_BACKEND_CHARDEV, NULL, NULL, -EACCES, "Permission denied"},
                {OLD, GPIO_BACKEND_CHARDEV, NULL, NULL, -EOPNOTSUPP, "Linux 5.10"},
                /* The hardware is there: not to use it would surprise. */
                {OLD, GPIO_BACKEND_AUTO, NULL, NULL, -EOPNOTSUPP, "Linux 5.10"},
                {NONE, GPIO_BACKEND_CHARDEV, "/dev/null", NULL, -ENODEV,
                 "gpio.chip: /dev/null: not a GPIO chip"},
                {NONE, GPIO_BACKEND_AUTO, "/dev/null", "pifleet-sim", -ENODEV, "not a GPIO chip"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct gpio_config config = {.backend = cases[i].backend,
                                             .chip = (char *)cases[i].chip};
                struct fake_kernel *kernel = fake_kernel_new();
                struct error why = {0}, error = {0};
                struct gpio_chip *chip = NULL;
                struct gpio_chip_info info;

                add_board(kernel, cases[i].board);
                if (cases[i].label) {
                        CHECK_EQ(gpio_chip_choose(&config, &kernel->system, &chip, &why, &error),
                                 0);
                        gpio_chip_info(chip, &info);
                        CHECK_TEXT(info.label, cases[i].label);
                        CHECK_EQ(why.code, cases[i].result);
                        CHECK(strstr(why.text, cases[i].text) != NULL);
                } else {
                        CHECK_EQ(gpio_chip_choose(&config, &kernel->system, &chip, &why, &error),
                                 cases[i].result);
                        CHECK_NULL(chip);
                        CHECK(strstr(error.text, cases[i].text) != NULL);
                }
                gpio_chip_free(chip);
                CHECK_EQ(fake_kernel_free(kernel), 0);
        }
}

TEST(without_memory_no_backend_stands_in_for_another)
{
        static const enum gpio_backend backends[] = {GPIO_BACKEND_AUTO, GPIO_BACKEND_CHARDEV,
                                                     GPIO_BACKEND_SIMULATED};

        for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
                struct gpio_config config = {.backend = backends[i]};
                struct fake_kernel *kernel = fake_kernel_new();
                size_t nth = 0;
                bool failed;

                add_board(kernel, HEADER);
                do {
                        struct gpio_chip *chip = NULL;
                        struct error why, error;
                        int r;

                        allocation_fail_at(++nth);
                        r = gpio_chip_choose(&config, &kernel->system, &chip, &why, &error);
                        failed = allocation_end();
                        CHECK_EQ(r, failed ? -ENOMEM : 0);
                        gpio_chip_free(chip);
                } while (failed);
                CHECK(nth > 1);
                CHECK_EQ(fake_kernel_free(kernel), 0);
        }
}
