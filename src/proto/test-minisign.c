#include "base/attributes.h"
#include "proto/minisign.h"
#include "support/test.h"

#include <errno.h>

/* Made with the program minisign 0.11 (its -G -W, -S and -S -l). */
static const char public_file[] = "untrusted comment: minisign public key 9C86C8E81A39FFB7\n"
                                  "RWS3/zka6MiGnE4a1ySdPiPqw/v7qDDtWrfx9nknJ2ls07jDZbOmvals\n";
static const char secret_file[] = "untrusted comment: minisign encrypted secret key\n"
                                  "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                  "AAAAAAAAt/85GujIhpyVIhjul/Wd"
                                  "nNQKS4E5Dfijj2RPnBZhZivebDFd8PNHG04a1ySdPiPqw/"
                                  "v7qDDtWrfx9nknJ2ls07jDZbOmvalsAAAAAAAAAAAAAAAA"
                                  "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char message[] = "def handle_ping(request):\n    return {}\n";
static const char signature[] =
        "untrusted comment: a signature\n"
        "RUS3/"
        "zka6MiGnPt9N8aq2aVpfJFq0MfsGlmkcscsZQyu5kyVsc+2igOAketGEPfisoTGrt34u+zQneo3obF2DYuLXoVp"
        "Qgo5Tw8=\n"
        "trusted comment: file:m.py\n"
        "YYlrsvhP3I/"
        "gOhxCm6oIRaU3UmXMJyoOg0X1Qet1eitIOYNS94A1T3ks87FYjZQUbqpO2uOxdyE7+vJzdepDCg==\n";
static const char legacy[] =
        "untrusted comment: signature from minisign secret key\n"
        "RWS3/"
        "zka6MiGnMJ7DeyHJow48Z8eSR4A7iN7kXI7MvF43rX8mORjQZZUHxgLMm2Dq6hgeHxKGMaGdHsR211sRtwCpYz4"
        "n7U4Fg0=\n"
        "trusted comment: timestamp:1795230404\tfile:m.py\n"
        "1uwwjWkSczfY8DpH8I3mXvU483FFZmz2gNJ/"
        "60pfwqzvjinRlxdijKlPA5N3sBS1j6sekYFFrMfpVusTYHcVBQ==\n";

static struct minisign_key key_of(const char *text)
{
        struct minisign_key key;

        CHECK_EQ(minisign_key_parse(text, strlen(text), &key, NULL), 0);
        return key;
}

static int verify(const char *text, const char *of, const struct minisign_key *key,
                  char comment[MINISIGN_COMMENT_MAX + 1], struct error *error)
{
        return minisign_verify(text, strlen(text), of, strlen(of), key, 1, comment, error);
}

TEST(a_signature_of_the_stock_program_is_good)
{
        struct minisign_key key = key_of(public_file);
        char comment[MINISIGN_COMMENT_MAX + 1];
        char id[MINISIGN_ID_TEXT_SIZE];

        minisign_id_text(key.id, id);
        CHECK_TEXT(id, "9C86C8E81A39FFB7");
        CHECK_EQ(verify(signature, message, &key, comment, NULL), 0);
        CHECK_TEXT(comment, "file:m.py");
}

TEST(a_key_is_read_as_a_file_and_as_the_line_alone)
{
        struct minisign_key file = key_of(public_file), line;
        char text[MINISIGN_KEY_TEXT_SIZE];

        minisign_key_text(&file, text);
        CHECK_TEXT(text, "RWS3/zka6MiGnE4a1ySdPiPqw/v7qDDtWrfx9nknJ2ls07jDZbOmvals");
        line = key_of(text);
        CHECK(memcmp(&file, &line, sizeof(file)) == 0);
}

TEST(what_is_no_public_key_is_refused)
{
        static const char *const texts[] = {
                "",
                "\n",
                "untrusted comment: nothing below",
                "untrusted comment: x\n\n",
                "RWS3/zka6MiGnE4a1ySdPiPqw/v7qDDtWrfx9nknJ2ls07jDZbOmval",
                "RWS3/zka6MiGnE4a1ySdPiPqw/v7qDDtWrfx9nknJ2ls07jDZbOmvals=",
                "RWS3/zka6MiGnE4a1ySdPiPqw/v7qDDtWrfx9nknJ2ls07jDZbOmvals\nmore",
                "RUS3/zka6MiGnE4a1ySdPiPqw/v7qDDtWrfx9nknJ2ls07jDZbOmvals",
                "-WS3_zka6MiGnE4a1ySdPiPqw/v7qDDtWrfx9nknJ2ls07jDZbOmvals",
        };
        struct minisign_key key;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct error error = {0};

                CHECK_EQ(minisign_key_parse(texts[i], strlen(texts[i]), &key, &error), -EBADMSG);
                CHECK(error.text[0] != '\0');
        }
}

