/* agent/gpio/guarded.h - no line is driven before the supervisor can make it safe.
 *
 * Stands between lines (lines.h) and the supervisor (guard-link.h): takes a line
 * in its safe state, hands a duplicate over, and says when it may be driven; at
 * its release it says when it may be taken anew. Without a supervisor, and on a
 * chip whose lines end with the process (a simulated one), all is granted at
 * once. One question at a time for each pin. Lives on the worker's thread. */
#pragma once

#include "agent/gpio/guard-link.h"
#include "agent/gpio/lines.h"

enum { GPIO_GUARDED_PENDING = 1 };

struct gpio_guarded;
/* What was PENDING is decided: 0, or -errno. Then the caller ends what runs on the line and
 * releases it: the supervisor does not hold it, or could not write down that it lets it go. */
typedef void gpio_guarded_fn(void *owner, unsigned pin, int result);

/* Borrows the chip's lines. -ENOMEM. */
int gpio_guarded_new(struct gpio_lines *lines, const struct gpio_chip_info *chip,
                     enum gpio_safe safe, gpio_guarded_fn *on_decided, void *owner,
                     struct gpio_guarded **ret);
/* Before the link is freed and before the lines are. Nothing is decided any more. */
struct gpio_guarded *gpio_guarded_free(struct gpio_guarded *guarded);
DEFINE_CLEANUP(gpio_guarded)

/* From here on lines are handed over; borrowed. NULL: not any more. */
void gpio_guarded_link(struct gpio_guarded *guarded, struct guard_link *link);
/* A hold that came back. Lines go on as they are; what cannot be adopted is let
 * go of as soon as the link is there, and so is a PWM channel. Takes the descriptor
 * over. */
void gpio_guarded_return(struct gpio_guarded *guarded, const struct guard_hold *hold,
                         int descriptor);
/* A PWM channel came back, and the caller has opened it: it stays held. False: it
 * was not held for one pin that is to be kept. */
bool gpio_guarded_adopt_pwm(struct gpio_guarded *guarded, const struct guard_hold *hold);

/* 0: the pin may be driven; PENDING; -EPIPE: the supervisor is gone, and did not hear of
 * this pin; other -errno of the chip or of the link: it is as it was. What came back with another
 * safe state than is configured now is handed over anew. */
int gpio_guarded_take(struct gpio_guarded *guarded, unsigned pin);
/* A PWM channel: `enable` stays the caller's, `folder` is where the channel
 * lives. Results as above. */
int gpio_guarded_take_pwm(struct gpio_guarded *guarded, unsigned pin, const char *folder,
                          int enable);
/* The line or channel was closed, and may be opened anew after this: 0 or
 * PENDING. Fine when it was not guarded. */
int gpio_guarded_let_go(struct gpio_guarded *guarded, unsigned pin);
