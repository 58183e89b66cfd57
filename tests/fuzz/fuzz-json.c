/* Fuzzes the strict pass, the tree and the writer: they agree about what JSON is. */
#include "base/buffer.h"
#include "data/json-writer.h"
#include "data/json.h"
#include "fuzz/fuzz.h"

#include <string.h>

enum { DEPTH = 16, OUTPUT_MAX = 64 << 20 };

static int parse(const struct buffer *text, cJSON **ret)
{
        return json_parse(buffer_data(text), buffer_length(text), DEPTH, ret, NULL);
}

static void write_tree(const cJSON *tree, struct buffer *text)
{
        struct json_writer writer;

        buffer_init(text, OUTPUT_MAX);
        json_writer_init(&writer, text);
        json_write_tree(&writer, NULL, tree);
        MUST(json_writer_error(&writer) == 0);
        for (size_t i = 0; i < buffer_length(text); i++)
                MUST((unsigned char)buffer_data(text)[i] >= 0x20 && buffer_data(text)[i] != 0x7F);
}

/* What was read, written and read again says the same. */
static void check_round_trip(const cJSON *tree)
{
        struct buffer first, second;
        AUTO_JSON cJSON *again = NULL;

        write_tree(tree, &first);
        MUST(parse(&first, &again) == 0);
        write_tree(again, &second);
        MUST(buffer_length(&first) == buffer_length(&second));
        MUST(memcmp(buffer_data(&first), buffer_data(&second), buffer_length(&first)) == 0);
        buffer_done(&first);
        buffer_done(&second);
}

/* Any bytes at all, written as text: JSON comes out. */
static void check_text(const char *bytes, size_t count)
{
        struct json_writer writer;
        AUTO_JSON cJSON *tree = NULL;
        struct buffer text;

        buffer_init(&text, OUTPUT_MAX);
        json_writer_init(&writer, &text);
        json_write_text(&writer, NULL, bytes, count);
        MUST(json_writer_error(&writer) == 0);
        MUST(buffer_length(&text) >= count + 2);
        if (!memchr(bytes, '\0', count)) {
                MUST(parse(&text, &tree) == 0);
                MUST(cJSON_IsString(tree));
        }
        buffer_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        const char *text = (const char *)bytes;
        AUTO_JSON cJSON *tree = NULL;
        struct error error = {0};
        size_t at = 0;
        int r;

        r = json_check(text, count, DEPTH, &error);
        MUST(json_parse(text, count, DEPTH, &tree, NULL) == r);
        MUST((tree != NULL) == (r == 0));
        MUST(error.code == r);
        if (r < 0)
                MUST(sscanf(error.text, "at byte %zu: ", &at) == 1 && at >= 1 && at <= count + 1);
        else
                check_round_trip(tree);
        check_text(count > 0 ? text : "", count);
        return 0;
}
