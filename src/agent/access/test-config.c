#include "agent/access/config.h"
#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define SLOW "$argon2id$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$"
#define SLOW_HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static int parse(const char *text, struct access_config *config, struct error *error)
{
        struct config_section section = access_config_section(config);

        return config_parse("agent.yaml", text, strlen(text), &section, 1, error);
}

static void done(struct access_config *config)
{
        struct config_section section = access_config_section(config);

        config_done(&section, 1);
}

static struct access_config config_of(struct access_token tokens[], size_t count)
{
        return (struct access_config){.tokens = {.items = tokens, .count = count}};
}

TEST(without_a_section_tokens_are_needed_and_none_exists)
{
        struct access_config config;
        struct error error;

        CHECK_EQ(parse("", &config, &error), 0);
        CHECK_EQ(config.mode, ACCESS_MODE_TOKEN);
        CHECK(!config.allow_open_network);
        CHECK_EQ(access_role(config.open_role), COMMAND_ROLE_ADMIN);
        CHECK_EQ(config.tokens.count, 0);
        CHECK_EQ(access_config_check(&config, &error), 0);
        done(&config);
}

TEST(each_key_is_read)
{
        struct access_config config;
        const struct access_token *tokens;
        struct error error;

        CHECK_EQ(parse("access:\n"
                       "  mode: open\n"
                       "  allow_open_network: true\n"
                       "  open_role: viewer\n"
                       "  tokens:\n"
                       "    - {name: node-server, hash: \"blake2b:" ZEROS "\", role: deployer}\n"
                       "    - {role: operator, name: ann@desk, hash: \"" SLOW SLOW_HASH "\"}\n",
                       &config, &error),
                 0);
        CHECK_EQ(config.mode, ACCESS_MODE_OPEN);
        CHECK(config.allow_open_network);
        CHECK_EQ(access_role(config.open_role), COMMAND_ROLE_VIEWER);
        CHECK_EQ(config.tokens.count, 2);
        tokens = config.tokens.items;
        CHECK_TEXT(tokens[0].name, "node-server");
        CHECK_TEXT(tokens[0].hash, "blake2b:" ZEROS);
        CHECK_EQ(access_role(tokens[0].role), COMMAND_ROLE_DEPLOYER);
        CHECK_EQ(access_role(tokens[1].role), COMMAND_ROLE_OPERATOR);
        CHECK_EQ(access_config_check(&config, &error), 0);
        done(&config);
}

TEST(what_the_table_of_keys_refuses_names_the_place)
{
        static const char *const refused[] = {
                "access: {mode: closed}\n",
                "access: {open_role: none}\n",
                "access: {allow_open_network: perhaps}\n",
                "access: {token: []}\n",
                "access: {tokens: {name: a}}\n",
                "access: {tokens: [{name: a, role: viewer}]}\n",
                "access: {tokens: [{name: a, hash: b}]}\n",
                "access: {tokens: [{hash: b, role: viewer}]}\n",
                "access: {tokens: [{name: a, hash: b, role: root}]}\n",
                "access: {tokens: [{name: a, hash: b, role: viewer, colour: red}]}\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                struct access_config config;
                struct error error = {0};

                if (parse(refused[i], &config, &error) != -EINVAL)
                        FAIL("passed: %s", refused[i]);
                CHECK(strstr(error.text, "agent.yaml:1:") != NULL);
        }
}

TEST(the_choices_are_the_roles_by_their_names)
{
        for (int choice = 0; choice < 4; choice++) {
                char text[64];
                struct access_config config;

                snprintf(text, sizeof text, "access: {open_role: %s}\n",
                         command_role_name(access_role(choice)));
                CHECK_EQ(parse(text, &config, NULL), 0);
                CHECK_EQ(config.open_role, choice);
                done(&config);
        }
        CHECK_EQ(access_role(0), COMMAND_ROLE_VIEWER);
        CHECK_EQ(access_role(3), COMMAND_ROLE_ADMIN);
}

