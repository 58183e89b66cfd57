#include "agent/gpio/gpio.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
};

static void fixture_init(struct fixture *f)
{
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
}

static void fixture_done(struct fixture *f)
{
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

static int parse(struct gpio_config *config, const char *text, struct error *error)
{
        struct config_section section = gpio_config_section(config);

        return config_parse("agent.yaml", text, strlen(text), &section, 1, error);
}

TEST(the_backend_is_auto_unless_configured)
{
        struct gpio_config config;
        struct config_section section = gpio_config_section(&config);

        CHECK_EQ(config_defaults(&section, 1), 0);
        CHECK_EQ(config.backend, GPIO_BACKEND_AUTO);
        CHECK_NULL(config.chip);
        config_done(&section, 1);
}

TEST(backend_and_chip_can_be_configured)
{
        struct gpio_config config;
        struct config_section section = gpio_config_section(&config);
        struct error error;

        CHECK_EQ(parse(&config, "gpio: {backend: chardev, chip: pinctrl-rp1}\n", &error), 0);
        CHECK_EQ(config.backend, GPIO_BACKEND_CHARDEV);
        CHECK_TEXT(config.chip, "pinctrl-rp1");
        config_done(&section, 1);
        CHECK_EQ(parse(&config, "gpio: {backend: simulated}\n", &error), 0);
        CHECK_EQ(config.backend, GPIO_BACKEND_SIMULATED);
        CHECK_EQ(config.safe, GPIO_SAFE_OFF);
        config_done(&section, 1);
        CHECK_EQ(parse(&config, "gpio: {safe: input}\n", &error), 0);
        CHECK_EQ(config.safe, GPIO_SAFE_INPUT);
        config_done(&section, 1);
        CHECK_EQ(parse(&config, "gpio: {safe: never}\n", &error), -EINVAL);
        CHECK_EQ(parse(&config, "gpio: {backend: pigpio}\n", &error), -EINVAL);
        CHECK_EQ(parse(&config, "gpio: {pin: 17}\n", &error), -EINVAL);
}

/* No machine has it: what hardware there is stays untouched. */
static char missing_chip[] = "pifleet-no-such-chip";
static char no_chip[] = "/dev/null";

static void read_status(struct fixture *f, struct buffer *buffer)
{
        struct json_writer writer;

        buffer_init(buffer, 1024);
        json_writer_init(&writer, buffer);
        json_write_object(&writer, NULL);
        command_registry_write_status(f->registry, &writer);
        json_write_end(&writer);
        CHECK_EQ(buffer_append(buffer, "", 1), 0);
}

TEST(the_commands_come_and_go_with_the_room)
{
        static const char *const names[] = {"led_on", "led_off", "gpio_status", "gpio_test"};
        struct gpio_config config = {.backend = GPIO_BACKEND_SIMULATED};
        struct gpio *gpio = NULL;
        struct buffer buffer;
        struct error error;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_attach(f.registry, &config, NULL, &gpio, &error), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                CHECK(command_registry_find(f.registry, names[i]) != NULL);
        read_status(&f, &buffer);
        CHECK_TEXT(
                buffer_data(&buffer),
                "{\"gpio_backend\":\"simulated\",\"gpio_chip\":\"pifleet-sim\",\"guarded\":false}");
        buffer_done(&buffer);

        CHECK_EQ(gpio_stop(gpio), 0);
        CHECK_NULL(gpio_free(gpio));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                CHECK_NULL(command_registry_find(f.registry, names[i]));
        fixture_done(&f);
}

TEST(auto_without_hardware_takes_the_simulated_chip_and_says_why)
{
        struct gpio_config config = {.backend = GPIO_BACKEND_AUTO, .chip = missing_chip};
        struct gpio *gpio = NULL;
        struct buffer buffer;
        struct error error;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_attach(f.registry, &config, NULL, &gpio, &error), 0);
        read_status(&f, &buffer);
        CHECK(strstr(buffer_data(&buffer), "{\"gpio_backend\":\"simulated\",") != NULL);
        CHECK(strstr(buffer_data(&buffer), ",\"gpio_reason\":\"") != NULL);
        buffer_done(&buffer);
        gpio_free(gpio);
        fixture_done(&f);
}

TEST(chardev_never_falls_back_to_the_simulated_chip)
{
        struct gpio_config config = {.backend = GPIO_BACKEND_CHARDEV, .chip = no_chip};
        struct gpio *gpio = NULL;
        struct error error;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_attach(f.registry, &config, NULL, &gpio, &error), -ENODEV);
        CHECK_NULL(gpio);
        CHECK_TEXT(error.text, "gpio.chip: /dev/null: not a GPIO chip");
        CHECK_NULL(command_registry_find(f.registry, "led_on"));
        fixture_done(&f);
}

TEST(a_hardware_chip_and_the_simulated_backend_contradict_each_other)
{
        struct gpio_config config = {.backend = GPIO_BACKEND_SIMULATED,
                                     .chip = (char *)"pinctrl-rp1"};
        struct gpio *gpio = NULL;
        struct error error;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_attach(f.registry, &config, NULL, &gpio, &error), -EINVAL);
        CHECK_NULL(gpio);
        fixture_done(&f);
}

TEST(without_memory_nothing_is_attached)
{
        struct gpio_config config = {.backend = GPIO_BACKEND_SIMULATED};
        struct gpio *gpio = NULL;
        struct error error;
        struct fixture f;
        unsigned nth = 0;
        int r;

        fixture_init(&f);
        do {
                allocation_fail_at(++nth);
                r = gpio_attach(f.registry, &config, NULL, &gpio, &error);
                (void)allocation_end();
                if (r < 0) {
                        CHECK_EQ(r, -ENOMEM);
                        CHECK_NULL(gpio);
                        CHECK_NULL(command_registry_find(f.registry, "led_on"));
                        CHECK_NULL(command_registry_find(f.registry, "gpio_test"));
                }
        } while (r < 0);
        /* At least the room itself, the chip, the lines and the commands. */
        CHECK(nth > 4);
        gpio_free(gpio);
        fixture_done(&f);
}
