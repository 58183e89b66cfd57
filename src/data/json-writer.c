#include "data/json-writer.h"

#include "base/utf8.h"
#include "data/json-text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 64, INTEGER_LENGTH_MAX = 20 /* of INT64_MIN */ };

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
        *writer = (struct json_writer){.out = out};
}

int json_writer_error(const struct json_writer *writer)
{
        return writer->error;
}

static bool fail(struct json_writer *writer, int error)
{
        writer->error = error;
        return false;
}

static inline bool reserve(struct json_writer *writer, size_t count)
{
        int r;

        /* The limit stands even where the memory is larger. */
        if (writer->out->capacity - writer->out->end >= count &&
            writer->out->max - buffer_length(writer->out) >= count)
                return true;
        r = buffer_reserve(writer->out, count);
        return r < 0 ? fail(writer, r) : true;
}

/* Into room that was reserved. */
static inline void put(struct json_writer *writer, const char *bytes, size_t count)
{
        memcpy(writer->out->memory + writer->out->end, bytes, count);
        writer->out->end += count;
}

static inline void put_byte(struct json_writer *writer, char c)
{
        writer->out->memory[writer->out->end++] = c;
}

static size_t escape(unsigned char c, char text[6])
{
        static const char digits[] = "0123456789abcdef";
        char letter = '\0';

        switch (c) {
        case '"':
        case '\\':
                letter = (char)c;
                break;
        case '\b':
                letter = 'b';
                break;
        case '\f':
                letter = 'f';
                break;
        case '\n':
                letter = 'n';
                break;
        case '\r':
                letter = 'r';
                break;
        case '\t':
                letter = 't';
                break;
        }
        text[0] = '\\';
        if (letter != '\0') {
                text[1] = letter;
                return 2;
        }
        memcpy(text + 1, "u00", 3);
        text[4] = digits[c >> 4];
        text[5] = digits[c & 15];
        return 6;
}

/* Text with something in it that is not plain. */
static bool write_rough_text(struct json_writer *writer, const char *text, size_t length)
{
        const char *end = text + length, *valid = text + utf8_valid_prefix(text, length);
        char escaped[6];
        size_t count;

        while (text < end) {
                const char *run = text;

                while (run < valid &&
                       (json_byte_is_plain((unsigned char)*run) || (unsigned char)*run >= 0x80))
                        run++;
                if (!reserve(writer, (size_t)(run - text)))
                        return false;
                put(writer, text, (size_t)(run - text));
                text = run;
                if (text == end)
                        break;
                if (text < valid) {
                        count = escape((unsigned char)*text++, escaped);
                } else {
                        memcpy(escaped, "\xEF\xBF\xBD", count = 3); /* U+FFFD */
                        text++;
                        valid = text + utf8_valid_prefix(text, (size_t)(end - text));
                }
                if (!reserve(writer, count))
                        return false;
                put(writer, escaped, count);
        }
        return true;
}

static inline bool write_quoted(struct json_writer *writer, const char *text, size_t length)
{
        /* What comes out is never shorter, so that this is never too much to ask. */
        if (length > SIZE_MAX - 2)
                return fail(writer, -EMSGSIZE);
        if (!reserve(writer, length + 2))
                return false;
        put_byte(writer, '"');
        if (json_is_plain(text, length))
                put(writer, text, length);
        else if (!write_rough_text(writer, text, length))
                return false;
        if (!reserve(writer, 1))
                return false;
        put_byte(writer, '"');
        return true;
}

/* Comma and name. */
static inline bool begin(struct json_writer *writer, const char *key)
{
        uint64_t bit;
        bool object;

        if (writer->error < 0)
                return false;
        bit = writer->depth > 0 ? UINT64_C(1) << (writer->depth - 1) : 0;
        object = writer->depth > 0 && !(writer->array & bit);
        if (object != (key != NULL))
                return fail(writer, -EINVAL);
        if (writer->started & bit) {
                if (!reserve(writer, 1))
                        return false;
                put_byte(writer, ',');
        }
        writer->started |= bit;
        if (!key)
                return true;
        if (!write_quoted(writer, key, strlen(key)) || !reserve(writer, 1))
                return false;
        put_byte(writer, ':');
        return true;
}

static inline void write_plain(struct json_writer *writer, const char *key, const char *text,
                               size_t length)
{
        if (begin(writer, key) && reserve(writer, length))
                put(writer, text, length);
}

static void open_level(struct json_writer *writer, const char *key, bool array)
{
        uint64_t bit;

        if (writer->error == 0 && writer->depth == DEPTH_MAX)
                fail(writer, -ELOOP);
        write_plain(writer, key, array ? "[" : "{", 1);
        if (writer->error < 0)
                return;
        bit = UINT64_C(1) << writer->depth++;
        writer->started &= ~bit;
        writer->array = array ? writer->array | bit : writer->array & ~bit;
}

void json_write_object(struct json_writer *writer, const char *key)
{
        open_level(writer, key, false);
}

void json_write_array(struct json_writer *writer, const char *key)
{
        open_level(writer, key, true);
}

