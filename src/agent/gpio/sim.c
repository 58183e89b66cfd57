#include "agent/gpio/sim-internal.h"
#include "base/attributes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

enum { LINES_DEFAULT = 54 }; /* as on the header chip of most boards */

static const struct gpio_chip_operations sim_operations;

static struct sim *sim_of(const struct gpio_chip *chip)
{
        return container_of(chip, struct sim, chip);
}

static struct sim_request *request_of(struct gpio_request *request)
{
        return container_of(request, struct sim_request, request);
}

static struct sim_line *request_line(struct sim_request *request, size_t index)
{
        return &sim_of(request->request.chip)->lines[request->request.offsets[index]];
}

/* The eventfd counts 1 while events wait and 0 otherwise: neither call can block
 * or overflow, so there is no failure to report. */
void sim_signal(int fd, bool readable)
{
        eventfd_t ignored;
        int r = readable ? eventfd_write(fd, 1) : eventfd_read(fd, &ignored);

        assert(r == 0);
        (void)r;
}

void sim_request_put_event(struct sim_request *request, const struct gpio_edge_event *event)
{
        size_t capacity = request->request.count * GPIO_EVENTS_PER_LINE;

        if (request->waiting == capacity) {
                /* The newest event must survive: it tells the level. */
                request->first = (request->first + 1) % capacity;
                request->waiting--;
        }
        request->events[(request->first + request->waiting) % capacity] = *event;
        if (request->waiting++ == 0)
                sim_signal(request->request.fd, true);
}

static void sim_free(struct gpio_chip *chip)
{
        struct sim *sim = sim_of(chip);

        assert(sim->requests == 0);
        close(chip->fd);
        free(sim);
}

static void sim_info(const struct gpio_chip *chip, struct gpio_chip_info *ret)
{
        const struct sim *sim = sim_of(chip);

        *ret = (struct gpio_chip_info){
                .name = "gpiochip-sim", .lines = chip->lines, .simulated = true};
        memcpy(ret->label, sim->label, sizeof(ret->label));
}

static int sim_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret)
{
        const struct sim_line *line = &sim_of(chip)->lines[offset];

        *ret = (struct gpio_line_info){.used = line->used, .config = line->config};
        snprintf(ret->name, sizeof(ret->name), "GPIO%u", offset);
        memcpy(ret->consumer, line->consumer, sizeof(ret->consumer));
        ret->config.direction = line->output ? GPIO_DIRECTION_OUTPUT : GPIO_DIRECTION_INPUT;
        ret->config.value = false;
        return 0;
}

static int sim_watch(struct gpio_chip *chip, unsigned offset)
{
        sim_of(chip)->lines[offset].watched = true;
        return 0;
}

static int sim_unwatch(struct gpio_chip *chip, unsigned offset)
{
        struct sim_line *line = &sim_of(chip)->lines[offset];

        sim_line_unreport(sim_of(chip), line);
        line->watched = false;
        return 0;
}

static int sim_read_changed(struct gpio_chip *chip, unsigned offsets[])
{
        struct sim *sim = sim_of(chip);
        int count = 0;

        for (unsigned i = 0; i < chip->lines && count < GPIO_CHANGES_READ; i++) {
                if (!sim->lines[i].changed)
                        continue;
                offsets[count++] = i;
                sim_line_unreport(sim, &sim->lines[i]);
        }
        return count;
}

static int request_want_events(struct sim_request *request, const struct gpio_line_config configs[])
{
        bool wanted = false;

        for (size_t i = 0; i < request->request.count; i++)
                wanted |= configs[i].edges != GPIO_EDGE_NONE;
        if (!wanted || request->events)
                return 0;
        request->events =
                calloc(request->request.count * GPIO_EVENTS_PER_LINE, sizeof(*request->events));
        return request->events ? 0 : -ENOMEM;
}

static void sim_request_free(struct gpio_request *request)
{
        struct sim_request *held = request_of(request);
        struct sim *sim = sim_of(request->chip);

        gpio_sim_settle(request->chip);
        for (size_t i = 0; i < request->count; i++) {
                sim_line_release(sim, request_line(held, i));
                sim_line_report(sim, request_line(held, i));
        }
        sim->requests--;
        close(request->fd);
        free(held->events);
        free(held);
}

static int sim_request(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                       const struct gpio_line_config configs[], size_t count,
                       struct gpio_request **ret)
{
        struct sim *sim = sim_of(chip);
        AUTO_FREE struct sim_request *request = NULL;
        int r;

        for (size_t i = 0; i < count; i++)
                if (sim->lines[offsets[i]].used)
                        return -EBUSY;
        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        gpio_request_init(&request->request, chip, offsets, count, -1);
        r = request_want_events(request, configs);
        if (r < 0)
                return r;
        request->request.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (request->request.fd < 0) {
                r = -errno;
                free(request->events);
                return r;
        }

        /* Nothing can fail from here on: all lines or none. */
        for (size_t i = 0; i < count; i++) {
                struct sim_line *line = request_line(request, i);

                sim_line_set_consumer(line, consumer);
                sim_line_configure(sim, line, &configs[i]);
                line->request = request;
                sim_line_report(sim, line);
        }
        sim->requests++;
        *ret = &TAKE(request)->request;
        return 0;
}

static int sim_get(struct gpio_request *request, uint64_t mask, uint64_t *ret_values)
{
        struct sim_request *held = request_of(request);
        uint64_t values = 0;

        gpio_sim_settle(request->chip);
        for (size_t i = 0; i < request->count; i++) {
                const struct sim_line *line = request_line(held, i);
                bool level = line->config.debounce_us > 0 ? line->debounced : line->level;

                if (level != line->config.active_low)
                        values |= UINT64_C(1) << i;
        }
        *ret_values = values & mask;
        return 0;
}

