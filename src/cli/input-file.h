/* cli/input-file.h - a whole file that somebody named on the command line, or
 * standard input. */
#pragma once

#include "base/buffer.h"

#include <stddef.h>

/* Appends what `path` holds ("-": what comes from standard input), at most `max`
 * bytes, which the buffer has room for and INPUT_FILE_STEP beyond. -EFBIG: more than
 * that; -EISDIR; -errno of open(2) and read(2); -ENOMEM. */
int input_file_read(const char *path, size_t max, struct buffer *content);

enum { INPUT_FILE_STEP = 64 << 10 };
