#include "agent/gpio/commands-internal.h"

static void pwm_set_done(void *owner, void *context, const struct gpio_result *result)
{
        struct gpio_commands *commands = owner;
        struct command_request *request = context;
        struct json_writer *writer;

        if (gpio_command_failed(commands, request, result))
                return;
        writer = command_reply_open(request, NULL);
        json_write_integer(writer, "pin", result->pin);
        json_write_double(writer, "value", result->duty);
        json_write_double(writer, "frequency", result->frequency_hz);
        json_write_string(writer, "backend", result->hardware ? "hardware" : "software");
        if (!result->hardware)
                json_write_string(writer, "warning", "PWMSoftwareFallback");
        json_write_bool(writer, "simulated", commands->simulated);
        command_reply_send(request);
}

int gpio_run_pwm_set(void *owner, struct command_request *request)
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
        struct gpio_commands *commands = owner;
        struct command_request *request = context;
        struct json_writer *writer;

        if (gpio_command_failed(commands, request, result))
                return;
        writer = command_reply_open(request, NULL);
        json_write_integer(writer, "pin", result->pin);
        json_write_string(writer, "state", "off");
        json_write_bool(writer, "simulated", commands->simulated);
        command_reply_send(request);
}

int gpio_run_pwm_off(void *owner, struct command_request *request)
{
        const cJSON *argument = json_get(command_request_arguments(request), "pin");
        struct gpio_job job = gpio_command_job(GPIO_JOB_PWM_OFF, "pwm_off");
        unsigned pin;

        if (gpio_command_take_pin(request, argument, &pin) < 0)
                return 0;
        job.pin = pin;
        return gpio_command_submit(owner, request, &job, pwm_off_done);
}
