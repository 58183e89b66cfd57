/* Jobs that would rather wait for a line of somebody else than be refused. The chip
 * tells when its holder lets go; then they are tried again, in their order. */
#include "agent/gpio/executor-internal.h"
#include "base/attributes.h"
#include "loop/io.h"

#include <errno.h>

enum { CHANGES_READ = 16 };

/* Outlives the executor by the end of a round. */
struct chip_events {
        struct loop_io io;
        struct gpio_executor *executor;
};

static void unwatch(struct gpio_pin *pin)
{
        loop_timer_stop(&pin->busy_timer);
        if (pin->busy_watched)
                (void)gpio_chip_unwatch(pin->executor->setup.chip, pin->number);
        pin->busy_watched = false;
}

static uint64_t busy_until_ms(const struct list *link)
{
        return container_of(link, struct parked, link)->job.busy_until_ms;
}

/* For the first whose patience ends. */
static void wait_on(struct gpio_pin *pin)
{
        uint64_t now = loop_now_ms(pin->executor->setup.loop), first = UINT64_MAX;

        list_for_each (&pin->busy, link)
                if (busy_until_ms(link) < first)
                        first = busy_until_ms(link);
        loop_timer_start(&pin->busy_timer, first > now ? first - now : 0);
}

void busy_parked_less(struct gpio_pin *pin)
{
        if (list_is_empty(&pin->busy) && !pin->busy_retries)
                unwatch(pin);
}

/* Those that fail again are behind the others again, for as long as they have. */
static void retry(struct gpio_pin *pin)
{
        struct list *link;
        size_t count = 0;

        list_for_each (&pin->busy, ignored) {
                (void)ignored;
                count++;
        }
        pin->busy_retries = true;
        for (; count > 0 && (link = list_take_first(&pin->busy)); count--) {
                const struct gpio_job job = container_of(link, struct parked, link)->job;

                gpio_executor_run(pin->executor, &job);
        }
        pin->busy_retries = false;
        busy_parked_less(pin);
}

static bool is_free(struct gpio_pin *pin)
{
        struct gpio_line_info info;

        return gpio_chip_line_info(pin->executor->setup.chip, pin->number, &info) == 0 &&
               !info.used;
}

void busy_retry_if_free(struct gpio_pin *pin)
{
        if (!pin->busy_retries && !list_is_empty(&pin->busy) && is_free(pin))
                retry(pin);
}

static void on_busy_timer(struct loop_timer *timer)
{
        struct gpio_pin *pin = container_of(timer, struct gpio_pin, busy_timer);
        uint64_t now = loop_now_ms(pin->executor->setup.loop);

        list_for_each (&pin->busy, link) {
                struct gpio_job job = container_of(link, struct parked, link)->job;

                if (job.busy_until_ms > now)
                        continue;
                list_remove(link);
                executor_answer(pin->executor, &job, -EBUSY);
        }
        busy_parked_less(pin);
        if (!list_is_empty(&pin->busy))
                wait_on(pin);
}

bool busy_park(struct gpio_pin *pin, const struct gpio_job *given)
{
        struct gpio_executor *executor = pin->executor;
        struct gpio_job job = *given;
        bool first = !pin->busy_watched;

        if (job.patience_ms == 0 || executor->stopping)
                return false;
        if (job.busy_until_ms == 0)
                job.busy_until_ms = loop_now_ms(executor->setup.loop) + job.patience_ms;
        if (job.busy_until_ms <= loop_now_ms(executor->setup.loop) ||
            gpio_chip_watch(executor->setup.chip, pin->number) < 0)
                return false;
        pin->busy_watched = true;
        pin_park(pin, &job, &pin->busy);
        wait_on(pin);
        /* Let go of before we watched. Once: a line may be free and refused. */
        if (first && is_free(pin))
                retry(pin);
        return true;
}

/* --- what the chip tells ----------------------------------------------------------------- */

static void on_chip(struct loop_io *io, unsigned ready)
{
        struct gpio_executor *executor = container_of(io, struct chip_events, io)->executor;
        struct gpio_info_change changes[CHANGES_READ];
        int count;

        do {
                count = gpio_chip_read_changes(executor->setup.chip, changes, CHANGES_READ);
                for (int i = 0; i < count; i++)
                        if (changes[i].change == GPIO_CHANGE_RELEASED &&
                            changes[i].offset < GPIO_LINES_MAX)
                                retry(&executor->pins[changes[i].offset]);
        } while (count == CHANGES_READ);
        /* The chip is gone; those that wait are answered when their time is over. */
        if (count < 0)
                loop_io_watch(io, 0);
}

static void on_closed(struct loop_io *io)
{
        free(container_of(io, struct chip_events, io));
}

int busy_init(struct gpio_executor *executor)
{
        AUTO_FREE struct chip_events *events = calloc(1, sizeof(*events));
        int r;

        if (!events)
                return -ENOMEM;
        for (unsigned number = 0; number < GPIO_LINES_MAX; number++) {
                list_init(&executor->pins[number].busy);
                loop_timer_init(&executor->pins[number].busy_timer, executor->setup.loop,
                                on_busy_timer);
        }
        events->executor = executor;
        r = loop_io_open(&events->io, executor->setup.loop, gpio_chip_fd(executor->setup.chip),
                         on_chip);
        if (r < 0)
                return r;
        loop_io_watch(&events->io, LOOP_READABLE);
        executor->chip_events = TAKE(events);
        return 0;
}

void busy_done(struct gpio_executor *executor)
{
        if (!executor->chip_events)
                return;
        for (unsigned number = 0; number < GPIO_LINES_MAX; number++)
                unwatch(&executor->pins[number]);
        loop_io_close(&executor->chip_events->io, on_closed);
}
