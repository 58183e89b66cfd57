#include "cli/finding.h"

#include "data/json.h"
#include "support/test.h"

static void fill(struct findings *findings)
{
        *findings = (struct findings){.count = 0};
        finding_add(findings, FINDING_OK, "clock", "set");
        finding_advise(finding_add(findings, FINDING_WARNING, "config", "odd %s", "\033[2J"),
                       "chmod %04o", 0640U);
        finding_add(findings, FINDING_PROBLEM, "agent", "no agent answers");
}

TEST(findings_are_readable_and_harmless)
{
        static const struct render_style plain = {.width = 80};
        struct findings findings;
        struct buffer out;

        fill(&findings);
        buffer_init(&out, 4096);
        CHECK_EQ(findings_render(&findings, &plain, &out), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), "ok       clock       set\n"
                                      "warning  config      odd \\x1b[2J\n"
                                      "                     -> chmod 0640\n"
                                      "problem  agent       no agent answers\n"
                                      "\n1 problem, 1 warning\n");
        buffer_done(&out);
}

TEST(findings_have_a_shape_for_programs)
{
        AUTO_JSON cJSON *object = NULL;
        struct findings findings;
        AUTO_FREE char *text = NULL;

        fill(&findings);
        object = findings_to_json(&findings);
        text = cJSON_PrintUnformatted(object);
        CHECK_TEXT(text,
                   "{\"problems\":1,\"warnings\":1,\"findings\":["
                   "{\"area\":\"clock\",\"level\":\"ok\",\"text\":\"set\"},"
                   "{\"area\":\"config\",\"level\":\"warning\",\"text\":\"odd \\u001b[2J\","
                   "\"advice\":\"chmod 0640\"},"
                   "{\"area\":\"agent\",\"level\":\"problem\",\"text\":\"no agent answers\"}]}");
}

TEST(problems_count_even_when_there_is_no_room_to_tell_them)
{
        struct findings findings = {.count = 0};

        for (int i = 0; i < FINDINGS_MAX + 5; i++)
                finding_add(&findings, FINDING_PROBLEM, "agent", "%d", i);
        CHECK_EQ(findings.count, FINDINGS_MAX);
        CHECK_EQ(findings.problems, FINDINGS_MAX + 5);
}
