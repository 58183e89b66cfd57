/* agent/gpio/sim-internal.h - what the files of the simulated chip know of one another:
 * sim.c (the chip, its requests and their events) and sim-line.c (what moves a line). */
#pragma once

#include "agent/gpio/chip-backend.h"
#include "agent/gpio/sim.h"

struct sim_line {
        char consumer[GPIO_NAME_MAX];
        bool used;
        struct sim_request *request; /* NULL: free, or held by a hog */
        struct gpio_line_config config;

        bool output;         /* the direction, also after a release */
        bool wanted;         /* an output's electrical level */
        enum gpio_bias pull; /* the resistor; DISABLED when there is none */
        bool driven, outside;
        bool level;

        bool debounced;    /* the electrical level that counts while debouncing */
        uint64_t due_ns;   /* end of the debounce period; UINT64_MAX: none runs */
        uint32_t sequence; /* events so far in this request */

        bool watched, changed; /* who holds it, since it was last asked */
};

struct sim {
        struct gpio_chip chip;
        char label[GPIO_NAME_MAX];
        bool persist;
        uint64_t (*now_ns)(void *owner);
        void *owner;
        size_t requests;
        struct sim_line lines[];
};

struct sim_request {
        struct gpio_request request;
        uint32_t sequence;
        struct gpio_edge_event *events; /* a ring; NULL until some line wants edges */
        size_t first, waiting;
};

/* sim.c */

/* A descriptor of a chip or request: whether something waits there. */
void sim_signal(int fd, bool readable);
/* The oldest event makes room for this one. */
void sim_request_put_event(struct sim_request *request, const struct gpio_edge_event *event);

/* sim-line.c */

/* Whatever could move the line has changed. */
void sim_line_update(struct sim *sim, struct sim_line *line);
void sim_line_configure(struct sim *sim, struct sim_line *line,
                        const struct gpio_line_config *config);
void sim_line_set_consumer(struct sim_line *line, const char *consumer);
void sim_line_release(const struct sim *sim, struct sim_line *line);
/* Somebody took the line, let go of it or set it up anew: told once, to who watches it. */
void sim_line_report(struct sim *sim, struct sim_line *line);
void sim_line_unreport(struct sim *sim, struct sim_line *line);
/* The line whose debounce period ends first, or NULL. */
struct sim_line *sim_next_due(struct sim *sim);
/* Ends the periods that are over. */
void sim_settle(struct sim *sim);
