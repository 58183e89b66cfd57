/* One pass over the bytes, without memory: a bit for each open object or array
 * is all the state there is. Plain text in strings goes by eight bytes at once;
 * see json-text.h. The grammar is RFC 8259's, rule names in the comments. */
#include "base/utf8.h"
#include "data/json-text.h"
#include "data/json.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

enum {
        /* cJSON copies a number into 64 bytes and takes the rest for what follows. */
        NUMBER_LENGTH_MAX = 63,
};

struct check {
        const char *text, *end;
        const char *at;
        unsigned depth, depth_max;
        uint64_t objects; /* bit per depth: an object, not an array */
        struct error *error;
};

static int refuse(const struct check *check, const char *where, int code, const char *sentence)
{
        return error_set(check->error, code, "at byte %zu: %s", (size_t)(where - check->text) + 1,
                         sentence);
}

/* What stands at check->at has no business there. */
static int unexpected(const struct check *check, const char *wanted)
{
        size_t left = (size_t)(check->end - check->at), at = (size_t)(check->at - check->text) + 1;
        const unsigned char c = left > 0 ? (unsigned char)*check->at : 0;

        if (left == 0)
                return error_set(check->error, -EBADMSG, "at byte %zu: %s, but the text ends", at,
                                 wanted);
        if (c == '\0')
                return refuse(check, check->at, -EILSEQ, "a NUL is not allowed, take it out");
        if (c >= 0x80 && utf8_valid_prefix(check->at, left < 4 ? left : 4) == 0)
                return refuse(check, check->at, -EILSEQ, "not UTF-8, send text as UTF-8");
        if (c > 0x20 && c < 0x7F)
                return error_set(check->error, -EBADMSG, "at byte %zu: %s, not %c", at, wanted, c);
        return error_set(check->error, -EBADMSG, "at byte %zu: %s, not the byte 0x%02X", at, wanted,
                         c);
}

static void skip_blanks(struct check *check)
{
        while (check->at < check->end && (*check->at == ' ' || *check->at == '\n' ||
                                          *check->at == '\r' || *check->at == '\t'))
                check->at++;
}

static bool next_is(const struct check *check, char c)
{
        return check->at < check->end && *check->at == c;
}

/* 4HEXDIG; -1 when they are not that. */
static int32_t read_unit(const char *at, const char *end)
{
        int32_t unit = 0;

        if (end - at < 4)
                return -1;
        for (int i = 0; i < 4; i++) {
                char c = at[i];

                if (c >= '0' && c <= '9')
                        unit = unit * 16 + (c - '0');
                else if (c >= 'a' && c <= 'f')
                        unit = unit * 16 + (c - 'a' + 10);
                else if (c >= 'A' && c <= 'F')
                        unit = unit * 16 + (c - 'A' + 10);
                else
                        return -1;
        }
        return unit;
}

/* Behind \u. A character beyond U+FFFF comes as two halves. */
static int check_unicode_escape(struct check *check, const char *backslash)
{
        int32_t unit = read_unit(check->at, check->end), second;

        if (unit < 0)
                return refuse(check, backslash, -EBADMSG,
                              "four hexadecimal digits must follow \\u");
        check->at += 4;
        if (unit == 0)
                return refuse(check, backslash, -EILSEQ,
                              "a NUL (\\u0000) is not allowed in text, take it out");
        if (unit < 0xD800 || unit > 0xDFFF)
                return 0;
        if (unit < 0xDC00 && check->end - check->at >= 6 && check->at[0] == '\\' &&
            check->at[1] == 'u') {
                second = read_unit(check->at + 2, check->end);
                if (second >= 0xDC00 && second <= 0xDFFF) {
                        check->at += 6;
                        return 0;
                }
        }
        return refuse(check, backslash, -EILSEQ,
                      "half of a surrogate pair stands alone, write both halves or the "
                      "character itself");
}

