/* A password file and an acl_file: whatever stands in one is read or refused with a sentence, the
 * tables answer any question after it, and an edit of a password file changes one user only. */
#include "access/acl-file.h"
#include "access/password-file.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 64 * 1024 };

/* Each word of the file as a name, a client id and a topic. */
static void ask(const struct acl *acl, const struct user_table *users, const char *text,
                size_t size)
{
        struct acl_subject subject = {{"", 0}, {"", 0}, {"", 0}};

        for (size_t at = 0; at < size; at++) {
                size_t length = strcspn(text + at, " \t\r\n:");
                struct mqtt_text word = {text + at, (uint16_t)(length > 300 ? 300 : length)};

                if (users && word.length > 0)
                        user_table_find(users, word);
                acl_allows_topic(acl, &subject, ACL_WRITE, word);
                acl_allows_filter(acl, &subject, word);
                subject.client_id = subject.user;
                subject.user = word;
                at += length;
        }
}

static void edit(const char *text, size_t size)
{
        static const char hash[] =
                "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93";
        struct user_table *before, *after;
        struct mqtt_text ann = {"ann", 3};
        struct buffer out;
        struct error error;

        MUST(user_table_new(&before) == 0 && user_table_new(&after) == 0);
        buffer_init(&out, MOST * 2);
        MUST(password_file_edit(text, size, "ann", hash, &out) >= 0);
        if (password_file_read("before", text, size, before, &error) == 0) {
                size_t count = user_table_count(before) + !user_table_find(before, ann);

                MUST(password_file_read("after", buffer_data(&out), buffer_length(&out), after,
                                        &error) == 0);
                MUST(user_table_count(after) == count);
                MUST(strcmp(user_table_find(after, ann)->hash, hash) == 0);
        }
        buffer_done(&out);
        user_table_free(before);
        user_table_free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
        struct user_table *users;
        struct error error = {0};
        struct acl *acl;
        char *text;

        if (size == 0 || size > MOST)
                return 0;
        text = calloc(1, size + 1); /* for ask(): up to a byte 0 */
        MUST(text && user_table_new(&users) == 0);
        memcpy(text, bytes, size);
        MUST(acl_new(bytes[0] % 2 ? ACL_FILTERS_WHOLE : ACL_FILTERS_PARTIAL, &acl) == 0);
        MUST((password_file_read("users", (const char *)bytes, size, users, &error) < 0) ==
             (error.text[0] != '\0'));
        error.text[0] = '\0';
        MUST((acl_file_read("acl", (const char *)bytes, size, acl, &error) < 0) ==
             (error.text[0] != '\0'));
        ask(acl, users, text, strlen(text));
        edit((const char *)bytes, size);
        acl_free(acl);
        user_table_free(users);
        free(text);
        return 0;
}
