#include "base/spelling.h"
#include "support/test.h"

static const char *const words[] = {"ping",
                                    "echo",
                                    "led_on",
                                    "led_off",
                                    "gpio_test",
                                    "gpio_status",
                                    "get_metrics",
                                    "get_status",
                                    "a_word_that_is_longer_than_sixty_four_bytes_and_so_is_never_"
                                    "near_to_anything"};

static const struct {
        const char *typed;
        const char *near[4]; /* nearest first */
} cases[] = {
        {"pign", {"ping"}},
        {"PING", {"ping"}},
        {"pin", {"ping"}},
        {"pong", {"ping"}},
        {"pingg", {"ping"}},
        {"led", {"led_on", "led_off"}},
        {"led_of", {"led_on", "led_off"}},
        {"gpio_stats", {"gpio_status", "gpio_test"}},
        {"get_status", {"get_status"}},
        {"gpio", {"gpio_test", "gpio_status"}},
        {"xy", {NULL}},
        {"", {NULL}},
        {"camera", {NULL}},
        {"a_word_that_is_longer_than_sixty_four_bytes_and_so_is_never_near_to_anything", {NULL}},
        {"a_word_that_is_longer", {NULL}},
};

TEST(what_was_meant_comes_nearest_first)
{
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const char *best[4] = {NULL};
                size_t n = spelling_near(cases[i].typed, words, sizeof(words) / sizeof(words[0]),
                                         best, 4);

                for (size_t j = 0; j < n && cases[i].near[j]; j++)
                        CHECK_TEXT(best[j], cases[i].near[j]);
                if ((cases[i].near[0] == NULL) != (n == 0))
                        FAIL("\"%s\" has %zu near, first %s", cases[i].typed, n,
                             n > 0 ? best[0] : "-");
        }
}

TEST(no_more_than_asked_for_and_the_nearest_of_all)
{
        static const char *const many[] = {"abcdefghi9", "abcdefgh", "abcdefghi", "abcdefghij"};
        const char *best[2] = {NULL};

        CHECK_EQ(spelling_near("abcdefghi", many, 4, best, 0), 0);
        CHECK_EQ(spelling_near("abcdefghi", many, 4, best, 1), 1);
        CHECK_TEXT(best[0], "abcdefghi");
        CHECK_EQ(spelling_near("abcdefghi", many, 4, best, 2), 2);
        CHECK_TEXT(best[0], "abcdefghi");
        CHECK_TEXT(best[1], "abcdefghi9");
}
