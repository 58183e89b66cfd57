#include "agent/gpio/guarded.h"

#include "base/attributes.h"

#include <errno.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <string.h>

enum { REFUSED_MAX = GUARD_HOLDS_MAX };

struct guarded_pin {
        struct gpio_guarded *guarded;
        unsigned pin;
        bool held;    /* by the supervisor, under `id` */
        bool line;    /* what is held is a line and no PWM channel */
        bool pending; /* an answer is awaited */
        uint64_t id;
        enum guard_action action; /* under which it is, or is about to be, held */
};

struct gpio_guarded {
        struct gpio_lines *lines;
        struct guard_link *link;
        bool lost; /* there was a supervisor, and is none any more */
        enum gpio_safe safe;
        char chip[GUARD_PATH_MAX];
        gpio_guarded_fn *on_decided;
        void *owner;
        struct guarded_pin pins[GPIO_LINES_MAX];
        /* Came back and was no use: to be let go of. */
        uint64_t refused[REFUSED_MAX];
        size_t refused_count;
};

static const enum guard_action actions[] = {
        [GPIO_SAFE_OFF] = GUARD_OFF,
        [GPIO_SAFE_ON] = GUARD_ON,
        [GPIO_SAFE_HOLD] = GUARD_KEEP,
        [GPIO_SAFE_INPUT] = GUARD_INPUT,
};

int gpio_guarded_new(struct gpio_lines *lines, const struct gpio_chip_info *chip,
                     enum gpio_safe safe, gpio_guarded_fn *on_decided, void *owner,
                     struct gpio_guarded **ret)
{
        struct gpio_guarded *guarded = calloc(1, sizeof(*guarded));

        if (!guarded)
                return -ENOMEM;
        guarded->lines = lines;
        guarded->safe = safe;
        guarded->on_decided = on_decided;
        guarded->owner = owner;
        snprintf(guarded->chip, sizeof(guarded->chip), "%s", chip->path);
        for (unsigned pin = 0; pin < GPIO_LINES_MAX; pin++) {
                guarded->pins[pin].guarded = guarded;
                guarded->pins[pin].pin = pin;
        }
        *ret = guarded;
        return 0;
}

struct gpio_guarded *gpio_guarded_free(struct gpio_guarded *guarded)
{
        if (guarded && guarded->link)
                guard_link_forget(guarded->link);
        free(guarded);
        return NULL;
}

/* --- what came back ---------------------------------------------------------------------- */

static void note_return(struct guarded_pin *pin, const struct guard_hold *hold)
{
        pin->held = true;
        pin->line = hold->kind == GUARD_KIND_LINES;
        pin->id = hold->id;
        pin->action = hold->actions[0];
}

static int adopt_line(struct gpio_guarded *guarded, const struct guard_hold *hold, int descriptor)
{
        bool output = hold->actions[0] != GUARD_INPUT;
        unsigned pin = hold->offsets[0];
        int r;

        /* Ours hold one line each; others are of an agent that had other ideas. */
        if (hold->lines_count != 1 || strcmp(hold->chip, guarded->chip) != 0)
                return -EINVAL;
        r = gpio_lines_adopt(guarded->lines, pin, descriptor, output);
        if (r < 0)
                return r;
        note_return(&guarded->pins[pin], hold);
        return 0;
}

bool gpio_guarded_adopt_pwm(struct gpio_guarded *guarded, const struct guard_hold *hold)
{
        if (hold->kind != GUARD_KIND_PWM || hold->lines_count != 1 ||
            hold->offsets[0] >= GPIO_LINES_MAX || hold->actions[0] != GUARD_KEEP ||
            guarded->pins[hold->offsets[0]].held)
                return false;
        note_return(&guarded->pins[hold->offsets[0]], hold);
        return true;
}

void gpio_guarded_return(struct gpio_guarded *guarded, const struct guard_hold *hold,
                         int descriptor)
{
        AUTO_CLOSE int fd = descriptor;

        if (hold->kind == GUARD_KIND_LINES && adopt_line(guarded, hold, fd) == 0)
                fd = -1;
        else if (guarded->refused_count < REFUSED_MAX)
                guarded->refused[guarded->refused_count++] = hold->id;
}

void gpio_guarded_link(struct gpio_guarded *guarded, struct guard_link *link)
{
        if (!link) {
                /* What it held is in its record still: that may go on. */
                guarded->lost = guarded->lost || guarded->link;
                guarded->link = NULL;
                return;
        }
        guarded->link = link;
        /* Nobody waits for these; what fails stays held, and safe. */
        while (guarded->refused_count > 0)
                (void)guard_link_let_go(link, guarded->refused[--guarded->refused_count], NULL,
                                        NULL);
}

/* --- taking ------------------------------------------------------------------------------ */

static void decide(struct guarded_pin *pin, int result)
{
        pin->pending = false;
        pin->guarded->on_decided(pin->guarded->owner, pin->pin, result);
}

static void on_held(void *context, int error)
{
        struct guarded_pin *pin = context;

        if (error == 0)
                pin->held = true;
        decide(pin, error);
}

