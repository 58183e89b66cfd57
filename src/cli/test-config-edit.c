#include "cli/config-edit.h"

#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The file before and after one token was added. */
struct edit_case {
        const char *name, *before, *after;
};

static const struct config_edit_member members[] = {
        {"name", "ann"},
        {"hash", "blake2b:0f"},
        {"role", "admin"},
};

static const struct config_edit_item item = {"access", "tokens", members, ARRAY_SIZE(members)};

#define SECTION "access:\n" LIST
#define LIST "  tokens:\n" ITEM
#define ITEM "    - name: ann\n      hash: \"blake2b:0f\"\n      role: admin\n"
#define FLOW "{name: ann, hash: \"blake2b:0f\", role: admin}"
#define JSON "{\"name\": \"ann\", \"hash\": \"blake2b:0f\", \"role\": \"admin\"}"

static const struct edit_case good[] = {
        {"an empty file", "", SECTION},
        {"comments only", "# nothing here\n", "# nothing here\n\n" SECTION},
        {"a document start and no more", "---\n", "---\n\n" SECTION},
        {"no section", "command:\n  port: 3000 # as ever\n# the end\n",
         "command:\n  port: 3000 # as ever\n# the end\n\n" SECTION},
        {"no section, no last line break", "command: {port: 3000}",
         "command: {port: 3000}\n\n" SECTION},
        {"no section, all indented", "  command:\n    port: 1\n",
         "  command:\n    port: 1\n\n"
         "  access:\n    tokens:\n      - name: ann\n        hash: \"blake2b:0f\"\n"
         "        role: admin\n"},
        {"no section, behind a block scalar", "a: |\n  one\n  two\n",
         "a: |\n  one\n  two\n\n" SECTION},
        {"a section without anything", "access:   # who may\n  # mode: open\nb: 1\n",
         "access:   # who may\n" LIST "  # mode: open\nb: 1\n"},
        {"a section without anything at the end", "b: 1\naccess:", "b: 1\naccess:\n" LIST},
        {"a section that is null", "access: ~ # none\nb: 1\n",
         "access: {tokens: [" FLOW "]} # none\nb: 1\n"},
        {"a section without the list", "access:\n  # how\n  mode: token # yes\n\n# b\nb: 1\n",
         "access:\n  # how\n  mode: token # yes\n" LIST "\n# b\nb: 1\n"},
        {"a section that ends in a block scalar", "access:\n  note: |\n    a # b\n\nb: 1\n",
         "access:\n  note: |\n    a # b\n" LIST "\nb: 1\n"},
        {"a section that ends in something nested",
         "access:\n    a:\n       b:\n         - c # d\nb: 1\n",
         "access:\n    a:\n       b:\n         - c # d\n"
         "    tokens:\n      - name: ann\n        hash: \"blake2b:0f\"\n        role: admin\n"
         "b: 1\n"},
        {"a list without anything", "access:\n  tokens: # here\n  mode: token\n",
         "access:\n  tokens: # here\n" ITEM "  mode: token\n"},
        {"a list that is null", "access:\n  tokens: null\n", "access:\n  tokens: [" FLOW "]\n"},
        {"an empty list", "access:\n  tokens: [] # none\n",
         "access:\n  tokens: [" FLOW "] # none\n"},
        {"a list in lines",
         "access:\n  tokens:\n    - name: a\n      hash: x\n      role: viewer # only\n"
         "      # the last\nb: 1\n",
         "access:\n  tokens:\n    - name: a\n      hash: x\n      role: viewer # only\n" ITEM
         "      # the last\nb: 1\n"},
        {"a list that is not indented",
         "access:\n  tokens:\n  - {name: a, hash: x}\n  mode: token\n",
         "access:\n  tokens:\n  - {name: a, hash: x}\n  - " FLOW "\n  mode: token\n"},
        {"a list with wide indentation", "access:\n        tokens:\n             -   name: a\n",
         "access:\n        tokens:\n             -   name: a\n"
         "             - name: ann\n               hash: \"blake2b:0f\"\n"
         "               role: admin\n"},
        {"a list whose items start below their dash", "access:\n  tokens:\n    -\n      name: a\n",
         "access:\n  tokens:\n    -\n      name: a\n" ITEM},
        {"a list without a last line break", "access:\n  tokens:\n    - name: a",
         "access:\n  tokens:\n    - name: a\n" ITEM},
        {"a list in brackets", "access:\n  tokens: [{name: a}] # one\n",
         "access:\n  tokens: [{name: a}, " FLOW "] # one\n"},
        {"a list in brackets with a last comma", "access:\n  tokens: [{name: a}, ]\n",
         "access:\n  tokens: [{name: a}, " FLOW ", ]\n"},
        {"a list in brackets, in lines",
         "access:\n  tokens: [\n    {name: a}, # one\n    {name: b} # two, not ]\n  ]\n",
         "access:\n  tokens: [\n    {name: a}, # one\n    {name: b}, # two, not ]\n    " FLOW
         "\n  ]\n"},
        {"a list in brackets, in lines, with a last comma",
         "access:\n  tokens: [\n    {name: a}, # one\n  ]\n",
         "access:\n  tokens: [\n    {name: a}, # one\n    " FLOW ",\n  ]\n"},
        {"a section in braces", "access: {mode: token} # x\n",
         "access: {mode: token, tokens: [" FLOW "]} # x\n"},
        {"an empty section in braces", "access: {}\n", "access: {tokens: [" FLOW "]}\n"},
        {"a section in braces whose list is null", "access: {tokens: , mode: token}\n",
         "access: {tokens: [" FLOW "], mode: token}\n"},
        {"everything in braces", "{command: {port: 1}}",
         "{command: {port: 1}, access: {tokens: [" FLOW "]}}"},
        {"JSON", "{\"access\": {\"tokens\": [{\"name\": \"a\"}]}}\n",
         "{\"access\": {\"tokens\": [{\"name\": \"a\"}, " JSON "]}}\n"},
        {"JSON without the list", "{\"access\": {\"mode\": \"token\"}}\n",
         "{\"access\": {\"mode\": \"token\", \"tokens\": [" JSON "]}}\n"},
        {"JSON whose section is null", "{\"access\": null}",
         "{\"access\": {\"tokens\": [" JSON "]}}"},
        {"JSON in lines",
         "{\n    \"command\": {\n        \"port\": 3000\n    },\n    \"lease\": {}\n}\n",
         "{\n    \"command\": {\n        \"port\": 3000\n    },\n    \"lease\": {},\n"
         "    \"access\": {\"tokens\": [" JSON "]}\n}\n"},
        {"empty JSON", "{}", "{\"access\": {\"tokens\": [" JSON "]}}"},
        {"line ends of another system", "access:\r\n  mode: token\r\nb: 1\r\n",
         "access:\r\n  mode: token\r\n  tokens:\r\n    - name: ann\r\n"
         "      hash: \"blake2b:0f\"\r\n      role: admin\r\nb: 1\r\n"},
        {"characters of several bytes before the place",
         "# \xc3\xbc\xe2\x82\xac\xf0\x9f\x8d\x93\naccess: {mode: token}\n",
         "# \xc3\xbc\xe2\x82\xac\xf0\x9f\x8d\x93\naccess: {mode: token, tokens: [" FLOW "]}\n"},
        {"a byte order mark",
         "\xef\xbb\xbf"
         "access: {mode: token}\n",
         "\xef\xbb\xbf"
         "access: {mode: token, tokens: [" FLOW "]}\n"},
        {"quoted keys in lines", "\"access\":\n  \"mode\": token\n",
         "\"access\":\n  \"mode\": token\n" LIST},
};

