#include "cli/arguments.h"

#include "base/buffer.h"
#include "base/text-copy.h"
#include "base/utf8.h"
#include "cli/input-file.h"
#include "data/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int text_value(const char *key, const char *text, size_t length, cJSON **ret,
                      struct error *error)
{
        AUTO_FREE char *copy = NULL;

        if (memchr(text, '\0', length) || utf8_valid_prefix(text, length) != length)
                return error_set(error, -EINVAL,
                                 "the value of \"%s\" is not text in UTF-8; send bytes as base64",
                                 key);
        copy = text_copy(text, length);
        if (!copy)
                return error_set(error, -ENOMEM, "out of memory");
        *ret = cJSON_CreateString(copy);
        return *ret ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int file_value(const char *key, const char *path, cJSON **ret, struct error *error)
{
        struct buffer content;
        int r;

        if (*path == '\0')
                return error_set(error, -EINVAL,
                                 "%s=@ lacks the name of a file; for the text itself write "
                                 "%s='\"@\"'",
                                 key, key);
        buffer_init(&content, ARGUMENTS_FILE_MAX + INPUT_FILE_STEP);
        r = input_file_read(path, ARGUMENTS_FILE_MAX, &content);
        if (r == -EFBIG)
                error_set(error, r, "%s=@%s: larger than a request can carry (%d MiB)", key, path,
                          ARGUMENTS_FILE_MAX >> 20);
        else if (r < 0)
                error_set(error, r,
                          "%s=@%s: the file cannot be read: %s (if text that begins with @ is "
                          "meant: %s='\"@%s\"')",
                          key, path, strerror(-r), key, path);
        else
                r = text_value(key, buffer_length(&content) > 0 ? buffer_data(&content) : "",
                               buffer_length(&content), ret, error);
        buffer_done(&content);
        return r;
}

static int value_of(const char *key, const char *text, cJSON **ret, struct error *error)
{
        size_t length = strlen(text);
        int r;

        if (*text == '@')
                return file_value(key, text + 1, ret, error);
        r = json_parse(text, length, ARGUMENTS_DEPTH_MAX, ret, NULL);
        if (r == 0)
                return 0;
        if (r == -ENOMEM)
                return error_set(error, r, "out of memory");
        if (r == -ELOOP)
                return error_set(error, -EINVAL, "the value of \"%s\" is nested too deep", key);
        return text_value(key, text, length, ret, error);
}

static int add_one(cJSON *object, const char *word, struct error *error)
{
        const char *equals = strchr(word, '=');
        AUTO_FREE char *key = NULL;
        AUTO_JSON cJSON *value = NULL;
        int r;

        if (!equals || equals == word)
                return error_set(error, -EINVAL,
                                 "\"%s\" is not KEY=VALUE, as in pin=17 or text=\"two words\"",
                                 word);
        key = strndup(word, (size_t)(equals - word));
        if (!key)
                return error_set(error, -ENOMEM, "out of memory");
        if (utf8_valid_prefix(key, strlen(key)) != strlen(key))
                return error_set(error, -EINVAL, "a KEY is not text in UTF-8");
        if (strcmp(key, "command") == 0)
                return error_set(error, -EINVAL,
                                 "\"command\" cannot be an argument: the command is the first "
                                 "word");
        if (json_get(object, key))
                return error_set(error, -EINVAL, "\"%s\" is given twice", key);
        r = value_of(key, equals + 1, &value, error);
        if (r < 0)
                return r;
        if (!cJSON_AddItemToObject(object, key, value))
                return error_set(error, -ENOMEM, "out of memory");
        value = NULL;
        return 0;
}

int arguments_add(cJSON *object, char *const words[], size_t count, struct error *error)
{
        if (count > ARGUMENTS_MAX)
                return error_set(error, -EINVAL, "more than %d arguments", ARGUMENTS_MAX);
        for (size_t i = 0; i < count; i++) {
                int r = add_one(object, words[i], error);

                if (r < 0)
                        return r;
        }
        return 0;
}