void json_write_end(struct json_writer *writer)
{
        if (writer->error < 0)
                return;
        if (writer->depth == 0) {
                fail(writer, -EINVAL);
                return;
        }
        if (!reserve(writer, 1))
                return;
        writer->depth--;
        put_byte(writer, writer->array >> writer->depth & 1 ? ']' : '}');
}

void json_write_string(struct json_writer *writer, const char *key, const char *value)
{
        json_write_text(writer, key, value, strlen(value));
}

void json_write_text(struct json_writer *writer, const char *key, const char *value, size_t length)
{
        if (begin(writer, key))
                write_quoted(writer, value, length);
}

/* Decimal digits, right-aligned before `end`; returns the first. */
static char *format_digits(char *end, uint64_t value)
{
        static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                    "25262728293031323334353637383940414243444546474849"
                                    "50515253545556575859606162636465666768697071727374"
                                    "75767778798081828384858687888990919293949596979899";

        while (value >= 100) {
                end -= 2;
                memcpy(end, pairs + value % 100 * 2, 2);
                value /= 100;
        }
        if (value >= 10)
                return memcpy(end - 2, pairs + value * 2, 2);
        *--end = (char)('0' + value);
        return end;
}

void json_write_integer(struct json_writer *writer, const char *key, int64_t value)
{
        char text[INTEGER_LENGTH_MAX], *end = text + sizeof(text), *first;

        first = format_digits(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
        if (value < 0)
                *--first = '-';
        write_plain(writer, key, first, (size_t)(end - first));
}

/* With up to six decimals, as most measured values have them. When
 * value == n / 10^6 in doubles, the decimal n / 10^6 reads back as `value`, for
 * division rounds as reading does; and below 16 digits no shorter one does. */
static bool write_short_double(struct json_writer *writer, const char *key, double value)
{
        const double scale = 1e6;
        char text[INTEGER_LENGTH_MAX + 2], *end = text + sizeof(text), *first;
        uint64_t millionths, fraction;
        double magnitude = fabs(value);

        if (!(magnitude < 1e9))
                return false;
        millionths = (uint64_t)(magnitude * scale + 0.5);
        if ((double)millionths / scale != magnitude)
                return false;

        fraction = millionths % 1000000;
        if (fraction > 0) {
                first = end - 6;
                memset(first, '0', 6);
                format_digits(end, fraction);
                while (end[-1] == '0')
                        end--;
                *--first = '.';
        } else {
                first = end;
        }
        first = format_digits(first, millionths / 1000000);
        if (signbit(value))
                *--first = '-';
        write_plain(writer, key, first, (size_t)(end - first));
        return true;
}

void json_write_double(struct json_writer *writer, const char *key, double value)
{
        char text[40];
        int length = 0;

        if (!isfinite(value)) {
                json_write_null(writer, key);
                return;
        }
        if (write_short_double(writer, key, value))
                return;
        if (trunc(value) == value && fabs(value) <= 9007199254740992.0) {
                json_write_integer(writer, key, (int64_t)value);
                return;
        }
        for (int digits = 15; digits <= 17; digits++) {
                length = snprintf(text, sizeof(text), "%.*g", digits, value);
                if (strtod(text, NULL) == value)
                        break;
        }
        /* Plain digits beyond 2^53 would pass for an integer that is exact. */
        if (strspn(text, "-0123456789") == (size_t)length) {
                memcpy(text + length, ".0", 2);
                length += 2;
        }
        /* The locale's decimal point is not JSON's. */
        for (int i = 0; i < length; i++)
                if (text[i] == ',')
                        text[i] = '.';
        write_plain(writer, key, text, (size_t)length);
}

void json_write_bool(struct json_writer *writer, const char *key, bool value)
{
        write_plain(writer, key, value ? "true" : "false", value ? 4 : 5);
}

void json_write_null(struct json_writer *writer, const char *key)
{
        write_plain(writer, key, "null", 4);
}

void json_write_raw(struct json_writer *writer, const char *key, const char *json, size_t length)
{
        write_plain(writer, key, json, length);
}

static void write_children(struct json_writer *writer, const cJSON *parent)
{
        const cJSON *child;

        cJSON_ArrayForEach(child, parent)
        {
                /* Deeper than the writer goes, it fails, and so does this. */
                if (writer->error < 0)
                        return;
                json_write_tree(writer, cJSON_IsObject(parent) ? child->string : NULL, child);
        }
        json_write_end(writer);
}

void json_write_tree(struct json_writer *writer, const char *key, const cJSON *value)
{
        if (cJSON_IsObject(value)) {
                json_write_object(writer, key);
                write_children(writer, value);
        } else if (cJSON_IsArray(value)) {
                json_write_array(writer, key);
                write_children(writer, value);
        } else if (cJSON_IsString(value)) {
                json_write_string(writer, key, value->valuestring);
        } else if (cJSON_IsNumber(value)) {
                json_write_double(writer, key, value->valuedouble);
        } else if (cJSON_IsBool(value)) {
                json_write_bool(writer, key, cJSON_IsTrue(value));
        } else if (cJSON_IsRaw(value)) {
                json_write_raw(writer, key, value->valuestring, strlen(value->valuestring));
        } else {
                json_write_null(writer, key);
        }
}
