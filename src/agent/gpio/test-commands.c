/* The commands through a real registry: what a client sends and gets. */
#include "agent/gpio/commands-fixture.h"
#include "agent/gpio/gpio-event.h"

#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>

/* --- led_on, led_off --------------------------------------------------------------------- */

TEST(led_on_and_led_off_switch_the_pin_and_say_so)
{
        struct fixture f;

        fixture_init(&f);
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        CHECK_TEXT(text_of(&f, "type"), "led_on");
        CHECK_EQ(integer_of(&f, "pin"), 17);
        CHECK_TEXT(text_of(&f, "state"), "on");
        CHECK(level_of(&f, 17));
        check_ok(&f, "{\"command\":\"led_off\",\"pin\":17}");
        CHECK_TEXT(text_of(&f, "type"), "led_off");
        CHECK_TEXT(text_of(&f, "state"), "off");
        CHECK(!level_of(&f, 17));
        fixture_done(&f);
}

TEST(a_pin_may_have_any_of_its_names_and_is_answered_by_its_number)
{
        static const char *const names[] = {"17",         "17.0",        "\"17\"",
                                            "\"GPIO17\"", "\"gpio17\"",  "\"BCM17\"",
                                            "\"WPI0\"",   "\"BOARD11\"", "\"J8:11\""};
        struct fixture f;

        fixture_init(&f);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char text[128];

                snprintf(text, sizeof(text), "{\"command\":\"led_on\",\"pin\":%s}", names[i]);
                check_ok(&f, text);
                CHECK_EQ(integer_of(&f, "pin"), 17);
        }
        fixture_done(&f);
}

static const struct {
        const char *request, *code;
} refusals[] = {
        {"{\"command\":\"led_on\"}", "BAD_PARAMS"},
        {"{\"command\":\"led_off\"}", "BAD_PARAMS"},
        {"{\"command\":\"led_on\",\"pin\":true}", "BAD_PARAMS"},
        {"{\"command\":\"led_on\",\"pin\":null}", "BAD_PARAMS"},
        {"{\"command\":\"led_on\",\"pin\":[17]}", "BAD_PARAMS"},
        {"{\"command\":\"led_on\",\"pin\":1.5}", "BAD_PARAMS"},
        {"{\"command\":\"led_on\",\"pin\":-1}", "NO_PIN"},
        {"{\"command\":\"led_on\",\"pin\":54}", "NO_PIN"},
        {"{\"command\":\"led_on\",\"pin\":9007199254740991}", "NO_PIN"},
        {"{\"command\":\"led_on\",\"pin\":28}", "NO_PIN"},
        {"{\"command\":\"led_on\",\"pin\":53}", "NO_PIN"},
        {"{\"command\":\"led_on\",\"pin\":\"54\"}", "NO_PIN"},
        {"{\"command\":\"led_on\",\"pin\":\"BOARD1\"}", "NO_PIN"},
        {"{\"command\":\"led_on\",\"pin\":\"\"}", "NO_PIN"},
        {"{\"command\":\"led_off\",\"pin\":\"J8:6\"}", "NO_PIN"},
        {"{\"command\":\"pwm_set\",\"pin\":12}", "BAD_PARAMS"},
        {"{\"command\":\"pwm_set\",\"value\":1}", "BAD_PARAMS"},
        {"{\"command\":\"pwm_set\",\"pin\":12,\"value\":1.01}", "BAD_PARAMS"},
        {"{\"command\":\"pwm_set\",\"pin\":12,\"value\":-0.1}", "BAD_PARAMS"},
        {"{\"command\":\"pwm_set\",\"pin\":12,\"value\":0.5,\"frequency\":0}", "BAD_PARAMS"},
        {"{\"command\":\"pwm_set\",\"pin\":12,\"value\":0.5,\"frequency\":1001}", "BAD_VALUE"},
        {"{\"command\":\"pwm_set\",\"pin\":40,\"value\":0.5}", "NO_PIN"},
        {"{\"command\":\"pwm_off\",\"pin\":\"GND\"}", "NO_PIN"},
        {"{\"command\":\"gpio_status\",\"pin\":\"WPI17\"}", "NO_PIN"},
        {"{\"command\":\"gpio_status\",\"pin\":{}}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"pin\":\"GND\"}", "NO_PIN"},
        {"{\"command\":\"gpio_test\",\"times\":0}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"times\":101}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"times\":1.5}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"times\":\"3\"}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"interval\":0.009}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"interval\":10.1}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"interval\":-1}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"interval\":\"1\"}", "BAD_PARAMS"},
        {"{\"command\":\"gpio_test\",\"times\":100,\"interval\":1.501}", "BAD_VALUE"},
};

