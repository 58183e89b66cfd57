#include "data/json-writer.h"

#include "data/json.h"
#include "support/test.h"

#include <errno.h>
#include <float.h>
#include <math.h>

struct fixture {
        struct buffer buffer;
        struct json_writer writer;
        char text[4096];
};

static void fixture_open(struct fixture *f, size_t max)
{
        buffer_init(&f->buffer, max);
        json_writer_init(&f->writer, &f->buffer);
}

/* What was written, and everything anew. */
static const char *fixture_take(struct fixture *f)
{
        CHECK_EQ(json_writer_error(&f->writer), 0);
        CHECK(buffer_length(&f->buffer) < sizeof(f->text));
        memcpy(f->text, buffer_data(&f->buffer), buffer_length(&f->buffer));
        f->text[buffer_length(&f->buffer)] = '\0';
        buffer_done(&f->buffer);
        fixture_open(f, f->buffer.max);
        return f->text;
}

static struct fixture f;

TEST(commas_and_names_come_where_they_must)
{
        fixture_open(&f, 4000);
        json_write_object(&f.writer, NULL);
        json_write_string(&f.writer, "type", "pong");
        json_write_array(&f.writer, "list");
        json_write_integer(&f.writer, NULL, 1);
        json_write_object(&f.writer, NULL);
        json_write_end(&f.writer);
        json_write_array(&f.writer, NULL);
        json_write_end(&f.writer);
        json_write_null(&f.writer, NULL);
        json_write_end(&f.writer);
        json_write_bool(&f.writer, "yes", true);
        json_write_bool(&f.writer, "no", false);
        json_write_raw(&f.writer, "raw", "[0]", 3);
        json_write_end(&f.writer);
        CHECK_TEXT(fixture_take(&f), "{\"type\":\"pong\",\"list\":[1,{},[],null],\"yes\":true,"
                                     "\"no\":false,\"raw\":[0]}");
        buffer_done(&f.buffer);
}

TEST(text_leaves_on_one_line_and_as_utf_8)
{
        static const struct {
                const char *text;
                size_t length;
                const char *json;
        } cases[] = {
                {"", 0, "\"\""},
                {"plain text of some length", 25, "\"plain text of some length\""},
                {"a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\""},
                {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
                {"\0\x01\x1F\x7F", 4, "\"\\u0000\\u0001\\u001f\\u007f\""},
                {"\xC3\xA4\xF0\x9F\x98\x80", 6, "\"\xC3\xA4\xF0\x9F\x98\x80\""},
                {"0123456789\xC3", 11, "\"0123456789\xEF\xBF\xBD\""},
                {"a\xFF\nb\xC3\xA4\xED\xA0\x80.", 10,
                 "\"a\xEF\xBF\xBD\\nb\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD.\""},
        };

        fixture_open(&f, 4000);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                json_write_text(&f.writer, NULL, cases[i].text, cases[i].length);
                CHECK_TEXT(fixture_take(&f), cases[i].json);
        }
        json_write_object(&f.writer, NULL);
        json_write_null(&f.writer, "a\n\"\xFF");
        json_write_end(&f.writer);
        CHECK_TEXT(fixture_take(&f), "{\"a\\n\\\"\xEF\xBF\xBD\":null}");
        buffer_done(&f.buffer);
}

TEST(integers_have_all_their_digits)
{
        static const struct {
                int64_t value;
                const char *json;
        } cases[] = {{0, "0"},
                     {-1, "-1"},
                     {9, "9"},
                     {10, "10"},
                     {99, "99"},
                     {100, "100"},
                     {-12345, "-12345"},
                     {1000000007, "1000000007"},
                     {INT64_MAX, "9223372036854775807"},
                     {INT64_MIN, "-9223372036854775808"}};

        fixture_open(&f, 4000);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                json_write_integer(&f.writer, NULL, cases[i].value);
                CHECK_TEXT(fixture_take(&f), cases[i].json);
        }
        buffer_done(&f.buffer);
}

TEST(doubles_are_short)
{
        static const struct {
                double value;
                const char *json;
        } cases[] = {{0, "0"},
                     {-0.0, "-0"},
                     {1, "1"},
                     {0.1, "0.1"},
                     {-0.5, "-0.5"},
                     {12.25, "12.25"},
                     {0.000001, "0.000001"},
                     {0.050001, "0.050001"},
                     {1701234567.89, "1701234567.89"},
                     {0.1 + 0.2, "0.30000000000000004"},
                     {1e15, "1000000000000000"},
                     {9007199254740992.0, "9007199254740992"},
                     {9007199254740994.0, "9007199254740994.0"},
                     {1e21, "1e+21"},
                     {1e-7, "1e-07"},
                     {999999999.9999999, "999999999.9999999"},
                     {INFINITY, "null"},
                     {-INFINITY, "null"},
                     {NAN, "null"}};

        fixture_open(&f, 4000);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                json_write_double(&f.writer, NULL, cases[i].value);
                CHECK_TEXT(fixture_take(&f), cases[i].json);
        }
        buffer_done(&f.buffer);
}

