#include "access/password-hash.h"

#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

/* What mosquitto_passwd made. */
#define SEVEN                                                                                      \
        "$7$101$R8cUeNl30Fu466WR$"                                                                 \
        "I94qdK7l43ue4RgBuVdp9NXVQhnmT+E/AT8dzIVhLLsRzVuWZ+YwJgmMRHkG2H7omN+sbf96flp6w91gos5XnA=="
#define SEVEN_2000                                                                                 \
        "$7$2000$kgd0smx3iNGjIgne$"                                                                \
        "2ozT1AvISRSWTd68iWbraTyE3h4Wq6FKHL28+VwHSM2cLUkfsVx0AQvP6oFzXw0h9duvbW1bFyPr9/O9u0KcSg=="
#define SIX                                                                                        \
        "$6$cn+wstvbmoRQsKTs$"                                                                     \
        "uInZb+hajG2iCpDmo0kosTeRyMBcmBbk3ml7Ym/gHItW3zD0FRz7CxbSWqVQKc5UW0NNGkVTApwm/b/PdmkK+w=="
#define ARGON2                                                                                     \
        "$argon2id$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$"                                       \
        "jkdTWcF0abDTO2jnUNAay6Is2vmdstxrKZaHaXCrM2Y"
#define DIGEST "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"

static int verify(const char *hash, const char *password)
{
        return password_hash_verify(hash, password, strlen(password));
}

TEST(a_password_belongs_to_its_own_hash_only)
{
        static const struct {
                const char *hash, *password;
                bool slow;
        } cases[] = {
                {SEVEN, "first secret", true},
                {SEVEN_2000, "third secret", true},
                {SIX, "fourth secret", false},
                {ARGON2, "first secret", true},
                {DIGEST, "the token of a server", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *hash = cases[i].hash, *password = cases[i].password;
                size_t length = strlen(password);
                char longer[64];

                CHECK_EQ(password_hash_check(hash, NULL), 0);
                CHECK_EQ(password_hash_is_slow(hash), cases[i].slow);
                CHECK_EQ(verify(hash, password), 1);
                CHECK_EQ(verify(hash, "another secret"), 0);
                CHECK_EQ(verify(hash, ""), 0);
                CHECK_EQ(password_hash_verify(hash, password, length - 1), 0);
                memcpy(longer, password, length + 1);
                /* HMAC takes zeros behind a short key for part of its padding (RFC 2104, 2). */
                longer[length] = memcmp(hash, "$7$", 3) == 0 ? 'x' : '\0';
                CHECK_EQ(password_hash_verify(hash, longer, length + 1), 0);
        }
}

TEST(a_password_of_any_bytes_and_of_the_longest_length_is_hashed)
{
        char password[PASSWORD_MAX + 1], hash[PASSWORD_HASH_SIZE];

        for (size_t i = 0; i < sizeof(password); i++)
                password[i] = (char)i;
        CHECK_EQ(password_hash_make(password, PASSWORD_MAX, hash), 0);
        CHECK_EQ(password_hash_check(hash, NULL), 0);
        CHECK(password_hash_is_slow(hash));
        CHECK_EQ(password_hash_verify(hash, password, PASSWORD_MAX), 1);
        CHECK_EQ(password_hash_verify(hash, password, PASSWORD_MAX - 1), 0);
        CHECK_EQ(password_hash_verify(hash, password, PASSWORD_MAX + 1), 0);
        CHECK_EQ(password_hash_make(password, PASSWORD_MAX + 1, hash), -EINVAL);
        CHECK_EQ(password_hash_make(password, 0, hash), -EINVAL);
        CHECK_EQ(password_hash_make("x", 1, hash), 0); /* how good it is, others say */
        CHECK_EQ(password_hash_verify(hash, "x", 1), 1);
}

TEST(a_wrong_bit_anywhere_in_a_hash_is_another_password)
{
        char hash[] = SEVEN;

        hash[40] = hash[40] == 'A' ? 'B' : 'A';
        CHECK_EQ(password_hash_check(hash, NULL), 0);
        CHECK_EQ(verify(hash, "first secret"), 0);
        strcpy(hash, SEVEN);
        hash[10] = hash[10] == 'A' ? 'B' : 'A';
        CHECK_EQ(verify(hash, "first secret"), 0);
        strcpy(hash, SEVEN);
        memcpy(hash, "$7$102", 6);
        CHECK_EQ(verify(hash, "first secret"), 0);
}

TEST(only_hashes_that_can_be_verified_pass_the_check)
{
        static const struct {
                const char *hash, *words;
        } cases[] = {
                {"", "begins with"},
                {"open sesame", "begins with"},
                {"$1$abc$def", "begins with $argon2id$, $7$, $6$ or blake2b:"},
                {"$", "begins with"},
                {"$7$", "iterations"},
                {"$7$0$R8cUeNl30Fu466WR$x", "iterations"},
                {"$7$1000001$R8cUeNl30Fu466WR$x", "1 to 1000000"},
                {"$7$99999999999999999999$R8cUeNl30Fu466WR$x", "iterations"},
                {"$7$-1$R8cUeNl30Fu466WR$x", "iterations"},
                {"$7$101x$R8cUeNl30Fu466WR$x", "iterations"},
                {"$7$101", "iterations"},
                {"$7$101$", "salt"},
                {"$7$101$$x", "salt"},
                {"$7$101$R8cUeNl30Fu466W$x", "salt"},
                {"$6$R8cUeNl3*Fu466WR$x", "salt"},
                {"$6$R8cUeNl30Fu466WR", "salt"},
                {"$6$R8cUeNl30Fu466WR$", "64 bytes"},
                {"$6$R8cUeNl30Fu466WR$R8cUeNl30Fu466WR", "64 bytes"},
                {SIX "A", "64 bytes"},
                {SIX "$", "64 bytes"},
                {"$6$"
                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                 "AAAAAAA$x",
                 "1 to 64 bytes"},
                {"$argon2id$v=19$m=8,t=1,p=4$e1EDx34TtomITuEBM97YAA$x", "p=4"},
                {"$argon2i$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$x", "begins with"},
                {"blake2b:12", "64 hexadecimal digits"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error error = {0};

                CHECK_EQ(password_hash_check(cases[i].hash, &error), -EINVAL);
                if (!strstr(error.text, cases[i].words))
                        FAIL("%s: %s", cases[i].hash, error.text);
                CHECK(strlen(cases[i].hash) < 12 || !strstr(error.text, cases[i].hash));
        }
        CHECK_EQ(verify("$7$0$R8cUeNl30Fu466WR$x", "first secret"), -EINVAL);
        CHECK_EQ(verify("open sesame", "open sesame"), -EINVAL);
        CHECK_EQ(verify("blake2b:12", "first secret"), -EINVAL);
}
