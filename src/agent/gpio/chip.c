/* The port: checks what every backend would have to check, then hands over. */
#include "agent/gpio/chip-backend.h"

#include <errno.h>
#include <string.h>

struct gpio_chip *gpio_chip_free(struct gpio_chip *chip)
{
        if (chip)
                chip->operations->free(chip);
        return NULL;
}

void gpio_chip_info(const struct gpio_chip *chip, struct gpio_chip_info *ret)
{
        chip->operations->info(chip, ret);
}

int gpio_chip_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret)
{
        if (offset >= chip->lines)
                return -EINVAL;
        return chip->operations->line_info(chip, offset, ret);
}

/* The kernel's own rules (linux/gpio.h, GPIO_V2_GET_LINE_IOCTL, "Configuration
 * Rules"); those about two flags at once cannot be broken in our terms. */
static int check_config(const struct gpio_line_config *config)
{
        if (config->direction < GPIO_DIRECTION_AS_IS || config->direction > GPIO_DIRECTION_OUTPUT ||
            config->bias < GPIO_BIAS_AS_IS || config->bias > GPIO_BIAS_PULL_DOWN ||
            config->drive < GPIO_DRIVE_PUSH_PULL || config->drive > GPIO_DRIVE_OPEN_SOURCE ||
            (config->edges & ~GPIO_EDGE_BOTH) != 0)
                return -EINVAL;
        if (config->edges != GPIO_EDGE_NONE && config->direction != GPIO_DIRECTION_INPUT)
                return -EINVAL;
        if (config->debounce_us > 0 && config->direction != GPIO_DIRECTION_INPUT)
                return -EINVAL;
        if (config->drive != GPIO_DRIVE_PUSH_PULL && config->direction != GPIO_DIRECTION_OUTPUT)
                return -EINVAL;
        if (config->bias != GPIO_BIAS_AS_IS && config->direction == GPIO_DIRECTION_AS_IS)
                return -EINVAL;
        return 0;
}

static int check_configs(const struct gpio_line_config configs[], size_t count)
{
        for (size_t i = 0; i < count; i++) {
                int r = check_config(&configs[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_offsets(const struct gpio_chip *chip, const unsigned offsets[], size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (offsets[i] >= chip->lines)
                        return -EINVAL;
                for (size_t other = 0; other < i; other++)
                        if (offsets[other] == offsets[i])
                                return -EINVAL;
        }
        return 0;
}

int gpio_chip_request(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                      const struct gpio_line_config configs[], size_t count,
                      struct gpio_request **ret)
{
        char name[GPIO_NAME_MAX] = "";
        int r;

        if (count == 0 || count > GPIO_REQUEST_LINES)
                return -EINVAL;
        r = check_configs(configs, count);
        if (r < 0)
                return r;
        r = check_offsets(chip, offsets, count);
        if (r < 0)
                return r;
        if (consumer)
                memcpy(name, consumer, strnlen(consumer, sizeof(name) - 1));
        return chip->operations->request(chip, name, offsets, configs, count, ret);
}

struct gpio_request *gpio_request_free(struct gpio_request *request)
{
        if (request)
                request->chip->operations->request_free(request);
        return NULL;
}

static int check_mask(const struct gpio_request *request, uint64_t mask)
{
        uint64_t all = UINT64_MAX >> (GPIO_REQUEST_LINES - request->count);

        return mask == 0 || (mask & ~all) != 0 ? -EINVAL : 0;
}

int gpio_request_get(struct gpio_request *request, uint64_t mask, uint64_t *ret_values)
{
        int r = check_mask(request, mask);

        return r < 0 ? r : request->chip->operations->get(request, mask, ret_values);
}

int gpio_request_set(struct gpio_request *request, uint64_t mask, uint64_t values)
{
        int r = check_mask(request, mask);

        return r < 0 ? r : request->chip->operations->set(request, mask, values);
}

int gpio_request_reconfigure(struct gpio_request *request, const struct gpio_line_config configs[])
{
        int r = check_configs(configs, request->count);

        return r < 0 ? r : request->chip->operations->reconfigure(request, configs);
}

int gpio_request_fd(const struct gpio_request *request)
{
        return request->fd;
}

int gpio_request_read_events(struct gpio_request *request, struct gpio_edge_event events[],
                             size_t max)
{
        return request->chip->operations->read_events(request, events, max);
}
