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

/* The level of the half that runs. */
static bool blink_level(const struct gpio_blink *blink)
{
        return blink->first == (blink->halves_done % 2 == 0);
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

static int blink_end(struct gpio_blink *blink)
{
        if (blink->end == GPIO_BLINK_ENDS_RESTORED)
                return blink_restore(blink);
        return blink_set(blink, !blink->first);
}

static void blink_finish(struct gpio_blink *blink, int result)
{
        int r;

        loop_timer_stop(&blink->timer);
        r = blink_end(blink);
        blink->on_done(blink, result < 0 ? result : r);
}

/* Counted from the start and not from now; but after a long sleep the halves that
 * were missed are not made up for. */
static void blink_wait(struct gpio_blink *blink)
{
        uint64_t half_ms = blink->half_ms[blink->halves_done % 2];
        uint64_t now = loop_now_ms(blink->loop);

        if (now > blink->due_ms && now - blink->due_ms >= half_ms)
                blink->due_ms = now;
        blink->due_ms += half_ms;
        loop_timer_start(&blink->timer, blink->due_ms - now);
}

static int blink_read(struct gpio_blink *blink)
{
        struct gpio_reading reading = {.expected = blink_level(blink)};
        int r = gpio_lines_get(blink->lines, blink->pin, &reading.read);

        if (r < 0)
                return r;
        blink->readings[blink->readings_count++] = reading;
        return 0;
}

static void blink_on_due(struct loop_timer *timer)
{
        struct gpio_blink *blink = container_of(timer, struct gpio_blink, timer);
        int r = blink->reads ? blink_read(blink) : 0;

        blink->halves_done++;
        if (r == 0 && blink->halves_done != blink->halves) {
                r = blink_set(blink, blink_level(blink));
                if (r == 0) {
                        blink_wait(blink);
                        return;
                }
        }
        blink_finish(blink, r);
}

int gpio_blink_start(struct gpio_blink *blink)
{
        int r;

        if (blink->reads && (blink->halves == 0 || blink->halves > 2 * GPIO_BLINK_TIMES_MAX))
                return -EINVAL;
        blink->readings_count = 0;
        blink->halves_done = 0;
        blink->was_held = gpio_lines_held(blink->lines, blink->pin) && !blink->lets_go;
        r = gpio_lines_take(blink->lines, blink->pin);
        if (r < 0)
                return r;
        r = gpio_lines_get(blink->lines, blink->pin, &blink->was_on);
        if (r == 0)
                r = blink_set(blink, blink->first);
        if (r < 0) {
                /* What failed first is what the caller must know. */
                (void)blink_restore(blink);
                return r;
        }
        loop_timer_init(&blink->timer, blink->loop, blink_on_due);
        blink->due_ms = loop_now_ms(blink->loop);
        blink_wait(blink);
        return 0;
}

void gpio_blink_cancel(struct gpio_blink *blink)
{
        blink_finish(blink, -ECANCELED);
}

void gpio_blink_leave(struct gpio_blink *blink)
{
        loop_timer_stop(&blink->timer);
        blink->on_done(blink, -ECANCELED);
}

bool gpio_blink_passed(const struct gpio_blink *blink)
{
        for (size_t i = 0; i < blink->readings_count; i++)
                if (blink->readings[i].read != blink->readings[i].expected)
                        return false;
        return true;
}
