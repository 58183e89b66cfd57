#include "cli/options.h"

#include "base/spelling.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct found {
        const struct options_entry *entry;
        size_t index; /* in the order of the form */
        char *target;
};

/* By its name, or with one dash by its letter. */
static bool is_called(const struct options_entry *entry, const char *name, size_t length,
                      bool letter)
{
        if (letter)
                return length == 1 && entry->letter != '\0' && entry->letter == *name;
        return strlen(entry->name) == length && memcmp(entry->name, name, length) == 0;
}

static bool find(const struct options_form *form, const char *name, size_t length, bool letter,
                 void *target, struct found *ret)
{
        size_t index = 0;

        for (size_t g = 0; g < OPTIONS_GROUPS_MAX; g++)
                for (size_t i = 0; i < form->groups[g].count; i++, index++) {
                        const struct options_entry *entry = &form->groups[g].entries[i];

                        if (!is_called(entry, name, length, letter))
                                continue;
                        ret->entry = entry;
                        ret->index = index;
                        ret->target = (char *)target + form->groups[g].offset + entry->offset;
                        return true;
                }
        return false;
}

static int refuse_unknown(const struct options_form *form, const char *name, size_t length,
                          struct error *error)
{
        const char *names[OPTIONS_ENTRIES_MAX + 1] = {"help"};
        char typed[SPELLING_WORD_MAX + 1];
        const char *best;
        size_t count = 1;

        for (size_t g = 0; g < OPTIONS_GROUPS_MAX; g++)
                for (size_t i = 0; i < form->groups[g].count && count < ARRAY_SIZE(names); i++)
                        names[count++] = form->groups[g].entries[i].name;
        if (length > 0 && length < sizeof(typed)) {
                memcpy(typed, name, length);
                typed[length] = '\0';
                if (spelling_near(typed, names, count, &best, 1) > 0)
                        return error_set(error, -EINVAL,
                                         "there is no option --%s; did you mean --%s?", typed,
                                         best);
        }
        return error_set(error, -EINVAL, "there is no option --%.*s; %s --help lists them",
                         length > SPELLING_WORD_MAX ? SPELLING_WORD_MAX : (int)length, name,
                         form->name);
}

static bool has_letters(const struct options_form *form)
{
        for (size_t g = 0; g < OPTIONS_GROUPS_MAX; g++)
                for (size_t i = 0; i < form->groups[g].count; i++)
                        if (form->groups[g].entries[i].letter)
                                return true;
        return false;
}

static int refuse_letters(const struct options_form *form, const char *word, struct error *error)
{
        return error_set(error, -EINVAL, "\"%s\" is no option%s; %s --help lists them", word,
                         has_letters(form) ? "" : ": they have long names only", form->name);
}

static int store_number(const struct found *found, const char *value, struct error *error)
{
        const struct options_entry *entry = found->entry;
        const char *kind = entry->type == OPTIONS_INTEGER ? "a whole number" : "seconds";
        char *end = NULL;
        double number;

        /* strtod also reads hexadecimal, "inf" and leading blanks: none is meant here. */
        if (value[strspn(value, "0123456789.")] != '\0' || *value == '\0')
                number = NAN;
        else
                number = strtod(value, &end);
        if (isnan(number) || *end != '\0' || number < entry->minimum || number > entry->maximum ||
            (entry->type == OPTIONS_INTEGER && number != floor(number)))
                return error_set(error, -EINVAL, "--%s takes %s from %.15g to %.15g, not \"%s\"",
                                 entry->name, kind, entry->minimum, entry->maximum, value);
        if (entry->type == OPTIONS_INTEGER)
                *(int64_t *)(void *)found->target = (int64_t)number;
        else
                *(double *)(void *)found->target = number;
        return 0;
}

static int store_item(const struct found *found, const char *value, struct error *error)
{
        struct options_list *list = (void *)found->target;

        if (list->count == OPTIONS_LIST_MAX)
                return error_set(error, -EINVAL, "--%s is given more than %d times",
                                 found->entry->name, OPTIONS_LIST_MAX);
        list->items[list->count++] = value;
        return 0;
}

static int store(const struct found *found, const char *value, struct error *error)
{
        switch (found->entry->type) {
        case OPTIONS_SWITCH:
                *(bool *)(void *)found->target = true;
                return 0;
        case OPTIONS_TEXT:
        case OPTIONS_LIST:
                if (*value == '\0')
                        return error_set(error, -EINVAL, "--%s needs a value, not nothing",
                                         found->entry->name);
                if (found->entry->type == OPTIONS_LIST)
                        return store_item(found, value, error);
                *(const char **)(void *)found->target = value;
                return 0;
        case OPTIONS_INTEGER:
        case OPTIONS_SECONDS:
                return store_number(found, value, error);
        }
        return error_set(error, -EINVAL, "--%s cannot be read", found->entry->name);
}

