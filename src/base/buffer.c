#include "base/buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 255 };

/* What an empty buffer points at, so that its data is never a null pointer
 * (adding to one, or passing it to memcpy, is undefined even for zero bytes). */
static char nothing[1];

void buffer_init(struct buffer *buffer, size_t max)
{
        *buffer = (struct buffer){
                .memory = nothing,
                .max = (uint32_t)(max < BUFFER_MAX ? max : BUFFER_MAX),
        };
}

void buffer_done(struct buffer *buffer)
{
        if (buffer->capacity > 0)
                free(buffer->memory);
        buffer_init(buffer, buffer->max);
}

static void move_to_front(struct buffer *buffer)
{
        if (buffer->start == 0)
                return;
        memmove(buffer->memory, buffer_data(buffer), buffer_length(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
}

/* One byte more than the capacity is there always: vsnprintf's NUL. */
static int resize(struct buffer *buffer, size_t capacity)
{
        char *memory;

        move_to_front(buffer);
        memory = realloc(buffer->capacity > 0 ? buffer->memory : NULL, capacity + 1);
        if (!memory)
                return -ENOMEM;
        buffer->memory = memory;
        buffer->capacity = (uint32_t)capacity;
        return 0;
}

int buffer_reserve(struct buffer *buffer, size_t extra)
{
        size_t length = buffer_length(buffer), capacity;

        if (extra > buffer->max || length > buffer->max - extra)
                return -EMSGSIZE;
        if (buffer_room(buffer) >= extra)
                return 0;
        /* Moving is free in the long run only when at least as many bytes were
         * consumed as have to move; otherwise grow as long as that is allowed. */
        if (length + extra <= buffer->capacity &&
            (buffer->start >= length || buffer->capacity >= buffer->max)) {
                move_to_front(buffer);
                return 0;
        }

        capacity = buffer->capacity > 0 ? (size_t)buffer->capacity * 2 + 1 : CAPACITY_FIRST;
        while (capacity < length + extra)
                capacity = capacity * 2 + 1;
        if (capacity > buffer->max)
                capacity = buffer->max;
        return resize(buffer, capacity);
}

size_t buffer_room(const struct buffer *buffer)
{
        return (size_t)buffer->capacity - buffer->end;
}

void buffer_commit(struct buffer *buffer, size_t count)
{
        buffer->end += (uint32_t)count;
}

int buffer_append(struct buffer *buffer, const void *bytes, size_t count)
{
        int r;

        if (count == 0)
                return 0;
        r = buffer_reserve(buffer, count);
        if (r < 0)
                return r;
        memcpy(buffer->memory + buffer->end, bytes, count);
        buffer->end += (uint32_t)count;
        return 0;
}

int buffer_append_text(struct buffer *buffer, const char *text)
{
        return buffer_append(buffer, text, strlen(text));
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
        va_list arguments;
        int r;

        va_start(arguments, format);
        r = buffer_vprintf(buffer, format, arguments);
        va_end(arguments);
        return r;
}

int buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments)
{
        va_list again;
        int length, r;

        va_copy(again, arguments);
        if (buffer->capacity > 0)
                length = vsnprintf(buffer->memory + buffer->end, buffer_room(buffer) + 1, format,
                                   again);
        else
                length = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (length < 0)
                return -EINVAL;
        if ((size_t)length > buffer_room(buffer)) {
                r = buffer_reserve(buffer, (size_t)length);
                if (r < 0)
                        return r;
                vsnprintf(buffer->memory + buffer->end, (size_t)length + 1, format, arguments);
        }
        buffer->end += (uint32_t)length;
        return 0;
}

void buffer_consume(struct buffer *buffer, size_t count)
{
        buffer->start += (uint32_t)count;
        if (buffer->start == buffer->end)
                buffer->start = buffer->end = 0;
}

void buffer_truncate(struct buffer *buffer, size_t length)
{
        if (length >= buffer_length(buffer))
                return;
        buffer->end = buffer->start + (uint32_t)length;
        if (length == 0)
                buffer->start = buffer->end = 0;
}

void buffer_shrink(struct buffer *buffer, size_t keep)
{
        size_t length = buffer_length(buffer);

        if (keep < length)
                keep = length;
        if (buffer->capacity <= keep)
                return;
        if (keep == 0)
                buffer_done(buffer);
        else
                resize(buffer, keep); /* without memory for less, it stays as it is */
}