TEST(each_changed_byte_of_a_signature_is_noticed_but_for_the_untrusted_comment)
{
        struct minisign_key key = key_of(public_file);
        size_t untrusted = strcspn(signature, "\n");
        char text[sizeof(signature)];

        for (size_t i = 0; i < sizeof(signature) - 1; i++) {
                int r;

                memcpy(text, signature, sizeof(text));
                text[i] ^= 1;
                r = verify(text, message, &key, NULL, NULL);
                if (i >= strlen("untrusted comment: ") && i < untrusted)
                        CHECK_EQ(r, 0);
                else if (i + 2 == sizeof(signature))
                        CHECK(r <= 0); /* the last line break */
                else
                        CHECK(r < 0);
        }
}

TEST(another_message_is_not_what_was_signed)
{
        struct minisign_key key = key_of(public_file);
        struct error error = {0};
        char other[sizeof(message)];

        for (size_t i = 0; i < sizeof(message) - 1; i++) {
                memcpy(other, message, sizeof(other));
                other[i] ^= 1;
                CHECK_EQ(verify(signature, other, &key, NULL, &error), -EKEYREJECTED);
        }
        CHECK_EQ(verify(signature, "", &key, NULL, &error), -EKEYREJECTED);
}

TEST(a_key_that_is_not_trusted_is_named)
{
        struct minisign_key key = key_of(public_file);
        struct error error = {0};

        key.id[0] ^= 1;
        CHECK_EQ(verify(signature, message, &key, NULL, &error), -ENOKEY);
        CHECK(strstr(error.text, "9C86C8E81A39FFB7") != NULL);
        CHECK_EQ(minisign_verify(signature, strlen(signature), message, strlen(message), NULL, 0,
                                 NULL, &error),
                 -ENOKEY);
}

TEST(a_key_with_the_same_id_is_not_the_same_key)
{
        struct minisign_key key = key_of(public_file);

        key.bytes[5] ^= 1;
        CHECK_EQ(verify(signature, message, &key, NULL, NULL), -EKEYREJECTED);
}

TEST(a_changed_trusted_comment_is_told_from_a_changed_message)
{
        struct minisign_key key = key_of(public_file);
        struct error error = {0};
        char text[sizeof(signature)];

        memcpy(text, signature, sizeof(text));
        *strstr(text, "m.py") = 'n';
        CHECK_EQ(verify(text, message, &key, NULL, &error), -EKEYREJECTED);
        CHECK(strstr(error.text, "trusted comment") != NULL);
}

TEST(a_signature_that_is_not_prehashed_is_refused_with_the_way_out)
{
        struct minisign_key key = key_of(public_file);
        struct error error = {0};

        CHECK_EQ(verify(legacy, message, &key, NULL, &error), -EBADMSG);
        CHECK(strstr(error.text, "minisign -SH") != NULL);
}

TEST(a_cut_signature_is_refused_at_every_length)
{
        struct minisign_key key = key_of(public_file);

        for (size_t length = 0; length + 2 < sizeof(signature); length++)
                CHECK_EQ(minisign_verify(signature, length, message, strlen(message), &key, 1, NULL,
                                         NULL),
                         -EBADMSG);
}

TEST(the_stock_programs_secret_signs_what_its_key_verifies)
{
        struct minisign_key key = key_of(public_file), derived;
        struct minisign_secret secret;
        char comment[MINISIGN_COMMENT_MAX + 1];
        struct buffer out;
        bool locked;

        CHECK_EQ(minisign_secret_is_locked(secret_file, strlen(secret_file), &locked, NULL), 0);
        CHECK_EQ(locked, false);
        CHECK_EQ(minisign_secret_parse(secret_file, strlen(secret_file), NULL, &secret, NULL), 0);
        minisign_secret_key(&secret, &derived);
        CHECK(memcmp(&key, &derived, sizeof(key)) == 0);

        buffer_init(&out, MINISIGN_TEXT_MAX);
        CHECK_EQ(minisign_sign(&secret, message, strlen(message), "a signature", "file:m.py", &out),
                 0);
        CHECK_EQ(buffer_length(&out), strlen(signature));
        CHECK(memcmp(buffer_data(&out), signature, strlen(signature)) == 0);
        CHECK_EQ(minisign_verify(buffer_data(&out), buffer_length(&out), message, strlen(message),
                                 &key, 1, comment, NULL),
                 0);
        CHECK_TEXT(comment, "file:m.py");
        buffer_done(&out);
        minisign_secret_wipe(&secret);
}