static int hand_over(struct guarded_pin *pin, struct guard_hold *hold, int descriptor)
{
        struct guard_link *link = pin->guarded->link;
        int r;

        /* Under the id it is held by, the new action takes the other's place. */
        hold->id = pin->held ? pin->id : guard_link_new_id(link);
        r = guard_link_hold(link, hold, descriptor, on_held, pin);
        if (r < 0)
                return r;
        pin->id = hold->id;
        pin->action = hold->actions[0];
        pin->pending = true;
        return GPIO_GUARDED_PENDING;
}

static int hand_line_over(struct guarded_pin *pin)
{
        struct gpio_guarded *guarded = pin->guarded;
        struct guard_hold hold = {.kind = GUARD_KIND_LINES, .lines_count = 1};
        int fd = gpio_request_guardable_fd(gpio_lines_request(guarded->lines, pin->pin));

        /* What ends with us needs nobody who outlives us. */
        if (fd == -EOPNOTSUPP)
                return 0;
        if (fd < 0)
                return fd;
        hold.offsets[0] = pin->pin;
        hold.actions[0] = (uint8_t)actions[guarded->safe];
        hold.flags[0] = GPIO_V2_LINE_FLAG_OUTPUT;
        snprintf(hold.consumer, sizeof(hold.consumer), "pifleet:pin%u", pin->pin);
        snprintf(hold.chip, sizeof(hold.chip), "%s", guarded->chip);
        pin->line = true;
        return hand_over(pin, &hold, fd);
}

/* Without a supervisor: there never was one, or it has written down what this pin is to
 * become. Else a line would be driven that nobody knows of when the agent ends too, which
 * it does when its supervisor is gone. */
static bool may_go_on(const struct guarded_pin *pin)
{
        return !pin->guarded->lost ||
               (pin->held && (!pin->line || gpio_lines_held(pin->guarded->lines, pin->pin)));
}

int gpio_guarded_take(struct gpio_guarded *guarded, unsigned pin)
{
        struct guarded_pin *guarded_pin;
        int r;

        if (pin >= GPIO_LINES_MAX)
                return -EINVAL;
        guarded_pin = &guarded->pins[pin];
        if (guarded_pin->pending)
                return GPIO_GUARDED_PENDING;
        if (!guarded->link)
                return may_go_on(guarded_pin) ? 0 : -EPIPE;
        /* Letting go failed before: the duplicate still keeps the line. */
        if (guarded_pin->held && !gpio_lines_held(guarded->lines, pin))
                return gpio_guarded_let_go(guarded, pin);
        if (guarded_pin->held && guarded_pin->action == actions[guarded->safe])
                return 0;
        if (gpio_lines_held(guarded->lines, pin))
                /* Driven while there was no supervisor to tell, or held for another
                 * safe state. */
                return hand_line_over(guarded_pin);
        r = gpio_lines_safe(guarded->lines, pin, guarded->safe);
        if (r == 0)
                r = hand_line_over(guarded_pin);
        if (r < 0)
                (void)gpio_lines_release(guarded->lines, pin);
        return r;
}

int gpio_guarded_take_pwm(struct gpio_guarded *guarded, unsigned pin, const char *folder,
                          int enable)
{
        struct guard_hold hold = {.kind = GUARD_KIND_PWM, .lines_count = 1};
        struct guarded_pin *guarded_pin = &guarded->pins[pin];
        /* A PWM signal is either kept or ended. */
        enum guard_action action = guarded->safe == GPIO_SAFE_HOLD ? GUARD_KEEP : GUARD_OFF;

        if (guarded_pin->pending)
                return GPIO_GUARDED_PENDING;
        if (!guarded->link)
                return may_go_on(guarded_pin) ? 0 : -EPIPE;
        /* Letting go of the line failed before. */
        if (guarded_pin->held && guarded_pin->line)
                return gpio_guarded_let_go(guarded, pin);
        if (guarded_pin->held && guarded_pin->action == action)
                return 0;
        hold.offsets[0] = pin;
        hold.actions[0] = (uint8_t)action;
        snprintf(hold.consumer, sizeof(hold.consumer), "pifleet:pin%u", pin);
        if ((size_t)snprintf(hold.chip, sizeof(hold.chip), "%s", folder) >= sizeof(hold.chip))
                return -ENAMETOOLONG;
        guarded_pin->line = false;
        return hand_over(guarded_pin, &hold, enable);
}

/* --- letting go -------------------------------------------------------------------------- */

static void on_let_go(void *context, int error)
{
        struct guarded_pin *pin = context;

        /* What it does not know it does not hold. Any other refusal is of one that could
         * not write it down: it holds the line still, and has to be asked again. */
        if (error == -ENOENT || error == -EPIPE)
                error = 0;
        pin->held = error < 0;
        decide(pin, error);
}

int gpio_guarded_let_go(struct gpio_guarded *guarded, unsigned pin)
{
        struct guarded_pin *guarded_pin = &guarded->pins[pin];
        int r;

        if (guarded_pin->pending)
                return GPIO_GUARDED_PENDING;
        if (!guarded_pin->held || !guarded->link)
                return 0;
        r = guard_link_let_go(guarded->link, guarded_pin->id, on_let_go, guarded_pin);
        if (r < 0)
                return r == -EPIPE ? 0 : r;
        guarded_pin->held = false;
        guarded_pin->pending = true;
        return GPIO_GUARDED_PENDING;
}
