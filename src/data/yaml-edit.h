/* data/yaml-edit.h - where a new list item goes in a YAML file that people wrote.
 *
 * For programs that change one thing in such a file and leave every other byte,
 * comments above all, as it is: ask for the place, put text there, and compare
 * the outlines of both to see that nothing but the intended has changed. Pure.
 *
 * One document of at most 1 MiB, 16 levels, without aliases, repeated or
 * structured keys: what data/config.h accepts. */
#pragma once

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* What is missing at the place. */
enum yaml_missing {
        YAML_MISSING_SECTION, /* `section: list: - item` */
        YAML_MISSING_LIST,    /* `list: - item` */
        YAML_MISSING_ITEM,    /* `- item` */
};

enum yaml_form {
        YAML_FORM_LINES, /* whole lines, `column` blanks before the outermost */
        YAML_FORM_FLOW,  /* inside [] or {}, behind a comma when `comma` says so */
        YAML_FORM_VALUE, /* in flow style, in place of the bytes `at` to `until` (a null) */
};

/* Offsets are bytes of the text. */
struct yaml_place {
        enum yaml_missing missing;
        enum yaml_form form;
        size_t at;      /* LINES: the end of a line, before its break, or of the text */
        size_t until;   /* VALUE only; else as `at` */
        size_t column;  /* LINES only */
        bool quoted;    /* keys around are in quotes: JSON, most likely */
        bool flow_item; /* LINES, MISSING_ITEM: the item before is written as {...} */

        /* FLOW only. */
        bool comma;                      /* one is due, at `comma_at` */
        size_t comma_at;                 /* at most `at` */
        bool own_line;                   /* `at` is the end of a line: break it, indent, and ... */
        size_t indent_at, indent_length; /* ... with these bytes of the text */
        bool trailing_comma;             /* own_line: the new one ends in a comma, as others do */
};

/* Finds where an item is to be added at the end of the list `list` in the
 * mapping `section` of the top level. -EINVAL with a sentence: not YAML, or not
 * of the shape that would have such a place; -ENOMEM. */
int yaml_edit_locate(const char *text, size_t length, const char *section, const char *list,
                     struct yaml_place *ret, struct error *error);

/* What the text says, comments and style apart: objects, arrays, and for each
 * scalar a string, its first character '=' when it is plain (and so may be a
 * number, a bool or a null) and '"' when it is quoted. An empty text yields an
 * empty object. The caller frees *ret. -EINVAL with a sentence; -ENOMEM. */
int yaml_edit_outline(const char *text, size_t length, cJSON **ret, struct error *error);
