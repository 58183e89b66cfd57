#include "proto/minisign-text.h"

#include "base/utf8.h"
#include "proto/minisign.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { BYTES_MAX = 256 };

bool minisign_line_next(struct minisign_lines *lines, struct minisign_line *ret)
{
        const char *end;

        if (lines->length == 0)
                return false;
        end = memchr(lines->text, '\n', lines->length);
        ret->text = lines->text;
        ret->length = end ? (size_t)(end - lines->text) : lines->length;
        lines->text += ret->length + (end ? 1 : 0);
        lines->length -= ret->length + (end ? 1 : 0);
        if (ret->length > 0 && ret->text[ret->length - 1] == '\r')
                ret->length--;
        return true;
}

bool minisign_line_drop(struct minisign_line *line, const char *prefix)
{
        size_t length = strlen(prefix);

        if (line->length < length || memcmp(line->text, prefix, length) != 0)
                return false;
        line->text += length;
        line->length -= length;
        return true;
}

int minisign_line_decode(const struct minisign_line *line, uint8_t ret[], size_t size)
{
        const char *end;
        size_t count;

        if (sodium_base642bin(ret, size, line->text, line->length, NULL, &count, &end,
                              sodium_base64_VARIANT_ORIGINAL) != 0 ||
            count != size || end != line->text + line->length)
                return -EBADMSG;
        return 0;
}

int minisign_line_encode(const uint8_t bytes[], size_t size, struct buffer *out)
{
        char text[sodium_base64_ENCODED_LEN(BYTES_MAX, sodium_base64_VARIANT_ORIGINAL)];
        int r;

        assert(size <= BYTES_MAX);
        sodium_bin2base64(text, sizeof(text), bytes, size, sodium_base64_VARIANT_ORIGINAL);
        r = buffer_append_text(out, text);
        if (r == 0)
                r = buffer_append(out, "\n", 1);
        sodium_memzero(text, sizeof(text));
        return r;
}

bool minisign_comment_is_good(const char *text, size_t length)
{
        if (length > MINISIGN_COMMENT_MAX || utf8_valid_prefix(text, length) != length)
                return false;
        for (size_t i = 0; i < length; i++)
                if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
                        return false;
        return true;
}
