#include "agent/gpio/input.h"

#include "agent/gpio/edge-budget.h"
#include "base/attributes.h"
#include "loop/io.h"
#include "loop/timer.h"

#include <errno.h>

enum {
        EVENTS_READ = 32,                                /* at a time */
        READS_PER_ROUND = 4,                             /* then others have their turn */
        DRAIN_READS = GPIO_EVENTS_MAX / EVENTS_READ + 1, /* what a request can hold back */
        NS_PER_MS = 1000000,
};

struct gpio_input {
        struct loop_io io;
        struct loop_timer poll;
        struct loop *loop;
        struct gpio_lines *lines;
        struct gpio_request *request; /* of `lines` */
        unsigned pin;
        enum gpio_bias bias;
        struct gpio_input_owner owner;
        struct gpio_edge_budget budget;
        uint64_t lost; /* as told */
};

static uint64_t now_ns(const struct gpio_input *input)
{
        return loop_now_ms(input->loop) * NS_PER_MS;
}

static void tell_lost(struct gpio_input *input)
{
        uint64_t lost = gpio_request_lost(input->request);

        if (lost == input->lost)
                return;
        input->lost = lost;
        input->owner.on_lost(input->owner.owner, lost);
}

/* --- a storm ----------------------------------------------------------------------------- */

/* Edges that cannot be switched off are not listened to either. */
static void storm_begin(struct gpio_input *input)
{
        (void)gpio_lines_listen(input->lines, input->pin, input->bias, false);
        loop_io_watch(&input->io, 0);
        loop_timer_start(&input->poll, GPIO_STORM_POLL_MS);
        input->owner.on_storm(input->owner.owner, true);
}

/* What the storm left behind is no news. */
static void drain(struct gpio_input *input)
{
        struct gpio_edge_event events[EVENTS_READ];
        uint64_t ignored;

        for (unsigned i = 0; i < DRAIN_READS; i++)
                if (gpio_request_read_events(input->request, events, EVENTS_READ) <= 0)
                        break;
        (void)gpio_request_recover(input->request, &ignored);
        tell_lost(input);
}

static int storm_end(struct gpio_input *input)
{
        int r;

        drain(input);
        r = gpio_lines_listen(input->lines, input->pin, input->bias, true);
        if (r < 0)
                return r;
        loop_io_watch(&input->io, LOOP_READABLE);
        input->owner.on_storm(input->owner.owner, false);
        return 0;
}

static void on_poll(struct loop_timer *timer)
{
        struct gpio_input *input = container_of(timer, struct gpio_input, poll);
        bool value;
        int r;

        loop_timer_start(&input->poll, GPIO_STORM_POLL_MS);
        r = gpio_lines_get(input->lines, input->pin, &value);
        if (r == 0 &&
            gpio_edge_budget_poll(&input->budget, value, now_ns(input)) == GPIO_STORM_ENDS) {
                r = storm_end(input);
                if (r == 0)
                        loop_timer_stop(&input->poll);
                else
                        /* Polling goes on, as if it stormed again. */
                        (void)gpio_edge_budget_count(&input->budget, UINT32_MAX, now_ns(input));
                /* It may have moved between the reading and the first edge heard. */
                r = gpio_lines_get(input->lines, input->pin, &value);
        }
        if (r == 0)
                input->owner.on_level(input->owner.owner, value);
}

/* --- edges ------------------------------------------------------------------------------- */

/* How many were taken; *counted grows by those that were lost, too. */
static int take_edges(struct gpio_input *input, uint64_t *counted)
{
        struct gpio_edge_event events[EVENTS_READ];
        int count = gpio_request_read_events(input->request, events, EVENTS_READ);
        uint64_t values;

        for (int i = 0; i < count; i++) {
                *counted += 1 + (uint64_t)events[i].lost;
                input->owner.on_level(input->owner.owner, events[i].edge == GPIO_EDGE_RISING);
        }
        tell_lost(input);
        /* An older kernel's last event may be older than the level. */
        if (count >= 0 && count < EVENTS_READ && gpio_request_recover(input->request, &values) == 1)
                input->owner.on_level(input->owner.owner, values & 1);
        return count;
}

static void on_edges(struct loop_io *io, unsigned ready)
{
        struct gpio_input *input = container_of(io, struct gpio_input, io);
        uint64_t counted = 0;
        int count = EVENTS_READ;

        for (unsigned i = 0; i < READS_PER_ROUND && count == EVENTS_READ; i++)
                count = take_edges(input, &counted);
        if (count < 0) {
                /* The chip is gone: who uses the line next will be told. */
                loop_io_watch(&input->io, 0);
                return;
        }
        if (gpio_edge_budget_count(&input->budget, counted, now_ns(input)) == GPIO_STORM_BEGINS)
                storm_begin(input);
}

/* --- from beginning to end --------------------------------------------------------------- */

static int input_open(struct gpio_input *input, bool *ret_value)
{
        int r = gpio_lines_listen(input->lines, input->pin, input->bias, true);

        if (r < 0)
                return r;
        input->request = gpio_lines_request(input->lines, input->pin);
        r = gpio_lines_get(input->lines, input->pin, ret_value);
        if (r < 0)
                return r;
        r = loop_io_open(&input->io, input->loop, gpio_request_fd(input->request), on_edges);
        if (r < 0)
                return r;
        loop_io_watch(&input->io, LOOP_READABLE);
        return 0;
}

int gpio_input_new(struct loop *loop, struct gpio_lines *lines, unsigned pin, enum gpio_bias bias,
                   const struct gpio_input_owner *owner, struct gpio_input **ret, bool *ret_value)
{
        bool held = gpio_lines_held(lines, pin);
        AUTO_FREE struct gpio_input *input = calloc(1, sizeof(*input));
        int r;

        if (!input)
                return -ENOMEM;
        input->loop = loop;
        input->lines = lines;
        input->pin = pin;
        input->bias = bias;
        input->owner = *owner;
        loop_timer_init(&input->poll, loop, on_poll);
        gpio_edge_budget_init(&input->budget, 0, now_ns(input));
        r = input_open(input, ret_value);
        if (r < 0) {
                if (!held)
                        (void)gpio_lines_release(lines, pin);
                return r;
        }
        *ret = TAKE(input);
        return 0;
}

static void on_closed(struct loop_io *io)
{
        free(container_of(io, struct gpio_input, io));
}

struct gpio_input *gpio_input_free(struct gpio_input *input)
{
        if (!input)
                return NULL;
        loop_timer_stop(&input->poll);
        loop_io_close(&input->io, on_closed);
        return NULL;
}
