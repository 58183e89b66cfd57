#include "data/json-schema.h"

#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

#define PIN                                                                                        \
        "{\"type\":\"object\",\"properties\":{\"pin\":{\"type\":[\"integer\",\"string\"]},"        \
        "\"times\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100}},"                         \
        "\"required\":[\"pin\"],\"additionalProperties\":false}"

static const struct {
        const char *name;
        const char *schema, *value;
        const char *error; /* NULL: passes */
} cases[] = {
        {"anything", "{}", "[1,{\"a\":null}]", NULL},
        {"all good", PIN, "{\"pin\":17,\"times\":1}", NULL},
        {"one of two types", PIN, "{\"pin\":\"GPIO17\"}", NULL},
        {"neither type", PIN, "{\"pin\":true}", "`pin` must be an integer or a string, not true"},
        {"a fraction", PIN, "{\"pin\":1.5}", "`pin` must be an integer or a string, not 1.5"},
        {"a fraction of zero", PIN, "{\"pin\":17.0}", NULL},
        {"beyond 2^53", PIN, "{\"pin\":1e300}", "`pin` must be an integer or a string, not 1e+300"},
        {"null is a value", PIN, "{\"pin\":null}",
         "`pin` must be an integer or a string, not null"},
        {"an object", PIN, "{\"pin\":{}}", "`pin` must be an integer or a string, not an object"},
        {"too small", PIN, "{\"pin\":1,\"times\":0}", "`times` must be at least 1, not 0"},
        {"too large", PIN, "{\"pin\":1,\"times\":101}", "`times` must be at most 100, not 101"},
        {"missing", PIN, "{\"times\":1}", "`pin` is missing"},
        {"twice", PIN, "{\"pin\":1,\"pin\":2}", "`pin` is there twice"},
        {"unknown and near", PIN, "{\"pinn\":1}", "`pinn` is unknown; did you mean `pin`?"},
        {"unknown and far", PIN, "{\"pin\":1,\"colour\":1}",
         "`colour` is unknown; known are `pin`, `times`"},
        {"case counts", PIN, "{\"PIN\":1}", "`PIN` is unknown; did you mean `pin`?"},
        {"not an object", PIN, "[]", "the value must be an object, not an array"},
        {"nothing may stand", "{\"additionalProperties\":false}", "{\"a\":1}",
         "`a` is unknown, nothing may stand here"},
        {"others may stand", "{\"properties\":{\"a\":{}}}", "{\"b\":1,\"b\":2}", NULL},
        {"required alone", "{\"required\":[\"a\"]}", "{\"a\":1}", NULL},
        {"required alone, missing", "{\"required\":[\"a\"]}", "{}", "`a` is missing"},
        {"required before properties",
         "{\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"a\":1}",
         "`a` must be null, not 1"},
        {"more than", "{\"exclusiveMinimum\":0}", "0", "the value must be more than 0, not 0"},
        {"more than, a little", "{\"exclusiveMinimum\":0}", "1e-9", NULL},
        {"less than", "{\"exclusiveMaximum\":2.5}", "2.5",
         "the value must be less than 2.5, not 2.5"},
        {"limits are for numbers", "{\"minimum\":5}", "\"a\"", NULL},
        {"an enumeration", "{\"enum\":[\"in\",\"out\"]}", "\"out\"", NULL},
        {"not in it", "{\"enum\":[\"in\",\"out\",3,null]}", "\"x\"",
         "the value must be \"in\", \"out\", 3 or null, not \"x\""},
        {"true is not 1", "{\"enum\":[1,true]}", "false", "the value must be 1 or true, not false"},
        {"a number beside one of the enumeration", "{\"enum\":[1]}", "1.0000000000000002",
         "the value must be 1, not 1"},
        {"a long enumeration",
         "{\"enum\":[\"a1\",\"b2\",\"c3\",\"d4\",\"e5\",\"f6\",\"g7\",\"h8\",\"rising\",\"j\"]}",
         "\"risng\"",
         "the value must be \"a1\", \"b2\", \"c3\", \"d4\", \"e5\", \"f6\", \"g7\", \"h8\" or one "
         "of 2 more, not \"risng\"; did you mean \"rising\"?"},
        {"a constant", "{\"const\":\"x\"}", "\"y\"", "the value must be \"x\", not \"y\""},
        {"a constant null", "{\"const\":null}", "null", NULL},
        {"characters are counted, not bytes", "{\"minLength\":2,\"maxLength\":2}",
         "\"\xC3\xA4\xE2\x82\xAC\"", NULL},
        {"too short", "{\"minLength\":1}", "\"\"",
         "the value must have at least 1 character, not 0"},
        {"too long", "{\"maxLength\":2}", "\"abc\"",
         "the value must have at most 2 characters, not 3"},
        {"too few", "{\"minItems\":2}", "[1]", "the value must have at least 2 items, not 1"},
        {"too many", "{\"maxItems\":1}", "[1,2]", "the value must have at most 1 item, not 2"},
        {"a path",
         "{\"properties\":{\"pins\":{\"items\":{\"properties\":{\"mode\":{\"type\":"
         "\"string\"}}}}}}",
         "{\"pins\":[{},{\"mode\":\"in\"},{\"mode\":2}]}",
         "`pins[2].mode` must be a string, not 2"},
        {"an item", "{\"items\":{\"type\":\"boolean\"}}", "[true,1]",
         "`[1]` must be true or false, not 1"},
        {"a long text is cut between characters", "{\"type\":\"null\"}",
         "\"01234567890123456789012345678901234567890123456\xE2\x82\xAC and so on\"",
         "the value must be null, not \"01234567890123456789012345678901234567890123456...\""},
};

