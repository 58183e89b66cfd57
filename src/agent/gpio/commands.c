#include "agent/gpio/commands.h"

#include "agent/gpio/blink.h"
#include "agent/gpio/gpio-event.h"
#include "agent/gpio/pin-name.h"
#include "base/attributes.h"
#include "command/reply.h"
#include "data/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SOURCE "builtin/gpio"

enum { TEST_PIN_DEFAULT = 17, TEST_TIMES_DEFAULT = 3, TEST_INTERVAL_DEFAULT_MS = 500 };

struct pin_test;

struct gpio_commands {
        struct command_registry *registry;
        struct gpio_chip *chip;
        struct gpio_lines *lines;
        bool simulated, stopped;
        struct pin_test *tests[GPIO_PINS]; /* those that run */
};

struct pin_test {
        struct gpio_blink blink;
        struct gpio_commands *commands;
        struct command_request *request;
};

static void publish(struct gpio_commands *commands, unsigned pin, bool value, const char *cause)
{
        struct gpio_line_change change = {
                .pin = pin, .value = value, .simulated = commands->simulated};

        snprintf(change.cause, sizeof(change.cause), "%s", cause);
        command_bus_publish(command_registry_bus(commands->registry), &gpio_line_event, &change);
}

/* --- arguments --------------------------------------------------------------------------- */

/* 0: *ret is a pin of the header. Else the request has its reply. */
static int take_pin(struct command_request *request, const cJSON *argument, unsigned *ret)
{
        struct error error;
        int r;

        if (cJSON_IsString(argument))
                r = gpio_pin_parse(argument->valuestring, ret, &error);
        else
                r = gpio_pin_check((int64_t)argument->valuedouble, ret, &error);
        if (r < 0)
                command_reply_fail(request, COMMAND_NO_PIN, "%s", error.text);
        return r;
}

static int refuse_stopped(struct command_request *request)
{
        return command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
}

/* 0: nobody tests the pin. Else the request has its reply. */
static int check_untested(struct gpio_commands *commands, struct command_request *request,
                          unsigned pin)
{
        if (!commands->tests[pin])
                return 0;
        command_reply_fail(request, COMMAND_BUSY,
                           "gpio_test is running on GPIO%u; try again when it is done", pin);
        return -EBUSY;
}

/* --- replies ----------------------------------------------------------------------------- */

static int reply_in_use(struct gpio_commands *commands, struct command_request *request,
                        unsigned pin)
{
        struct gpio_line_holder holder = {.consumer = "?"};
        struct json_writer *writer;
        char process[32] = "";

        (void)gpio_chip_line_holder(commands->chip, pin, &holder);
        if (holder.pid > 0)
                snprintf(process, sizeof(process), " (process %" PRId64 ")", holder.pid);
        writer = command_reply_open_failure(
                request, COMMAND_PIN_IN_USE,
                "GPIO%u is in use by \"%s\"%s; free it there, or use another pin", pin,
                holder.consumer, process);
        json_write_integer(writer, "pin", pin);
        json_write_string(writer, "consumer", holder.consumer);
        if (holder.pid > 0)
                json_write_integer(writer, "pid", holder.pid);
        json_write_bool(writer, "simulated", commands->simulated);
        return command_reply_send(request);
}

/* What the chip said, as the reply to a command. */
static int reply_chip_failure(struct gpio_commands *commands, struct command_request *request,
                              unsigned pin, int result)
{
        struct json_writer *writer;

        if (result == -EBUSY)
                return reply_in_use(commands, request, pin);
        if (result == -ENOMEM)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "not enough memory; try again later");
        writer = command_reply_open_failure(request, COMMAND_HARDWARE,
                                            "GPIO%u could not be driven: %s", pin,
                                            strerror(-result));
        json_write_integer(writer, "pin", pin);
        json_write_integer(writer, "errno", -result);
        json_write_bool(writer, "simulated", commands->simulated);
        return command_reply_send(request);
}

/* --- led_on, led_off --------------------------------------------------------------------- */

static int switch_led(struct gpio_commands *commands, struct command_request *request, bool value)
{
        const cJSON *arguments = command_request_arguments(request);
        struct json_writer *writer;
        bool known, before = false;
        unsigned pin;
        int r;

        if (commands->stopped)
                return refuse_stopped(request);
        if (take_pin(request, json_get(arguments, "pin"), &pin) < 0 ||
            check_untested(commands, request, pin) < 0)
                return 0;
        known = gpio_lines_get(commands->lines, pin, &before) == 0;
        r = gpio_lines_set(commands->lines, pin, value);
        if (r < 0)
                return reply_chip_failure(commands, request, pin, r);
        if (!known || before != value)
                publish(commands, pin, value, command_request_name(request));

        writer = command_reply_open(request, NULL);
        json_write_integer(writer, "pin", pin);
        json_write_string(writer, "state", value ? "on" : "off");
        json_write_bool(writer, "simulated", commands->simulated);
        return command_reply_send(request);
}

static int run_led_on(void *owner, struct command_request *request)
{
        return switch_led(owner, request, true);
}

