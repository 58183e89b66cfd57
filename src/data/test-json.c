#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

#define DEEP_8 "[[[[[[[["
#define DEEP_8_END "]]]]]]]]"

/* After JSONTestSuite's naming: y must pass, n must not. */
static const struct {
        const char *name;
        const char *text;
        size_t length; /* 0: up to the NUL */
        int code;
        size_t byte; /* where the error is, from 1 */
} cases[] = {
        {"y an object", "{\"a\":1,\"b\":[true,false,null],\"c\":{}}"},
        {"y blanks everywhere", " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : \"x\" } \n"},
        {"y a lone scalar", "17"},
        {"y an empty string", "\"\""},
        {"y numbers", "[0,-0,1,-1,0.5,-0.5e3,1E+2,1e-2,123456789]"},
        {"y all escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uABCD\""},
        {"y a surrogate pair", "\"\\ud83d\\uDE00\""},
        {"y utf-8", "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 and plain text behind it\""},
        {"y del is text", "\"\x7F\""},
        {"y noncharacters are characters", "\"\\uFFFF\xEF\xBF\xBF\""},
        {"y an empty name", "{\"\":0}"},
        {"y a name twice", "{\"a\":1,\"a\":2}"},
        {"y 2^53", "[9007199254740992,-9007199254740992]"},
        {"y a large double", "1.7976931348623157e308"},
        {"y underflow is nothing", "1e-400"},
        {"y the exponent has zeros", "1e0000000000000000000000000001"},
        {"y a fraction of many digits", "0.12345678901234567890123456789012345678901234567890"},
        {"y eight deep", DEEP_8 DEEP_8_END},

        {"n nothing", " ", 1, -EBADMSG, 2},
        {"n nine deep", DEEP_8 "{\"a\":1}" DEEP_8_END, 0, -ELOOP, 9},
        {"n two values", "1 2", 0, -EBADMSG, 3},
        {"n a comma at the end", "[1,]", 0, -EBADMSG, 4},
        {"n a comma at the end of an object", "{\"a\":1,}", 0, -EBADMSG, 8},
        {"n a comma too many", "[1,,2]", 0, -EBADMSG, 4},
        {"n a comma first", "[,1]", 0, -EBADMSG, 2},
        {"n no comma", "[1 2]", 0, -EBADMSG, 4},
        {"n no colon", "{\"a\" 1}", 0, -EBADMSG, 6},
        {"n no name", "{1:2}", 0, -EBADMSG, 2},
        {"n no value", "{\"a\":}", 0, -EBADMSG, 6},
        {"n single quotes", "{'a':1}", 0, -EBADMSG, 2},
        {"n no quotes", "{a:1}", 0, -EBADMSG, 2},
        {"n not closed", "{\"a\":1", 0, -EBADMSG, 7},
        {"n closed by the other", "[1}", 0, -EBADMSG, 3},
        {"n closed too often", "[]]", 0, -EBADMSG, 3},
        {"n closed only", "}", 0, -EBADMSG, 1},
        {"n a string without end", "\"abc", 0, -EBADMSG, 5},
        {"n a string that ends in a backslash", "\"abc\\", 0, -EBADMSG, 6},
        {"n an unknown escape", "\"\\x41\"", 0, -EBADMSG, 3},
        {"n an escape cut short", "\"\\u12\"", 0, -EBADMSG, 2},
        {"n a raw tab", "\"a\tb\"", 0, -EBADMSG, 3},
        {"n a raw newline", "\"0123456789\n\"", 0, -EBADMSG, 12},
        {"n a comment", "[1/*x*/]", 0, -EBADMSG, 3},
        {"n True", "True", 0, -EBADMSG, 1},
        {"n cut literal", "tru", 0, -EBADMSG, 1},
        {"n NaN", "[NaN]", 0, -EBADMSG, 2},
        {"n Infinity", "[-Infinity]", 0, -EBADMSG, 3},
        {"n a plus", "+1", 0, -EBADMSG, 1},
        {"n a point first", ".5", 0, -EBADMSG, 1},
        {"n a point last", "[5.]", 0, -EBADMSG, 4},
        {"n a leading zero", "[012]", 0, -EBADMSG, 2},
        {"n a leading zero behind a minus", "-01", 0, -EBADMSG, 2},
        {"n hexadecimal", "0x10", 0, -EBADMSG, 2},
        {"n an exponent without digits", "1e+", 0, -EBADMSG, 4},
        {"n a minus alone", "-", 0, -EBADMSG, 2},
        {"n form feed is no blank", "[\f1]", 0, -EBADMSG, 2},
        {"n a byte order mark", "\xEF\xBB\xBF{}", 0, -EBADMSG, 1},

        {"n a raw NUL in a string", "\"a\0b\"", 5, -EILSEQ, 3},
        {"n a raw NUL between values", "[1\0]", 4, -EILSEQ, 3},
        {"n an escaped NUL", "\"ab\\u0000\"", 0, -EILSEQ, 4},
        {"n bad utf-8 in a string", "\"ab\xFF\"", 0, -EILSEQ, 4},
        {"n an overlong slash", "\"\xC0\xAF\"", 0, -EILSEQ, 2},
        {"n a raw surrogate", "\"\xED\xA0\x80\"", 0, -EILSEQ, 2},
        {"n utf-8 cut short by the quote", "\"\xE2\x82\"", 0, -EILSEQ, 2},
        {"n bad utf-8 outside", "[\xFF]", 0, -EILSEQ, 2},
        {"n a high half alone", "\"\\ud83d\"", 0, -EILSEQ, 2},
        {"n a high half and no low one", "\"\\ud83d\\u0041\"", 0, -EILSEQ, 2},
        {"n a low half alone", "\"\\ude00\"", 0, -EILSEQ, 2},
        {"n halves the wrong way around", "\"\\ude00\\ud83d\"", 0, -EILSEQ, 2},

        {"n 2^53 + 1", "[9007199254740993]", 0, -ERANGE, 2},
        {"n -2^53 - 1", "-9007199254740993", 0, -ERANGE, 1},
        {"n 2^64", "18446744073709551616", 0, -ERANGE, 1},
        {"n too large a double", "[1e309]", 0, -ERANGE, 2},
        {"n very much too large", "-1e99999999999999999999", 0, -ERANGE, 1},
        {"n more digits than a parser keeps",
         "0.1234567890123456789012345678901234567890123456789012345678901234567890", 0, -ERANGE, 1},
};

