/* cli/secret-input.h - a secret from a person, unseen, or from a pipe. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

enum { SECRET_INPUT_MAX = 512 }; /* bytes */

/* Is it a person who will type? */
bool secret_input_is_typed(void);

/* One line from standard input, without its line break. On a terminal `prompt`
 * is shown (on standard error) and what is typed is not; a signal that ends the
 * program does so after the terminal is as it was. The caller wipes `ret`.
 * -ENODATA: nothing came; -EMSGSIZE; -EINTR; -errno; each with a sentence. */
int secret_input_read(const char *prompt, char ret[SECRET_INPUT_MAX + 1], struct error *error);
