#include "data/yaml-edit.h"

#include "data/json.h"
#include "support/test.h"

#include <errno.h>

TEST(the_outline_holds_what_is_said_and_not_how)
{
        static const struct {
                const char *yaml, *outline;
        } cases[] = {
                {"", "{}"},
                {"# nothing\n", "{}"},
                {"---\n", "{}"},
                {"a: 1 # one\n", "{\"a\":\"=1\"}"},
                {"{\"a\": 1}", "{\"a\":\"=1\"}"},
                {"a: '1'\n", "{\"a\":\"\\\"1\"}"},
                {"a: [x, {b: }]\n", "{\"a\":[\"=x\",{\"b\":\"=\"}]}"},
                {"a:\n- x\n- b: ~\n", "{\"a\":[\"=x\",{\"b\":\"=~\"}]}"},
                {"a: |\n  one\n  two\n", "{\"a\":\"\\\"one\\ntwo\\n\"}"},
                {"\xef\xbb\xbf"
                 "a: \xc3\xbc\n",
                 "{\"a\":\"=\xc3\xbc\"}"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO_JSON cJSON *outline = NULL;
                AUTO_FREE char *printed = NULL;

                CHECK_EQ(yaml_edit_outline(cases[i].yaml, strlen(cases[i].yaml), &outline, NULL),
                         0);
                printed = cJSON_PrintUnformatted(outline);
                CHECK_TEXT(printed, cases[i].outline);
        }
}

TEST(what_has_no_outline_is_refused_with_its_place)
{
        static const struct {
                const char *yaml, *sentence;
        } cases[] = {
                {"a: 1\nb: [\n", "line 3, column 1: not YAML: did not find expected node content"},
                {"a: 1\na: 2\n", "line 2, column 1: this key stands here twice"},
                {"a: &x 1\nb: *x\n", "line 1, column 4: aliases are not supported"},
                {"[a]: 1\n", "line 1, column 1: a key must be a word"},
                {"a: \"\\0\"\n", "line 1, column 4: a NUL is not text"},
                {"a: 1\n---\nb: 1\n", "line 2: a second document begins"},
                {"a: \xff\n", "not text in UTF-8"},
                {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "line 1, column 17: nested too deep"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO_JSON cJSON *outline = NULL;
                struct error error = {0};

                CHECK_EQ(yaml_edit_outline(cases[i].yaml, strlen(cases[i].yaml), &outline, &error),
                         -EINVAL);
                CHECK_TEXT(error.text, cases[i].sentence);
                CHECK_NULL(outline);
        }
}

/* `^` marks the place that must be found in the text without it. */
TEST(places_are_found_by_the_byte)
{
        static const struct {
                const char *marked;
                enum yaml_missing missing;
                enum yaml_form form;
                size_t column;
        } cases[] = {
                {"^", YAML_MISSING_SECTION, YAML_FORM_LINES, 0},
                {"x: 1\n^", YAML_MISSING_SECTION, YAML_FORM_LINES, 0},
                {"s: # \xc3\xbc^\nx: 1\n", YAML_MISSING_LIST, YAML_FORM_LINES, 2},
                {"s:\n   a: 1 # \xc3\xbc^\n\nx: 1\n", YAML_MISSING_LIST, YAML_FORM_LINES, 3},
                {"s: {a: \xc3\xbc^}\n", YAML_MISSING_LIST, YAML_FORM_FLOW, 0},
                {"s: {^}\n", YAML_MISSING_LIST, YAML_FORM_FLOW, 0},
                {"s: ^~\n", YAML_MISSING_LIST, YAML_FORM_VALUE, 0},
                {"s:\n  l:^\n", YAML_MISSING_ITEM, YAML_FORM_LINES, 4},
                {"s:\n  l:\n  - a\n  - b^\n", YAML_MISSING_ITEM, YAML_FORM_LINES, 2},
                {"s:\n  l: [a, b^]\n", YAML_MISSING_ITEM, YAML_FORM_FLOW, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *mark = strchr(cases[i].marked, '^');
                size_t at = (size_t)(mark - cases[i].marked);
                struct yaml_place place;
                char text[128];

                strcpy(text, cases[i].marked);
                strcpy(text + at, mark + 1);
                CHECK_EQ(yaml_edit_locate(text, strlen(text), "s", "l", &place, NULL), 0);
                CHECK_EQ(place.at, at);
                CHECK_EQ(place.missing, cases[i].missing);
                CHECK_EQ(place.form, cases[i].form);
                if (place.form == YAML_FORM_LINES)
                        CHECK_EQ(place.column, cases[i].column);
        }
}

TEST(a_text_that_is_too_large_is_refused)
{
        size_t length = (1 << 20) + 1;
        AUTO_FREE char *text = malloc(length);
        AUTO_JSON cJSON *outline = NULL;

        memset(text, '\n', length);
        CHECK_EQ(yaml_edit_outline(text, length, &outline, NULL), -EINVAL);
        CHECK_EQ(yaml_edit_outline(text, length - 1, &outline, NULL), 0);
}
