/* cli/secret-file.h - a secret that stands in the first line of a file. */
#pragma once

#include "base/error.h"

#include <stddef.h>

/* Reads the first line of `path` ("-": standard input) into `secret`, which has room for `max`
 * bytes and a NUL; the caller wipes it. `what` it is, for sentences: "token". -EINVAL: nothing
 * stands there, or more than `max` bytes in the file; -errno. */
int secret_file_read(const char *path, const char *what, char *secret, size_t max,
                     struct error *error);