static int sim_set(struct gpio_request *request, uint64_t mask, uint64_t values)
{
        struct sim_request *held = request_of(request);

        for (size_t i = 0; i < request->count; i++)
                if (mask >> i & 1 && !request_line(held, i)->output)
                        return -EPERM;
        for (size_t i = 0; i < request->count; i++) {
                struct sim_line *line = request_line(held, i);

                if ((mask >> i & 1) == 0)
                        continue;
                line->wanted = (values >> i & 1) != line->config.active_low;
                sim_line_update(sim_of(request->chip), line);
        }
        return 0;
}

static int sim_reconfigure(struct gpio_request *request, const struct gpio_line_config configs[])
{
        struct sim_request *held = request_of(request);
        int r = request_want_events(held, configs);

        if (r < 0)
                return r;
        gpio_sim_settle(request->chip);
        for (size_t i = 0; i < request->count; i++) {
                if (configs[i].direction != GPIO_DIRECTION_AS_IS)
                        sim_line_configure(sim_of(request->chip), request_line(held, i),
                                           &configs[i]);
                sim_line_report(sim_of(request->chip), request_line(held, i));
        }
        return 0;
}

static int sim_read_events(struct gpio_request *request, struct gpio_edge_event events[],
                           size_t max)
{
        struct sim_request *held = request_of(request);
        size_t capacity = request->count * GPIO_EVENTS_PER_LINE;
        size_t taken;

        gpio_sim_settle(request->chip);
        for (taken = 0; taken < max && held->waiting > 0; taken++) {
                events[taken] = held->events[held->first];
                held->first = (held->first + 1) % capacity;
                if (--held->waiting == 0)
                        sim_signal(request->fd, false);
        }
        return (int)taken;
}

static const struct gpio_chip_operations sim_operations = {
        .free = sim_free,
        .info = sim_info,
        .line_info = sim_line_info,
        .request = sim_request,
        .watch = sim_watch,
        .unwatch = sim_unwatch,
        .read_changed = sim_read_changed,
        .request_free = sim_request_free,
        .get = sim_get,
        .set = sim_set,
        .reconfigure = sim_reconfigure,
        .read_events = sim_read_events,
};

int gpio_sim_new(const struct gpio_sim_config *config, struct gpio_chip **ret)
{
        unsigned lines = config && config->lines > 0 ? config->lines : LINES_DEFAULT;
        const char *label = config && config->label ? config->label : "pifleet-sim";
        struct sim *sim;
        int fd;

        if (lines > GPIO_SIM_LINES_MAX)
                return -EINVAL;
        sim = calloc(1, sizeof(*sim) + lines * sizeof(*sim->lines));
        if (!sim)
                return -ENOMEM;
        fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0) {
                int r = -errno;

                free(sim);
                return r;
        }
        gpio_chip_init(&sim->chip, &sim_operations, lines, fd);
        memcpy(sim->label, label, strnlen(label, sizeof(sim->label) - 1));
        if (config) {
                sim->persist = config->persist;
                sim->now_ns = config->now_ns;
                sim->owner = config->owner;
        }
        for (unsigned i = 0; i < lines; i++) {
                sim->lines[i].pull = GPIO_BIAS_DISABLED;
                sim->lines[i].due_ns = UINT64_MAX;
        }
        *ret = &sim->chip;
        return 0;
}

/* NULL: no such line, or a chip of another backend. */
static struct sim_line *sim_find(const struct gpio_chip *chip, unsigned offset)
{
        if (chip->operations != &sim_operations || offset >= chip->lines)
                return NULL;
        return &sim_of(chip)->lines[offset];
}

int gpio_sim_drive(struct gpio_chip *chip, unsigned offset, bool level)
{
        struct sim_line *line = sim_find(chip, offset);

        if (!line)
                return -EINVAL;
        /* A period that is over counts as over, however late its owner is. */
        gpio_sim_settle(chip);
        line->driven = true;
        line->outside = level;
        sim_line_update(sim_of(chip), line);
        return 0;
}

int gpio_sim_float(struct gpio_chip *chip, unsigned offset)
{
        struct sim_line *line = sim_find(chip, offset);

        if (!line)
                return -EINVAL;
        gpio_sim_settle(chip);
        line->driven = false;
        sim_line_update(sim_of(chip), line);
        return 0;
}

int gpio_sim_level(const struct gpio_chip *chip, unsigned offset, bool *ret)
{
        const struct sim_line *line = sim_find(chip, offset);

        if (!line)
                return -EINVAL;
        *ret = line->level;
        return 0;
}

int gpio_sim_hog(struct gpio_chip *chip, unsigned offset, const char *consumer)
{
        struct sim_line *line = sim_find(chip, offset);

        if (!line)
                return -EINVAL;
        if (line->request)
                return -EBUSY;
        if (consumer)
                sim_line_set_consumer(line, consumer);
        else
                sim_line_release(sim_of(chip), line);
        sim_line_report(sim_of(chip), line);
        return 0;
}

uint64_t gpio_sim_next_ns(const struct gpio_chip *chip)
{
        const struct sim_line *next;

        if (chip->operations != &sim_operations)
                return UINT64_MAX;
        next = sim_next_due(sim_of(chip));
        return next ? next->due_ns : UINT64_MAX;
}

void gpio_sim_settle(struct gpio_chip *chip)
{
        if (chip->operations == &sim_operations)
                sim_settle(sim_of(chip));
}
