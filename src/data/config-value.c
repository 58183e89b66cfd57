#include "data/config-value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
        INTEGER_DIGITS_MAX = 16, /* of 2^53 */
        SECONDS_DIGITS_MAX = 15, /* that a double holds, whatever they are */
};

void *config_value_of(const struct config_key *key, void *target)
{
        return (char *)target + key->offset;
}

static int read_text(const char *text, char **value)
{
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        free(*value);
        *value = copy;
        return 0;
}

/* Digits without leading zeros; returns what follows them, NULL for none. */
static const char *read_digits(const char *text, size_t most, uint64_t *value)
{
        const char *digit = text;

        for (*value = 0; *digit >= '0' && *digit <= '9'; digit++) {
                if ((size_t)(digit - text) == most)
                        return NULL;
                *value = *value * 10 + (uint64_t)(*digit - '0');
        }
        if (digit == text || (*text == '0' && digit - text > 1))
                return NULL;
        return digit;
}

static int read_integer(const struct config_key *key, const char *text, int64_t *value)
{
        const bool negative = *text == '-';
        const char *end;
        uint64_t magnitude;
        int64_t integer;

        end = read_digits(text + negative, INTEGER_DIGITS_MAX, &magnitude);
        if (!end || *end != '\0' || magnitude > UINT64_C(1) << 53)
                return -EINVAL;
        integer = negative ? -(int64_t)magnitude : (int64_t)magnitude;
        if ((double)integer < key->minimum || (double)integer > key->maximum)
                return -EINVAL;
        *value = integer;
        return 0;
}

/* Digits, and a fraction perhaps. Both the digits as an integer and the power of
 * ten are exact in a double, so that their quotient is the nearest one. */
static int read_seconds(const struct config_key *key, const char *text, double *value)
{
        const bool negative = *text == '-';
        const char *first = text + negative, *end;
        double seconds, power = 1;
        uint64_t digits;

        end = read_digits(first, SECONDS_DIGITS_MAX, &digits);
        if (!end)
                return -EINVAL;
        if (*end == '.') {
                const char *point = end++;

                for (; *end >= '0' && *end <= '9'; end++) {
                        if (end - first > SECONDS_DIGITS_MAX)
                                return -EINVAL;
                        digits = digits * 10 + (uint64_t)(*end - '0');
                        power *= 10;
                }
                if (end == point + 1)
                        return -EINVAL;
        }
        if (*end != '\0')
                return -EINVAL;
        seconds = (double)digits / power * (negative ? -1 : 1);
        if (seconds < key->minimum || seconds > key->maximum)
                return -EINVAL;
        *value = seconds;
        return 0;
}

static int read_bool(const char *text, bool *value)
{
        const bool yes = strcmp(text, "true") == 0;

        if (!yes && strcmp(text, "false") != 0)
                return -EINVAL;
        *value = yes;
        return 0;
}

static int read_choice(const struct config_key *key, const char *text, int *value)
{
        for (int i = 0; key->choices[i]; i++) {
                if (strcmp(key->choices[i], text) == 0) {
                        *value = i;
                        return 0;
                }
        }
        return -EINVAL;
}

int config_value_read(const struct config_key *key, const char *text, bool plain, void *target)
{
        void *value = config_value_of(key, target);

        switch (key->type) {
        case CONFIG_TYPE_TEXT:
                return read_text(text, value);
        case CONFIG_TYPE_CHOICE:
                return read_choice(key, text, value);
        case CONFIG_TYPE_INTEGER:
                return plain ? read_integer(key, text, value) : -EINVAL;
        case CONFIG_TYPE_SECONDS:
                return plain ? read_seconds(key, text, value) : -EINVAL;
        case CONFIG_TYPE_BOOL:
                return plain ? read_bool(text, value) : -EINVAL;
        case CONFIG_TYPE_TEXTS:
        case CONFIG_TYPE_LIST:
        case CONFIG_TYPE_MAP:
        case CONFIG_TYPE_RESERVED:
                break;
        }
        return -EINVAL;
}

static int default_texts(const char *words, struct config_texts *texts)
{
        size_t count = 0;

        *texts = (struct config_texts){0};
        for (const char *word = words; word && *word != '\0'; count++) {
                word += strcspn(word, " ");
                word += strspn(word, " ");
        }
        if (count == 0)
                return 0;
        texts->items = calloc(count, sizeof(*texts->items));
        if (!texts->items)
                return -ENOMEM;
        texts->count = count;
        for (size_t i = 0; i < count; i++) {
                size_t length = strcspn(words, " ");

                texts->items[i] = strndup(words, length);
                if (!texts->items[i])
                        return -ENOMEM;
                words += length;
                words += strspn(words, " ");
        }
        return 0;
}

int config_value_default(const struct config_key *key, void *target)
{
        void *value = config_value_of(key, target);
        int r = 0;

        switch (key->type) {
        case CONFIG_TYPE_TEXT:
                *(char **)value = NULL;
                if (key->default_text)
                        r = read_text(key->default_text, value);
                break;
        case CONFIG_TYPE_INTEGER:
                *(int64_t *)value = (int64_t)key->default_number;
                break;
        case CONFIG_TYPE_SECONDS:
                *(double *)value = key->default_number;
                break;
        case CONFIG_TYPE_BOOL:
        case CONFIG_TYPE_RESERVED:
                *(bool *)value = key->default_number != 0;
                break;
        case CONFIG_TYPE_CHOICE:
                *(int *)value = (int)key->default_number;
                break;
        case CONFIG_TYPE_TEXTS:
                r = default_texts(key->default_text, value);
                if (r < 0)
                        config_value_done(key, target);
                break;
        case CONFIG_TYPE_LIST:
        case CONFIG_TYPE_MAP:
                *(struct config_list *)value = (struct config_list){0};
                break;
        }
        return r;
}

static void texts_done(struct config_texts *texts)
{
        for (size_t i = 0; i < texts->count; i++)
                free(texts->items[i]);
        free(texts->items);
        *texts = (struct config_texts){0};
}

static void list_done(const struct config_key *key, struct config_list *list)
{
        for (size_t i = 0; i < list->count; i++) {
                char *item = (char *)list->items + i * key->item_size;

                for (size_t j = 0; j < key->items_count; j++)
                        config_value_done(&key->items[j], item);
                if (key->type == CONFIG_TYPE_MAP)
                        free(*(char **)(item + key->name_offset));
        }
        free(list->items);
        *list = (struct config_list){0};
}

void config_value_done(const struct config_key *key, void *target)
{
        void *value = config_value_of(key, target);

        if (key->type == CONFIG_TYPE_TEXT) {
                free(*(char **)value);
                *(char **)value = NULL;
        } else if (key->type == CONFIG_TYPE_TEXTS) {
                texts_done(value);
        } else if (key->type == CONFIG_TYPE_LIST || key->type == CONFIG_TYPE_MAP) {
                list_done(key, value);
        }
}
