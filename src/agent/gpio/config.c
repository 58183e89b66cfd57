#include "agent/gpio/config.h"

static const char *const backends[] = {"auto", "chardev", "simulated", NULL};

static const char *const safe_states[] = {"off", "on", "hold", "input", NULL};

static const struct config_key keys[] = {
        CONFIG_CHOICE(struct gpio_config, backend, "backend", GPIO_BACKEND_AUTO, backends,
                      "auto, chardev or simulated"),
        CONFIG_TEXT(struct gpio_config, chip, "chip", NULL,
                    "a chip's label (pinctrl-bcm2711) or path (/dev/gpiochip0)"),
        CONFIG_CHOICE(struct gpio_config, safe, "safe", GPIO_SAFE_OFF, safe_states,
                      "off, on, hold or input"),
};

struct config_section gpio_config_section(struct gpio_config *config)
{
        return (struct config_section){
                .name = "gpio", .keys = keys, .keys_count = ARRAY_SIZE(keys), .target = config};
}
