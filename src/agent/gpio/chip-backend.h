/* agent/gpio/chip-backend.h - what a backend of the chip port brings along.
 *
 * For backends and chip.c only. A backend embeds the two structs in its own and
 * fills them in; chip.c checks what is the same for all (counts, offsets, masks,
 * contradictory flags) before it calls, and never passes NULL or an empty mask. It
 * also keeps what is the same for all: which lines are ours, how they were set up,
 * which levels they were given, which events were missed. */
#pragma once

#include "agent/gpio/chip.h"
#include "agent/gpio/line-watch.h"
#include "agent/gpio/read-back.h"
#include "base/list.h"

struct gpio_chip_operations {
        void (*free)(struct gpio_chip *chip);
        void (*info)(const struct gpio_chip *chip, struct gpio_chip_info *ret);
        int (*line_info)(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret);
        int (*request)(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                       const struct gpio_line_config configs[], size_t count,
                       struct gpio_request **ret);
        /* NULL: a request is not bound to its descriptor. */
        int (*adopt)(struct gpio_chip *chip, int fd, const char *consumer, const unsigned offsets[],
                     const struct gpio_line_config configs[], size_t count,
                     struct gpio_request **ret, uint64_t *ret_values);

        int (*watch)(struct gpio_chip *chip, unsigned offset);
        int (*unwatch)(struct gpio_chip *chip, unsigned offset);
        /* Watched lines that changed, up to GPIO_CHANGES_READ of them, ours among
         * them and some perhaps twice. A full array: there may be more, or may
         * have been. */
        int (*read_changed)(struct gpio_chip *chip, unsigned offsets[]);

        void (*request_free)(struct gpio_request *request);
        int (*get)(struct gpio_request *request, uint64_t mask, uint64_t *ret_values);
        int (*set)(struct gpio_request *request, uint64_t mask, uint64_t values);
        /* `configs` says of every line how it shall stand; those that are AS_IS
         * were never told anything else. */
        int (*reconfigure)(struct gpio_request *request, const struct gpio_line_config configs[]);
        int (*read_events)(struct gpio_request *request, struct gpio_edge_event events[],
                           size_t max);
};

enum { GPIO_CHANGES_READ = 32 }; /* what the kernel's buffer holds */

struct gpio_chip {
        const struct gpio_chip_operations *operations;
        unsigned lines;
        int fd; /* readable when watched lines changed */

        struct list requests;
        struct gpio_watches watches;
};

struct gpio_request {
        struct gpio_chip *chip;
        size_t count; /* lines, 1 to GPIO_REQUEST_LINES */
        int fd;
        unsigned offsets[GPIO_REQUEST_LINES];

        /* chip.c's own: */
        struct list link;
        struct gpio_line_config configs[GPIO_REQUEST_LINES];
        struct gpio_read_back read_back;
        bool sequence_known;
        bool recover; /* events were dropped, the levels not read since */
        uint32_t sequence;
        uint64_t lost;
};

/* At the end of making the one and the other. */
void gpio_chip_init(struct gpio_chip *chip, const struct gpio_chip_operations *operations,
                    unsigned lines, int fd);
void gpio_request_init(struct gpio_request *request, struct gpio_chip *chip,
                       const unsigned offsets[], size_t count, int fd);
