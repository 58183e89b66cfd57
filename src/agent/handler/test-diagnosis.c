#include "agent/handler/diagnosis.h"

#include "base/attributes.h"
#include "base/text-copy.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

static char *written(const struct diagnosis *diagnosis)
{
        struct json_writer writer;
        struct buffer out;
        char *text;

        buffer_init(&out, 1 << 20);
        json_writer_init(&writer, &out);
        json_write_object(&writer, NULL);
        diagnosis_write(diagnosis, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        text = text_copy(buffer_data(&out), buffer_length(&out));
        buffer_done(&out);
        return text;
}

static int take(struct diagnosis *diagnosis, const char *json)
{
        AUTO_JSON cJSON *tree = cJSON_Parse(json);

        CHECK(tree != NULL);
        return diagnosis_add_report(diagnosis, tree);
}

TEST(a_report_is_taken_over_with_its_places)
{
        struct diagnosis diagnosis;
        char *text;

        diagnosis_init(&diagnosis);
        CHECK_EQ(take(&diagnosis,
                      "{\"valid\":false,\"layer\":\"security\",\"findings\":[{\"message\":"
                      "\"Dangerous pattern detected: "
                      "os.system(\",\"rule\":\"shell-call\",\"line\":4,"
                      "\"column\":5},{\"message\":\"second\",\"fragment\":\"x\"}]}"),
                 0);
        CHECK_TEXT(diagnosis_sentence(&diagnosis), "Dangerous pattern detected: os.system(");
        text = written(&diagnosis);
        CHECK_TEXT(
                text,
                "{\"valid\":false,\"layer\":\"security\",\"errors\":[\"Dangerous pattern "
                "detected: os.system(\",\"second\"],\"locations\":[{\"line\":4,\"column\":5},{}],"
                "\"findings\":[{\"message\":\"Dangerous pattern detected: os.system(\",\"line\":4,"
                "\"column\":5,\"rule\":\"shell-call\"},{\"message\":\"second\",\"fragment\":"
                "\"x\"}]}");
        free(text);
        diagnosis_done(&diagnosis);
        diagnosis_done(&diagnosis);
}

TEST(a_report_that_says_nothing_is_none)
{
        static const char *const bad[] = {
                "{}",
                "[]",
                "{\"layer\":\"security\"}",
                "{\"layer\":\"security\",\"findings\":[]}",
                "{\"layer\":\"nonsense\",\"findings\":[{\"message\":\"x\"}]}",
                "{\"layer\":\"syntax\",\"findings\":[{\"message\":1}]}",
                "{\"layer\":\"syntax\",\"findings\":[{\"message\":\"x\",\"line\":-1}]}"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct diagnosis diagnosis;

                diagnosis_init(&diagnosis);
                CHECK_EQ(take(&diagnosis, bad[i]), -EBADMSG);
                CHECK_NULL(diagnosis_sentence(&diagnosis));
                diagnosis_done(&diagnosis);
        }
}

TEST(more_findings_than_fit_are_counted)
{
        struct diagnosis diagnosis;

        diagnosis_init(&diagnosis);
        for (unsigned i = 0; i < DIAGNOSIS_FINDINGS_MAX + 5; i++)
                CHECK_EQ(diagnosis_add(&diagnosis, DIAGNOSIS_IMPORT, "%u", i), 0);
        CHECK_EQ(diagnosis.count, DIAGNOSIS_FINDINGS_MAX);
        CHECK_EQ(diagnosis.left_out, 5);
        diagnosis_done(&diagnosis);
}

TEST(a_finding_without_memory_is_left_out_whole)
{
        const struct diagnosis_finding finding = {.message = (char[]){"m"},
                                                  .rule = (char[]){"r"},
                                                  .fragment = (char[]){"f"},
                                                  .severity = (char[]){"s"}};
        bool failed;
        size_t n = 0;

        do {
                struct diagnosis diagnosis;
                int r;

                diagnosis_init(&diagnosis);
                allocation_fail_at(++n);
                r = diagnosis_add_finding(&diagnosis, DIAGNOSIS_SYNTAX, &finding);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(diagnosis.count, failed ? 0 : 1);
                CHECK_EQ(diagnosis.left_out, failed);
                diagnosis_done(&diagnosis);
        } while (failed);
        CHECK_EQ(n, 5);
}
