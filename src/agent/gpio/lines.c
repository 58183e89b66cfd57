#include "agent/gpio/lines.h"

#include <errno.h>
#include <stdio.h>

struct held_line {
        struct gpio_request *request; /* NULL: not held */
        bool output;                  /* its direction now */
        bool was_output, was_level;   /* when it was taken */
};

struct gpio_lines {
        struct gpio_chip *chip;
        struct held_line pins[GPIO_LINES_MAX];
};

int gpio_lines_new(struct gpio_chip *chip, struct gpio_lines **ret)
{
        struct gpio_lines *lines = calloc(1, sizeof(*lines));

        if (!lines)
                return -ENOMEM;
        lines->chip = chip;
        *ret = lines;
        return 0;
}

struct gpio_lines *gpio_lines_free(struct gpio_lines *lines)
{
        if (!lines)
                return NULL;
        for (unsigned pin = 0; pin < GPIO_LINES_MAX; pin++)
                gpio_request_free(lines->pins[pin].request);
        free(lines);
        return NULL;
}

bool gpio_lines_held(const struct gpio_lines *lines, unsigned pin)
{
        return pin < GPIO_LINES_MAX && lines->pins[pin].request;
}

static void line_consumer(unsigned pin, char ret[GPIO_NAME_MAX])
{
        snprintf(ret, GPIO_NAME_MAX, "pifleet:pin%u", pin);
}

static int line_read(const struct held_line *line, bool *ret)
{
        uint64_t values;
        int r = gpio_request_get(line->request, 1, &values);

        if (r < 0)
                return r;
        *ret = values & 1;
        return 0;
}

/* Direction and level in one step. */
static int line_direct(struct held_line *line, enum gpio_direction direction, bool value)
{
        struct gpio_line_config config = {.direction = direction, .value = value};
        int r = gpio_request_reconfigure(line->request, &config);

        if (r < 0)
                return r;
        line->output = direction == GPIO_DIRECTION_OUTPUT;
        return 0;
}

int gpio_lines_take(struct gpio_lines *lines, unsigned pin)
{
        const struct gpio_line_config as_is = {.direction = GPIO_DIRECTION_AS_IS};
        AUTO(gpio_request) struct gpio_request *request = NULL;
        struct held_line line = {0};
        struct gpio_line_info info;
        char consumer[GPIO_NAME_MAX];
        int r;

        if (pin >= GPIO_LINES_MAX)
                return -EINVAL;
        if (gpio_lines_held(lines, pin))
                return 0;
        line_consumer(pin, consumer);
        r = gpio_chip_request(lines->chip, consumer, &pin, &as_is, 1, &request);
        if (r < 0)
                return r;
        r = gpio_chip_line_info(lines->chip, pin, &info);
        if (r < 0)
                return r;
        line.request = request;
        line.output = line.was_output = info.config.direction == GPIO_DIRECTION_OUTPUT;
        r = line_read(&line, &line.was_level);
        if (r < 0)
                return r;
        lines->pins[pin] = line;
        request = NULL;
        return 0;
}

int gpio_lines_set(struct gpio_lines *lines, unsigned pin, bool value)
{
        bool held = gpio_lines_held(lines, pin);
        struct held_line *line;
        int r = gpio_lines_take(lines, pin);

        if (r < 0)
                return r;
        line = &lines->pins[pin];
        r = line->output ? gpio_request_set(line->request, 1, value)
                         : line_direct(line, GPIO_DIRECTION_OUTPUT, value);
        if (r < 0 && !held)
                line->request = gpio_request_free(line->request);
        return r;
}

int gpio_lines_listen(struct gpio_lines *lines, unsigned pin, enum gpio_bias bias, bool edges)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_INPUT,
                                                .bias = bias,
                                                .edges = edges ? GPIO_EDGE_BOTH : GPIO_EDGE_NONE};
        bool held = gpio_lines_held(lines, pin);
        struct held_line *line;
        int r = gpio_lines_take(lines, pin);

        if (r < 0)
                return r;
        line = &lines->pins[pin];
        r = gpio_request_reconfigure(line->request, &config);
        if (r == 0)
                line->output = false;
        else if (!held)
                line->request = gpio_request_free(line->request);
        return r;
}

int gpio_lines_get(struct gpio_lines *lines, unsigned pin, bool *ret)
{
        if (!gpio_lines_held(lines, pin))
                return -ENOENT;
        return line_read(&lines->pins[pin], ret);
}

int gpio_lines_release(struct gpio_lines *lines, unsigned pin)
{
        struct held_line *line;
        int r = 0;

        if (!gpio_lines_held(lines, pin))
                return 0;
        line = &lines->pins[pin];
        /* Letting go alone is not enough: a Raspberry Pi's kernel keeps a
         * released output driven. */
        if (line->output && !line->was_output)
                r = line_direct(line, GPIO_DIRECTION_INPUT, false);
        else if (line->output)
                r = gpio_request_set(line->request, 1, line->was_level);
        line->request = gpio_request_free(line->request);
        return r;
}

int gpio_lines_safe(struct gpio_lines *lines, unsigned pin, enum gpio_safe safe)
{
        int r;

        if (safe == GPIO_SAFE_OFF || safe == GPIO_SAFE_ON)
                return gpio_lines_set(lines, pin, safe == GPIO_SAFE_ON);
        r = gpio_lines_take(lines, pin);
        if (r < 0 || safe == GPIO_SAFE_HOLD || !lines->pins[pin].output)
                return r;
        return line_direct(&lines->pins[pin], GPIO_DIRECTION_INPUT, false);
}

bool gpio_lines_driven(const struct gpio_lines *lines, unsigned pin)
{
        return gpio_lines_held(lines, pin) && lines->pins[pin].output;
}

struct gpio_request *gpio_lines_request(struct gpio_lines *lines, unsigned pin)
{
        return gpio_lines_held(lines, pin) ? lines->pins[pin].request : NULL;
}

int gpio_lines_adopt(struct gpio_lines *lines, unsigned pin, int fd, bool output)
{
        const struct gpio_line_config config = {.direction = output ? GPIO_DIRECTION_OUTPUT
                                                                    : GPIO_DIRECTION_INPUT};
        struct held_line line = {.output = output};
        char consumer[GPIO_NAME_MAX];
        int r;

        if (pin >= GPIO_LINES_MAX)
                return -EINVAL;
        if (gpio_lines_held(lines, pin))
                return -EEXIST;
        line_consumer(pin, consumer);
        r = gpio_chip_adopt(lines->chip, fd, consumer, &pin, &config, 1, &line.request);
        if (r == 0)
                lines->pins[pin] = line;
        return r;
}
