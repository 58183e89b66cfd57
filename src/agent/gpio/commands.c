#include "agent/gpio/commands-internal.h"
#include "agent/gpio/pin-name.h"
#include "base/attributes.h"
#include "command/reply.h"
#include "data/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SOURCE "builtin/gpio"

enum { TEST_PIN_DEFAULT = 17, TEST_TIMES_DEFAULT = 3, TEST_INTERVAL_DEFAULT_MS = 500 };

/* --- arguments --------------------------------------------------------------------------- */

int gpio_command_take_pin(struct command_request *request, const cJSON *argument, unsigned *ret)
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

void gpio_command_take_wait(struct command_request *request, struct gpio_job *job)
{
        double seconds = 0;

        json_get_double(command_request_arguments(request), "wait", &seconds);
        job->patience_ms = (uint64_t)(seconds * 1000 + 0.5);
        if (job->patience_ms > 0)
                command_request_extend(request, job->patience_ms + COMMAND_TIMEOUT_DEFAULT_MS);
}

struct gpio_job gpio_command_job(enum gpio_job_kind kind, const char *cause)
{
        return (struct gpio_job){
                .kind = kind, .urgency = GPIO_URGENCY_NORMAL, .tag = TAG_COMMANDS, .cause = cause};
}

int gpio_command_submit(struct gpio_commands *commands, struct command_request *request,
                        const struct gpio_job *job, gpio_worker_done_fn *done)
{
        int r = gpio_worker_submit(commands->worker, job, done, commands, request);

        if (r < 0)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "too many hardware commands at once; try again");
        return COMMAND_PENDING;
}

/* --- replies ----------------------------------------------------------------------------- */

static void reply_hardware_failure(struct gpio_commands *commands, struct command_request *request,
                                   const struct gpio_result *result)
{
        struct json_writer *writer;

        writer = command_reply_open_failure(request, COMMAND_HARDWARE,
                                            "GPIO%u could not be driven: %s", result->pin,
                                            strerror(-result->error));
        json_write_integer(writer, "pin", result->pin);
        json_write_integer(writer, "errno", -result->error);
        json_write_bool(writer, "simulated", commands->simulated);
        command_reply_send(request);
}

static bool reply_failure(struct gpio_commands *commands, struct command_request *request,
                          const struct gpio_result *result)
{
        switch (result->error) {
        case 0:
                return false;
        case -EBUSY:
                gpio_command_reply_busy(commands, request, result);
                return true;
        case -EINPROGRESS:
                command_reply_fail(request, COMMAND_BUSY,
                                   "gpio_test is running on GPIO%u; try again when it is done",
                                   result->pin);
                return true;
        case -ESHUTDOWN:
                command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
                return true;
        case -ECANCELED:
                command_reply_fail(request, COMMAND_NOT_READY,
                                   "GPIO%u was brought to its safe state meanwhile", result->pin);
                return true;
        case -ENOMEM:
                command_reply_fail(request, COMMAND_BUSY, "not enough memory; try again later");
                return true;
        case -ERANGE:
                command_reply_fail(request, COMMAND_BAD_VALUE,
                                   "GPIO%u has no hardware PWM, and by software it goes up to "
                                   "%d Hz",
                                   result->pin, GPIO_PWM_SOFTWARE_MAX_HZ);
                return true;
        case -EPIPE:
                command_reply_fail(request, COMMAND_NOT_READY,
                                   "the supervisor is gone, and this agent goes too, so GPIO%u is "
                                   "not driven; try again",
                                   result->pin);
                return true;
        case -ETIMEDOUT:
                command_reply_fail(request, COMMAND_NOT_READY,
                                   "the supervisor does not answer, so GPIO%u is not driven",
                                   result->pin);
                return true;
        default:
                reply_hardware_failure(commands, request, result);
                return true;
        }
}

struct json_writer *gpio_command_reply(struct gpio_commands *commands,
                                       struct command_request *request,
                                       const struct gpio_result *result)
{
        if (reply_failure(commands, request, result))
                return NULL;
        return command_reply_open(request, NULL);
}

