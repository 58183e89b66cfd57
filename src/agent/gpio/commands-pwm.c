/* pwm_set and pwm_off. */
#include "agent/gpio/commands-internal.h"
#include "base/attributes.h"

static void pwm_set_done(void *owner, void *context, const struct gpio_result *result)
{
        struct json_writer *writer = gpio_command_reply(owner, context, result);

        if (!writer)
                return;
        json_write_integer(writer, "pin", result->pin);
        json_write_double(writer, "value", result->duty);
        json_write_double(writer, "frequency", result->frequency_hz);
        json_write_string(writer, "backend", result->hardware ? "hardware" : "software");
        if (!result->hardware)
                json_write_string(writer, "warning", "PWMSoftwareFallback");
        gpio_command_reply_end(owner, context, writer);
}

static int run_pwm_set(void *owner, struct command_request *request)
{
        const cJSON *arguments = command_request_arguments(request);
        struct gpio_job job = gpio_command_job(GPIO_JOB_PWM_SET, "pwm_set");
        unsigned pin;

        if (gpio_command_take_pin(request, json_get(arguments, "pin"), &pin) < 0)
                return 0;
        job.pin = pin;
        json_get_double(arguments, "value", &job.duty);
        json_get_double(arguments, "frequency", &job.frequency_hz);
        gpio_command_take_wait(request, &job);
        return gpio_command_submit(owner, request, &job, pwm_set_done);
}

static void pwm_off_done(void *owner, void *context, const struct gpio_result *result)
{
        struct json_writer *writer = gpio_command_reply(owner, context, result);

        if (!writer)
                return;
        json_write_integer(writer, "pin", result->pin);
        json_write_string(writer, "state", "off");
        gpio_command_reply_end(owner, context, writer);
}

static int run_pwm_off(void *owner, struct command_request *request)
{
        const cJSON *argument = json_get(command_request_arguments(request), "pin");
        struct gpio_job job = gpio_command_job(GPIO_JOB_PWM_OFF, "pwm_off");
        unsigned pin;

        if (gpio_command_take_pin(request, argument, &pin) < 0)
                return 0;
        job.pin = pin;
        return gpio_command_submit(owner, request, &job, pwm_off_done);
}

const struct command gpio_pwm_commands[] = {
        {
                .name = "pwm_set",
                .description = "Puts a PWM signal on a pin: by hardware where the pin has a "
                               "channel, else by software, which jitters and goes up to 1000 Hz",
                .schema = "{\"type\":\"object\",\"properties\":{" PIN_SCHEMA(
                        "") ","
                            "\"value\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,"
                            "\"description\":\"part of the time that the pin is on\"},"
                            "\"frequency\":{\"type\":\"number\",\"minimum\":1,"
                            "\"maximum\":1000000,\"description\":\"in Hz; as it is, or at "
                            "first 100\"}," WAIT_SCHEMA "},\"required\":[\"pin\",\"value\"]}",
                .role = COMMAND_ROLE_OPERATOR,
                .layer = COMMAND_LAYER_UPDATABLE,
                .changes = true,
                .run = run_pwm_set,
        },
        {
                .name = "pwm_off",
                .description = "Ends the PWM signal on a pin, which is then free",
                .schema = "{\"type\":\"object\",\"properties\":{" PIN_SCHEMA(
                        "") "},\"required\":[\"pin\"]}",
                .role = COMMAND_ROLE_OPERATOR,
                .layer = COMMAND_LAYER_UPDATABLE,
                .changes = true,
                .run = run_pwm_off,
        },
};

const size_t gpio_pwm_commands_count = ARRAY_SIZE(gpio_pwm_commands);