TEST(comments_are_one_line_of_text)
{
        struct minisign_secret secret;
        struct minisign_key key;
        char longest[MINISIGN_COMMENT_MAX + 2];
        struct buffer out;

        CHECK_EQ(minisign_secret_make(&secret, &key), 0);
        buffer_init(&out, MINISIGN_TEXT_MAX);
        CHECK_EQ(minisign_sign(&secret, "", 0, "two\nlines", "", &out), -EINVAL);
        CHECK_EQ(minisign_sign(&secret, "", 0, "", "two\nlines", &out), -EINVAL);
        CHECK_EQ(minisign_sign(&secret, "", 0, "", "\xff", &out), -EINVAL);
        memset(longest, 'x', sizeof(longest));
        longest[MINISIGN_COMMENT_MAX + 1] = '\0';
        CHECK_EQ(minisign_sign(&secret, "", 0, "", longest, &out), -EINVAL);
        longest[MINISIGN_COMMENT_MAX] = '\0';
        CHECK_EQ(minisign_sign(&secret, "", 0, longest, longest, &out), 0);
        CHECK_EQ(
                minisign_verify(buffer_data(&out), buffer_length(&out), "", 0, &key, 1, NULL, NULL),
                0);
        buffer_done(&out);
}

TEST(a_secret_is_written_and_read_without_a_password)
{
        struct minisign_secret secret, again;
        struct minisign_key key;
        struct buffer out;

        CHECK_EQ(minisign_secret_make(&secret, &key), 0);
        buffer_init(&out, MINISIGN_TEXT_MAX);
        CHECK_EQ(minisign_secret_write(&secret, NULL, &out), 0);
        CHECK_EQ(minisign_secret_parse(buffer_data(&out), buffer_length(&out), NULL, &again, NULL),
                 0);
        CHECK(memcmp(&secret, &again, sizeof(secret)) == 0);
        buffer_done(&out);
}

TEST(a_locked_secret_opens_with_its_password_only)
{
        struct minisign_secret secret, again;
        struct error error = {0};
        struct minisign_key key;
        struct buffer out;
        bool locked;

        CHECK_EQ(minisign_secret_make(&secret, &key), 0);
        buffer_init(&out, MINISIGN_TEXT_MAX);
        CHECK_EQ(minisign_secret_write(&secret, "correct horse", &out), 0);
        CHECK_EQ(minisign_secret_is_locked(buffer_data(&out), buffer_length(&out), &locked, NULL),
                 0);
        CHECK_EQ(locked, true);
        CHECK_EQ(
                minisign_secret_parse(buffer_data(&out), buffer_length(&out), NULL, &again, &error),
                -EACCES);
        CHECK_EQ(minisign_secret_parse(buffer_data(&out), buffer_length(&out), "battery", &again,
                                       &error),
                 -EACCES);
        CHECK_EQ(minisign_secret_parse(buffer_data(&out), buffer_length(&out), "correct horse",
                                       &again, &error),
                 0);
        CHECK(memcmp(&secret, &again, sizeof(secret)) == 0);
        buffer_done(&out);
}

TEST(a_damaged_secret_is_refused)
{
        struct minisign_secret secret;
        struct error error = {0};
        char text[sizeof(secret_file)];
        char *seed;

        memcpy(text, secret_file, sizeof(text));
        seed = strstr(text, "nNQKS4E5");
        seed[0] = 'A';
        CHECK_EQ(minisign_secret_parse(text, strlen(text), NULL, &secret, &error), -EBADMSG);
        CHECK_TEXT(error.text, "this secret key is damaged");
        for (size_t length = 0; length + 2 < sizeof(secret_file); length++)
                CHECK_EQ(minisign_secret_parse(secret_file, length, NULL, &secret, NULL), -EBADMSG);
}