static int check_escape(struct check *check)
{
        const char *backslash = check->at++;

        if (check->at == check->end)
                return unexpected(check, "the string needs a closing quote");
        switch (*check->at) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
                check->at++;
                return 0;
        case 'u':
                check->at++;
                return check_unicode_escape(check, backslash);
        default:
                return unexpected(check, "one of \" \\ / b f n r t u must follow a backslash");
        }
}

/* Bytes of 0x80 and more. Once for a whole run of them, since strings in other
 * scripts than Latin are nothing else. */
static int check_utf8(struct check *check)
{
        const char *run = check->at;

        while (run < check->end && (unsigned char)*run >= 0x80)
                run++;
        check->at += utf8_valid_prefix(check->at, (size_t)(run - check->at));
        if (check->at < run)
                return refuse(check, check->at, -EILSEQ, "not UTF-8, send text as UTF-8");
        return 0;
}

/* At the opening quote. */
static int check_string(struct check *check)
{
        int r;

        check->at++;
        for (;;) {
                unsigned char c;

                check->at += json_plain_run(check->at, (size_t)(check->end - check->at));
                if (check->at == check->end)
                        return unexpected(check, "the string needs a closing quote");
                c = (unsigned char)*check->at;
                if (c == '"') {
                        check->at++;
                        return 0;
                }
                if (c == 0x7F) { /* DEL is text to RFC 8259 */
                        check->at++;
                        continue;
                }
                if (c == '\\')
                        r = check_escape(check);
                else if (c >= 0x80)
                        r = check_utf8(check);
                else if (c == '\0')
                        r = unexpected(check, "");
                else
                        r = refuse(check, check->at, -EBADMSG,
                                   "a control character must be escaped in a string "
                                   "(a line break as \\n, a tab as \\t)");
                if (r < 0)
                        return r;
        }
}

static size_t skip_digits(struct check *check)
{
        const char *first = check->at;

        while (check->at < check->end && *check->at >= '0' && *check->at <= '9')
                check->at++;
        return (size_t)(check->at - first);
}

/* [ minus ] int, without frac and exp: up to 2^53 on either side. */
static bool integer_is_exact(const char *digits, size_t count)
{
        uint64_t value = 0;

        if (count > 16)
                return false;
        for (size_t i = 0; i < count; i++)
                value = value * 10 + (uint64_t)(digits[i] - '0');
        return value <= UINT64_C(1) << 53;
}

static bool number_is_finite(const char *number, size_t length)
{
        char text[NUMBER_LENGTH_MAX + 1];

        memcpy(text, number, length);
        text[length] = '\0';
        return isfinite(strtod(text, NULL));
}

static int check_number(struct check *check)
{
        const char *number = check->at, *digits;
        bool integer = true, small = true;
        size_t count, length;

        if (*check->at == '-')
                check->at++;
        digits = check->at;
        count = skip_digits(check);
        if (count == 0)
                return unexpected(check, "a digit must follow the minus sign");
        if (count > 1 && *digits == '0')
                return refuse(check, digits, -EBADMSG,
                              "a number must not begin with zeros, take them out");
        if (next_is(check, '.')) {
                integer = false;
                check->at++;
                if (skip_digits(check) == 0)
                        return unexpected(check, "a digit must follow the decimal point");
        }
        if (next_is(check, 'e') || next_is(check, 'E')) {
                integer = small = false;
                check->at++;
                if (next_is(check, '+') || next_is(check, '-'))
                        check->at++;
                if (skip_digits(check) == 0)
                        return unexpected(check, "a digit must stand in the exponent");
        }

        length = (size_t)(check->at - number);
        if (length > NUMBER_LENGTH_MAX)
                return refuse(check, number, -ERANGE,
                              "a number of more than 63 characters would lose digits, send it as "
                              "a string");
        if (integer && !integer_is_exact(digits, count))
                return refuse(check, number, -ERANGE,
                              "an integer beyond 2^53 would lose digits, send it as a string");
        /* 63 digits without an exponent are far from a double's end. */
        if (!small && !number_is_finite(number, length))
                return refuse(check, number, -ERANGE, "the number is too large for a double");
        return 0;
}

