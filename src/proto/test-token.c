#include "base/attributes.h"
#include "proto/token.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* Cheap ones, made by libsodium's crypto_pwhash_str() and by b2sum(1). */
#define HUNTER22_SLOW                                                                              \
        "$argon2id$v=19$m=8,t=1,p=1$I3k2a15hFdrlotItB2udNQ$"                                       \
        "rLWc3/mazoF6ODvzu1NSnV9/pTxBb6Op7y9YnMrZz+0"
#define HUNTER22_FAST "blake2b:c3b41048f640ad382131b597bf9e6f16088c8673d6e73fa61b9af9787b86e2af"
#define SALT "I3k2a15hFdrlotItB2udNQ"
#define HASH "rLWc3/mazoF6ODvzu1NSnV9/pTxBb6Op7y9YnMrZz+0"

static void fill(char *text, size_t length)
{
        memset(text, 'x', length);
        text[length] = '\0';
}

TEST(a_made_token_is_recognised_and_has_the_form_that_scanners_look_for)
{
        char token[TOKEN_MADE_LENGTH + 1];

        CHECK_EQ(token_make(token), 0);
        CHECK_EQ(strlen(token), TOKEN_MADE_LENGTH);
        CHECK_EQ(strncmp(token, "pf_", 3), 0);
        CHECK_EQ(strspn(token + 3, "0123456789abcdef"), 72);
        CHECK_EQ(token_form(token), TOKEN_MADE);
        CHECK(token_length_is_good(token));
}

TEST(no_two_made_tokens_are_alike)
{
        char one[TOKEN_MADE_LENGTH + 1], other[TOKEN_MADE_LENGTH + 1];

        CHECK_EQ(token_make(one), 0);
        CHECK_EQ(token_make(other), 0);
        CHECK(strcmp(one, other) != 0);
}

TEST(every_wrong_digit_and_every_cut_of_a_made_token_is_noticed)
{
        char token[TOKEN_MADE_LENGTH + 1], damaged[TOKEN_MADE_LENGTH + 2];

        CHECK_EQ(token_make(token), 0);
        for (size_t i = 3; i < TOKEN_MADE_LENGTH; i++) {
                memcpy(damaged, token, sizeof token);
                damaged[i] = damaged[i] == '0' ? '1' : '0';
                CHECK_EQ(token_form(damaged), TOKEN_DAMAGED);
        }
        for (size_t length = 3 + 32; length < TOKEN_MADE_LENGTH; length++) {
                memcpy(damaged, token, length);
                damaged[length] = '\0';
                CHECK_EQ(token_form(damaged), TOKEN_DAMAGED);
        }
        snprintf(damaged, sizeof damaged, "%s0", token);
        CHECK_EQ(token_form(damaged), TOKEN_DAMAGED);
}

TEST(a_made_token_in_capitals_is_damaged)
{
        char token[TOKEN_MADE_LENGTH + 1] = "pf_";

        memset(token + 3, 'A', TOKEN_MADE_LENGTH - 3);
        CHECK_EQ(token_form(token), TOKEN_DAMAGED);
}

TEST(what_people_choose_is_not_taken_for_a_made_token)
{
        static const char *const chosen[] = {
                "",
                "p",
                "pf_",
                "correct horse battery staple",
                "pf_deadbeef",
                "pf_0123456789abcdef0123456789abcde",
                "pf_0123456789abcdef0123456789abcdef, or so",
                "PF_0123456789abcdef0123456789abcdef0123456789abcdef",
        };

        for (size_t i = 0; i < ARRAY_SIZE(chosen); i++)
                CHECK_EQ(token_form(chosen[i]), TOKEN_CHOSEN);
}

TEST(the_fast_hash_is_what_b2sum_prints)
{
        char hash[TOKEN_HASH_SIZE];

        CHECK_EQ(token_hash("hunter22", hash), 0);
        CHECK_TEXT(hash, HUNTER22_FAST);
        CHECK(!token_hash_is_slow(hash));
        CHECK_EQ(token_hash_check(hash, NULL), 0);
}

