#include "cli/options.h"

#include "support/test.h"

#include <errno.h>

struct connection {
        const char *host;
        int64_t port;
};

struct settings {
        bool json;
        struct options_list pairs;
        double timeout;
        struct connection connection;
};

static const struct options_entry own[] = {
        {.name = "json",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct settings, json),
         .help = "one line of JSON"},
        {.name = "timeout",
         .type = OPTIONS_SECONDS,
         .offset = offsetof(struct settings, timeout),
         .value = "SECONDS",
         .help = "how long to wait\n(30)",
         .minimum = 0.1,
         .maximum = 3600},
};

static const struct options_entry lettered[] = {
        {.name = "json",
         .letter = 'j',
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct settings, json),
         .help = "one line of JSON"},
        {.name = "pair",
         .letter = 'P',
         .type = OPTIONS_LIST,
         .offset = offsetof(struct settings, pairs),
         .value = "NAME=VALUE",
         .help = "any number of them"},
};

static const struct options_form lettered_form = {
        .name = "pifleet pub",
        .arguments = "TOPIC",
        .summary = "publish",
        .groups = {{"Options", lettered, ARRAY_SIZE(lettered), 0}},
        .words_max = 2,
};

static const struct options_entry connection[] = {
        {.name = "host",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct connection, host),
         .value = "HOST",
         .help = "where"},
        {.name = "port",
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct connection, port),
         .value = "PORT-NUMBER-OF-AGENT",
         .help = "which",
         .minimum = 1,
         .maximum = 65535},
};

static const struct options_form form = {
        .name = "pifleet call",
        .arguments = "COMMAND [KEY=VALUE ...]",
        .summary = "send one command",
        .groups = {{"Options", own, ARRAY_SIZE(own), 0},
                   {"Connection", connection, ARRAY_SIZE(connection),
                    offsetof(struct settings, connection)}},
        .examples = "  pifleet call ping",
        .words_min = 1,
        .words_max = 3,
};

enum { WORDS_MAX = 10 };

/* `line` is cut at blanks; "''" stands for an empty word. */
static int cut(char *line, char *words[WORDS_MAX])
{
        char *rest = line;
        int argc = 0;

        for (char *word; argc < WORDS_MAX && (word = strsep(&rest, " "));)
                words[argc++] = strcmp(word, "''") == 0 ? (char *)"" : word;
        return argc;
}

static int parse(char *line, struct settings *settings, char *words[WORDS_MAX], size_t *count,
                 struct error *error)
{
        *settings = (struct settings){.timeout = 30, .connection.port = 3000};
        *error = (struct error){0};
        return options_parse(&form, cut(line, words), words, settings, count, error);
}

TEST(options_and_words_may_be_mixed)
{
        char line[] = "--json ping --host pi a=1 --port=3001 --timeout 2.5";
        char *words[WORDS_MAX];
        struct settings s;
        struct error error;
        size_t count;

        CHECK_EQ(parse(line, &s, words, &count, &error), 0);
        CHECK_EQ(count, 2);
        CHECK_TEXT(words[0], "ping");
        CHECK_TEXT(words[1], "a=1");
        CHECK(s.json);
        CHECK(s.timeout == 2.5);
        CHECK_TEXT(s.connection.host, "pi");
        CHECK_EQ(s.connection.port, 3001);
}

TEST(two_dashes_end_the_options)
{
        char line[] = "ping -- --json --";
        char *words[WORDS_MAX];
        struct settings s;
        struct error error;
        size_t count;

        CHECK_EQ(parse(line, &s, words, &count, &error), 0);
        CHECK_EQ(count, 3);
        CHECK_TEXT(words[1], "--json");
        CHECK_TEXT(words[2], "--");
        CHECK(!s.json);
}

TEST(a_value_may_begin_with_a_dash_or_be_a_word)
{
        char line[] = "ping --host -x";
        char *words[WORDS_MAX];
        struct settings s;
        struct error error;
        size_t count;

        CHECK_EQ(parse(line, &s, words, &count, &error), 0);
        CHECK_TEXT(s.connection.host, "-x");
}

TEST(help_wins_over_what_is_wrong_behind_it)
{
        char line[] = "--help --nonsense";
        char *words[WORDS_MAX];
        struct settings s;
        struct error error;
        size_t count;

        CHECK_EQ(parse(line, &s, words, &count, &error), OPTIONS_HELP);
}

