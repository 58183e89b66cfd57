/* data/json-schema-tree.h - a compiled schema; for this room.
 *
 * Names and enum values point into the JSON it was compiled from, which the
 * root keeps. What a schema does not say is a limit that nothing reaches. */
#pragma once

#include "data/json-schema.h"

#include <stdbool.h>
#include <stddef.h>

enum {
        JSON_SCHEMA_TEXT_MAX = 64 << 10,
        JSON_SCHEMA_DEPTH_MAX = 16,
        JSON_SCHEMA_PROPERTIES_MAX = 256, /* in one object */
        JSON_SCHEMA_ENUM_MAX = 256,
};

enum json_schema_type {
        JSON_SCHEMA_NULL = 1 << 0,
        JSON_SCHEMA_BOOLEAN = 1 << 1,
        JSON_SCHEMA_INTEGER = 1 << 2, /* within +-2^53, so that json_get_integer() takes it */
        JSON_SCHEMA_NUMBER = 1 << 3,
        JSON_SCHEMA_STRING = 1 << 4,
        JSON_SCHEMA_ARRAY = 1 << 5,
        JSON_SCHEMA_OBJECT = 1 << 6,
        JSON_SCHEMA_ANY = (1 << 7) - 1,
};

struct json_schema_property {
        const char *name;
        struct json_schema *schema; /* NULL: any value */
        bool required;
};

struct json_schema {
        unsigned types;
        double minimum, maximum, exclusive_minimum, exclusive_maximum;
        size_t min_length, max_length; /* characters */
        size_t min_items, max_items;
        const cJSON *enumeration; /* array of scalars, or NULL */
        const cJSON *constant;    /* a scalar, or NULL */
        struct json_schema *items;
        struct json_schema_property *properties; /* sorted by name */
        size_t properties_count;
        bool closed;   /* additionalProperties: false */
        cJSON *source; /* the root's only */
};
