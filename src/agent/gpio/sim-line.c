/* A line has an electrical level, which follows from who drives it: the line's
 * own output, else the outside, else the pull, else it stays. Everything that
 * could move it ends in sim_line_update(), which feeds the edge detector or starts
 * the debouncer, as an interrupt would. */
#include "agent/gpio/sim-internal.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static uint64_t sim_now_ns(const struct sim *sim)
{
        return sim->now_ns ? sim->now_ns(sim->owner) : clock_monotonic_ns();
}

/* `level` is electrical; edges are logical. */
static void line_edge(struct sim *sim, struct sim_line *line, bool level, uint64_t now_ns)
{
        enum gpio_edge edge =
                level != line->config.active_low ? GPIO_EDGE_RISING : GPIO_EDGE_FALLING;

        if ((line->config.edges & edge) == 0)
                return;
        sim_request_put_event(line->request, &(struct gpio_edge_event){
                                                     .timestamp_ns = now_ns,
                                                     .offset = (unsigned)(line - sim->lines),
                                                     .edge = edge,
                                                     .sequence = ++line->request->sequence,
                                                     .line_sequence = ++line->sequence,
                                             });
}

static bool line_drives(const struct sim_line *line)
{
        if (!line->output)
                return false;
        switch (line->config.drive) {
        case GPIO_DRIVE_OPEN_DRAIN:
                return !line->wanted;
        case GPIO_DRIVE_OPEN_SOURCE:
                return line->wanted;
        case GPIO_DRIVE_PUSH_PULL:
                break;
        }
        return true;
}

static bool line_electrical(const struct sim_line *line)
{
        if (line_drives(line))
                return line->wanted;
        if (line->driven)
                return line->outside;
        if (line->pull == GPIO_BIAS_PULL_UP)
                return true;
        if (line->pull == GPIO_BIAS_PULL_DOWN)
                return false;
        return line->level;
}

void sim_line_update(struct sim *sim, struct sim_line *line)
{
        bool level = line_electrical(line);
        uint64_t now_ns;

        if (level == line->level)
                return;
        line->level = level;
        if (!line->request || line->output)
                return;
        now_ns = sim_now_ns(sim);
        if (line->config.debounce_us > 0)
                line->due_ns = now_ns + (uint64_t)line->config.debounce_us * 1000;
        else
                line_edge(sim, line, level, now_ns);
}

/* A new detector starts from the level it finds, without an event. */
static void line_restart_detector(struct sim_line *line)
{
        line->level = line_electrical(line);
        line->debounced = line->level;
        line->due_ns = UINT64_MAX;
}

static bool config_same_detector(const struct gpio_line_config *old,
                                 const struct gpio_line_config *new)
{
        if (old->direction != GPIO_DIRECTION_INPUT || new->direction != GPIO_DIRECTION_INPUT)
                return false;
        if (old->debounce_us > 0 && new->debounce_us > 0)
                return true; /* one that runs takes its new period next time */
        return old->debounce_us == new->debounce_us && old->edges == new->edges &&
               old->active_low == new->active_low;
}

void sim_line_configure(struct sim *sim, struct sim_line *line,
                        const struct gpio_line_config *config)
{
        bool same_detector = config_same_detector(&line->config, config);

        line->config = *config;
        if (config->direction == GPIO_DIRECTION_OUTPUT) {
                line->output = true;
                line->wanted = config->value != config->active_low;
        } else if (config->direction == GPIO_DIRECTION_INPUT) {
                line->output = false;
        }
        if (config->bias != GPIO_BIAS_AS_IS)
                line->pull = config->bias;
        if (same_detector)
                sim_line_update(sim, line);
        else
                line_restart_detector(line);
}

void sim_line_release(const struct sim *sim, struct sim_line *line)
{
        line->output = line_drives(line) && sim->persist;
        line->used = false;
        line->request = NULL;
        line->sequence = 0;
        memset(line->consumer, 0, sizeof(line->consumer));
        line->config = (struct gpio_line_config){.direction = GPIO_DIRECTION_AS_IS};
        line_restart_detector(line);
}

static bool any_changed(const struct sim *sim)
{
        for (unsigned i = 0; i < sim->chip.lines; i++)
                if (sim->lines[i].changed)
                        return true;
        return false;
}

void sim_line_report(struct sim *sim, struct sim_line *line)
{
        if (!line->watched || line->changed)
                return;
        if (!any_changed(sim))
                sim_signal(sim->chip.fd, true);
        line->changed = true;
}

void sim_line_unreport(struct sim *sim, struct sim_line *line)
{
        if (!line->changed)
                return;
        line->changed = false;
        if (!any_changed(sim))
                sim_signal(sim->chip.fd, false);
}

void sim_line_set_consumer(struct sim_line *line, const char *consumer)
{
        line->used = true;
        /* What the kernel shows for a consumer without a name. */
        snprintf(line->consumer, sizeof(line->consumer), "%s", *consumer ? consumer : "?");
}

struct sim_line *sim_next_due(struct sim *sim)
{
        struct sim_line *next = NULL;

        for (unsigned i = 0; i < sim->chip.lines; i++)
                if (sim->lines[i].due_ns != UINT64_MAX &&
                    (!next || sim->lines[i].due_ns < next->due_ns))
                        next = &sim->lines[i];
        return next;
}

/* Earliest first, each at its own time, so that events are in order. */
void sim_settle(struct sim *sim)
{
        struct sim_line *line = sim_next_due(sim);
        uint64_t now_ns;

        if (!line)
                return;
        now_ns = sim_now_ns(sim);
        while (line && line->due_ns <= now_ns) {
                uint64_t due_ns = line->due_ns;

                line->due_ns = UINT64_MAX;
                if (line->debounced != line->level) {
                        line->debounced = line->level;
                        line_edge(sim, line, line->level, due_ns);
                }
                line = sim_next_due(sim);
        }
}