static int check_literal(struct check *check)
{
        static const struct {
                const char *text;
                size_t length;
        } literals[] = {{"true", 4}, {"false", 5}, {"null", 4}};
        size_t left = (size_t)(check->end - check->at);

        for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
                if (left < literals[i].length ||
                    memcmp(check->at, literals[i].text, literals[i].length) != 0)
                        continue;
                check->at += literals[i].length;
                return 0;
        }
        return unexpected(check, "a value must stand here (text goes in double quotes)");
}

static int check_name(struct check *check)
{
        int r;

        skip_blanks(check);
        if (!next_is(check, '"'))
                return unexpected(check, "a member's name in double quotes must stand here");
        r = check_string(check);
        if (r < 0)
                return r;
        skip_blanks(check);
        if (!next_is(check, ':'))
                return unexpected(check, "a colon must follow a member's name");
        check->at++;
        return 0;
}

static int open_level(struct check *check, bool object)
{
        if (check->depth == check->depth_max)
                return error_set(check->error, -ELOOP,
                                 "at byte %zu: nested deeper than %u levels, send it flatter",
                                 (size_t)(check->at - check->text) + 1, check->depth_max);
        check->objects = check->objects << 1 | object;
        check->depth++;
        check->at++;
        return 0;
}

static void close_level(struct check *check)
{
        check->objects >>= 1;
        check->depth--;
        check->at++;
}

enum step { STEP_VALUE, STEP_AFTER_VALUE };

/* A scalar, or the opening of an object or array. Returns the next step. */
static int check_value(struct check *check)
{
        bool object;
        int r;

        skip_blanks(check);
        if (check->at == check->end)
                return unexpected(check, "a value must stand here");
        switch (*check->at) {
        case '"':
                r = check_string(check);
                return r < 0 ? r : STEP_AFTER_VALUE;
        case '{':
        case '[':
                object = *check->at == '{';
                r = open_level(check, object);
                if (r < 0)
                        return r;
                skip_blanks(check);
                if (next_is(check, object ? '}' : ']')) {
                        close_level(check);
                        return STEP_AFTER_VALUE;
                }
                r = object ? check_name(check) : 0;
                return r < 0 ? r : STEP_VALUE;
        case '-':
        case '0' ... '9':
                r = check_number(check);
                return r < 0 ? r : STEP_AFTER_VALUE;
        default:
                r = check_literal(check);
                return r < 0 ? r : STEP_AFTER_VALUE;
        }
}

/* Inside an object or array: a comma, or its end. Returns the next step. */
static int check_after_value(struct check *check)
{
        bool object = check->objects & 1;
        int r;

        skip_blanks(check);
        if (next_is(check, object ? '}' : ']')) {
                close_level(check);
                return STEP_AFTER_VALUE;
        }
        if (!next_is(check, ','))
                return unexpected(check, object ? "a comma or } must follow a member"
                                                : "a comma or ] must follow an item");
        check->at++;
        r = object ? check_name(check) : 0;
        return r < 0 ? r : STEP_VALUE;
}

int json_check(const char *text, size_t length, unsigned depth, struct error *error)
{
        struct check check = {.text = text,
                              .end = text + length,
                              .at = text,
                              .depth_max = depth < JSON_DEPTH_MAX ? depth : JSON_DEPTH_MAX,
                              .error = error};
        int step = STEP_VALUE;

        while (step == STEP_VALUE || check.depth > 0) {
                step = step == STEP_VALUE ? check_value(&check) : check_after_value(&check);
                if (step < 0)
                        return step;
        }
        skip_blanks(&check);
        if (check.at < check.end)
                return unexpected(&check, "nothing may follow the value");
        return 0;
}
