#include "cli/arguments.h"

#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TEST(a_value_is_json_if_it_is_json_and_else_text)
{
        static const struct {
                const char *word, *json;
        } cases[] = {
                {"pin=17", "{\"pin\":17}"},
                {"pin=GPIO17", "{\"pin\":\"GPIO17\"}"},
                {"value=-0.5", "{\"value\":-0.5}"},
                {"on=true", "{\"on\":true}"},
                {"on=True", "{\"on\":\"True\"}"},
                {"holder=null", "{\"holder\":null}"},
                {"pins=[1,2]", "{\"pins\":[1,2]}"},
                {"colour={\"r\":255}", "{\"colour\":{\"r\":255}}"},
                {"colour={\"r\":255", "{\"colour\":\"{\\\"r\\\":255\"}"},
                {"text=two words", "{\"text\":\"two words\"}"},
                {"text=\"17\"", "{\"text\":\"17\"}"},
                {"text=\"@home\"", "{\"text\":\"@home\"}"},
                {"text=", "{\"text\":\"\"}"},
                {"text=a=b", "{\"text\":\"a=b\"}"},
                {"serial=10000000000000000", "{\"serial\":\"10000000000000000\"}"},
                {"big=1e999", "{\"big\":\"1e999\"}"},
                {"octal=017", "{\"octal\":\"017\"}"},
                {"nan=NaN", "{\"nan\":\"NaN\"}"},
                {"r\xc3\xa4um=k\xc3\xbc"
                 "che",
                 "{\"r\xc3\xa4um\":\"k\xc3\xbc"
                 "che\"}"},
                {"key with blanks=1", "{\"key with blanks\":1}"},
                {"key:=1", "{\"key:\":1}"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO_JSON cJSON *object = cJSON_CreateObject();
                AUTO_FREE char *printed = NULL;
                char *words[] = {(char *)cases[i].word};

                CHECK_EQ(arguments_add(object, words, 1, NULL), 0);
                printed = cJSON_PrintUnformatted(object);
                CHECK_TEXT(printed, cases[i].json);
        }
}

TEST(what_cannot_be_an_argument_is_refused_with_a_sentence)
{
        static const struct {
                const char *word, *sentence;
        } cases[] = {
                {"pin", "\"pin\" is not KEY=VALUE, as in pin=17 or text=\"two words\""},
                {"=17", "\"=17\" is not KEY=VALUE, as in pin=17 or text=\"two words\""},
                {"", "\"\" is not KEY=VALUE, as in pin=17 or text=\"two words\""},
                {"command=ping",
                 "\"command\" cannot be an argument: the command is the first word"},
                {"there=2", "\"there\" is given twice"},
                {"x=\xff", "the value of \"x\" is not text in UTF-8; send bytes as base64"},
                {"\xff=1", "a KEY is not text in UTF-8"},
                {"x=@", "x=@ lacks the name of a file; for the text itself write x='\"@\"'"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO_JSON cJSON *object = cJSON_CreateObject();
                struct error error = {0};
                char *words[] = {(char *)"there=1", (char *)cases[i].word};

                CHECK_EQ(arguments_add(object, words, 2, &error), -EINVAL);
                CHECK_TEXT(error.text, cases[i].sentence);
        }
}

TEST(nesting_has_a_limit)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();
        char word[2 * ARGUMENTS_DEPTH_MAX + 8] = "x=";
        char *words[] = {word};

        memset(word + 2, '[', ARGUMENTS_DEPTH_MAX + 1);
        memset(word + 2 + ARGUMENTS_DEPTH_MAX + 1, ']', ARGUMENTS_DEPTH_MAX + 1);
        CHECK_EQ(arguments_add(object, words, 1, NULL), -EINVAL);
}

static void write_file(char path[], const void *bytes, size_t count)
{
        int fd = mkstemp(path);

        CHECK(fd >= 0);
        CHECK_EQ(write(fd, bytes, count), (ssize_t)count);
        CHECK_EQ(close(fd), 0);
}

TEST(an_at_sign_sends_the_content_of_a_file_as_text)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();
        char path[] = "/tmp/test-arguments-XXXXXX";
        char word[64];
        char *words[] = {word};

        write_file(path, "17\n", 3);
        snprintf(word, sizeof(word), "code=@%s", path);
        CHECK_EQ(arguments_add(object, words, 1, NULL), 0);
        CHECK_TEXT(json_get_string(object, "code"), "17\n");
        unlink(path);
}

TEST(a_file_that_is_not_text_is_refused)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();
        char path[] = "/tmp/test-arguments-XXXXXX";
        char word[64];
        char *words[] = {word};

        write_file(path, "a\0b", 3);
        snprintf(word, sizeof(word), "code=@%s", path);
        CHECK_EQ(arguments_add(object, words, 1, NULL), -EINVAL);
        unlink(path);
}

TEST(a_file_that_is_too_large_is_refused)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();
        char path[] = "/tmp/test-arguments-XXXXXX";
        char word[64];
        char *words[] = {word};
        struct error error = {0};

        write_file(path, "", 0);
        CHECK_EQ(truncate(path, ARGUMENTS_FILE_MAX + 1), 0);
        snprintf(word, sizeof(word), "code=@%s", path);
        CHECK_EQ(arguments_add(object, words, 1, &error), -EFBIG);
        CHECK_EQ(truncate(path, ARGUMENTS_FILE_MAX), 0);
        CHECK_EQ(arguments_add(object, words, 1, &error), -EINVAL); /* NULs: read, not text */
        unlink(path);
}

TEST(a_file_that_is_not_there_is_named)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();
        char *words[] = {(char *)"code=@/nonexistent/x"};
        struct error error = {0};

        CHECK_EQ(arguments_add(object, words, 1, &error), -ENOENT);
        CHECK_TEXT(error.text, "code=@/nonexistent/x: the file cannot be read: No such file or "
                               "directory (if text that begins with @ is meant: "
                               "code='\"@/nonexistent/x\"')");
}

TEST(memory_that_runs_out_is_reported)
{
        char path[] = "/tmp/test-arguments-XXXXXX";
        char word[64];
        char *words[] = {(char *)"n=1", (char *)"t=text", (char *)"l=[1,{\"a\":true}]", word};
        bool failed;
        size_t n = 0;

        write_file(path, "content", 7);
        snprintf(word, sizeof(word), "f=@%s", path);
        cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
        do {
                AUTO_JSON cJSON *object = cJSON_CreateObject();
                int r;

                allocation_fail_at(++n);
                r = arguments_add(object, words, ARRAY_SIZE(words), NULL);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > 10);
        cJSON_InitHooks(NULL);
        unlink(path);
}