static int run_led_off(void *owner, struct command_request *request)
{
        return switch_led(owner, request, false);
}

/* --- gpio_status ------------------------------------------------------------------------- */

static void write_pin(struct gpio_commands *commands, struct json_writer *writer, unsigned pin)
{
        struct gpio_line_info info;
        char key[16];
        bool value;

        snprintf(key, sizeof(key), "%u", pin);
        if (gpio_chip_line_info(commands->chip, pin, &info) < 0) {
                json_write_null(writer, key);
                return;
        }
        json_write_object(writer, key);
        json_write_string(writer, "mode",
                          info.config.direction == GPIO_DIRECTION_OUTPUT ? "output" : "input");
        if (gpio_lines_get(commands->lines, pin, &value) == 0) {
                json_write_string(writer, "state", value ? "on" : "off");
                json_write_integer(writer, "value", value);
        } else {
                json_write_null(writer, "state");
                json_write_null(writer, "value");
        }
        json_write_null(writer, "device");
        if (info.used)
                json_write_string(writer, "holder", info.consumer);
        else
                json_write_null(writer, "holder");
        json_write_end(writer);
}

static int run_gpio_status(void *owner, struct command_request *request)
{
        struct gpio_commands *commands = owner;
        const cJSON *argument = json_get(command_request_arguments(request), "pin");
        unsigned first = 0, last = GPIO_PINS - 1;
        struct json_writer *writer;

        if (argument) {
                if (take_pin(request, argument, &first) < 0)
                        return 0;
                last = first;
        }
        writer = command_reply_open(request, NULL);
        json_write_object(writer, "pins");
        for (unsigned pin = first; pin <= last; pin++)
                write_pin(commands, writer, pin);
        json_write_end(writer);
        json_write_bool(writer, "simulated", commands->simulated);
        return command_reply_send(request);
}

/* --- gpio_test --------------------------------------------------------------------------- */

static void reply_test(struct pin_test *test)
{
        struct gpio_blink *blink = &test->blink;
        struct json_writer *writer = command_reply_open(test->request, NULL);

        json_write_integer(writer, "pin", blink->pin);
        json_write_integer(writer, "times", blink->times);
        json_write_double(writer, "interval", (double)blink->interval_ms / 1000);
        json_write_bool(writer, "passed", gpio_blink_passed(blink));
        json_write_array(writer, "readings");
        for (size_t i = 0; i < blink->readings_count; i++) {
                json_write_object(writer, NULL);
                json_write_integer(writer, "expected", blink->readings[i].expected);
                json_write_integer(writer, "read", blink->readings[i].read);
                json_write_end(writer);
        }
        json_write_end(writer);
        json_write_bool(writer, "simulated", test->commands->simulated);
        command_reply_send(test->request);
}

static void test_on_changed(struct gpio_blink *blink, bool value)
{
        struct pin_test *test = container_of(blink, struct pin_test, blink);

        publish(test->commands, blink->pin, value, "gpio_test");
}

static void test_on_done(struct gpio_blink *blink, int result)
{
        AUTO_FREE struct pin_test *test = container_of(blink, struct pin_test, blink);

        test->commands->tests[blink->pin] = NULL;
        if (result == -ECANCELED)
                refuse_stopped(test->request);
        else if (result < 0)
                reply_chip_failure(test->commands, test->request, blink->pin, result);
        else
                reply_test(test);
}

/* 0: the arguments are in *blink. Else the request has its reply. */
static int take_test_arguments(struct command_request *request, struct gpio_blink *blink)
{
        const cJSON *arguments = command_request_arguments(request);
        const cJSON *pin = json_get(arguments, "pin");
        int64_t times = TEST_TIMES_DEFAULT;
        double interval = TEST_INTERVAL_DEFAULT_MS / 1000.0;
        uint64_t total_ms;

        blink->pin = TEST_PIN_DEFAULT;
        if (pin && take_pin(request, pin, &blink->pin) < 0)
                return -EINVAL;
        json_get_integer(arguments, "times", &times);
        json_get_double(arguments, "interval", &interval);
        blink->times = (unsigned)times;
        blink->interval_ms = (uint64_t)(interval * 1000 + 0.5);
        total_ms = 2 * blink->interval_ms * blink->times;
        if (total_ms <= GPIO_TEST_TOTAL_MAX_MS)
                return 0;
        command_reply_fail(request, COMMAND_BAD_VALUE,
                           "%u times on and off at %.3g s each take %.4g s; a test may take %d s",
                           blink->times, (double)blink->interval_ms / 1000, (double)total_ms / 1000,
                           GPIO_TEST_TOTAL_MAX_MS / 1000);
        return -ERANGE;
}

