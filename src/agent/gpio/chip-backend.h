/* agent/gpio/chip-backend.h - what a backend of the chip port brings along.
 *
 * For backends and chip.c only. A backend embeds the two structs in its own and
 * fills them in; chip.c checks what is the same for all (counts, offsets, masks,
 * contradictory flags) before it calls, and never passes NULL or an empty mask. */
#pragma once

#include "agent/gpio/chip.h"

struct gpio_chip_operations {
        void (*free)(struct gpio_chip *chip);
        void (*info)(const struct gpio_chip *chip, struct gpio_chip_info *ret);
        int (*line_info)(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret);
        int (*request)(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                       const struct gpio_line_config configs[], size_t count,
                       struct gpio_request **ret);

        void (*request_free)(struct gpio_request *request);
        int (*get)(struct gpio_request *request, uint64_t mask, uint64_t *ret_values);
        int (*set)(struct gpio_request *request, uint64_t mask, uint64_t values);
        int (*reconfigure)(struct gpio_request *request, const struct gpio_line_config configs[]);
        int (*read_events)(struct gpio_request *request, struct gpio_edge_event events[],
                           size_t max);
};

struct gpio_chip {
        const struct gpio_chip_operations *operations;
        unsigned lines;
};

struct gpio_request {
        struct gpio_chip *chip;
        size_t count; /* lines, 1 to GPIO_REQUEST_LINES */
        int fd;
};
