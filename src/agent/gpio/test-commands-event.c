/* What the worker tells of pins, and who waits for a pin. */
#include "agent/gpio/commands-fixture.h"
#include "agent/gpio/commands-internal.h"
#include "agent/gpio/gpio-event.h"

#include <stdio.h>

static void tell(struct fixture *f, unsigned warnings, uint64_t edges_lost)
{
        const struct gpio_pin_change change = {
                .pin = 17, .warnings = warnings, .edges_lost = edges_lost};

        gpio_commands_publish(f->commands, &change);
        settle(f);
}

TEST(a_warning_is_published_when_it_begins_and_when_it_ends)
{
        struct fixture f;

        fixture_init(&f);
        tell(&f, GPIO_WARNING_FOREIGN_WRITE, 0);
        tell(&f, GPIO_WARNING_FOREIGN_WRITE, 0);
        CHECK_TEXT(f.warnings, "17+ForeignWrite/0");
        tell(&f, GPIO_WARNING_EDGE_STORM, 0);
        CHECK_TEXT(f.warnings, "17+ForeignWrite/0 17-ForeignWrite/0 17+EdgeStorm/0");
        CHECK_TEXT(events_of(&f), "");
        fixture_done(&f);
}

TEST(each_loss_of_edges_is_published_and_a_new_count_is_not)
{
        struct fixture f;

        fixture_init(&f);
        tell(&f, 0, 5);
        tell(&f, 0, 5);
        tell(&f, 0, 7);
        tell(&f, 0, 0);
        tell(&f, 0, 1);
        CHECK_TEXT(f.warnings, "17+EdgesLost/5 17+EdgesLost/7 17+EdgesLost/1");
        fixture_done(&f);
}

static const struct {
        struct gpio_line_warning warning;
        const char *json;
} written[] = {
        {{.pin = 4, .warning = "ForeignWrite", .active = true},
         "{\"pin\":4,\"warning\":\"ForeignWrite\",\"active\":true,\"simulated\":false}"},
        {{.pin = 4, .warning = "EdgesLost", .active = true, .edges_lost = 3, .simulated = true},
         "{\"pin\":4,\"warning\":\"EdgesLost\",\"active\":true,\"edges_lost\":3,"
         "\"simulated\":true}"},
};

TEST(a_warning_is_written_with_what_is_known)
{
        for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
                struct json_writer writer;
                struct buffer buffer;

                buffer_init(&buffer, 1024);
                json_writer_init(&writer, &buffer);
                json_write_object(&writer, NULL);
                gpio_warning_event.write(&written[i].warning, &writer);
                json_write_end(&writer);
                CHECK_EQ(json_writer_error(&writer), 0);
                CHECK_EQ(buffer_append(&buffer, "", 1), 0);
                CHECK_TEXT(buffer_data(&buffer), written[i].json);
                buffer_done(&buffer);
        }
}

TEST(a_command_that_may_wait_has_the_pin_when_its_holder_lets_go)
{
        static const char *const requests[] = {
                "{\"command\":\"led_on\",\"pin\":8,\"wait\":20}",
                "{\"command\":\"pwm_set\",\"pin\":8,\"value\":1,\"wait\":20}",
                "{\"command\":\"gpio_test\",\"pin\":8,\"times\":1,\"interval\":0.1,\"wait\":20}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
                struct fixture f;

                fixture_init(&f);
                CHECK_EQ(gpio_sim_hog(f.chip, 8, "spi0 CS0"), 0);
                CHECK(!dispatch(&f, requests[i]));
                /* Longer than commands may take by themselves. */
                advance_ms(&f, 15000);
                CHECK_EQ(f.replies, 0);
                CHECK_EQ(gpio_sim_hog(f.chip, 8, NULL), 0);
                advance_ms(&f, 1000);
                CHECK_EQ(f.replies, 1);
                CHECK(cJSON_IsTrue(json_get(f.reply, "success")));
                fixture_done(&f);
        }
}

TEST(a_command_that_waited_in_vain_is_told_who_has_the_pin)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_hog(f.chip, 8, "spi0 CS0"), 0);
        CHECK(!dispatch(&f, "{\"command\":\"led_on\",\"pin\":8,\"wait\":0.5}"));
        advance_ms(&f, 1000);
        CHECK_EQ(f.replies, 1);
        CHECK_TEXT(text_of(&f, "code"), "PIN_IN_USE");
        CHECK_TEXT(text_of(&f, "consumer"), "spi0 CS0");
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":8,\"wait\":61}", "BAD_PARAMS");
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":8,\"wait\":-1}", "BAD_PARAMS");
        fixture_done(&f);
}
