#include "base/attributes.h"
#include "proto/http/target.h"
#include "support/test.h"

#include <errno.h>

static struct http_text text_of(const char *text)
{
        return (struct http_text){text, strlen(text)};
}

/* Segments joined by "|"; or the error. */
static int walk(const char *path, char joined[128])
{
        struct http_text rest = text_of(path);
        char segment[16];
        int r;

        joined[0] = '\0';
        while ((r = http_path_next(&rest, segment, sizeof(segment))) == 1) {
                strcat(joined, segment);
                strcat(joined, "|");
        }
        return r;
}

TEST(a_path_is_its_segments)
{
        static const struct {
                const char *path, *joined;
                int outcome;
        } cases[] = {
                {"/", "", 0},
                {"/a", "a|", 0},
                {"/a/", "a|", 0},
                {"/a/b.js", "a|b.js|", 0},
                {"/a%20b/%C3%B6", "a b|\xc3\xb6|", 0},
                {"/a+b", "a+b|", 0},
                {"/...", "...|", 0},
                {"/123456789012345", "123456789012345|", 0},
                {"/1234567890123456", "", -ENAMETOOLONG},
                {"//a", "", -EINVAL},
                {"/a//b", "a|", -EINVAL},
                {"/.", "", -EINVAL},
                {"/a/../b", "a|", -EINVAL},
                {"/%2e%2E/b", "", -EINVAL},
                {"/.%2e", "", -EINVAL},
                {"/a%2Fb", "", -EINVAL},
                {"/a%5cb", "", -EINVAL},
                {"/a\\b", "", -EINVAL},
                {"/a%00", "", -EINVAL},
                {"/a%0d%0a", "", -EINVAL},
                {"/a%7f", "", -EINVAL},
                {"/%", "", -EINVAL},
                {"/%4", "", -EINVAL},
                {"/%4g", "", -EINVAL},
                {"/%+4", "", -EINVAL},
                {"/%c3", "", -EINVAL},
                {"/%c0%ae", "", -EINVAL},
                {"*", "", -EINVAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char joined[128];
                int r = walk(cases[i].path, joined);

                if (r != cases[i].outcome || strcmp(joined, cases[i].joined) != 0)
                        FAIL("%s: %d, %s", cases[i].path, r, joined);
        }
}

static int walk_query(const char *query, size_t size, char joined[128])
{
        struct http_text rest = text_of(query);
        struct http_parameter parameter;
        char decoded[64];
        int r;

        joined[0] = '\0';
        while ((r = http_query_next(&rest, decoded, size, &parameter)) == 1) {
                CHECK_EQ(strlen(parameter.name.bytes), parameter.name.length);
                CHECK_EQ(strlen(parameter.value.bytes), parameter.value.length);
                strcat(strcat(joined, parameter.name.bytes), ":");
                strcat(strcat(joined, parameter.value.bytes), "|");
        }
        return r;
}

TEST(a_query_is_its_parameters)
{
        static const struct {
                const char *query, *joined;
                int outcome;
        } cases[] = {
                {"", "", 0},
                {"a=b", "a:b|", 0},
                {"a=b&c=d", "a:b|c:d|", 0},
                {"a", "a:|", 0},
                {"a=", "a:|", 0},
                {"=b", ":b|", 0},
                {"&&a=b&", "a:b|", 0},
                {"a=b=c", "a:b=c|", 0},
                {"q=a+b%2B%26", "q:a b+&|", 0},
                {"a%3Db=c", "a=b:c|", 0},
                {"a=%00", "", -EINVAL},
                {"a=%f", "", -EINVAL},
                {"a=%ff", "", -EINVAL},
        };
        char joined[128];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int r = walk_query(cases[i].query, 64, joined);

                if (r != cases[i].outcome || strcmp(joined, cases[i].joined) != 0)
                        FAIL("%s: %d, %s", cases[i].query, r, joined);
        }
        /* Name, value and their zeros fit, or not. */
        CHECK_EQ(walk_query("ab=c", 5, joined), 0);
        CHECK_EQ(walk_query("ab=c", 4, joined), -ENAMETOOLONG);
        CHECK_EQ(walk_query("ab", 3, joined), -ENAMETOOLONG);
        CHECK_EQ(walk_query("ab", 2, joined), -ENAMETOOLONG);
}