void gpio_command_reply_end(struct gpio_commands *commands, struct command_request *request,
                            struct json_writer *writer)
{
        json_write_bool(writer, "simulated", commands->simulated);
        command_reply_send(request);
}

/* --- led_on, led_off --------------------------------------------------------------------- */

static void led_done(void *owner, void *context, const struct gpio_result *result)
{
        struct json_writer *writer = gpio_command_reply(owner, context, result);

        if (!writer)
                return;
        json_write_integer(writer, "pin", result->pin);
        json_write_string(writer, "state", result->value ? "on" : "off");
        gpio_command_reply_end(owner, context, writer);
}

static int switch_led(struct gpio_commands *commands, struct command_request *request,
                      const char *cause, bool value)
{
        struct gpio_job job = gpio_command_job(GPIO_JOB_SET, cause);
        unsigned pin;

        if (gpio_command_take_pin(request, json_get(command_request_arguments(request), "pin"),
                                  &pin) < 0)
                return 0;
        job.pin = pin;
        job.value = value;
        gpio_command_take_wait(request, &job);
        return gpio_command_submit(commands, request, &job, led_done);
}

static int run_led_on(void *owner, struct command_request *request)
{
        return switch_led(owner, request, "led_on", true);
}

static int run_led_off(void *owner, struct command_request *request)
{
        return switch_led(owner, request, "led_off", false);
}

/* --- gpio_status ------------------------------------------------------------------------- */

static void write_pin(struct json_writer *writer, unsigned pin,
                      const struct gpio_pin_status *status)
{
        char key[16];

        snprintf(key, sizeof(key), "%u", pin);
        if (!status->exists) {
                json_write_null(writer, key);
                return;
        }
        json_write_object(writer, key);
        json_write_string(writer, "mode", status->output ? "output" : "input");
        if (status->held) {
                json_write_string(writer, "state", status->value ? "on" : "off");
                json_write_integer(writer, "value", status->value);
        } else {
                json_write_null(writer, "state");
                json_write_null(writer, "value");
        }
        json_write_null(writer, "device");
        if (status->used)
                json_write_string(writer, "holder", status->consumer);
        else
                json_write_null(writer, "holder");
        gpio_commands_write_warnings(writer, status->warnings, status->edges_lost);
        json_write_end(writer);
}

static void status_done(void *owner, void *context, const struct gpio_result *result)
{
        struct json_writer *writer = gpio_command_reply(owner, context, result);

        if (!writer)
                return;
        json_write_object(writer, "pins");
        for (unsigned pin = result->first; pin <= result->last; pin++)
                write_pin(writer, pin, &result->pins[pin]);
        json_write_end(writer);
        gpio_command_reply_end(owner, context, writer);
}

static int run_gpio_status(void *owner, struct command_request *request)
{
        const cJSON *argument = json_get(command_request_arguments(request), "pin");
        struct gpio_job job = gpio_command_job(GPIO_JOB_STATUS, "gpio_status");
        unsigned pin = GPIO_STATUS_ALL;

        if (argument && gpio_command_take_pin(request, argument, &pin) < 0)
                return 0;
        job.pin = pin;
        return gpio_command_submit(owner, request, &job, status_done);
}

/* --- gpio_test --------------------------------------------------------------------------- */

static void test_done(void *owner, void *context, const struct gpio_result *result)
{
        struct json_writer *writer = gpio_command_reply(owner, context, result);

        if (!writer)
                return;
        json_write_integer(writer, "pin", result->pin);
        json_write_integer(writer, "times", result->times);
        json_write_double(writer, "interval", (double)result->interval_ms / 1000);
        json_write_bool(writer, "passed", result->passed);
        json_write_array(writer, "readings");
        for (size_t i = 0; i < result->readings_count; i++) {
                json_write_object(writer, NULL);
                json_write_integer(writer, "expected", result->readings[i].expected);
                json_write_integer(writer, "read", result->readings[i].read);
                json_write_end(writer);
        }
        json_write_end(writer);
        gpio_command_reply_end(owner, context, writer);
}