TEST(doubles_read_back_the_same)
{
        uint64_t random = 88172645463325252u;

        fixture_open(&f, 4000);
        for (int i = 0; i < 30000; i++) {
                AUTO_JSON cJSON *tree = NULL;
                double value;
                const char *text;

                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                if (i % 3 == 0)
                        value = (double)(int64_t)(random >> 20) / 1e3;
                else if (i % 3 == 1)
                        value = (double)(int64_t)(random >> 16) / 1e6;
                else
                        memcpy(&value, &random, sizeof(value));
                if (!isfinite(value))
                        continue;
                json_write_double(&f.writer, NULL, value);
                text = fixture_take(&f);
                CHECK_EQ(json_parse(text, strlen(text), 1, &tree, NULL), 0);
                CHECK(tree->valuedouble == value);
        }
        buffer_done(&f.buffer);
}

TEST(a_tree_is_written_as_it_was_read)
{
        static const char text[] =
                "{\"a\":[1,-2.5,\"x\\ny\",true,false,null,{},[]],\"a\":{\"\":0}}";
        AUTO_JSON cJSON *tree = NULL;

        CHECK_EQ(json_parse(text, strlen(text), 8, &tree, NULL), 0);
        fixture_open(&f, 4000);
        json_write_tree(&f.writer, NULL, tree);
        CHECK_TEXT(fixture_take(&f), text);
        buffer_done(&f.buffer);
}

/* Whatever the limit: nothing is written beyond it, and the first failure sticks. */
TEST(the_buffers_limit_stops_the_writer_exactly_there)
{
        static const char whole[] = "{\"name\":\"a\\nb\xEF\xBF\xBD\",\"n\":[12,3.5]}";

        for (size_t max = 0; max <= strlen(whole); max++) {
                fixture_open(&f, max);
                json_write_object(&f.writer, NULL);
                json_write_text(&f.writer, "name", "a\nb\xFF", 4);
                json_write_array(&f.writer, "n");
                json_write_integer(&f.writer, NULL, 12);
                json_write_double(&f.writer, NULL, 3.5);
                json_write_end(&f.writer);
                json_write_end(&f.writer);
                CHECK(buffer_length(&f.buffer) <= max);
                CHECK_EQ(json_writer_error(&f.writer), max < strlen(whole) ? -EMSGSIZE : 0);
                if (max == strlen(whole))
                        CHECK_TEXT(fixture_take(&f), whole);
                buffer_done(&f.buffer);
        }
}

TEST(misuse_is_an_error_and_not_bad_json)
{
        fixture_open(&f, 4000);
        json_write_end(&f.writer);
        CHECK_EQ(json_writer_error(&f.writer), -EINVAL);

        fixture_open(&f, 4000);
        json_write_object(&f.writer, NULL);
        json_write_null(&f.writer, NULL);
        CHECK_EQ(json_writer_error(&f.writer), -EINVAL);
        buffer_done(&f.buffer);

        fixture_open(&f, 4000);
        json_write_array(&f.writer, NULL);
        json_write_null(&f.writer, "key");
        json_write_end(&f.writer);
        CHECK_EQ(json_writer_error(&f.writer), -EINVAL);
        CHECK_EQ(buffer_length(&f.buffer), 1);
        buffer_done(&f.buffer);
}

TEST(sixty_four_levels_and_no_more)
{
        fixture_open(&f, 4000);
        for (int i = 0; i < 64; i++)
                json_write_array(&f.writer, NULL);
        for (int i = 0; i < 64; i++)
                json_write_end(&f.writer);
        CHECK_EQ(strlen(fixture_take(&f)), 128);
        for (int i = 0; i < 65; i++)
                json_write_array(&f.writer, NULL);
        CHECK_EQ(json_writer_error(&f.writer), -ELOOP);
        buffer_done(&f.buffer);
}

TEST(special_bytes_are_escaped_at_every_place_of_every_length)
{
        static const char specials[] = {'"', '\\', '\x1F', '\x7F', '\0', '\xFF', '\x80', '\n'};
        static const char plain[] = {' ', '!', '#', '[', ']', '~', '0', 'z'};

        fixture_open(&f, 4000);
        for (size_t length = 1; length < 24; length++) {
                for (size_t at = 0; at < length; at++) {
                        for (size_t i = 0; i < sizeof(specials); i++) {
                                char text[24];

                                memset(text, 'a', length);
                                text[at] = plain[i];
                                json_write_text(&f.writer, NULL, text, length);
                                CHECK_EQ(strlen(fixture_take(&f)), length + 2);
                                text[at] = specials[i];
                                json_write_text(&f.writer, NULL, text, length);
                                CHECK(strlen(fixture_take(&f)) > length + 2);
                        }
                }
        }
        buffer_done(&f.buffer);
}
