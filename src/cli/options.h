/* cli/options.h - the options of a subcommand as a table: it is parsed, checked
 * and explained from the same lines.
 *
 * `--name value` and `--name=value`, anywhere among the other words; `--` ends
 * them. A switch takes no value. A name may be given once, but for lists. -h stands
 * for --help. An option may have a letter, where its field knows it by one: `-q 1`,
 * one in a word. Values are not copied: they live as long as argv. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum options_type {
        OPTIONS_SWITCH,  /* bool */
        OPTIONS_TEXT,    /* const char *, not empty */
        OPTIONS_INTEGER, /* int64_t, minimum..maximum */
        OPTIONS_SECONDS, /* double, minimum..maximum */
        OPTIONS_LIST,    /* struct options_list: may be given several times */
};

enum { OPTIONS_LIST_MAX = 32 };

struct options_list {
        const char *items[OPTIONS_LIST_MAX]; /* not empty, in their order */
        size_t count;
};

struct options_entry {
        const char *name; /* without the dashes */
        char letter;      /* 0: none */
        enum options_type type;
        size_t offset;     /* of the member in the group's struct */
        const char *value; /* how help calls the value: "FILE" */
        const char *help;  /* lines apart by "\n" */
        double minimum, maximum;
};

struct options_group {
        const char *title; /* over its entries in help: "Options" */
        const struct options_entry *entries;
        size_t count;
        size_t offset; /* of the group's struct in the target */
};

enum { OPTIONS_GROUPS_MAX = 4, OPTIONS_ENTRIES_MAX = 32 };

struct options_form {
        const char *name;      /* "pifleet call" */
        const char *arguments; /* "COMMAND [KEY=VALUE ...]"; "" when there are none */
        const char *summary;   /* one line, a sentence */
        const char *text;      /* more lines before the options, or NULL */
        struct options_group groups[OPTIONS_GROUPS_MAX];
        const char *examples; /* lines, or NULL */
        const char *after;    /* more lines at the end, or NULL */
        size_t words_min, words_max;
};

enum { OPTIONS_HELP = 1 };

/* Reads argv[0..argc) into `target`, whose members hold their defaults. The
 * other words move to the front of argv, *words tells how many there are.
 * OPTIONS_HELP: --help was among them; -EINVAL with a sentence. */
int options_parse(const struct options_form *form, int argc, char *argv[], void *target,
                  size_t *words, struct error *error);

/* What --help prints. -EMSGSIZE, -ENOMEM. */
int options_help(const struct options_form *form, struct buffer *out);
