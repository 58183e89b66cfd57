/* A request has one set of flags for all its lines and ten attributes for what
 * differs. Lines with the same flags, or the same debounce period, share one. */
#include "agent/gpio/uapi.h"

#include "base/attributes.h"

#include <errno.h>
#include <string.h>

_Static_assert(GPIO_NAME_MAX == GPIO_MAX_NAME_SIZE, "names have the kernel's length");
_Static_assert((int)GPIO_REQUEST_LINES == GPIO_V2_LINES_MAX, "as many lines as the kernel's");
_Static_assert((int)GPIO_CONFIG_ATTRIBUTES == GPIO_V2_LINE_NUM_ATTRS_MAX, "and attributes");
/* The same on all architectures, 32-bit ones with a 64-bit kernel included. */
_Static_assert(sizeof(struct gpio_v2_line_request) == 592, "the ABI");
_Static_assert(sizeof(struct gpio_v2_line_info_changed) == 288, "the ABI");
_Static_assert(sizeof(struct gpio_v2_line_event) == 48, "the ABI");

static const struct {
        enum gpio_bias bias;
        uint64_t flag;
} biases[] = {
        {GPIO_BIAS_DISABLED, GPIO_V2_LINE_FLAG_BIAS_DISABLED},
        {GPIO_BIAS_PULL_UP, GPIO_V2_LINE_FLAG_BIAS_PULL_UP},
        {GPIO_BIAS_PULL_DOWN, GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN},
};

uint64_t gpio_uapi_flags(const struct gpio_line_config *config)
{
        uint64_t flags = 0;

        if (config->active_low)
                flags |= GPIO_V2_LINE_FLAG_ACTIVE_LOW;
        if (config->direction == GPIO_DIRECTION_INPUT)
                flags |= GPIO_V2_LINE_FLAG_INPUT;
        if (config->direction == GPIO_DIRECTION_OUTPUT)
                flags |= GPIO_V2_LINE_FLAG_OUTPUT;
        if (config->edges & GPIO_EDGE_RISING)
                flags |= GPIO_V2_LINE_FLAG_EDGE_RISING;
        if (config->edges & GPIO_EDGE_FALLING)
                flags |= GPIO_V2_LINE_FLAG_EDGE_FALLING;
        if (config->drive == GPIO_DRIVE_OPEN_DRAIN)
                flags |= GPIO_V2_LINE_FLAG_OPEN_DRAIN;
        if (config->drive == GPIO_DRIVE_OPEN_SOURCE)
                flags |= GPIO_V2_LINE_FLAG_OPEN_SOURCE;
        for (size_t i = 0; i < ARRAY_SIZE(biases); i++)
                if (config->bias == biases[i].bias)
                        flags |= biases[i].flag;
        return flags;
}

