/* agent/gpio/line-watch.h - what others do with lines, told as differences.
 *
 * The kernel reports requests, releases and reconfigurations of watched lines, our
 * own among them, and forgets some without a word when nobody reads. So a report
 * only says where to look: what is told is how the line differs from how it was
 * when it was last looked at. Pure. */
#pragma once

#include "agent/gpio/chip.h"

struct gpio_watch {
        unsigned offset;
        bool changed; /* to be looked at */
        bool ours;    /* when it was last looked at */
        struct gpio_line_info info;
};

/* Zeroes: none. */
struct gpio_watches {
        struct gpio_watch lines[GPIO_WATCHES_MAX];
        size_t count;
};

/* NULL: not watched. */
struct gpio_watch *gpio_watches_find(struct gpio_watches *watches, unsigned offset);
/* `info` and `ours`: as it stands now. -ENOSPC. */
int gpio_watches_add(struct gpio_watches *watches, unsigned offset,
                     const struct gpio_line_info *info, bool ours);
void gpio_watches_remove(struct gpio_watches *watches, unsigned offset);
/* The reported lines are to be looked at; all of them when `all`. */
void gpio_watches_report(struct gpio_watches *watches, const unsigned offsets[], size_t count,
                         bool all);
/* The line has been looked at. True: somebody else did something, which is in
 * *ret. */
bool gpio_watch_look(struct gpio_watch *watch, const struct gpio_line_info *info, bool ours,
                     struct gpio_info_change *ret);