TEST(an_item_is_added_and_the_rest_stays_as_it_was)
{
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                struct buffer out;
                struct error error = {0};
                int r;

                buffer_init(&out, 4096);
                r = config_edit_add(good[i].before, strlen(good[i].before), &item, &out, &error);
                if (r < 0)
                        FAIL("%s: %s", good[i].name, error.text);
                CHECK_EQ(buffer_append(&out, "", 1), 0);
                if (strcmp(buffer_data(&out), good[i].after) != 0)
                        print_message("# %s\n", good[i].name);
                CHECK_TEXT(buffer_data(&out), good[i].after);
                buffer_done(&out);
        }
}

TEST(a_second_item_can_follow_the_first)
{
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                struct buffer out;
                struct error error = {0};

                buffer_init(&out, 4096);
                if (config_edit_add(good[i].after, strlen(good[i].after), &item, &out, &error) < 0)
                        FAIL("%s: %s", good[i].name, error.text);
                buffer_done(&out);
        }
}

TEST(what_cannot_be_changed_safely_is_left_alone)
{
        static const struct {
                const char *before;
                int error;
        } cases[] = {
                {"access: [\n", -EINVAL},
                {"access: token\n", -EINVAL},
                {"- access\n", -EINVAL},
                {"just words\n", -EINVAL},
                {"access:\n  tokens: none\n", -EINVAL},
                {"access:\n  tokens: {name: a}\n", -EINVAL},
                {"access: &a {mode: token}\nb: *a\n", -EINVAL},
                {"access: {mode: token}\naccess: {mode: open}\n", -EINVAL},
                {"? [a]\n: b\n", -EINVAL},
                {"access: &a\nb: 1\n", -EINVAL},
                {"access: !!null ~\nb: 1\n", -EINVAL},
                {"access: {tokens: &a }\n", -EINVAL},
                {"a: 1\n---\nb: 1\n", -EINVAL},
                {"a: 1\n...\n", -ENOTSUP},
                {"a: |+\n  text\n", -ENOTSUP},
                {"access:\n  a: |+\n    text\n\nb: 1\n", -ENOTSUP},
                {"a: \xff\n", -EINVAL},
                {"a: \"\\0\"\n", -EINVAL},
                {"[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]", -EINVAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct buffer out;
                struct error error = {0};
                int r;

                buffer_init(&out, 4096);
                r = config_edit_add(cases[i].before, strlen(cases[i].before), &item, &out, &error);
                if (r != cases[i].error)
                        FAIL("%s: %d %s", cases[i].before, r, error.text);
                CHECK(error.text[0] != '\0');
                CHECK_EQ(buffer_length(&out), 0);
                buffer_done(&out);
        }
}

TEST(words_that_yaml_would_misread_are_quoted)
{
        static const char *const names[] = {"true", "no", "on",  "null", "1e3", "0x10", "3",
                                            "a b",  "-",  "Ann", "~",    "a:",  ""};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct config_edit_member one = {"name", names[i]};
                struct config_edit_item odd = {"access", "tokens", &one, 1};
                char expected[128];
                struct buffer out;

                snprintf(expected, sizeof(expected), "access:\n  tokens:\n    - name: \"%s\"\n",
                         names[i]);
                buffer_init(&out, 4096);
                CHECK_EQ(config_edit_add("", 0, &odd, &out, NULL), 0);
                CHECK_EQ(buffer_append(&out, "", 1), 0);
                CHECK_TEXT(buffer_data(&out), expected);
                buffer_done(&out);
        }
}

