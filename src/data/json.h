/* data/json.h - strangers' JSON into a tree, and typed access to it.
 *
 * cJSON builds the tree; a strict pass over the bytes runs first, since cJSON
 * is lenient where we must not be. Refused beyond RFC 8259's grammar: invalid
 * UTF-8, NUL (raw or as \u0000), lone surrogates, nesting deeper than asked,
 * numbers that overflow a double, and integers outside +-2^53, which a double
 * would change in silence (RFC 7493, 2.2): they belong in a string. So do numbers
 * of more than 63 characters, which cJSON would read as two. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 64 };

static inline void json_cleanup(cJSON **tree)
{
        cJSON_Delete(*tree);
}
#define AUTO_JSON __attribute__((cleanup(json_cleanup)))

/* Parses exactly `length` bytes. The error names the byte (counted from 1).
 * -EBADMSG: not JSON; -EILSEQ: not UTF-8, a NUL, half a surrogate pair; -ELOOP: deeper than `depth`
 * (at most JSON_DEPTH_MAX); -ERANGE: a number that would lose digits; -ENOMEM. */
int json_parse(const char *text, size_t length, unsigned depth, cJSON **ret, struct error *error);

/* The strict pass alone; what json_parse refuses, but for -ENOMEM. */
int json_check(const char *text, size_t length, unsigned depth, struct error *error);

/* Members by their exact name (case counts); NULL when absent or of another
 * type. Duplicated names: the first. */
const cJSON *json_get(const cJSON *object, const char *name);
const char *json_get_string(const cJSON *object, const char *name);
/* False when absent or of another type; *ret untouched. */
bool json_get_integer(const cJSON *object, const char *name, int64_t *ret);
bool json_get_double(const cJSON *object, const char *name, double *ret);
bool json_get_bool(const cJSON *object, const char *name, bool *ret);

/* True for a number without a fraction within +-2^53. */
bool json_is_integer(const cJSON *value);
