#include "cli/render.h"

#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct golden {
        const char *json, *text;
};

static const struct render_style plain = {.colour = false, .width = 60};

static void check(const struct golden *golden, bool envelope, const struct render_style *style)
{
        AUTO_JSON cJSON *object = NULL;
        struct buffer out;

        CHECK_EQ(json_parse(golden->json, strlen(golden->json), 32, &object, NULL), 0);
        buffer_init(&out, 1 << 20);
        CHECK_EQ(render_object(&out, object, envelope, style), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), golden->text);
        buffer_done(&out);
}

TEST(replies_are_readable)
{
        static const struct golden cases[] = {
                {"{\"success\":true,\"type\":\"pong\",\"timestamp\":1.5,\"uptime\":273840}",
                 "uptime  3d 4h\n"},
                {"{\"success\":true,\"type\":\"x\",\"timestamp\":1.5}", "ok\n"},
                {"{\"pin\":17,\"state\":\"on\",\"simulated\":true,\"holder\":null}",
                 "pin        17\n"
                 "state      on\n"
                 "simulated  yes\n"
                 "holder     -\n"},
                {"{\"load_average\":[0.5,1,0.25],\"list\":[],\"object\":{}}",
                 "load_average  0.5, 1, 0.25\n"
                 "list          none\n"
                 "object        none\n"},
                {"{\"model\":\"Pi\",\"memory\":{\"total\":3981238272,\"used\":1024},\"os\":\"x\"}",
                 "model  Pi\n"
                 "memory\n"
                 "  total  3.7 GiB\n"
                 "  used   1 KiB\n"
                 "os     x\n"},
                {"{\"code\":\"def f():\\n\\treturn 1\\n\",\"name\":\"one line\\n\"}",
                 "code\n"
                 "  def f():\n"
                 "  \treturn 1\n"
                 "name  one line\n"},
                {"{\"lists\":[[1,2],[],[{\"a\":1}]]}", "lists\n"
                                                       "  - 1, 2\n"
                                                       "  - none\n"
                                                       "  -\x20\n"
                                                       "    - a  1\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(&cases[i], true, &plain);
}

TEST(lists_of_alike_things_are_tables)
{
        static const struct golden cases[] = {
                {"{\"devices\":[{\"name\":\"a.service\",\"memory\":1048576,\"active\":true},"
                 "{\"name\":\"b\",\"active\":false,\"restarts\":2}]}",
                 "devices\n"
                 "  name       memory  active  restarts\n"
                 "  a.service  1 MiB   yes\n"
                 "  b                  no      2\n"},
                {"{\"pins\":{\"4\":{\"mode\":\"input\"},\"17\":{\"mode\":\"output\",\"n\":1}}}",
                 "pins\n"
                 "      mode    n\n"
                 "  4   input\n"
                 "  17  output  1\n"},
                {"{\"latency_ms\":{\"p50\":0.25,\"p99\":3}}", "latency_ms\n"
                                                              "  p50  0.25 ms\n"
                                                              "  p99  3 ms\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(&cases[i], false, &plain);
}

TEST(what_is_too_wide_or_too_deep_for_a_table_is_a_list)
{
        static const struct golden cases[] = {
                {"{\"commands\":[{\"name\":\"echo\",\"description\":"
                 "\"Answers with the request as it came, whatever that may "
                 "be.\"},{\"name\":\"ping\"}]}",
                 "commands\n"
                 "  - name         echo\n"
                 "    description  Answers with the request as it came,\n"
                 "                 whatever that may be.\n"
                 "  - name  ping\n"},
                {"{\"commands\":[{\"name\":\"a\",\"schema\":{\"type\":\"object\"}}]}",
                 "commands\n"
                 "  - name  a\n"
                 "    schema\n"
                 "      type  object\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(&cases[i], false, &plain);
}

TEST(strangers_text_is_made_harmless_everywhere)
{
        static const struct golden cases[] = {
                {"{\"a\\u001b[2J\":\"\\u001b]0;x\\u0007\"}", "a\\x1b[2J  \\x1b]0;x\\x07\n"},
                {"{\"l\":[\"\\u202e\"],\"t\":\"a\\u001b\\nb\"}",
                 "l  \\u{202e}\nt\n  a\\x1b\n  b\n"},
                {"{\"o\":{\"\\u009b\":{\"\\u007f\":\"\\r\"}}}", "o\n        \\x7f\n  \\x9b  \\r\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(&cases[i], false, &plain);
}

TEST(names_are_painted_where_there_is_colour)
{
        static const struct golden painted = {"{\"a\":1}", "\033[1ma\033[0m  1\n"};

        check(&painted, false, &(struct render_style){.colour = true, .width = 60});
}

TEST(numbers_have_their_units)
{
        static const struct golden cases[] = {
                {"{\"uptime\":0.5}", "uptime  0.5 s\n"},
                {"{\"uptime\":59.97}", "uptime  60 s\n"},
                {"{\"uptime\":61}", "uptime  1m 1s\n"},
                {"{\"uptime\":86399}", "uptime  23h 59m\n"},
                {"{\"uptime\":-1}", "uptime  -1\n"},
                {"{\"uptime\":1e300}", "uptime  1e+300\n"},
                {"{\"uptime\":\"N/A\"}", "uptime  N/A\n"},
                {"{\"memory_used\":0}", "memory_used  0 B\n"},
                {"{\"memory_used\":1023}", "memory_used  1023 B\n"},
                {"{\"memory_used\":1536}", "memory_used  1.5 KiB\n"},
                {"{\"bytes_recv\":1e18}", "bytes_recv  888 PiB\n"},
                {"{\"cpu_percent\":12.345}", "cpu_percent  12.3 %\n"},
                {"{\"cpu_temperature\":48}", "cpu_temperature  48.0 \xc2\xb0"
                                             "C\n"},
                {"{\"cpu_frequency\":1500000000}", "cpu_frequency  1.5 GHz\n"},
                {"{\"since\":1700000000}", "since  2023-11-14 22:13:20 +0000\n"},
                {"{\"since\":12}", "since  12\n"},
                {"{\"total\":2048}", "total  2048\n"},
        };

        setenv("TZ", "UTC", 1);
        tzset();
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(&cases[i], false, &plain);
}

TEST(json_is_one_harmless_line)
{
        AUTO_JSON cJSON *object = NULL;
        static const char text[] = "{\"a\": [1, \"\\u009b\"], \"b\": 0.1}";
        struct buffer out;

        CHECK_EQ(json_parse(text, strlen(text), 32, &object, NULL), 0);
        buffer_init(&out, 1 << 20);
        CHECK_EQ(render_json(&out, object), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), "{\"a\":[1,\"\\u009b\"],\"b\":0.1}\n");
        buffer_done(&out);
}

TEST(long_texts_are_broken_at_blanks_below_their_beginning)
{
        static const struct golden cases[] = {
                {"{\"text\":\"one two three four five six seven\"}",
                 "text  one two three four five\n"
                 "      six seven\n"},
                {"{\"text\":\"exactly as wide as it goes\"}", "text  exactly as wide as it\n"
                                                              "      goes\n"},
                {"{\"text\":\"a-word-that-is-longer-than-the-line\"}",
                 "text  a-word-that-is-longer-than-the-line\n"},
                {"{\"a-name-so-long-that-little-is-left\":\"one two three four five\"}",
                 "a-name-so-long-that-little-is-left  one two three four five\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(&cases[i], false, &(struct render_style){.width = 31});
}

TEST(output_that_does_not_fit_is_reported)
{
        AUTO_JSON cJSON *object = cJSON_Parse("{\"name\":\"value\"}");
        struct buffer out;

        buffer_init(&out, 8);
        CHECK_EQ(render_object(&out, object, false, &plain), -EMSGSIZE);
        CHECK_EQ(render_json(&out, object), -EMSGSIZE);
        buffer_done(&out);
}

TEST(memory_that_runs_out_is_reported)
{
        static const char text[] = "{\"a\":[{\"b\":1}],\"c\":{\"d\":\"e\"},\"f\":\"g\\nh\\ni\"}";
        AUTO_JSON cJSON *object = cJSON_Parse(text);
        bool failed;
        size_t n = 0;

        do {
                struct buffer readable, json;
                int r;

                buffer_init(&readable, 1 << 20);
                buffer_init(&json, 1 << 20);
                allocation_fail_at(++n);
                r = render_object(&readable, object, false, &plain);
                if (r == 0)
                        r = render_json(&json, object);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                buffer_done(&readable);
                buffer_done(&json);
        } while (failed);
        CHECK(n > 3);
}
