#include "proto/http/body.h"

#include <errno.h>
#include <string.h>

enum { SIZE_DIGITS_MAX = 15 }; /* 60 bits: sums stay far from where they would overflow */

/* What is expected next of a chunked body. */
enum part {
        PART_SIZE,
        PART_DATA,
        PART_DATA_END, /* the line end behind a chunk's data */
        PART_TRAILER,
        PART_END,
};

int http_body_begin(struct http_body *body, const struct http_request *request, uint64_t max)
{
        *body = (struct http_body){.framing = request->framing,
                                   .part = PART_SIZE,
                                   .left = request->content_length,
                                   .max = max};
        return request->framing == HTTP_FRAMING_LENGTH && request->content_length > max ? -EMSGSIZE
                                                                                        : 0;
}

/* A line with its strict end; 0: it is not whole. -EPROTO. */
static int take_line(const char *bytes, size_t count, size_t max, struct http_text *ret)
{
        const char *feed = memchr(bytes, '\n', count < max ? count : max);

        if (!feed)
                return count >= max ? -EPROTO : 0;
        if (feed == bytes || feed[-1] != '\r')
                return -EPROTO;
        *ret = (struct http_text){bytes, (size_t)(feed - bytes) - 1};
        return 1;
}

/* 7.1: hexadecimal digits, then extensions, which are passed over. No space before the
 * semicolon: who sends it and who skips it do not always agree on the size. */
static int read_size(struct http_text line, uint64_t *ret)
{
        uint64_t size = 0;
        size_t i = 0;

        while (i < line.length && http_hex_value((unsigned char)line.bytes[i]) >= 0) {
                size = size << 4 | (uint64_t)http_hex_value((unsigned char)line.bytes[i]);
                if (++i > SIZE_DIGITS_MAX)
                        return -EPROTO;
        }
        if (i == 0 || (i < line.length && line.bytes[i] != ';'))
                return -EPROTO;
        if (!http_is_value((struct http_text){line.bytes + i, line.length - i}))
                return -EPROTO;
        *ret = size;
        return 0;
}

static int next_size(struct http_body *body, const char *bytes, size_t count, size_t *ret_consumed)
{
        struct http_text line;
        uint64_t size;
        int r;

        r = take_line(bytes, count, HTTP_CHUNK_LINE_MAX, &line);
        if (r <= 0)
                return r;
        r = read_size(line, &size);
        if (r < 0)
                return r;
        if (size > body->max - body->total)
                return -EMSGSIZE;
        body->left = size;
        body->part = size > 0 ? PART_DATA : PART_TRAILER;
        *ret_consumed = line.length + 2;
        return 1;
}

static int next_data_end(struct http_body *body, const char *bytes, size_t count,
                         size_t *ret_consumed)
{
        if (count > 0 && bytes[0] != '\r')
                return -EPROTO;
        if (count > 1 && bytes[1] != '\n')
                return -EPROTO;
        if (count < 2)
                return 0;
        body->part = PART_SIZE;
        *ret_consumed = 2;
        return 1;
}

/* 7.1.2: fields, up to an empty line. What they say is nobody's business here, but what is
 * no field is no end of a body either. */
static int next_trailer(struct http_body *body, const char *bytes, size_t count,
                        size_t *ret_consumed)
{
        struct http_text line, name;
        const char *colon;
        int r;

        r = take_line(bytes, count, HTTP_TRAILER_MAX - body->trailer, &line);
        if (r <= 0)
                return r;
        *ret_consumed = line.length + 2;
        if (line.length == 0) {
                body->part = PART_END;
                return 1;
        }
        colon = memchr(line.bytes, ':', line.length);
        if (!colon)
                return -EPROTO;
        name = (struct http_text){line.bytes, (size_t)(colon - line.bytes)};
        if (!http_is_token(name) || !http_is_value(line))
                return -EPROTO;
        body->trailer += (uint32_t)*ret_consumed;
        return 1;
}

static int next_data(struct http_body *body, const char *bytes, size_t count,
                     struct http_text *ret_data, size_t *ret_consumed)
{
        size_t taken = count < body->left ? count : (size_t)body->left;

        if (taken == 0)
                return HTTP_BODY_NEED_MORE;
        *ret_data = (struct http_text){bytes, taken};
        *ret_consumed += taken;
        body->left -= taken;
        body->total += taken;
        return HTTP_BODY_DATA;
}

static int next_chunked(struct http_body *body, const char *bytes, size_t count,
                        struct http_text *ret_data, size_t *ret_consumed)
{
        for (;;) {
                const char *at = bytes + *ret_consumed;
                size_t left = count - *ret_consumed, taken = 0;
                int r = 0;

                switch ((enum part)body->part) {
                case PART_SIZE:
                        r = next_size(body, at, left, &taken);
                        break;
                case PART_DATA:
                        r = next_data(body, at, left, ret_data, ret_consumed);
                        if (body->left == 0)
                                body->part = PART_DATA_END;
                        return r;
                case PART_DATA_END:
                        r = next_data_end(body, at, left, &taken);
                        break;
                case PART_TRAILER:
                        r = next_trailer(body, at, left, &taken);
                        break;
                case PART_END:
                        return HTTP_BODY_END;
                }
                if (r <= 0)
                        return r;
                *ret_consumed += taken;
        }
}

int http_body_next(struct http_body *body, const char *bytes, size_t count,
                   struct http_text *ret_data, size_t *ret_consumed)
{
        *ret_consumed = 0;
        if (body->framing == HTTP_FRAMING_CHUNKED)
                return next_chunked(body, bytes, count, ret_data, ret_consumed);
        if (body->left == 0)
                return HTTP_BODY_END;
        return next_data(body, bytes, count, ret_data, ret_consumed);
}