/* One option at argv[*position]; moves *position to its last word. */
static int parse_one(const struct options_form *form, int argc, char *argv[], int *position,
                     void *target, uint64_t *seen, struct error *error)
{
        bool letter = argv[*position][1] != '-';
        const char *name = argv[*position] + (letter ? 1 : 2);
        const char *value = letter ? NULL : strchr(name, '=');
        size_t length = value ? (size_t)(value - name) : strlen(name);
        struct found found;

        if (!find(form, name, length, letter, target, &found))
                return letter ? refuse_letters(form, argv[*position], error)
                              : refuse_unknown(form, name, length, error);
        if ((*seen & UINT64_C(1) << found.index) && found.entry->type != OPTIONS_LIST)
                return error_set(error, -EINVAL, "--%s is given twice", found.entry->name);
        *seen |= UINT64_C(1) << found.index;

        if (found.entry->type == OPTIONS_SWITCH) {
                if (value)
                        return error_set(error, -EINVAL, "--%s is a switch and takes no value",
                                         found.entry->name);
                return store(&found, "", error);
        }
        if (value)
                return store(&found, value + 1, error);
        if (*position + 1 >= argc)
                return error_set(error, -EINVAL, "--%s needs a value: --%s %s", found.entry->name,
                                 found.entry->name, found.entry->value);
        return store(&found, argv[++*position], error);
}

static int check_words(const struct options_form *form, char *argv[], size_t words,
                       struct error *error)
{
        if (words < form->words_min)
                return error_set(error, -EINVAL, "something is missing: %s %s", form->name,
                                 form->arguments);
        if (words <= form->words_max)
                return 0;
        if (form->words_max == 0)
                return error_set(error, -EINVAL, "%s takes options only, not \"%s\"", form->name,
                                 argv[0]);
        return error_set(error, -EINVAL, "one word too many: \"%s\"", argv[form->words_max]);
}

int options_parse(const struct options_form *form, int argc, char *argv[], void *target,
                  size_t *words, struct error *error)
{
        uint64_t seen = 0;
        size_t count = 0;
        int r;

        for (int i = 0; i < argc; i++) {
                if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
                        return OPTIONS_HELP;
                if (strcmp(argv[i], "--") == 0) {
                        while (++i < argc)
                                argv[count++] = argv[i];
                        break;
                }
                if (argv[i][0] == '-' && argv[i][1] != '\0') {
                        r = parse_one(form, argc, argv, &i, target, &seen, error);
                        if (r < 0)
                                return r;
                } else {
                        argv[count++] = argv[i];
                }
        }
        r = check_words(form, argv, count, error);
        if (r < 0)
                return r;
        *words = count;
        return 0;
}

enum { HELP_COLUMN = 24 };

struct help {
        struct buffer *out;
        int error; /* the first failure; the rest is then left out */
};

static void say(struct help *help, const char *format, ...) PRINTF_LIKE(2, 3);

static void say(struct help *help, const char *format, ...)
{
        va_list arguments;

        if (help->error < 0)
                return;
        va_start(arguments, format);
        help->error = buffer_vprintf(help->out, format, arguments);
        va_end(arguments);
}

static void help_entry(struct help *help, const struct options_entry *entry)
{
        size_t start = buffer_length(help->out);
        const char *line = entry->help;
        size_t used;

        say(help, "  --%s%s%s", entry->name, entry->value ? " " : "",
            entry->value ? entry->value : "");
        if (entry->letter)
                say(help, ", -%c", entry->letter);
        used = buffer_length(help->out) - start;
        if (used + 2 > HELP_COLUMN) {
                say(help, "\n");
                used = 0;
        }
        while (line) {
                const char *next = strchr(line, '\n');
                int length = next ? (int)(next - line) : (int)strlen(line);

                say(help, "%*s%.*s\n", (int)(HELP_COLUMN - used), "", length, line);
                used = 0;
                line = next ? next + 1 : NULL;
        }
}

int options_help(const struct options_form *form, struct buffer *out)
{
        struct help help = {.out = out};

        say(&help, "%s - %s\n\nUsage: %s%s%s [OPTIONS]\n", form->name, form->summary, form->name,
            *form->arguments ? " " : "", form->arguments);
        if (form->text)
                say(&help, "\n%s\n", form->text);
        for (size_t g = 0; g < OPTIONS_GROUPS_MAX; g++) {
                if (form->groups[g].count == 0)
                        continue;
                say(&help, "\n%s:\n", form->groups[g].title);
                for (size_t i = 0; i < form->groups[g].count; i++)
                        help_entry(&help, &form->groups[g].entries[i]);
        }
        if (form->examples)
                say(&help, "\nExamples:\n%s\n", form->examples);
        if (form->after)
                say(&help, "\n%s\n", form->after);
        return help.error;
}