TEST(the_error_names_the_member_what_was_found_and_what_is_expected)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO(json_schema) struct json_schema *schema = NULL;
                AUTO_JSON cJSON *value = NULL;
                struct error error = {0};
                int r;

                r = json_schema_compile(cases[i].schema, &schema, &error);
                if (r < 0)
                        FAIL("%s: %s", cases[i].name, error.text);
                CHECK_EQ(json_parse(cases[i].value, strlen(cases[i].value), 16, &value, NULL), 0);
                r = json_schema_check(schema, value, &error);
                if (r != (cases[i].error ? -EINVAL : 0) ||
                    (cases[i].error && strcmp(error.text, cases[i].error) != 0))
                        FAIL("%s: %d, %s", cases[i].name, r, error.text);
                CHECK_EQ(json_schema_check(schema, value, NULL), r);
        }
}

static const struct {
        const char *schema;
        int code;
        const char *error;
} bad[] = {
        {"{", -EBADMSG,
         "at byte 2: a member's name in double quotes must stand here, but the text "
         "ends"},
        {"{\"a\":\"\\u0000\"}", -EBADMSG, NULL},
        {"[]", -EINVAL, "a schema must be an object"},
        {"true", -EINVAL, "a schema must be an object"},
        {"{\"minimun\":1}", -EINVAL, "`minimun` is no known keyword; did you mean `minimum`?"},
        {"{\"$ref\":\"#\"}", -EINVAL,
         "`$ref` is no keyword that can be checked here, leave it out"},
        {"{\"pattern\":\"x\"}", -EINVAL, NULL},
        {"{\"type\":\"float\"}", -EINVAL, NULL},
        {"{\"type\":[]}", -EINVAL, "`type` must name at least one type"},
        {"{\"type\":[\"string\",\"string\"]}", -EINVAL, "`type` names string twice"},
        {"{\"type\":\"string\",\"type\":\"null\"}", -EINVAL, "`type` is there twice"},
        {"{\"minimum\":\"1\"}", -EINVAL, "`minimum` must be a number"},
        {"{\"minimum\":2,\"maximum\":1}", -EINVAL, NULL},
        {"{\"minimum\":2,\"exclusiveMaximum\":2}", -EINVAL, NULL},
        {"{\"minLength\":-1}", -EINVAL, "`minLength` must be an integer from 0 on"},
        {"{\"minLength\":1.5}", -EINVAL, NULL},
        {"{\"minLength\":2,\"maxLength\":1}", -EINVAL, NULL},
        {"{\"minItems\":2,\"maxItems\":1}", -EINVAL, NULL},
        {"{\"enum\":[]}", -EINVAL, NULL},
        {"{\"enum\":[[]]}", -EINVAL, NULL},
        {"{\"enum\":1}", -EINVAL, NULL},
        {"{\"const\":{}}", -EINVAL, NULL},
        {"{\"items\":[]}", -EINVAL, NULL},
        {"{\"properties\":[]}", -EINVAL, NULL},
        {"{\"properties\":{\"a\":{},\"a\":{}}}", -EINVAL, "`properties` has `a` twice"},
        {"{\"properties\":{\"a\":{\"typ\":1}}}", -EINVAL,
         "in the schema of `a`: `typ` is no known keyword; did you mean `type`?"},
        {"{\"required\":\"a\"}", -EINVAL, NULL},
        {"{\"required\":[1]}", -EINVAL, NULL},
        {"{\"required\":[\"a\",\"a\"]}", -EINVAL, "`required` has `a` twice"},
        {"{\"additionalProperties\":{}}", -EINVAL, NULL},
        {"{\"description\":1}", -EINVAL, "`description` must be a string"},
        {"{\"examples\":1}", -EINVAL, "`examples` must be a list"},
};

TEST(what_cannot_be_checked_is_refused_when_compiling)
{
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct json_schema *schema = NULL;
                struct error error = {0};
                int r = json_schema_compile(bad[i].schema, &schema, &error);

                if (r != bad[i].code || error.code != r || schema ||
                    (bad[i].error && strcmp(error.text, bad[i].error) != 0))
                        FAIL("%s: %d, %s", bad[i].schema, r, error.text);
        }
}

