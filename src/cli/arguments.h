/* cli/arguments.h - KEY=VALUE words into the members of a request.
 *
 * A value that is JSON is sent as JSON (5, true, [1,2], "quoted", {"r":255}),
 * any other as text; so is a number that JSON readers would change in silence
 * (integers beyond 2^53). KEY=@FILE sends a file's content as text, KEY=@- what
 * comes from standard input. Text that is to begin with "@" goes in JSON's
 * quotes: KEY='"@home"'. */
#pragma once

#include "base/error.h"
#include "data/json.h"

#include <stddef.h>

enum {
        ARGUMENTS_MAX = 1024,          /* words */
        ARGUMENTS_FILE_MAX = 15 << 20, /* bytes: a request line holds 16 MiB */
        ARGUMENTS_DEPTH_MAX = 32,
};

/* Adds each word to `object`. -EINVAL with a sentence: not KEY=VALUE, a KEY
 * twice or one that is there already, not UTF-8; -errno: a file that cannot be
 * read; -ENOMEM. `object` may hold the words before the one refused. */
int arguments_add(cJSON *object, char *const words[], size_t count, struct error *error);