TEST(the_strict_pass_takes_rfc_8259_and_names_the_byte_otherwise)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                size_t length = cases[i].length ? cases[i].length : strlen(cases[i].text);
                struct error error = {0};
                char at[32] = "";
                int r;

                /* A copy without a byte behind it, for the sanitizer's eye. */
                char *text = malloc(length);

                CHECK(text != NULL);
                memcpy(text, cases[i].text, length);
                r = json_check(text, length, 8, &error);
                free(text);
                snprintf(at, sizeof(at), "at byte %zu: ", cases[i].byte);
                if (r != cases[i].code || (r < 0 && strncmp(error.text, at, strlen(at)) != 0))
                        FAIL("%s: %d, %s", cases[i].name, r, error.text);
        }
}

TEST(what_passes_becomes_a_tree_and_nothing_else_does)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                size_t length = cases[i].length ? cases[i].length : strlen(cases[i].text);
                AUTO_JSON cJSON *tree = NULL;

                CHECK_EQ(json_parse(cases[i].text, length, 8, &tree, NULL), cases[i].code);
                CHECK((tree != NULL) == (cases[i].code == 0));
        }
}

TEST(special_bytes_are_seen_at_every_place_of_a_long_string)
{
        static const struct {
                char byte;
                int code;
        } specials[] = {{'\n', -EBADMSG},  {'\0', -EILSEQ}, {'\x1F', -EBADMSG}, {'\x80', -EILSEQ},
                        {'\xFF', -EILSEQ}, {'"', -EBADMSG}, {'\\', -EBADMSG},   {'\x7F', 0},
                        {' ', 0},          {'~', 0},        {'!', 0},           {'[', 0},
                        {']', 0}};
        char text[42];

        for (size_t i = 0; i < ARRAY_SIZE(specials); i++) {
                for (size_t at = 1; at < 40; at++) {
                        memset(text, 'a', sizeof(text));
                        text[0] = text[41] = '"';
                        text[at] = specials[i].byte;
                        text[40] = '\x7F';
                        CHECK_EQ(json_check(text, sizeof(text), 1, NULL), specials[i].code);
                }
        }
}

TEST(members_are_read_by_exact_name_and_type)
{
        static const char text[] = "{\"n\":3,\"f\":2.5,\"s\":\"x\",\"t\":true,\"N\":4,\"n\":5,"
                                   "\"big\":1e300,\"a\":[1],\"z\":null}";
        AUTO_JSON cJSON *tree = NULL;
        int64_t integer = -1;
        double number = -1;
        bool flag = false;

        CHECK_EQ(json_parse(text, strlen(text), 8, &tree, NULL), 0);
        CHECK(json_get_integer(tree, "n", &integer));
        CHECK_EQ(integer, 3);
        CHECK(!json_get_integer(tree, "f", &integer));
        CHECK(!json_get_integer(tree, "big", &integer));
        CHECK(!json_get_integer(tree, "s", &integer));
        CHECK(!json_get_integer(tree, "absent", &integer));
        CHECK_EQ(integer, 3);
        CHECK(json_get_double(tree, "f", &number) && number == 2.5);
        CHECK(!json_get_double(tree, "t", &number));
        CHECK(json_get_bool(tree, "t", &flag) && flag);
        CHECK(!json_get_bool(tree, "n", &flag));
        CHECK_TEXT(json_get_string(tree, "s"), "x");
        CHECK_NULL(json_get_string(tree, "S"));
        CHECK_NULL(json_get_string(tree, "n"));
        CHECK(cJSON_IsNull(json_get(tree, "z")));
        CHECK_NULL(json_get(json_get(tree, "a"), "0"));
        CHECK_NULL(json_get(NULL, "n"));
}

TEST(depth_is_bounded_whatever_is_asked)
{
        char text[2 * 100 + 1];

        memset(text, '[', 100);
        memset(text + 100, ']', 100);
        CHECK_EQ(json_check(text + 100 - JSON_DEPTH_MAX, 2 * JSON_DEPTH_MAX, 1000, NULL), 0);
        CHECK_EQ(json_check(text, 200, 1000, NULL), -ELOOP);
        CHECK_EQ(json_check("[]", 2, 0, NULL), -ELOOP);
        CHECK_EQ(json_check("1", 1, 0, NULL), 0);
}

TEST(a_tree_without_memory_is_an_error_and_no_leak)
{
        static const char text[] = "{\"a\":[1,\"two\",{\"b\":null}],\"c\":\"\\u00e4\"}";
        cJSON_Hooks hooks = {malloc, free};
        cJSON *tree = NULL;
        size_t n = 0;
        bool failed;
        int r;

        cJSON_InitHooks(&hooks);
        do {
                struct error error = {0};

                allocation_fail_at(++n);
                r = json_parse(text, strlen(text), 8, &tree, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(error.code, r);
                CHECK((tree == NULL) == failed);
        } while (failed);
        CHECK(n > 8);
        cJSON_Delete(tree);
        cJSON_InitHooks(NULL);
}