TEST(the_slow_hash_is_salted_and_uses_19_mib_and_two_passes)
{
        char one[TOKEN_HASH_SIZE], other[TOKEN_HASH_SIZE];
        static const char start[] = "$argon2id$v=19$m=19456,t=2,p=1$";

        CHECK_EQ(token_hash_password("hunter22", one), 0);
        CHECK_EQ(token_hash_password("hunter22", other), 0);
        CHECK_EQ(strncmp(one, start, sizeof start - 1), 0);
        CHECK(strcmp(one, other) != 0);
        CHECK(token_hash_is_slow(one));
        CHECK_EQ(token_hash_check(one, NULL), 0);
        CHECK_EQ(token_verify(one, "hunter22"), 1);
        CHECK_EQ(token_verify(one, "hunter23"), 0);
}

TEST(a_token_belongs_to_its_own_hash_only)
{
        static const struct {
                const char *hash, *token;
                int belongs;
        } cases[] = {
                {HUNTER22_FAST, "hunter22", 1},
                {HUNTER22_FAST, "hunter23", 0},
                {HUNTER22_FAST, "hunter22 ", 0},
                {HUNTER22_FAST, "Hunter22", 0},
                {HUNTER22_FAST, HUNTER22_FAST, 0},
                {HUNTER22_SLOW, "hunter22", 1},
                {HUNTER22_SLOW, "hunter23", 0},
                {HUNTER22_SLOW, "hunter2", 0},
                {HUNTER22_SLOW, "", 0},
                {"blake2b:", "hunter22", -EINVAL},
                {"hunter22", "hunter22", -EINVAL},
                {"$argon2id$", "hunter22", -EINVAL},
                {"", "hunter22", -EINVAL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                CHECK_EQ(token_verify(cases[i].hash, cases[i].token), cases[i].belongs);
}

TEST(a_token_has_8_to_512_bytes)
{
        static const struct {
                size_t length;
                bool good;
        } cases[] = {{0, false},  {1, false},  {7, false},   {8, true},   {9, true},
                     {511, true}, {512, true}, {513, false}, {600, false}};
        char token[601], hash[TOKEN_HASH_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                fill(token, cases[i].length);
                CHECK_EQ(token_length_is_good(token), cases[i].good);
                CHECK_EQ(token_hash(token, hash), cases[i].good ? 0 : -EINVAL);
                if (cases[i].good)
                        CHECK_EQ(token_verify(hash, token), 1);
                else
                        CHECK_EQ(token_hash_password(token, hash), -EINVAL);
        }
}

TEST(only_hashes_that_can_be_verified_pass_the_check)
{
        static const struct {
                const char *hash;
                const char *sentence; /* a part of it; NULL: good */
        } cases[] = {
                {HUNTER22_SLOW, NULL},
                {HUNTER22_FAST, NULL},
                {"$argon2id$v=19$m=65536,t=10,p=1$" SALT "$" HASH, NULL},
                {"", "begins with"},
                {"hunter22", "begins with"},
                {"sha256:0000", "begins with"},
                {"$argon2i$v=19$m=8,t=1,p=1$" SALT "$" HASH, "begins with"},
                {"blake2b:", "64 hexadecimal"},
                {HUNTER22_FAST "0", "64 hexadecimal"},
                {"blake2b:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
                 "64 hexadecimal"},
                {"blake2b:00:0000000000000000000000000000000000000000000000000000000000000",
                 "64 hexadecimal"},
                {"pf_0123456789abcdef", "not its hash"},
                {"$argon2id$", "begins with"},
                {"$argon2id$v=16$m=8,t=1,p=1$" SALT "$" HASH, "begins with"},
                {"$argon2id$v=19$m=08,t=1,p=1$" SALT "$" HASH, "begins with"},
                {"$argon2id$v=19$m=-8,t=1,p=1$" SALT "$" HASH, "begins with"},
                {"$argon2id$v=19$m=8,t=0,p=1$" SALT "$" HASH, "begins with"},
                {"$argon2id$v=19$m=9999999999,t=1,p=1$" SALT "$" HASH, "begins with"},
                {"$argon2id$v=19$t=1,m=8,p=1$" SALT "$" HASH, "begins with"},
                {"$argon2id$v=19$m=8,t=1,p=1", "begins with"},
                {"$argon2id$v=19$m=7,t=1,p=1$" SALT "$" HASH, "m=7"},
                {"$argon2id$v=19$m=65537,t=1,p=1$" SALT "$" HASH, "m=65537"},
                {"$argon2id$v=19$m=8,t=11,p=1$" SALT "$" HASH, "t=11"},
                {"$argon2id$v=19$m=8,t=1,p=4$" SALT "$" HASH, "p=4"},
                {"$argon2id$v=19$m=8,t=1,p=1$", "salt"},
                {"$argon2id$v=19$m=8,t=1,p=1$" SALT, "salt"},
                {"$argon2id$v=19$m=8,t=1,p=1$AAAA$" HASH, "salt"},
                {"$argon2id$v=19$m=8,t=1,p=1$" SALT "AAAA$" HASH, "salt"},
                {"$argon2id$v=19$m=8,t=1,p=1$!!!!$" HASH, "salt"},
                {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$", "cut"},
                {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$rLWc3/mazoF6ODvz", "cut"},
                {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH "=", "cut"},
                {"$argon2id$v=19$m=8,t=1,p=1$" SALT "$" HASH "$" HASH, "cut"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error error = {0};
                int r = token_hash_check(cases[i].hash, &error);

                CHECK_EQ(r, cases[i].sentence ? -EINVAL : 0);
                if (cases[i].sentence && !strstr(error.text, cases[i].sentence))
                        FAIL("%s: %s", cases[i].hash, error.text);
                /* Secrets stay out of sentences that end up in logs. */
                CHECK_NULL(strstr(error.text, HASH));
        }
}

TEST(digests_are_equal_when_all_of_their_bits_are)
{
        struct token_digest stored, computed;

        CHECK(token_digest_parse(HUNTER22_FAST, &stored));
        token_digest("hunter22", &computed);
        CHECK(token_digest_equal(&stored, &computed));
        for (size_t bit = 0; bit < sizeof computed.bytes * 8; bit++) {
                computed.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
                CHECK(!token_digest_equal(&stored, &computed));
                computed.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
}

TEST(a_slow_hash_has_no_digest)
{
        struct token_digest digest;

        CHECK(!token_digest_parse(HUNTER22_SLOW, &digest));
        CHECK(!token_digest_parse("", &digest));
}

/* What counts against RLIMIT_DATA, proc(5). */
static rlim_t data_in_use(void)
{
        FILE *status = fopen("/proc/self/status", "re");
        char line[256];
        unsigned long kib = 0;

        assert_non_null(status);
        while (fgets(line, sizeof line, status) && sscanf(line, "VmData: %lu kB", &kib) != 1)
                continue;
        fclose(status);
        CHECK(kib > 0);
        return (rlim_t)kib * 1024;
}

TEST(want_of_memory_is_not_taken_for_a_wrong_token)
{
        struct rlimit before, tight;
        char hash[TOKEN_HASH_SIZE];
        int hashed, verified;
        void *memory;

        CHECK_EQ(getrlimit(RLIMIT_DATA, &before), 0);
        tight = before;
        tight.rlim_cur = data_in_use() + (8U << 20);
        CHECK_EQ(setrlimit(RLIMIT_DATA, &tight), 0);
        memory = mmap(NULL, 64U << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        verified = token_verify("$argon2id$v=19$m=65536,t=1,p=1$" SALT "$" HASH, "hunter22");
        hashed = token_hash_password("hunter22", hash);
        CHECK_EQ(setrlimit(RLIMIT_DATA, &before), 0);
        if (memory != MAP_FAILED) { /* qemu-user takes this limit and does not keep it: no proof */
                munmap(memory, 64U << 20);
                return;
        }
        CHECK_EQ(verified, -ENOMEM);
        CHECK_EQ(hashed, -ENOMEM);
}
