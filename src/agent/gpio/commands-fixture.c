#include "agent/gpio/commands-fixture.h"

#include "agent/gpio/gpio-event.h"
#include "data/json.h"

#include <inttypes.h>
#include <stdio.h>

static void fixture_on_event(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct gpio_line_change *change = event->payload;
        struct fixture *f = owner;
        size_t length = strlen(f->events);

        CHECK_EQ(lost, 0);
        CHECK(change->simulated);
        snprintf(f->events + length, sizeof(f->events) - length, "%s%u%c%s", length > 0 ? " " : "",
                 change->pin, change->value ? '+' : '-', change->cause);
}

static void fixture_on_warning(void *owner, const struct command_event *event, uint64_t lost)
{
        const struct gpio_line_warning *warning = event->payload;
        struct fixture *f = owner;
        size_t length = strlen(f->warnings);

        snprintf(f->warnings + length, sizeof(f->warnings) - length, "%s%u%c%s/%" PRIu64,
                 length > 0 ? " " : "", warning->pin, warning->active ? '+' : '-', warning->warning,
                 warning->edges_lost);
}

static void fixture_open(struct fixture *f, const char *processes)
{
        struct gpio_worker_setup setup = {0};
        struct gpio_chip_info chip;
        struct error error;

        *f = (struct fixture){.session = {.id = 1, .transport = "test", .origin = "test"}};
        f->session.principal.role = COMMAND_ROLE_OPERATOR;
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_bus_subscribe(f->bus, &gpio_line_event, 64, fixture_on_event, f,
                                       &f->subscription),
                 0);
        CHECK_EQ(command_bus_subscribe(f->bus, &gpio_warning_event, 64, fixture_on_warning, f,
                                       &f->warning_subscription),
                 0);
        CHECK_EQ(gpio_sim_new(NULL, &f->chip), 0);
        setup.home = setup.inline_loop = f->loop;
        setup.chip = f->chip;
        CHECK_EQ(gpio_worker_new(&setup, &f->worker), 0);
        gpio_chip_info(f->chip, &chip);
        if (processes)
                chip = (struct gpio_chip_info){.name = "gpiochip0"};
        CHECK_EQ(gpio_commands_new(f->registry, f->worker, &chip, processes, &f->commands, &error),
                 0);
}

void fixture_init(struct fixture *f)
{
        fixture_open(f, NULL);
}

void fixture_init_processes(struct fixture *f, const char *processes)
{
        fixture_open(f, processes);
}

/* Jobs to the worker and results back: as many rounds as that takes. */
void settle(struct fixture *f)
{
        for (unsigned round = 0; round < 6; round++)
                loop_run_once(f->loop, 0);
}

void advance_ms(struct fixture *f, uint64_t ms)
{
        enum { STEP_MS = 250 }; /* time does not stand still between the two */

        settle(f);
        do {
                uint64_t step = ms < STEP_MS ? ms : STEP_MS;

                loop_advance_ms(f->loop, step);
                settle(f);
                ms -= step;
        } while (ms > 0);
}

void fixture_done(struct fixture *f)
{
        gpio_worker_free(f->worker);
        cJSON_Delete(f->reply);
        gpio_commands_free(f->commands);
        command_registry_free(f->registry);
        command_subscription_free(f->subscription);
        command_subscription_free(f->warning_subscription);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

static void fixture_on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;
        struct error error;

        cJSON_Delete(f->reply);
        f->reply = NULL;
        f->pending = NULL;
        f->replies++;
        CHECK_EQ(json_parse(json, length, JSON_DEPTH_MAX, &f->reply, &error), 0);
        CHECK_EQ(cJSON_IsTrue(json_get(f->reply, "success")), success);
}

/* Sends a request; false while its reply is outstanding. */
bool dispatch(struct fixture *f, const char *text)
{
        struct command_call call = {
                .session = &f->session, .on_reply = fixture_on_reply, .owner = f};
        unsigned replies = f->replies;
        struct error error;

        CHECK_EQ(json_parse(text, strlen(text), JSON_DEPTH_MAX, &call.object, &error), 0);
        call.received_ms = loop_now_ms(f->loop);
        command_dispatch(f->registry, &call, &f->pending);
        settle(f);
        return f->replies == replies + 1;
}

const char *text_of(struct fixture *f, const char *name)
{
        const char *text = json_get_string(f->reply, name);

        return text ? text : "(none)";
}

int64_t integer_of(struct fixture *f, const char *name)
{
        int64_t number = -1;

        json_get_integer(f->reply, name, &number);
        return number;
}

void check_ok(struct fixture *f, const char *text)
{
        if (!dispatch(f, text) || !cJSON_IsTrue(json_get(f->reply, "success")))
                FAIL("%s: %s", text, f->reply ? text_of(f, "error") : "no reply");
        CHECK(cJSON_IsTrue(json_get(f->reply, "simulated")));
}

void check_refused(struct fixture *f, const char *text, const char *code)
{
        CHECK(dispatch(f, text));
        CHECK(cJSON_IsFalse(json_get(f->reply, "success")));
        CHECK_TEXT(text_of(f, "type"), "error");
        if (strcmp(text_of(f, "code"), code) != 0)
                FAIL("%s: expected %s, got %s (%s)", text, code, text_of(f, "code"),
                     text_of(f, "error"));
}

const char *events_of(struct fixture *f)
{
        static char text[512];

        advance_ms(f, 0);
        memcpy(text, f->events, sizeof(text));
        f->events[0] = '\0';
        return text;
}

bool level_of(struct fixture *f, unsigned pin)
{
        bool level;

        CHECK_EQ(gpio_sim_level(f->chip, pin, &level), 0);
        return level;
}