TEST(a_value_that_would_need_escapes_is_refused)
{
        static const char *const values[] = {"a\"b", "a\\b", "a\nb", "\x7f", "\xc3\xbc"};

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                struct config_edit_member one = {"name", values[i]};
                struct config_edit_item odd = {"access", "tokens", &one, 1};
                struct buffer out;

                buffer_init(&out, 4096);
                CHECK_EQ(config_edit_add("", 0, &odd, &out, NULL), -EINVAL);
                buffer_done(&out);
        }
}

TEST(a_result_that_does_not_fit_is_refused)
{
        struct buffer out;

        buffer_init(&out, 20);
        CHECK_EQ(config_edit_add("a: 1\n", 5, &item, &out, NULL), -EMSGSIZE);
        CHECK_EQ(buffer_length(&out), 0);
        buffer_done(&out);
}

TEST(the_snippet_is_a_whole_section)
{
        struct buffer out;

        buffer_init(&out, 4096);
        CHECK_EQ(config_edit_snippet(&item, &out), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), SECTION);
        buffer_done(&out);
}

TEST(memory_that_runs_out_leaves_nothing_behind)
{
        static const char before[] = "access:\n  tokens: [{name: a}]\n";
        bool failed;
        size_t n = 0;

        cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
        do {
                struct buffer out;
                int r;

                buffer_init(&out, 4096);
                allocation_fail_at(++n);
                r = config_edit_add(before, strlen(before), &item, &out, NULL);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(buffer_length(&out) > 0, !failed);
                buffer_done(&out);
        } while (failed);
        CHECK(n > 10);
        cJSON_InitHooks(NULL);
}