TEST(bad_arguments_are_refused_and_touch_no_line)
{
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
                check_refused(&f, refusals[i].request, refusals[i].code);
        for (unsigned pin = 0; pin < 54; pin++) {
                CHECK_EQ(gpio_chip_line_info(f.chip, pin, &info), 0);
                CHECK(!info.used);
        }
        CHECK_TEXT(events_of(&f), "");
        fixture_done(&f);
}

TEST(a_power_pin_is_refused_with_its_reason)
{
        struct fixture f;

        fixture_init(&f);
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":\"BOARD2\"}", "NO_PIN");
        CHECK_TEXT(text_of(&f, "error"), "\"BOARD2\" is a 5 V power pin, not a GPIO");
        fixture_done(&f);
}

TEST(a_pin_of_somebody_else_is_in_use_and_names_them)
{
        static const char *const requests[] = {"{\"command\":\"led_on\",\"pin\":8}",
                                               "{\"command\":\"led_off\",\"pin\":8}",
                                               "{\"command\":\"gpio_test\",\"pin\":8}"};
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_hog(f.chip, 8, "spi0 CS0"), 0);
        for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
                check_refused(&f, requests[i], "PIN_IN_USE");
                CHECK_TEXT(text_of(&f, "error"),
                           "GPIO8 is in use by \"spi0 CS0\"; free it there, or use another pin");
                CHECK_TEXT(text_of(&f, "consumer"), "spi0 CS0");
                CHECK_EQ(integer_of(&f, "pin"), 8);
                CHECK(cJSON_IsTrue(json_get(f.reply, "simulated")));
        }
        CHECK_TEXT(events_of(&f), "");
        fixture_done(&f);
}

TEST(writing_needs_an_operator_and_looking_a_viewer)
{
        struct fixture f;

        fixture_init(&f);
        f.session.principal.role = COMMAND_ROLE_VIEWER;
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":17}", "FORBIDDEN");
        check_refused(&f, "{\"command\":\"led_off\",\"pin\":17}", "FORBIDDEN");
        check_refused(&f, "{\"command\":\"gpio_test\"}", "FORBIDDEN");
        check_ok(&f, "{\"command\":\"gpio_status\"}");
        f.session.principal.role = COMMAND_ROLE_NONE;
        check_refused(&f, "{\"command\":\"gpio_status\"}", "UNAUTHORIZED");
        fixture_done(&f);
}

TEST(without_memory_the_caller_is_told_to_come_again)
{
        struct fixture f;

        fixture_init(&f);
        /* The registry keeps the memory of a request for the next one. */
        check_ok(&f, "{\"command\":\"gpio_status\"}");
        allocation_fail_at(1);
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":17}", "BUSY");
        allocation_fail_at(1);
        check_refused(&f, "{\"command\":\"gpio_test\"}", "BUSY");
        (void)allocation_end();
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        fixture_done(&f);
}

/* --- events ------------------------------------------------------------------------------ */

TEST(each_change_of_an_output_is_told_once)
{
        struct fixture f;

        fixture_init(&f);
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        check_ok(&f, "{\"command\":\"led_off\",\"pin\":17}");
        check_ok(&f, "{\"command\":\"led_off\",\"pin\":27}"); /* an output from now on */
        check_ok(&f, "{\"command\":\"gpio_status\"}");
        CHECK_TEXT(events_of(&f), "17+led_on 17-led_off 27-led_off");
        fixture_done(&f);
}