/* 0: the arguments are in *job. Else the request has its reply. */
static int take_test_arguments(struct command_request *request, struct gpio_job *job)
{
        const cJSON *arguments = command_request_arguments(request);
        const cJSON *pin_argument = json_get(arguments, "pin");
        double interval = TEST_INTERVAL_DEFAULT_MS / 1000.0;
        int64_t times = TEST_TIMES_DEFAULT;
        unsigned pin = TEST_PIN_DEFAULT;
        uint64_t total_ms;

        if (pin_argument && gpio_command_take_pin(request, pin_argument, &pin) < 0)
                return -EINVAL;
        json_get_integer(arguments, "times", &times);
        json_get_double(arguments, "interval", &interval);
        job->pin = pin;
        job->times = (uint32_t)times;
        job->on_ms = job->off_ms = (uint64_t)(interval * 1000 + 0.5);
        total_ms = 2 * job->on_ms * job->times;
        if (total_ms <= GPIO_TEST_TOTAL_MAX_MS)
                return 0;
        command_reply_fail(request, COMMAND_BAD_VALUE,
                           "%u times on and off at %.3g s each take %.4g s; a test may take %d s",
                           job->times, (double)job->on_ms / 1000, (double)total_ms / 1000,
                           GPIO_TEST_TOTAL_MAX_MS / 1000);
        return -ERANGE;
}

static int run_gpio_test(void *owner, struct command_request *request)
{
        struct gpio_job job = gpio_command_job(GPIO_JOB_TEST, "gpio_test");

        if (take_test_arguments(request, &job) < 0)
                return 0;
        job.waits = true;
        gpio_command_take_wait(request, &job);
        command_request_extend(request, job.patience_ms + 2 * job.on_ms * job.times +
                                                COMMAND_TIMEOUT_DEFAULT_MS);
        return gpio_command_submit(owner, request, &job, test_done);
}

/* --- all of them ------------------------------------------------------------------------- */

#define LED_SCHEMA                                                                                 \
        "{\"type\":\"object\",\"properties\":{" PIN_SCHEMA("") "," WAIT_SCHEMA                     \
                                                               "},\"required\":[\"pin\"]}"

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
                            "\"default\":0.5,\"description\":\"seconds on, and seconds "
                            "off\"}," WAIT_SCHEMA "}}",
                .role = COMMAND_ROLE_OPERATOR,
                .layer = COMMAND_LAYER_UPDATABLE,
                .changes = true,
                .run = run_gpio_test,
        },
};

int gpio_commands_new(struct command_registry *registry, struct gpio_worker *worker,
                      const struct gpio_chip_info *chip, const char *processes,
                      struct gpio_commands **ret, struct error *error)
{
        AUTO_FREE struct gpio_commands *commands = calloc(1, sizeof(*commands));
        AUTO(loop_work) struct loop_work *searches = NULL;
        int r;

        if (!commands ||
            loop_work_new(command_registry_loop(registry), GPIO_SEARCHES_WAITING, &searches) < 0)
                return error_set(error, -ENOMEM, "not enough memory");
        commands->registry = registry;
        commands->worker = worker;
        commands->processes = processes;
        commands->simulated = chip->simulated;
        memcpy(commands->chip, chip->name, sizeof(commands->chip));
        r = command_registry_add(registry, definitions, ARRAY_SIZE(definitions), SOURCE, commands,
                                 error);
        if (r < 0)
                return r;
        r = command_registry_add(registry, gpio_pwm_commands, gpio_pwm_commands_count, SOURCE,
                                 commands, error);
        if (r < 0) {
                command_registry_remove(registry, SOURCE);
                return r;
        }
        gpio_worker_on_changed(worker, gpio_commands_publish, commands);
        commands->searches = TAKE(searches);
        *ret = TAKE(commands);
        return 0;
}

struct gpio_commands *gpio_commands_free(struct gpio_commands *commands)
{
        if (!commands)
                return NULL;
        command_registry_remove(commands->registry, SOURCE);
        loop_work_free(commands->searches);
        free(commands);
        return NULL;
}
