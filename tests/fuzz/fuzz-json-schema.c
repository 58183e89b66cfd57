/* Fuzzes schemas and what is checked against them: the first line of the input
 * is a schema, the rest a value. */
#include "data/json-schema.h"
#include "data/json.h"
#include "fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static void check(const struct json_schema *schema, const char *text, size_t length)
{
        AUTO_JSON cJSON *value = NULL;
        struct error error = {0};
        int r;

        if (json_parse(text, length, JSON_DEPTH_MAX, &value, NULL) < 0)
                return;
        r = json_schema_check(schema, value, &error);
        MUST(r == 0 || r == -EINVAL);
        MUST(error.code == r);
        MUST((error.text[0] != '\0') == (r < 0));
        MUST(json_schema_check(schema, value, NULL) == r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        AUTO(json_schema) struct json_schema *schema = NULL;
        const uint8_t *newline = count > 0 ? memchr(bytes, '\n', count) : NULL;
        size_t length = newline ? (size_t)(newline - bytes) : count;
        AUTO_FREE char *text = malloc(length + 1);
        struct error error = {0};
        int r;

        MUST(text != NULL);
        if (length > 0)
                memcpy(text, bytes, length);
        text[length] = '\0';
        r = json_schema_compile(text, &schema, &error);
        MUST(error.code == r);
        MUST((schema != NULL) == (r == 0));
        MUST((error.text[0] != '\0') == (r < 0));
        if (r == 0 && newline)
                check(schema, (const char *)newline + 1, count - length - 1);
        return 0;
}