TEST(an_event_is_written_with_pin_value_and_cause)
{
        struct gpio_line_change change = {.pin = 17, .value = true, .simulated = true};
        struct json_writer writer;
        struct buffer buffer;

        snprintf(change.cause, sizeof(change.cause), "led_on");
        buffer_init(&buffer, 1024);
        json_writer_init(&writer, &buffer);
        json_write_object(&writer, NULL);
        gpio_line_event.write(&change, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        CHECK_EQ(buffer_append(&buffer, "", 1), 0);
        CHECK_TEXT(buffer_data(&buffer),
                   "{\"pin\":17,\"value\":1,\"cause\":\"led_on\",\"simulated\":true}");
        buffer_done(&buffer);
}

/* --- gpio_status ------------------------------------------------------------------------- */

static const cJSON *status_of(struct fixture *f, const char *pin)
{
        const cJSON *status = json_get(json_get(f->reply, "pins"), pin);

        CHECK(cJSON_IsObject(status));
        return status;
}

TEST(the_status_of_all_pins_has_those_of_the_header)
{
        struct fixture f;
        char pin[8];

        fixture_init(&f);
        check_ok(&f, "{\"command\":\"gpio_status\"}");
        CHECK_EQ(cJSON_GetArraySize(json_get(f.reply, "pins")), 28);
        for (unsigned i = 0; i < 28; i++) {
                snprintf(pin, sizeof(pin), "%u", i);
                CHECK_TEXT(json_get_string(status_of(&f, pin), "mode"), "input");
        }
        fixture_done(&f);
}

TEST(the_status_of_a_free_pin_does_not_invent_a_level)
{
        struct gpio_line_info info;
        const cJSON *status;
        struct fixture f;

        fixture_init(&f);
        check_ok(&f, "{\"command\":\"gpio_status\",\"pin\":\"GPIO4\"}");
        CHECK_EQ(cJSON_GetArraySize(json_get(f.reply, "pins")), 1);
        status = status_of(&f, "4");
        CHECK_TEXT(json_get_string(status, "mode"), "input");
        CHECK(cJSON_IsNull(json_get(status, "state")));
        CHECK(cJSON_IsNull(json_get(status, "value")));
        CHECK(cJSON_IsNull(json_get(status, "device")));
        CHECK(cJSON_IsNull(json_get(status, "holder")));
        CHECK_EQ(gpio_chip_line_info(f.chip, 4, &info), 0);
        CHECK(!info.used);
        fixture_done(&f);
}

TEST(the_status_of_an_output_has_its_level_and_holder)
{
        const cJSON *status;
        struct fixture f;
        int64_t value;

        fixture_init(&f);
        for (unsigned on = 0; on <= 1; on++) {
                check_ok(&f, on ? "{\"command\":\"led_on\",\"pin\":17}"
                                : "{\"command\":\"led_off\",\"pin\":17}");
                check_ok(&f, "{\"command\":\"gpio_status\",\"pin\":17}");
                status = status_of(&f, "17");
                CHECK_TEXT(json_get_string(status, "mode"), "output");
                CHECK_TEXT(json_get_string(status, "state"), on ? "on" : "off");
                CHECK(json_get_integer(status, "value", &value));
                CHECK_EQ(value, on);
                CHECK_TEXT(json_get_string(status, "holder"), "pifleet:pin17");
        }
        fixture_done(&f);
}

TEST(the_status_of_a_pin_of_somebody_else_names_them)
{
        const cJSON *status;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_hog(f.chip, 8, "spi0 CS0"), 0);
        check_ok(&f, "{\"command\":\"gpio_status\",\"pin\":8}");
        status = status_of(&f, "8");
        CHECK_TEXT(json_get_string(status, "holder"), "spi0 CS0");
        CHECK(cJSON_IsNull(json_get(status, "state")));
        fixture_done(&f);
}

/* --- gpio_test --------------------------------------------------------------------------- */

TEST(gpio_test_blinks_three_times_on_pin_17_unless_told_otherwise)
{
        const cJSON *readings, *reading;
        struct gpio_line_info info;
        double interval = 0;
        struct fixture f;
        unsigned i = 0;

        fixture_init(&f);
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\"}"));
        advance_ms(&f, 2999);
        CHECK_EQ(f.replies, 0);
        advance_ms(&f, 1);
        CHECK_EQ(f.replies, 1);
        CHECK(cJSON_IsTrue(json_get(f.reply, "success")));
        CHECK_TEXT(text_of(&f, "type"), "gpio_test");
        CHECK_EQ(integer_of(&f, "pin"), 17);
        CHECK_EQ(integer_of(&f, "times"), 3);
        CHECK(json_get_double(f.reply, "interval", &interval));
        CHECK(interval == 0.5);
        CHECK(cJSON_IsTrue(json_get(f.reply, "passed")));
        CHECK(cJSON_IsTrue(json_get(f.reply, "simulated")));
        readings = json_get(f.reply, "readings");
        CHECK_EQ(cJSON_GetArraySize(readings), 6);
        cJSON_ArrayForEach(reading, readings)
        {
                int64_t expected = -1, read = -1;

                CHECK(json_get_integer(reading, "expected", &expected));
                CHECK(json_get_integer(reading, "read", &read));
                CHECK_EQ(expected, i++ % 2 == 0);
                CHECK_EQ(read, expected);
        }
        CHECK_TEXT(events_of(&f), "17+gpio_test 17-gpio_test 17+gpio_test 17-gpio_test "
                                  "17+gpio_test 17-gpio_test");
        CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
        CHECK(!info.used);
        fixture_done(&f);
}

