#include "agent/gpio/blink.h"

#include "base/attributes.h"

#include <errno.h>

static int blink_set(struct gpio_blink *blink, bool value)
{
        int r = gpio_lines_set(blink->lines, blink->pin, value);

        if (r == 0)
                blink->on_changed(blink, value);
        return r;
}

static int blink_restore(struct gpio_blink *blink)
{
        bool value;
        int r;

        if (!blink->was_held)
                return gpio_lines_release(blink->lines, blink->pin);
        r = gpio_lines_get(blink->lines, blink->pin, &value);
        if (r < 0)
                return r;
        return value == blink->was_on ? 0 : blink_set(blink, blink->was_on);
}

static void blink_finish(struct gpio_blink *blink, int result)
{
        int r;

        loop_timer_stop(&blink->timer);
        r = blink_restore(blink);
        blink->on_done(blink, result < 0 ? result : r);
}

/* The end of a half: the pin was on after an even number of readings. */
static int blink_read(struct gpio_blink *blink)
{
        struct gpio_reading reading = {.expected = blink->readings_count % 2 == 0};
        int r = gpio_lines_get(blink->lines, blink->pin, &reading.read);

        if (r < 0)
                return r;
        blink->readings[blink->readings_count++] = reading;
        return 0;
}

static void blink_on_due(struct loop_timer *timer)
{
        struct gpio_blink *blink = container_of(timer, struct gpio_blink, timer);
        int r = blink_read(blink);

        if (r == 0 && blink->readings_count < (size_t)blink->times * 2) {
                r = blink_set(blink, blink->readings_count % 2 == 0);
                if (r == 0) {
                        loop_timer_start(&blink->timer, blink->interval_ms);
                        return;
                }
        }
        blink_finish(blink, r);
}

int gpio_blink_start(struct gpio_blink *blink)
{
        int r;

        blink->readings_count = 0;
        blink->was_held = gpio_lines_held(blink->lines, blink->pin);
        r = gpio_lines_take(blink->lines, blink->pin);
        if (r < 0)
                return r;
        r = gpio_lines_get(blink->lines, blink->pin, &blink->was_on);
        if (r == 0)
                r = blink_set(blink, true);
        if (r < 0) {
                /* What failed first is what the caller must know. */
                (void)blink_restore(blink);
                return r;
        }
        loop_timer_init(&blink->timer, blink->loop, blink_on_due);
        loop_timer_start(&blink->timer, blink->interval_ms);
        return 0;
}

void gpio_blink_cancel(struct gpio_blink *blink)
{
        blink_finish(blink, -ECANCELED);
}

bool gpio_blink_passed(const struct gpio_blink *blink)
{
        for (size_t i = 0; i < blink->readings_count; i++)
                if (blink->readings[i].read != blink->readings[i].expected)
                        return false;
        return true;
}
