#include "agent/gpio/chip-finder.h"

#include "agent/gpio/fake-kernel.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int find(struct fake_kernel *kernel, const char *wanted, const char **ret_name,
                struct error *error)
{
        static char path[GPIO_PATH_MAX];
        int r = gpio_chip_find(&kernel->system, wanted, path, error);

        *ret_name = r == 0 ? strrchr(path, '/') + 1 : "";
        return r;
}

TEST(the_header_chip_is_found_by_its_label_whatever_its_number)
{
        static const char *const labels[] = {"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"};

        for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
                struct fake_kernel *kernel = fake_kernel_new();
                struct error error;
                const char *name;

                fake_kernel_add(kernel, "gpio-brcmstb@107d508500", 32, false);
                fake_kernel_add(kernel, "raspberrypi-exp-gpio", 8, false);
                fake_kernel_add(kernel, labels[i], 54, false);
                CHECK_EQ(find(kernel, NULL, &name, &error), 0);
                CHECK_TEXT(name, "gpiochip2");
                CHECK_EQ(find(kernel, "raspberrypi-exp-gpio", &name, &error), 0);
                CHECK_TEXT(name, "gpiochip1");
                CHECK_EQ(fake_kernel_free(kernel), 0);
        }
}

TEST(an_unknown_label_is_found_by_the_name_of_line_17)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct error error;
        const char *name;

        fake_kernel_add(kernel, "board", 32, false);
        fake_kernel_add(kernel, "pinctrl-bcm9999", 54, true);
        CHECK_EQ(find(kernel, NULL, &name, &error), 0);
        CHECK_TEXT(name, "gpiochip1");
        /* But a label is preferred to a name, and a name does not stand for a label. */
        CHECK_EQ(find(kernel, "pinctrl-rp1", &name, &error), -ENODEV);
        fake_kernel_add(kernel, "pinctrl-rp1", 54, false);
        CHECK_EQ(find(kernel, NULL, &name, &error), 0);
        CHECK_TEXT(name, "gpiochip2");
        CHECK_EQ(fake_kernel_free(kernel), 0);
}

TEST(one_device_under_two_names_is_one_chip)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct fake_chip *chip = fake_kernel_add(kernel, "pinctrl-rp1", 54, true);
        struct error error;
        const char *name;

        fake_kernel_link(kernel, chip, "gpiochip4");
        CHECK_EQ(find(kernel, NULL, &name, &error), 0);
        CHECK_TEXT(name, "gpiochip0");
        CHECK_EQ(fake_kernel_free(kernel), 0);
}

TEST(several_chips_of_one_label_have_to_be_told_apart)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct error error;
        const char *name;

        fake_kernel_add(kernel, "mcp23017", 16, false);
        fake_kernel_add(kernel, "mcp23017", 16, false);
        CHECK_EQ(find(kernel, "mcp23017", &name, &error), -ENOTUNIQ);
        CHECK(strstr(error.text, "name one by its path") != NULL);
        CHECK_EQ(fake_kernel_free(kernel), 0);
}

TEST(a_chip_that_is_missing_is_told_with_those_that_are_there)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct error error;
        const char *name;
        char expected[256];

        CHECK_EQ(find(kernel, NULL, &name, &error), -ENODEV);
        CHECK_TEXT(error.text, "no GPIO chip with the 40-pin header; there are no GPIO chips");
        fake_kernel_add(kernel, "one", 32, false);
        fake_kernel_add(kernel, "two", 8, false);
        CHECK_EQ(find(kernel, "pinctrl-rp1", &name, &error), -ENODEV);
        snprintf(expected, sizeof(expected),
                 "no GPIO chip with label \"pinctrl-rp1\"; there are: %s/gpiochip0 \"one\", "
                 "%s/gpiochip1 \"two\"",
                 kernel->folder, kernel->folder);
        CHECK_TEXT(error.text, expected);
        CHECK_EQ(fake_kernel_free(kernel), 0);
}

TEST(a_chip_that_may_not_be_opened_is_told_with_who_may)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct fake_chip *first = fake_kernel_add(kernel, "secret", 32, false);
        struct error error;
        const char *name;

        first->open_result = -EACCES;
        CHECK_EQ(find(kernel, NULL, &name, &error), -EACCES);
        CHECK(strstr(error.text, "root alone") != NULL);
        first->group = 1;
        CHECK_EQ(find(kernel, NULL, &name, &error), -EACCES);
        CHECK(strstr(error.text, "member of the group \"daemon\"") != NULL);
        CHECK(strstr(error.text, "udev rule") != NULL);
        /* It does not matter when the wanted one is there. */
        fake_kernel_add(kernel, "pinctrl-rp1", 54, false);
        CHECK_EQ(find(kernel, NULL, &name, &error), 0);
        CHECK_TEXT(name, "gpiochip1");
        CHECK_EQ(fake_kernel_free(kernel), 0);
}

TEST(what_is_no_chip_is_passed_over)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct error error;
        const char *name;
        char path[128];

        snprintf(path, sizeof(path), "%s/gpiochip9", kernel->folder);
        CHECK_EQ(symlink("/dev/null", path), 0);
        snprintf(path, sizeof(path), "%s/gpiochip8", kernel->folder);
        CHECK_EQ(symlink("nowhere", path), 0);
        snprintf(path, sizeof(path), "%s/gpiochip", kernel->folder);
        CHECK_EQ(symlink("nowhere", path), 0);
        CHECK_EQ(find(kernel, NULL, &name, &error), -ENODEV);
        CHECK(strstr(error.text, "there are no GPIO chips") != NULL);
        CHECK_EQ(fake_kernel_free(kernel), 0);
}

TEST(a_path_is_taken_as_it_is)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct error error;
        const char *name;

        CHECK_EQ(find(kernel, "/dev/gpiochip7", &name, &error), 0);
        CHECK_TEXT(name, "gpiochip7");
        CHECK_EQ(find(kernel,
                      "/dev/a-name-that-is-so-long-that-no-device-of-any-system-can-have-it", &name,
                      &error),
                 -ENAMETOOLONG);
        CHECK_EQ(fake_kernel_free(kernel), 0);
}

TEST(a_folder_that_cannot_be_read_and_missing_memory_are_told)
{
        struct fake_kernel *kernel = fake_kernel_new();
        struct error error;
        const char *name;

        allocation_fail_at(1);
        CHECK_EQ(find(kernel, NULL, &name, &error), -ENOMEM);
        CHECK(allocation_end());
        kernel->system.devices = "/nonexistent";
        CHECK_EQ(find(kernel, NULL, &name, &error), -ENOENT);
        CHECK_TEXT(error.text, "/nonexistent: No such file or directory");
        CHECK_EQ(fake_kernel_free(kernel), 0);
}