TEST(gpio_test_takes_pin_times_and_interval)
{
        struct fixture f;

        fixture_init(&f);
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\",\"pin\":\"BOARD13\",\"times\":1,"
                            "\"interval\":0.01}"));
        CHECK(level_of(&f, 27));
        advance_ms(&f, 10);
        CHECK(!level_of(&f, 27));
        advance_ms(&f, 10);
        CHECK_EQ(f.replies, 1);
        CHECK_EQ(integer_of(&f, "pin"), 27);
        CHECK_EQ(cJSON_GetArraySize(json_get(f.reply, "readings")), 2);
        fixture_done(&f);
}

TEST(a_test_may_take_300_seconds_which_is_longer_than_the_usual_deadline)
{
        struct fixture f;

        fixture_init(&f);
        check_refused(&f, "{\"command\":\"gpio_test\",\"times\":16,\"interval\":10}", "BAD_VALUE");
        CHECK_TEXT(text_of(&f, "error"),
                   "16 times on and off at 10 s each take 320 s; a test may take 300 s");
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\",\"times\":15,\"interval\":10}"));
        advance_ms(&f, 299999);
        CHECK_EQ(f.replies, 1);
        advance_ms(&f, 1);
        CHECK_EQ(f.replies, 2);
        CHECK(cJSON_IsTrue(json_get(f.reply, "passed")));
        fixture_done(&f);
}

TEST(gpio_test_restores_a_pin_that_was_on)
{
        struct fixture f;

        fixture_init(&f);
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\",\"times\":1}"));
        advance_ms(&f, 1000);
        CHECK(cJSON_IsTrue(json_get(f.reply, "passed")));
        CHECK(level_of(&f, 17));
        fixture_done(&f);
}

TEST(a_pin_under_test_is_busy_and_the_others_are_not)
{
        struct fixture f;

        fixture_init(&f);
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\"}"));
        check_refused(&f, "{\"command\":\"gpio_test\",\"pin\":\"GPIO17\"}", "BUSY");
        CHECK_TEXT(text_of(&f, "error"),
                   "gpio_test is running on GPIO17; try again when it is done");
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":17}", "BUSY");
        check_refused(&f, "{\"command\":\"led_off\",\"pin\":17}", "BUSY");
        CHECK(level_of(&f, 17));
        check_ok(&f, "{\"command\":\"gpio_status\",\"pin\":17}");
        CHECK_TEXT(json_get_string(status_of(&f, "17"), "state"), "on");
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":27}");
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\",\"pin\":22}"));
        advance_ms(&f, 3000);
        CHECK_EQ(f.replies, 7);
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        fixture_done(&f);
}

TEST(every_pin_can_be_under_test_at_once)
{
        struct fixture f;

        fixture_init(&f);
        for (unsigned pin = 0; pin < 28; pin++) {
                char text[64];

                snprintf(text, sizeof(text), "{\"command\":\"gpio_test\",\"pin\":%u}", pin);
                CHECK(!dispatch(&f, text));
        }
        advance_ms(&f, 3000);
        CHECK_EQ(f.replies, 28);
        CHECK_EQ(command_registry_pending(f.registry), 0);
        fixture_done(&f);
}

TEST(a_test_whose_caller_is_gone_runs_to_its_end_and_lets_go)
{
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\"}"));
        command_request_abandon(f.pending);
        advance_ms(&f, 1200);
        CHECK(level_of(&f, 17));
        advance_ms(&f, 1800);
        CHECK_EQ(f.replies, 0);
        CHECK_EQ(command_registry_pending(f.registry), 0);
        CHECK_EQ(gpio_chip_line_info(f.chip, 17, &info), 0);
        CHECK(!info.used);
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        fixture_done(&f);
}

