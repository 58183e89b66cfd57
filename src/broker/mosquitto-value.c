/* Values that are what they look like: flags, numbers, texts. */
#include "broker/mosquitto-value.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

int mosquitto_value_word(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                         char *value)
{
        char *end = value + strcspn(value, " \t"), *rest = end + strspn(end, " \t");

        if (*value == '\0')
                return mosquitto_refuse(reader, "`%s` has no value", key->name);
        if (*rest != '\0' && *rest != '#')
                return mosquitto_refuse(reader, "%s has one value: '%.64s' is too much", key->name,
                                        rest);
        *end = '\0';
        return 0;
}

int mosquitto_value_flag(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                         char *value, bool *ret)
{
        int r = mosquitto_value_word(reader, key, value);

        if (r < 0)
                return r;
        if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
                *ret = true;
        else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
                *ret = false;
        else
                return mosquitto_refuse(reader, "%s cannot be '%.64s'; expected: true or false",
                                        key->name, value);
        return 0;
}

int mosquitto_value_number(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                           char *value, int64_t *ret)
{
        const char *digits;
        long long number;
        int r = mosquitto_value_word(reader, key, value);

        if (r < 0)
                return r;
        digits = value + (*value == '-');
        errno = 0;
        number = strtoll(value, NULL, 10);
        /* 010 would be 8 to mosquitto, and 10 to whoever reads it. */
        if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits) ||
            (digits[0] == '0' && digits[1] != '\0') || errno == ERANGE)
                return mosquitto_refuse(reader, "%s cannot be '%.64s'; expected: a number",
                                        key->name, value);
        if (key->minimum == -1 && number < 0)
                number = 0;
        if (number < key->minimum || number > key->maximum)
                return mosquitto_refuse(reader, "%s cannot be %lld; expected: %d to %lld",
                                        key->name, number, (int)key->minimum,
                                        (long long)key->maximum);
        *ret = number;
        return 0;
}

int mosquitto_value_choice(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                           char *value, const char *const choices[], int *ret)
{
        int r = mosquitto_value_word(reader, key, value);

        for (int i = 0; r == 0 && choices[i]; i++) {
                if (strcmp(choices[i], value) == 0) {
                        *ret = i;
                        return 0;
                }
        }
        return r < 0 ? r
                     : mosquitto_refuse(reader, "%s cannot be '%.64s'; expected: %s or %s",
                                        key->name, value, choices[0], choices[1]);
}

int mosquitto_value_flag_for(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                             char *value, void **ret_target, bool *ret)
{
        int r = mosquitto_target(reader, key, ret_target);

        return r < 0 ? r : mosquitto_value_flag(reader, key, value, ret);
}

int mosquitto_read_flag(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                        char *value)
{
        void *target;
        bool flag = false;
        int r = mosquitto_value_flag_for(reader, key, value, &target, &flag);

        if (r == 0)
                *(bool *)target = flag;
        return r;
}

int mosquitto_read_number(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                          char *value)
{
        void *target;
        int r = mosquitto_target(reader, key, &target);

        return r < 0 ? r : mosquitto_value_number(reader, key, value, target);
}

int mosquitto_read_bound(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                         char *value)
{
        void *target;
        int64_t number = 0;
        int r = mosquitto_target(reader, key, &target);

        if (r == 0)
                r = mosquitto_value_number(reader, key, value, &number);
        if (r == 0 && number > 0)
                *(int64_t *)target = number;
        return r;
}

static int copy_text(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                     const char *value, char **ret)
{
        if (value[0] == '\0')
                return mosquitto_refuse(reader, "`%s` has no value", key->name);
        *ret = strdup(value);
        return *ret ? 0 : mosquitto_refuse_memory(reader);
}

int mosquitto_read_path(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                        char *value)
{
        void *target;
        char *copy;
        int r = mosquitto_target(reader, key, &target);

        if (r == 0)
                r = copy_text(reader, key, value, &copy);
        if (r < 0)
                return r;
        free(*(char **)target);
        *(char **)target = copy;
        return 0;
}

int mosquitto_read_text(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                        char *value)
{
        void *target;
        int r = mosquitto_target(reader, key, &target);

        if (r == 0 && *(char **)target)
                return mosquitto_refuse(reader, "`%s` is there twice: remove one", key->name);
        return r < 0 ? r : mosquitto_read_path(reader, key, value);
}

int mosquitto_read_append(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                          char *value)
{
        struct config_texts *texts;
        void *target;
        char **items;
        int r = mosquitto_target(reader, key, &target);

        if (r < 0)
                return r;
        texts = target;
        if ((int64_t)texts->count == key->maximum)
                return mosquitto_refuse(reader, "more than %d lines of `%s`", (int)key->maximum,
                                        key->name);
        items = realloc(texts->items, (texts->count + 1) * sizeof(*items));
        if (!items)
                return mosquitto_refuse_memory(reader);
        texts->items = items;
        r = copy_text(reader, key, value, &items[texts->count]);
        if (r == 0)
                texts->count++;
        return r;
}

int mosquitto_ignore(struct mosquitto_reader *reader, const struct mosquitto_key *key, char *value)
{
        (void)value;
        mosquitto_warn(reader, "`%s` has no effect: %s", key->name, key->note);
        return 0;
}

int mosquitto_ignore_quietly(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                             char *value)
{
        (void)reader, (void)key, (void)value;
        return 0;
}

int mosquitto_refuse_key(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                         char *value)
{
        (void)value;
        return mosquitto_refuse(reader, "`%s` is not possible: %s", key->name, key->note);
}

int mosquitto_refuse_true(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                          char *value)
{
        bool flag = false;
        int r = mosquitto_value_flag(reader, key, value, &flag);

        return r < 0 || !flag ? r : mosquitto_refuse_key(reader, key, value);
}

int mosquitto_refuse_number(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                            char *value)
{
        struct mosquitto_key any = *key;
        int64_t number = 0;
        int r;

        any.minimum = -1;
        any.maximum = INT64_MAX;
        r = mosquitto_value_number(reader, &any, value, &number);
        return r < 0 || number == 0 ? r : mosquitto_refuse_key(reader, key, value);
}