static int run_gpio_test(void *owner, struct command_request *request)
{
        struct gpio_commands *commands = owner;
        AUTO_FREE struct pin_test *test = NULL;
        unsigned pin;
        int r;

        if (commands->stopped)
                return refuse_stopped(request);
        test = calloc(1, sizeof(*test));
        if (!test)
                return -ENOMEM;
        if (take_test_arguments(request, &test->blink) < 0)
                return 0;
        pin = test->blink.pin;
        if (check_untested(commands, request, pin) < 0)
                return 0;
        test->commands = commands;
        test->request = request;
        test->blink.loop = command_registry_loop(commands->registry);
        test->blink.lines = commands->lines;
        test->blink.on_changed = test_on_changed;
        test->blink.on_done = test_on_done;
        r = gpio_blink_start(&test->blink);
        if (r < 0)
                return reply_chip_failure(commands, request, pin, r);
        command_request_extend(request, 2 * test->blink.interval_ms * test->blink.times +
                                                COMMAND_TIMEOUT_DEFAULT_MS);
        commands->tests[pin] = TAKE(test);
        return COMMAND_PENDING;
}

/* --- all of them ------------------------------------------------------------------------- */

#define PIN_SCHEMA(text)                                                                           \
        "\"pin\":{\"type\":[\"integer\",\"string\"],"                                              \
        "\"description\":\"" text "BCM number, or a name: \\\"GPIO17\\\", \\\"BOARD11\\\", "       \
        "\\\"J8:11\\\", \\\"WPI0\\\"\",\"examples\":[17,\"GPIO17\",\"BOARD11\"]}"

#define LED_SCHEMA                                                                                 \
        "{\"type\":\"object\",\"properties\":{" PIN_SCHEMA("") "},\"required\":[\"pin\"]}"

static const struct command definitions[] = {
        {
                .name = "led_on",
                .description = "Makes a pin an output and switches it on",
                .schema = LED_SCHEMA,
                .role = COMMAND_ROLE_OPERATOR,
                .layer = COMMAND_LAYER_UPDATABLE,
                .changes = true,
                .run = run_led_on,
        },
        {
                .name = "led_off",
                .description = "Makes a pin an output and switches it off",
                .schema = LED_SCHEMA,
                .role = COMMAND_ROLE_OPERATOR,
                .layer = COMMAND_LAYER_UPDATABLE,
                .changes = true,
                .run = run_led_off,
        },
        {
                .name = "gpio_status",
                .description = "Mode, level and holder of one pin or of all pins of the header; "
                               "state and value are null for a line that the agent does not "
                               "hold, which cannot be read without disturbing it",
                .schema =
                        "{\"type\":\"object\",\"properties\":{" PIN_SCHEMA("This pin only: ") "}}",
                .role = COMMAND_ROLE_VIEWER,
                .layer = COMMAND_LAYER_UPDATABLE,
                .run = run_gpio_status,
        },
        {
                .name = "gpio_test",
                .description = "Switches a pin on and off, reads it back each time and restores "
                               "it; takes 2 x times x interval seconds, at most 300",
                .schema = "{\"type\":\"object\",\"properties\":{" PIN_SCHEMA(
                        "") ","
                            "\"times\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,"
                            "\"default\":3,\"description\":\"how often on and off\"},"
                            "\"interval\":{\"type\":\"number\",\"minimum\":0.01,\"maximum\":10,"
                            "\"default\":0.5,\"description\":\"seconds on, and seconds off\"}}}",
                .role = COMMAND_ROLE_OPERATOR,
                .layer = COMMAND_LAYER_UPDATABLE,
                .changes = true,
                .run = run_gpio_test,
        },
};

int gpio_commands_new(struct command_registry *registry, struct gpio_chip *chip,
                      struct gpio_lines *lines, struct gpio_commands **ret, struct error *error)
{
        AUTO_FREE struct gpio_commands *commands = calloc(1, sizeof(*commands));
        struct gpio_chip_info info;
        int r;

        if (!commands)
                return error_set(error, -ENOMEM, "not enough memory");
        gpio_chip_info(chip, &info);
        commands->registry = registry;
        commands->chip = chip;
        commands->lines = lines;
        commands->simulated = info.simulated;
        r = command_registry_add(registry, definitions, ARRAY_SIZE(definitions), SOURCE, commands,
                                 error);
        if (r < 0)
                return r;
        *ret = TAKE(commands);
        return 0;
}

int gpio_commands_stop(struct gpio_commands *commands)
{
        bool on[GPIO_PINS] = {false};
        int r;

        commands->stopped = true;
        for (unsigned pin = 0; pin < GPIO_PINS; pin++) {
                if (commands->tests[pin])
                        gpio_blink_cancel(&commands->tests[pin]->blink);
                if (gpio_lines_get(commands->lines, pin, &on[pin]) < 0)
                        on[pin] = false;
        }
        r = gpio_lines_safe(commands->lines);
        for (unsigned pin = 0; pin < GPIO_PINS; pin++) {
                bool still_on = true;

                if (on[pin] && gpio_lines_get(commands->lines, pin, &still_on) == 0 && !still_on)
                        publish(commands, pin, false, "stop");
        }
        return r;
}

struct gpio_commands *gpio_commands_free(struct gpio_commands *commands)
{
        if (!commands)
                return NULL;
        command_registry_remove(commands->registry, SOURCE);
        free(commands);
        return NULL;
}