/* --- pwm_set, pwm_off -------------------------------------------------------------------- */

TEST(pwm_set_says_what_makes_the_signal_and_pwm_off_ends_it)
{
        struct gpio_line_info info;
        double value = 0, frequency = 0;
        struct fixture f;

        fixture_init(&f);
        check_ok(&f, "{\"command\":\"pwm_set\",\"pin\":\"BOARD32\",\"value\":1,\"frequency\":200}");
        CHECK_TEXT(text_of(&f, "type"), "pwm_set");
        CHECK_EQ(integer_of(&f, "pin"), 12);
        CHECK(json_get_double(f.reply, "value", &value) && value == 1);
        CHECK(json_get_double(f.reply, "frequency", &frequency) && frequency == 200);
        CHECK_TEXT(text_of(&f, "backend"), "software");
        CHECK_TEXT(text_of(&f, "warning"), "PWMSoftwareFallback");
        CHECK(level_of(&f, 12));
        check_ok(&f, "{\"command\":\"pwm_set\",\"pin\":12,\"value\":0}");
        CHECK(json_get_double(f.reply, "frequency", &frequency) && frequency == 200);
        CHECK(!level_of(&f, 12));
        check_ok(&f, "{\"command\":\"gpio_status\",\"pin\":12}");
        CHECK(cJSON_IsNull(json_get(status_of(&f, "12"), "state")));
        check_ok(&f, "{\"command\":\"pwm_off\",\"pin\":12}");
        CHECK_TEXT(text_of(&f, "state"), "off");
        CHECK_EQ(gpio_chip_line_info(f.chip, 12, &info), 0);
        CHECK(!info.used);
        check_ok(&f, "{\"command\":\"pwm_off\",\"pin\":12}");
        fixture_done(&f);
}

/* --- the stop ---------------------------------------------------------------------------- */

TEST(a_stop_answers_tests_and_makes_outputs_safe)
{
        struct gpio_line_info info;
        struct fixture f;

        fixture_init(&f);
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":27}");
        check_ok(&f, "{\"command\":\"led_off\",\"pin\":22}");
        CHECK(!dispatch(&f, "{\"command\":\"gpio_test\"}"));
        advance_ms(&f, 1200);
        events_of(&f);
        CHECK_EQ(gpio_worker_stop(f.worker), 0);
        settle(&f);
        CHECK_EQ(f.replies, 3);
        CHECK_TEXT(text_of(&f, "code"), "NOT_READY");
        CHECK_EQ(command_registry_pending(f.registry), 0);
        CHECK(!level_of(&f, 27));
        CHECK_EQ(gpio_chip_line_info(f.chip, 27, &info), 0);
        CHECK(info.used);
        CHECK_TEXT(events_of(&f), "27-stop");

        check_refused(&f, "{\"command\":\"led_on\",\"pin\":27}", "NOT_READY");
        check_refused(&f, "{\"command\":\"gpio_test\",\"pin\":27}", "NOT_READY");
        check_ok(&f, "{\"command\":\"gpio_status\"}");
        CHECK_EQ(gpio_worker_stop(f.worker), 0);
        CHECK_TEXT(events_of(&f), "");
        fixture_done(&f);
}

TEST(a_registry_that_has_the_name_already_refuses_the_room)
{
        const struct gpio_chip_info chip = {.name = "gpiochip0"};
        struct gpio_commands *second = NULL;
        struct error error;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_commands_new(f.registry, f.worker, &chip, "/proc", &second, &error), -EEXIST);
        CHECK_NULL(second);
        allocation_fail_at(1);
        CHECK_EQ(gpio_commands_new(f.registry, f.worker, &chip, "/proc", &second, &error), -ENOMEM);
        (void)allocation_end();
        check_ok(&f, "{\"command\":\"led_on\",\"pin\":17}");
        fixture_done(&f);
}

TEST(the_commands_are_gone_with_their_owner)
{
        struct fixture f;

        fixture_init(&f);
        f.worker = gpio_worker_free(f.worker);
        f.commands = gpio_commands_free(f.commands);
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":17}", "NO_METHOD");
        CHECK_NULL(gpio_commands_free(NULL));
        fixture_done(&f);
}