void gpio_uapi_config(uint64_t flags, struct gpio_line_config *ret)
{
        unsigned edges = GPIO_EDGE_NONE;

        *ret = (struct gpio_line_config){.active_low = (flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0};
        if (flags & GPIO_V2_LINE_FLAG_OUTPUT)
                ret->direction = GPIO_DIRECTION_OUTPUT;
        else if (flags & GPIO_V2_LINE_FLAG_INPUT)
                ret->direction = GPIO_DIRECTION_INPUT;
        if (flags & GPIO_V2_LINE_FLAG_EDGE_RISING)
                edges |= GPIO_EDGE_RISING;
        if (flags & GPIO_V2_LINE_FLAG_EDGE_FALLING)
                edges |= GPIO_EDGE_FALLING;
        ret->edges = (enum gpio_edge)edges;
        if (flags & GPIO_V2_LINE_FLAG_OPEN_DRAIN)
                ret->drive = GPIO_DRIVE_OPEN_DRAIN;
        else if (flags & GPIO_V2_LINE_FLAG_OPEN_SOURCE)
                ret->drive = GPIO_DRIVE_OPEN_SOURCE;
        for (size_t i = 0; i < ARRAY_SIZE(biases); i++)
                if (flags & biases[i].flag)
                        ret->bias = biases[i].bias;
}

/* Where `mask` belongs: to an attribute that says the same already, or a new one.
 * NULL: there is no room. */
static struct gpio_v2_line_config_attribute *find_attribute(struct gpio_v2_line_config *config,
                                                            uint32_t id, uint64_t value)
{
        struct gpio_v2_line_config_attribute *attribute;

        for (size_t i = 0; i < config->num_attrs; i++) {
                attribute = &config->attrs[i];
                if (attribute->attr.id == id &&
                    (id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE
                             ? attribute->attr.debounce_period_us == value
                             : attribute->attr.flags == value))
                        return attribute;
        }
        if (config->num_attrs == GPIO_V2_LINE_NUM_ATTRS_MAX)
                return NULL;
        attribute = &config->attrs[config->num_attrs++];
        attribute->attr.id = id;
        if (id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE)
                attribute->attr.debounce_period_us = (uint32_t)value;
        else
                attribute->attr.flags = value;
        return attribute;
}

static int add_attribute(struct gpio_v2_line_config *config, uint32_t id, uint64_t value,
                         uint64_t mask)
{
        struct gpio_v2_line_config_attribute *attribute = find_attribute(config, id, value);

        if (!attribute)
                return -E2BIG;
        attribute->mask |= mask;
        return 0;
}

static int add_line(struct gpio_v2_line_config *encoded, const struct gpio_line_config *config,
                    uint64_t bit)
{
        uint64_t flags = gpio_uapi_flags(config);
        int r = 0;

        if (flags != encoded->flags)
                r = add_attribute(encoded, GPIO_V2_LINE_ATTR_ID_FLAGS, flags, bit);
        if (r == 0 && config->debounce_us > 0)
                r = add_attribute(encoded, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, config->debounce_us, bit);
        return r;
}

int gpio_uapi_encode(const struct gpio_line_config configs[], size_t count,
                     struct gpio_v2_line_config *ret)
{
        struct gpio_v2_line_config encoded;
        uint64_t outputs = 0, values = 0;
        int r;

        /* Not an initialiser, which may leave the unused part of a union alone. */
        memset(&encoded, 0, sizeof(encoded));
        encoded.flags = gpio_uapi_flags(&configs[0]);
        for (size_t i = 0; i < count; i++) {
                uint64_t bit = UINT64_C(1) << i;

                r = add_line(&encoded, &configs[i], bit);
                if (r < 0)
                        return r;
                if (configs[i].direction != GPIO_DIRECTION_OUTPUT)
                        continue;
                outputs |= bit;
                if (configs[i].value)
                        values |= bit;
        }
        if (outputs != 0) {
                r = add_attribute(&encoded, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, values, outputs);
                if (r < 0)
                        return r;
        }
        *ret = encoded;
        return 0;
}

void gpio_uapi_line_info(const struct gpio_v2_line_info *info, struct gpio_line_info *ret)
{
        size_t attributes = info->num_attrs < ARRAY_SIZE(info->attrs) ? info->num_attrs
                                                                      : ARRAY_SIZE(info->attrs);

        memset(ret, 0, sizeof(*ret));
        memcpy(ret->name, info->name, sizeof(ret->name) - 1);
        memcpy(ret->consumer, info->consumer, sizeof(ret->consumer) - 1);
        gpio_uapi_config(info->flags, &ret->config);
        ret->used = (info->flags & GPIO_V2_LINE_FLAG_USED) != 0;
        /* A pin that its controller gave to a peripheral has no consumer. */
        if (ret->used && ret->consumer[0] == '\0')
                strcpy(ret->consumer, "?");
        for (size_t i = 0; i < attributes; i++)
                if (info->attrs[i].id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE)
                        ret->config.debounce_us = info->attrs[i].debounce_period_us;
}
