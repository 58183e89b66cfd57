#include "proto/http/target.h"

#include "base/utf8.h"

#include <errno.h>
#include <string.h>

/* The length decoded, terminated. -EINVAL, -ENAMETOOLONG. */
static int decode(struct http_text text, bool plus_is_space, char *decoded, size_t size)
{
        size_t length = 0;

        if (size == 0)
                return -ENAMETOOLONG;
        for (size_t i = 0; i < text.length; i++) {
                unsigned char byte = (unsigned char)text.bytes[i];

                if (byte == '%') {
                        int high = -1, low = -1;

                        if (text.length - i > 2) {
                                high = http_hex_value((unsigned char)text.bytes[i + 1]);
                                low = http_hex_value((unsigned char)text.bytes[i + 2]);
                        }
                        if (high < 0 || low < 0)
                                return -EINVAL;
                        byte = (unsigned char)(high << 4 | low);
                        i += 2;
                } else if (byte == '+' && plus_is_space) {
                        byte = ' ';
                }
                if (byte < 0x20 || byte == 0x7f)
                        return -EINVAL;
                if (length + 1 >= size)
                        return -ENAMETOOLONG;
                decoded[length++] = (char)byte;
        }
        decoded[length] = '\0';
        return utf8_valid_prefix(decoded, length) == length ? (int)length : -EINVAL;
}

/* Up to `byte`, which is taken too, or all of it. */
static struct http_text take_until(struct http_text *rest, char byte)
{
        const char *found = rest->length > 0 ? memchr(rest->bytes, byte, rest->length) : NULL;
        struct http_text part = {rest->bytes, found ? (size_t)(found - rest->bytes) : rest->length};
        size_t taken = part.length + (found != NULL);

        rest->bytes += taken;
        rest->length -= taken;
        return part;
}

int http_path_next(struct http_text *rest, char *decoded, size_t size)
{
        struct http_text inner;
        int r;

        if (rest->length == 0 || (rest->length == 1 && rest->bytes[0] == '/')) {
                rest->length = 0;
                return 0;
        }
        if (rest->bytes[0] != '/')
                return -EINVAL;
        inner = (struct http_text){rest->bytes + 1, rest->length - 1};
        r = decode(take_until(&inner, '/'), false, decoded, size);
        if (r < 0)
                return r;
        if (r == 0 || strcmp(decoded, ".") == 0 || strcmp(decoded, "..") == 0 ||
            strpbrk(decoded, "/\\"))
                return -EINVAL;
        /* The slash belongs to what follows it. */
        if (inner.length > 0 || inner.bytes[-1] == '/')
                inner = (struct http_text){inner.bytes - 1, inner.length + 1};
        *rest = inner;
        return 1;
}

int http_query_next(struct http_text *rest, char *decoded, size_t size, struct http_parameter *ret)
{
        struct http_text pair = {NULL, 0}, name;
        int name_length, value_length;

        while (rest->length > 0 && pair.length == 0)
                pair = take_until(rest, '&');
        if (pair.length == 0)
                return 0;
        name = take_until(&pair, '=');
        name_length = decode(name, true, decoded, size);
        if (name_length < 0)
                return name_length;
        value_length =
                decode(pair, true, decoded + name_length + 1, size - (size_t)name_length - 1);
        if (value_length < 0)
                return value_length;
        ret->name = (struct http_text){decoded, (size_t)name_length};
        ret->value = (struct http_text){decoded + name_length + 1, (size_t)value_length};
        return 1;
}