TEST(a_name_is_plain_and_not_that_of_a_caller_without_token)
{
        static const struct {
                const char *name;
                bool good;
        } cases[] = {
                {"a", true},
                {"node-server", true},
                {"Ann_2@desk.example", true},
                {"", false},
                {"two words", false},
                {"a=b", false},
                {"new\nline", false},
                {"umlaut-\xc3\xbc", false},
                {"open", false},
                {"local", false},
                {"root", false},
                {"uid:1000", false},
                {"opener", true},
                {"012345678901234567890123456789012345678901234567890123456789012", true},
                {"0123456789012345678901234567890123456789012345678901234567890123", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct access_token token = {.name = (char *)cases[i].name,
                                             .hash = (char *)"blake2b:" ZEROS};
                struct access_config config = config_of(&token, 1);
                struct error error = {0};

                if (access_config_check(&config, &error) != (cases[i].good ? 0 : -EINVAL))
                        FAIL("\"%s\": %s", cases[i].name, error.text);
                if (!cases[i].good)
                        CHECK(strstr(error.text, "access.tokens, entry 1") != NULL);
        }
}

TEST(names_and_hashes_stand_there_once)
{
        struct access_token tokens[] = {
                {.name = (char *)"one", .hash = (char *)"blake2b:" ZEROS},
                {.name = (char *)"two", .hash = (char *)"blake2b:" ONES},
                {.name = (char *)"three", .hash = (char *)SLOW SLOW_HASH},
        };
        struct access_config config = config_of(tokens, ARRAY_SIZE(tokens));
        struct error error;

        CHECK_EQ(access_config_check(&config, &error), 0);
        tokens[2].name = (char *)"one";
        CHECK_EQ(access_config_check(&config, &error), -EINVAL);
        CHECK(strstr(error.text, "entry 3 (\"one\"): the same name") != NULL);
        tokens[2].name = (char *)"three";
        tokens[2].hash = (char *)"blake2b:" ONES;
        CHECK_EQ(access_config_check(&config, &error), -EINVAL);
        CHECK(strstr(error.text, "the same hash stands at \"two\"") != NULL);
}

TEST(a_hash_that_cannot_be_verified_is_refused_with_its_entry)
{
        struct access_token tokens[] = {
                {.name = (char *)"one", .hash = (char *)"blake2b:" ZEROS},
                {.name = (char *)"two", .hash = (char *)"hunter22"},
        };
        struct access_config config = config_of(tokens, ARRAY_SIZE(tokens));
        struct error error;

        CHECK_EQ(access_config_check(&config, &error), -EINVAL);
        CHECK(strstr(error.text, "entry 2 (\"two\")") != NULL);
        CHECK_NULL(strstr(error.text, "hunter22"));
}

static void fill(struct access_token tokens[], char names[][32], char hashes[][128], size_t count,
                 bool slow)
{
        for (size_t i = 0; i < count; i++) {
                snprintf(names[i], sizeof names[i], "token-%zu", i);
                if (slow)
                        snprintf(hashes[i], sizeof hashes[i], "%s%c%s", SLOW, (int)('A' + i),
                                 &SLOW_HASH[1]);
                else
                        snprintf(hashes[i], sizeof hashes[i], "blake2b:%064zx", i);
                tokens[i] = (struct access_token){.name = names[i], .hash = hashes[i]};
        }
}

TEST(there_may_be_a_thousand_fast_hashes_and_eight_slow_ones)
{
        static struct access_token tokens[ACCESS_TOKENS_MAX + 1];
        static char names[ACCESS_TOKENS_MAX + 1][32];
        static char hashes[ACCESS_TOKENS_MAX + 1][128];
        static const struct {
                size_t count;
                bool slow;
                int result;
        } cases[] = {
                {ACCESS_TOKENS_MAX, false, 0},
                {ACCESS_TOKENS_MAX + 1, false, -EINVAL},
                {ACCESS_SLOW_TOKENS_MAX, true, 0},
                {ACCESS_SLOW_TOKENS_MAX + 1, true, -EINVAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct access_config config = config_of(tokens, cases[i].count);
                struct error error = {0};

                fill(tokens, names, hashes, cases[i].count, cases[i].slow);
                if (access_config_check(&config, &error) != cases[i].result)
                        FAIL("case %zu: %s", i, error.text);
        }
}

TEST(a_listener_is_never_open_by_accident)
{
        static struct access_token token;
        static const struct {
                enum access_mode mode;
                bool allow, loopback;
                size_t tokens;
                int outcome;
                const char *sentence; /* a part of it; NULL: none */
        } cases[] = {
                {ACCESS_MODE_TOKEN, false, true, 0, ACCESS_LISTEN_OK, NULL},
                {ACCESS_MODE_TOKEN, false, true, 1, ACCESS_LISTEN_OK, NULL},
                {ACCESS_MODE_TOKEN, false, false, 1, ACCESS_LISTEN_OK, NULL},
                {ACCESS_MODE_TOKEN, true, false, 1, ACCESS_LISTEN_OK, NULL},
                {ACCESS_MODE_TOKEN, false, false, 0, ACCESS_LISTEN_LOOPBACK_ONLY, "pifleet setup"},
                /* Allowing an open network does not make token mode open. */
                {ACCESS_MODE_TOKEN, true, false, 0, ACCESS_LISTEN_LOOPBACK_ONLY, "no token exists"},
                {ACCESS_MODE_OPEN, false, true, 0, ACCESS_LISTEN_OK, NULL},
                {ACCESS_MODE_OPEN, true, true, 1, ACCESS_LISTEN_OK, NULL},
                {ACCESS_MODE_OPEN, false, false, 0, -EACCES, "allow_open_network"},
                {ACCESS_MODE_OPEN, false, false, 1, -EACCES, "pifleet setup"},
                {ACCESS_MODE_OPEN, true, false, 0, ACCESS_LISTEN_OPEN, "the role operator"},
                {ACCESS_MODE_OPEN, true, false, 1, ACCESS_LISTEN_OPEN, "0.0.0.0"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct access_config config = config_of(&token, cases[i].tokens);
                struct error error = {0};

                config.mode = cases[i].mode;
                config.allow_open_network = cases[i].allow;
                config.open_role = COMMAND_ROLE_OPERATOR - COMMAND_ROLE_VIEWER;
                if (access_check_listen(&config, "0.0.0.0", cases[i].loopback, &error) !=
                    cases[i].outcome)
                        FAIL("case %zu", i);
                if (cases[i].sentence && !strstr(error.text, cases[i].sentence))
                        FAIL("case %zu: %s", i, error.text);
                if (!cases[i].sentence)
                        CHECK_TEXT(error.text, "");
                CHECK_EQ(error.code, cases[i].outcome < 0 ? cases[i].outcome : 0);
        }
}

TEST(without_memory_the_tokens_are_neither_good_nor_bad)
{
        struct access_token token = {.name = (char *)"one", .hash = (char *)"blake2b:" ZEROS};
        struct access_config config = config_of(&token, 1);
        size_t n = 0;
        bool failed;

        do {
                struct error error = {0};
                int r;

                allocation_fail_at(++n);
                r = access_config_check(&config, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                if (failed)
                        CHECK(strstr(error.text, "not enough memory") != NULL);
        } while (failed);
        CHECK(n > 2);
}