TEST(what_is_wrong_is_refused_with_a_sentence)
{
        static const struct {
                const char *line, *sentence;
        } cases[] = {
                {"ping --jsn", "there is no option --jsn; did you mean --json?"},
                {"ping --prot=1", "there is no option --prot; did you mean --port?"},
                {"ping --hlep", "there is no option --hlep; did you mean --help?"},
                {"ping --xyzzy=2", "there is no option --xyzzy; pifleet call --help lists them"},
                {"ping --=2", "there is no option --; pifleet call --help lists them"},
                {"ping --json=1", "--json is a switch and takes no value"},
                {"ping --json --json", "--json is given twice"},
                {"ping --host", "--host needs a value: --host HOST"},
                {"ping --host=", "--host needs a value, not nothing"},
                {"ping --host ''", "--host needs a value, not nothing"},
                {"ping --port=0", "--port takes a whole number from 1 to 65535, not \"0\""},
                {"ping --port=65536", "--port takes a whole number from 1 to 65535, not \"65536\""},
                {"ping --port=80.5", "--port takes a whole number from 1 to 65535, not \"80.5\""},
                {"ping --port=0x50", "--port takes a whole number from 1 to 65535, not \"0x50\""},
                {"ping --port=+80", "--port takes a whole number from 1 to 65535, not \"+80\""},
                {"ping --port=1.2.3", "--port takes a whole number from 1 to 65535, not \"1.2.3\""},
                {"ping --port=", "--port takes a whole number from 1 to 65535, not \"\""},
                {"ping --timeout=inf", "--timeout takes seconds from 0.1 to 3600, not \"inf\""},
                {"ping --timeout=0", "--timeout takes seconds from 0.1 to 3600, not \"0\""},
                {"ping -j", "\"-j\" is no option: they have long names only; "
                            "pifleet call --help lists them"},
                {"--json", "something is missing: pifleet call COMMAND [KEY=VALUE ...]"},
                {"a b c d", "one word too many: \"d\""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char line[80];
                char *words[WORDS_MAX];
                struct settings s;
                struct error error;
                size_t count;

                strcpy(line, cases[i].line);
                CHECK_EQ(parse(line, &s, words, &count, &error), -EINVAL);
                CHECK_TEXT(error.text, cases[i].sentence);
        }
}

TEST(an_option_may_have_a_letter)
{
        char line[] = "-j t -P a=1 -";
        char *words[WORDS_MAX];
        struct settings s = {0};
        struct error error = {0};
        size_t count;

        CHECK_EQ(options_parse(&lettered_form, cut(line, words), words, &s, &count, &error), 0);
        CHECK_EQ(count, 2);
        CHECK_TEXT(words[1], "-");
        CHECK(s.json);
        CHECK_EQ(s.pairs.count, 1);
        CHECK_TEXT(s.pairs.items[0], "a=1");
}

TEST(letters_that_are_none_are_refused)
{
        static const struct {
                const char *line, *sentence;
        } cases[] = {
                {"-x", "\"-x\" is no option; pifleet pub --help lists them"},
                {"-jj", "\"-jj\" is no option; pifleet pub --help lists them"},
                {"-P=1", "\"-P=1\" is no option; pifleet pub --help lists them"},
                {"-P", "--pair needs a value: --pair NAME=VALUE"},
                {"-j -j", "--json is given twice"},
                {"-j --json", "--json is given twice"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char line[20];
                char *words[WORDS_MAX];
                struct settings s = {0};
                struct error error = {0};
                size_t count;

                strcpy(line, cases[i].line);
                CHECK_EQ(options_parse(&lettered_form, cut(line, words), words, &s, &count, &error),
                         -EINVAL);
                CHECK_TEXT(error.text, cases[i].sentence);
        }
}

TEST(a_list_keeps_its_order_and_has_an_end)
{
        char *words[2 * OPTIONS_LIST_MAX + 2];
        struct settings s = {0};
        struct error error = {0};
        size_t count;

        for (size_t i = 0; i < ARRAY_SIZE(words); i += 2) {
                words[i] = (char *)"--pair";
                words[i + 1] = (char *)(i == 0 ? "first" : "next");
        }
        CHECK_EQ(options_parse(&lettered_form, 2 * OPTIONS_LIST_MAX, words, &s, &count, &error), 0);
        CHECK_EQ(s.pairs.count, OPTIONS_LIST_MAX);
        CHECK_TEXT(s.pairs.items[0], "first");
        CHECK_TEXT(s.pairs.items[1], "next");
        s.pairs.count = 0;
        CHECK_EQ(options_parse(&lettered_form, ARRAY_SIZE(words), words, &s, &count, &error),
                 -EINVAL);
        CHECK_TEXT(error.text, "--pair is given more than 32 times");
}

TEST(an_unknown_option_of_any_length_is_refused)
{
        char line[3000] = "ping --";
        char *words[WORDS_MAX];
        struct settings s;
        struct error error;
        size_t count;

        memset(line + 7, 'j', sizeof(line) - 8);
        CHECK_EQ(parse(line, &s, words, &count, &error), -EINVAL);
}

TEST(help_is_made_from_the_table)
{
        struct buffer out;

        buffer_init(&out, 4096);
        CHECK_EQ(options_help(&form, &out), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), "pifleet call - send one command\n\n"
                                      "Usage: pifleet call COMMAND [KEY=VALUE ...] [OPTIONS]\n\n"
                                      "Options:\n"
                                      "  --json                one line of JSON\n"
                                      "  --timeout SECONDS     how long to wait\n"
                                      "                        (30)\n\n"
                                      "Connection:\n"
                                      "  --host HOST           where\n"
                                      "  --port PORT-NUMBER-OF-AGENT\n"
                                      "                        which\n\n"
                                      "Examples:\n"
                                      "  pifleet call ping\n");
        buffer_done(&out);
}

TEST(help_names_the_letters)
{
        struct buffer out;

        buffer_init(&out, 4096);
        CHECK_EQ(options_help(&lettered_form, &out), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK(strstr(buffer_data(&out), "  --json, -j            one line of JSON\n"
                                        "  --pair NAME=VALUE, -P\n"
                                        "                        any number of them\n"));
        buffer_done(&out);
}

TEST(help_that_does_not_fit_is_reported)
{
        struct buffer out;

        buffer_init(&out, 50);
        CHECK_EQ(options_help(&form, &out), -EMSGSIZE);
        buffer_done(&out);
}
