/* base/error.h - an error a person will read: config, command line, replies.
 *
 * Functions return 0 or -errno; those whose failure a person must understand
 * take a `struct error *` too, and put a sentence into it that says what is
 * wrong and what to do. NULL is fine when the caller does not care. */
#pragma once

#include "base/attributes.h"

enum { ERROR_TEXT_MAX = 512 };

struct error {
        int code;                  /* -errno, or 0 while nothing went wrong */
        char text[ERROR_TEXT_MAX]; /* always terminated; cut with "..." */
};

/* Sets code and text; returns `code`, so that it can stand behind `return`. */
int error_set(struct error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts words before the text that is there ("config.yaml:3: " + ...), and
 * returns the code it holds; -EINVAL for a NULL error, whose code nobody knows. */
int error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
