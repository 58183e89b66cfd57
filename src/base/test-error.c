#include "base/error.h"
#include "support/test.h"

#include <errno.h>

TEST(an_error_holds_its_code_and_sentence)
{
        struct error e = {0};

        CHECK_EQ(error_set(&e, -EINVAL, "port must be %d", 7), -EINVAL);
        CHECK_EQ(e.code, -EINVAL);
        CHECK_TEXT(e.text, "port must be 7");
        CHECK_EQ(error_prefix(&e, "%s:%d: ", "agent.yaml", 3), -EINVAL);
        CHECK_TEXT(e.text, "agent.yaml:3: port must be 7");
}

TEST(a_caller_that_does_not_care_gives_null)
{
        CHECK_EQ(error_set(NULL, -ENOENT, "x"), -ENOENT);
        CHECK_EQ(error_prefix(NULL, "x"), -EINVAL);
}

TEST(an_error_may_quote_itself)
{
        struct error e = {0};

        error_set(&e, -EIO, "disk");
        error_set(&e, -EIO, "bad %s, very bad %s", e.text, e.text);
        CHECK_TEXT(e.text, "bad disk, very bad disk");
}

TEST(a_long_text_is_cut_with_dots_and_never_within_a_character)
{
        char text[2 * ERROR_TEXT_MAX];
        struct error e = {0};

        for (size_t lead = 0; lead < 3; lead++) {
                memset(text, 'a', lead);
                for (size_t i = lead; i < sizeof(text) - 3; i += 3)
                        memcpy(text + i, "\xE2\x82\xAC", 4);
                error_set(&e, -EINVAL, "%s", text);
                CHECK(strlen(e.text) < ERROR_TEXT_MAX);
                CHECK(strlen(e.text) >= ERROR_TEXT_MAX - 4);
                CHECK_TEXT(e.text + strlen(e.text) - 3, "...");
                CHECK_EQ((strlen(e.text) - lead - 3) % 3, 0);

                error_set(&e, -EINVAL, "%.400s", text + lead);
                error_prefix(&e, "%.300s", text + lead);
                CHECK(strlen(e.text) < ERROR_TEXT_MAX);
                CHECK_TEXT(e.text + strlen(e.text) - 3, "...");
        }
}
