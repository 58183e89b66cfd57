/* base/buffer.h - bytes that grow up to a limit, taken from the front.
 *
 * Consuming from the front is O(1): the bytes move only when room is needed.
 * An empty buffer that is consumed or reset keeps its memory; buffer_shrink()
 * gives it back. Embedded in its owner, of whom there may be many: a buffer is
 * small, and holds less than 4 GiB. One thread at a time. */
#pragma once

#include "base/attributes.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
        char *memory;   /* never NULL; ours to free when capacity > 0 */
        uint32_t start; /* first byte that is still there */
        uint32_t end;   /* one past the last */
        uint32_t capacity;
        uint32_t max; /* no growth beyond this many bytes of content */
};

/* What `max` is at most. Keeps every sum of two lengths clear of overflow. */
#define BUFFER_MAX (sizeof(size_t) > 4 ? (size_t)UINT32_MAX : (size_t)PTRDIFF_MAX / 4)

void buffer_init(struct buffer *buffer, size_t max);
void buffer_done(struct buffer *buffer);

static inline char *buffer_data(const struct buffer *buffer)
{
        return buffer->memory + buffer->start;
}

static inline size_t buffer_length(const struct buffer *buffer)
{
        return (size_t)buffer->end - buffer->start;
}

/* Makes room for `extra` more bytes; they start at buffer_data + length.
 * -EMSGSIZE: beyond `max`; -ENOMEM. The content is untouched on failure. */
int buffer_reserve(struct buffer *buffer, size_t extra);
/* Room already there behind the content, without growing. */
size_t buffer_room(const struct buffer *buffer);
/* Declares `count` bytes written behind the content (count <= room). */
void buffer_commit(struct buffer *buffer, size_t count);

int buffer_append(struct buffer *buffer, const void *bytes, size_t count);
int buffer_append_text(struct buffer *buffer, const char *text);
int buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
int buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

void buffer_consume(struct buffer *buffer, size_t count);   /* drops from the front */
void buffer_truncate(struct buffer *buffer, size_t length); /* keeps the first `length` */
/* Gives memory beyond `keep` bytes of capacity back when the content allows. */
void buffer_shrink(struct buffer *buffer, size_t keep);
