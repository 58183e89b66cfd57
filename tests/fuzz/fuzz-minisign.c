/* Fuzzes minisign's files: public keys, secret keys and signatures from strangers.
 *
 * The first byte says as what the rest is read. What was read as a key is written
 * and read again; a signature that was not made with a key is never good. */
#include "fuzz/fuzz.h"
#include "proto/minisign.h"

#include <errno.h>
#include <string.h>

static void read_key(const char *text, size_t length)
{
        struct minisign_key key, again;
        char line[MINISIGN_KEY_TEXT_SIZE];

        if (minisign_key_parse(text, length, &key, NULL) < 0)
                return;
        minisign_key_text(&key, line);
        MUST(strlen(line) == MINISIGN_KEY_TEXT_SIZE - 1);
        MUST(minisign_key_parse(line, strlen(line), &again, NULL) == 0);
        MUST(memcmp(&key, &again, sizeof(key)) == 0);
}

static void read_secret(const char *text, size_t length)
{
        struct minisign_secret secret;
        struct minisign_key key;
        bool locked;

        if (minisign_secret_is_locked(text, length, &locked, NULL) < 0)
                MUST(minisign_secret_parse(text, length, NULL, &secret, NULL) == -EBADMSG);
        else if (locked)
                MUST(minisign_secret_parse(text, length, NULL, &secret, NULL) == -EACCES);
        else if (minisign_secret_parse(text, length, NULL, &secret, NULL) == 0)
                minisign_secret_key(&secret, &key);
}

static void read_signature(const char *text, size_t length)
{
        /* Nobody has the secret of this one; the id is that of the corpus. */
        static const struct minisign_key key = {
                .id = {0xb7, 0xff, 0x39, 0x1a, 0xe8, 0xc8, 0x86, 0x9c}};
        char comment[MINISIGN_COMMENT_MAX + 1];
        struct error error = {0};
        int r = minisign_verify(text, length, "", 0, &key, 1, comment, &error);

        MUST(r == -EBADMSG || r == -ENOKEY || r == -EKEYREJECTED);
        MUST(error.code == r && error.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count)
{
        static void (*const readers[])(const char *, size_t) = {read_key, read_secret,
                                                                read_signature};

        if (count > 0)
                readers[input[0] % 3]((const char *)input + 1, count - 1);
        return 0;
}
