/* data/json-writer.h - append JSON to a buffer, member by member.
 *
 *     struct json_writer w;
 *     json_writer_init(&w, &buffer);
 *     json_write_object(&w, NULL);
 *     json_write_string(&w, "type", "pong");
 *     json_write_end(&w);
 *     r = json_writer_error(&w);
 *
 * The writer puts the commas. `key` is NULL inside arrays and at the top. The
 * first failure sticks and makes the rest do nothing, so only the end needs a
 * check: what the buffer says (-EMSGSIZE, -ENOMEM), -ELOOP, or -EINVAL for a
 * key in an array, none in an object, an end too many. The buffer may then hold
 * part of a value: truncate it. Never allocates but through the buffer. Output
 * is one line: no raw control characters (U+0000 to U+001F, U+007F) ever leave.
 * Strings must be UTF-8; bytes that are not come out as U+FFFD. Numbers that are
 * not finite come out as null. */
#pragma once

#include "base/buffer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct json_writer {
        struct buffer *out;
        int error;
        unsigned depth;   /* open objects and arrays, at most 64: -ELOOP */
        uint64_t started; /* bit per depth: a member stands there already */
        uint64_t array;   /* bit per depth: an array, not an object */
};

void json_writer_init(struct json_writer *writer, struct buffer *out);
int json_writer_error(const struct json_writer *writer);

void json_write_object(struct json_writer *writer, const char *key);
void json_write_array(struct json_writer *writer, const char *key);
void json_write_end(struct json_writer *writer); /* of the innermost that is open */

void json_write_string(struct json_writer *writer, const char *key, const char *value);
void json_write_text(struct json_writer *writer, const char *key, const char *value, size_t length);
void json_write_integer(struct json_writer *writer, const char *key, int64_t value);
/* A short form that reads back the same; integral values up to 2^53 without a
 * fraction, beyond with ".0" or an exponent. */
void json_write_double(struct json_writer *writer, const char *key, double value);
void json_write_bool(struct json_writer *writer, const char *key, bool value);
void json_write_null(struct json_writer *writer, const char *key);
/* JSON that is known to be well-formed and on one line. */
void json_write_raw(struct json_writer *writer, const char *key, const char *json, size_t length);
void json_write_tree(struct json_writer *writer, const char *key, const cJSON *value);
