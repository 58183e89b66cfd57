#include "agent/gpio/sim-fixture.h"

#include <poll.h>
#include <stdio.h>

static uint64_t fixture_now_ns(void *owner)
{
        return ((struct fixture *)owner)->now_ns;
}

void fixture_init_persist(struct fixture *f, bool persist)
{
        struct gpio_sim_config config = {.persist = persist, .now_ns = fixture_now_ns, .owner = f};

        f->now_ns = 1000000;
        CHECK_EQ(gpio_sim_new(&config, &f->chip), 0);
}

void fixture_init(struct fixture *f)
{
        fixture_init_persist(f, false);
}

void fixture_done(struct fixture *f)
{
        f->chip = gpio_chip_free(f->chip);
}

void fixture_advance_us(struct fixture *f, uint64_t us)
{
        f->now_ns += us * 1000;
}

struct gpio_request *request_line(struct fixture *f, unsigned offset,
                                  struct gpio_line_config config)
{
        struct gpio_request *request = NULL;

        CHECK_EQ(gpio_chip_request(f->chip, "test", &offset, &config, 1, &request), 0);
        return request;
}

bool value_of(struct gpio_request *request)
{
        uint64_t values = 2;

        CHECK_EQ(gpio_request_get(request, 1, &values), 0);
        CHECK(values <= 1);
        return values == 1;
}

bool level_of(struct fixture *f, unsigned offset)
{
        bool level;

        CHECK_EQ(gpio_sim_level(f->chip, offset, &level), 0);
        return level;
}

bool fd_is_readable(struct gpio_request *request)
{
        struct pollfd poll_fd = {.fd = gpio_request_fd(request), .events = POLLIN};

        return poll(&poll_fd, 1, 0) == 1;
}

const char *events_of(struct gpio_request *request)
{
        static char text[4096];
        struct gpio_edge_event event;
        size_t length = 0;

        text[0] = '\0';
        while (gpio_request_read_events(request, &event, 1) == 1)
                length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%u%c",
                                           length > 0 ? " " : "", event.offset,
                                           event.edge == GPIO_EDGE_RISING ? '+' : '-');
        return text;
}
