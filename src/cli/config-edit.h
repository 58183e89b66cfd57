/* cli/config-edit.h - adds one item to a list in a config file's text, and
 * leaves all that stood there as it was: comments, order, style, line ends.
 *
 * Pure: text in, text out. The result is read again and compared with what was
 * intended; it is not handed out when it differs in anything else. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

struct config_edit_member {
        const char *name;
        const char *value; /* printable ASCII without '"' and '\' */
};

/* `- name: value ...` at the end of `section`'s `list`. */
struct config_edit_item {
        const char *section, *list;
        const struct config_edit_member *members;
        size_t count;
};

/* Appends the changed text to `out`. -EINVAL with a sentence: the text is not
 * YAML or has no place for it; -ENOTSUP: the place was found but the result
 * would not be the intended one; -EMSGSIZE, -ENOMEM. */
int config_edit_add(const char *text, size_t length, const struct config_edit_item *item,
                    struct buffer *out, struct error *error);

/* The lines that a person would have to write, section and all. */
int config_edit_snippet(const struct config_edit_item *item, struct buffer *out);