TEST(annotations_pass)
{
        AUTO(json_schema) struct json_schema *schema = NULL;

        CHECK_EQ(json_schema_compile("{\"$schema\":\"x\",\"title\":\"t\",\"description\":\"d\","
                                     "\"default\":{},\"examples\":[1],\"format\":\"date\"}",
                                     &schema, NULL),
                 0);
}

/* `levels` schemas, one inside the other. */
static int compile_levels(int levels)
{
        AUTO(json_schema) struct json_schema *schema = NULL;
        char text[2048] = "";

        for (int i = 1; i < levels; i++)
                strcat(text, "{\"items\":");
        strcat(text, "{}");
        for (int i = 1; i < levels; i++)
                strcat(text, "}");
        return json_schema_compile(text, &schema, NULL);
}

static int compile_properties(int count)
{
        AUTO(json_schema) struct json_schema *schema = NULL;
        static char text[16384];
        size_t length = (size_t)sprintf(text, "{\"required\":[\"p0\"],\"properties\":{");

        for (int i = 0; i < count; i++)
                length += (size_t)sprintf(text + length, "%s\"p%d\":{\"type\":\"integer\"}",
                                          i ? "," : "", i);
        strcpy(text + length, "}}");
        return json_schema_compile(text, &schema, NULL);
}

TEST(schemas_have_bounds)
{
        AUTO(json_schema) struct json_schema *schema = NULL;
        AUTO_FREE char *text = malloc((64 << 10) + 2);

        CHECK_EQ(compile_levels(16), 0);
        CHECK_EQ(compile_levels(17), -E2BIG);
        CHECK_EQ(compile_levels(80), -E2BIG);
        CHECK_EQ(compile_properties(256), 0);
        CHECK_EQ(compile_properties(257), -E2BIG);

        CHECK(text != NULL);
        memset(text, ' ', (64 << 10) + 2);
        memcpy(text, "{}", 2);
        text[64 << 10] = '\0';
        CHECK_EQ(json_schema_compile(text, &schema, NULL), 0);
        text[64 << 10] = ' ';
        text[(64 << 10) + 1] = '\0';
        schema = json_schema_free(schema);
        CHECK_EQ(json_schema_compile(text, &schema, NULL), -E2BIG);
}

TEST(each_of_many_properties_is_found_and_missed)
{
        AUTO(json_schema) struct json_schema *schema = NULL;
        static char text[16384];
        size_t length = (size_t)sprintf(text, "{\"additionalProperties\":false,\"required\":[");

        for (int i = 0; i < 200; i++)
                length += (size_t)sprintf(text + length, "%s\"p%d\"", i ? "," : "", i);
        strcpy(text + length, "]}");
        CHECK_EQ(json_schema_compile(text, &schema, NULL), 0);

        for (int missing = 0; missing <= 200; missing++) {
                AUTO_JSON cJSON *value = cJSON_CreateObject();
                struct error error = {0};
                char expected[32];

                for (int i = 199; i >= 0; i--) {
                        char name[16];

                        sprintf(name, "p%d", i);
                        if (i != missing)
                                cJSON_AddNullToObject(value, name);
                }
                CHECK_EQ(json_schema_check(schema, value, &error), missing < 200 ? -EINVAL : 0);
                sprintf(expected, "`p%d` is missing", missing);
                if (missing < 200)
                        CHECK_TEXT(error.text, expected);
        }
}

TEST(compiling_without_memory_is_an_error_and_no_leak)
{
        cJSON_Hooks hooks = {malloc, free};
        struct json_schema *schema = NULL;
        size_t n = 0;
        bool failed;
        int r;

        cJSON_InitHooks(&hooks);
        do {
                struct error error = {0};

                allocation_fail_at(++n);
                r = json_schema_compile(PIN, &schema, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(error.code, r);
                CHECK((schema == NULL) == failed);
        } while (failed);
        CHECK(n > 20);
        json_schema_free(schema);
        cJSON_InitHooks(NULL);
}

TEST(checking_allocates_nothing)
{
        AUTO(json_schema) struct json_schema *schema = NULL;
        AUTO_JSON cJSON *good = cJSON_Parse("{\"pin\":17,\"times\":3}");
        AUTO_JSON cJSON *wrong = cJSON_Parse("{\"pin\":17,\"tmes\":\"x\"}");
        struct error error;

        CHECK_EQ(json_schema_compile(PIN, &schema, NULL), 0);
        allocation_fail_from(1);
        CHECK_EQ(json_schema_check(schema, good, &error), 0);
        CHECK_EQ(json_schema_check(schema, wrong, &error), -EINVAL);
        CHECK(!allocation_end());
        CHECK_TEXT(error.text, "`tmes` is unknown; did you mean `times`?");
}
