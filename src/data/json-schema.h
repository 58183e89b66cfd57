/* data/json-schema.h - JSON Schema, compiled once, checked often.
 *
 * The part of draft 2020-12 that describes arguments: type (one or several),
 * enum and const (of scalars), minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, minLength, maxLength (in characters), minItems, maxItems,
 * items, properties, required, additionalProperties (boolean). Annotations pass:
 * title, description, default, examples, format, $schema. Any other keyword, one
 * that stands there twice, and limits that nothing can meet are refused when
 * compiling, so that nothing looks checked that is not. An integer is what
 * json_get_integer() takes: without a fraction, within +-2^53. Bounds: 64 KiB of
 * schema, 16 levels, 256 properties in one object, 256 enum values.
 *
 * A duplicated member that the schema names is refused too: two readers could
 * see two values (RFC 7493, 2.3). */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <cjson/cJSON.h>

struct json_schema;

/* -EBADMSG: not JSON; -EINVAL: not a schema we can check; -E2BIG: beyond the
 * bounds; -ENOMEM. */
int json_schema_compile(const char *text, struct json_schema **ret, struct error *error);
struct json_schema *json_schema_free(struct json_schema *schema);
DEFINE_CLEANUP(json_schema)

/* 0, or -EINVAL with a sentence that names the member by its path, what was
 * found and what is expected: "`pin` must be an integer or a string, not true".
 * Does not allocate. */
int json_schema_check(const struct json_schema *schema, const cJSON *value, struct error *error);
