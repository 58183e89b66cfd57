/* proto/minisign-text.h - the lines of minisign's files: comments, and fixed sizes
 * of bytes in base64 (RFC 4648 section 4). Inside of proto/ only. */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct minisign_lines {
        const char *text;
        size_t length;
};

struct minisign_line {
        const char *text;
        size_t length;
};

/* The next line without its break ("\n" or "\r\n"); false: there is none. */
bool minisign_line_next(struct minisign_lines *lines, struct minisign_line *ret);
/* Drops `prefix` from the front; false: it does not begin so. */
bool minisign_line_drop(struct minisign_line *line, const char *prefix);
/* Exactly `size` bytes in base64 with its padding. -EBADMSG. */
int minisign_line_decode(const struct minisign_line *line, uint8_t ret[], size_t size);
/* A line in base64. At most 256 bytes. -EMSGSIZE, -ENOMEM. */
int minisign_line_encode(const uint8_t bytes[], size_t size, struct buffer *out);
/* One line of UTF-8 without controls but tabs, no longer than a comment may be? */
bool minisign_comment_is_good(const char *text, size_t length);
