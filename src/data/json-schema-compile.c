#include "base/spelling.h"
#include "data/json-schema-tree.h"
#include "data/json.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

struct compiler {
        unsigned depth;
        const char *name; /* the property whose schema this is, for errors */
        struct error *error;
};

typedef int keyword_fn(struct compiler *compiler, struct json_schema *schema, const cJSON *value);

#define REFUSE(compiler, code, ...)                                                                \
        (error_set((compiler)->error, code, __VA_ARGS__), in_schema_of(compiler, code))

static int in_schema_of(const struct compiler *compiler, int code)
{
        if (compiler->name)
                error_prefix(compiler->error, "in the schema of `%.64s`: ", compiler->name);
        return code;
}

static int compile(struct compiler *compiler, const cJSON *value, struct json_schema **ret);

static const struct {
        const char *name;
        enum json_schema_type type;
} types[] = {
        {"null", JSON_SCHEMA_NULL},       {"boolean", JSON_SCHEMA_BOOLEAN},
        {"integer", JSON_SCHEMA_INTEGER}, {"number", JSON_SCHEMA_NUMBER},
        {"string", JSON_SCHEMA_STRING},   {"array", JSON_SCHEMA_ARRAY},
        {"object", JSON_SCHEMA_OBJECT},
};

static int add_type(struct compiler *compiler, struct json_schema *schema, const cJSON *name)
{
        for (size_t i = 0; cJSON_IsString(name) && i < ARRAY_SIZE(types); i++) {
                if (strcmp(types[i].name, name->valuestring) != 0)
                        continue;
                if (schema->types & types[i].type)
                        return REFUSE(compiler, -EINVAL, "`type` names %s twice", types[i].name);
                schema->types |= types[i].type;
                return 0;
        }
        return REFUSE(compiler, -EINVAL,
                      "`type` must be null, boolean, integer, number, string, array, object, or a "
                      "list of these");
}

static int compile_type(struct compiler *compiler, struct json_schema *schema, const cJSON *value)
{
        const cJSON *name;
        int r;

        schema->types = 0;
        if (!cJSON_IsArray(value))
                return add_type(compiler, schema, value);
        cJSON_ArrayForEach(name, value)
        {
                r = add_type(compiler, schema, name);
                if (r < 0)
                        return r;
        }
        return schema->types ? 0 : REFUSE(compiler, -EINVAL, "`type` must name at least one type");
}

static bool is_scalar(const cJSON *value)
{
        return !cJSON_IsObject(value) && !cJSON_IsArray(value);
}

static int compile_enum(struct compiler *compiler, struct json_schema *schema, const cJSON *value)
{
        const cJSON *item;
        size_t count = 0;

        if (!cJSON_IsArray(value) || !value->child)
                return REFUSE(compiler, -EINVAL, "`enum` must be a list of values");
        cJSON_ArrayForEach(item, value)
        {
                if (!is_scalar(item))
                        return REFUSE(compiler, -EINVAL,
                                      "`enum` must not have lists or objects among its values");
                if (++count > JSON_SCHEMA_ENUM_MAX)
                        return REFUSE(compiler, -E2BIG, "`enum` must have at most %d values",
                                      JSON_SCHEMA_ENUM_MAX);
        }
        schema->enumeration = value;
        return 0;
}

static int compile_const(struct compiler *compiler, struct json_schema *schema, const cJSON *value)
{
        if (!is_scalar(value))
                return REFUSE(compiler, -EINVAL, "`const` must be neither a list nor an object");
        schema->constant = value;
        return 0;
}

static int read_number(struct compiler *compiler, const cJSON *value, double *ret)
{
        if (!cJSON_IsNumber(value))
                return REFUSE(compiler, -EINVAL, "`%s` must be a number", value->string);
        *ret = value->valuedouble;
        return 0;
}

static int read_count(struct compiler *compiler, const cJSON *value, size_t *ret)
{
        if (!json_is_integer(value) || value->valuedouble < 0 || value->valuedouble > INT32_MAX)
                return REFUSE(compiler, -EINVAL, "`%s` must be an integer from 0 on",
                              value->string);
        *ret = (size_t)value->valuedouble;
        return 0;
}

#define DEFINE_LIMIT(name, read)                                                                   \
        static int compile_##name(struct compiler *compiler, struct json_schema *schema,           \
                                  const cJSON *value)                                              \
        {                                                                                          \
                return read(compiler, value, &schema->name);                                       \
        }
DEFINE_LIMIT(minimum, read_number)
DEFINE_LIMIT(maximum, read_number)
DEFINE_LIMIT(exclusive_minimum, read_number)
DEFINE_LIMIT(exclusive_maximum, read_number)
DEFINE_LIMIT(min_length, read_count)
DEFINE_LIMIT(max_length, read_count)
DEFINE_LIMIT(min_items, read_count)
DEFINE_LIMIT(max_items, read_count)

static int compile_items(struct compiler *compiler, struct json_schema *schema, const cJSON *value)
{
        return compile(compiler, value, &schema->items);
}

static struct json_schema_property *find_property(const struct json_schema *schema,
                                                  const char *name)
{
        for (size_t i = 0; i < schema->properties_count; i++)
                if (strcmp(schema->properties[i].name, name) == 0)
                        return &schema->properties[i];
        return NULL;
}

static int add_property(struct compiler *compiler, struct json_schema *schema, const char *name,
                        struct json_schema_property **ret)
{
        struct json_schema_property *larger;

        if (schema->properties_count == JSON_SCHEMA_PROPERTIES_MAX)
                return REFUSE(compiler, -E2BIG, "an object must have at most %d properties",
                              JSON_SCHEMA_PROPERTIES_MAX);
        larger = reallocarray(schema->properties, schema->properties_count + 1, sizeof(*larger));
        if (!larger)
                return error_set(compiler->error, -ENOMEM, "out of memory for a schema");
        schema->properties = larger;
        *ret = &larger[schema->properties_count++];
        **ret = (struct json_schema_property){.name = name};
        return 0;
}

static int compile_properties(struct compiler *compiler, struct json_schema *schema,
                              const cJSON *value)
{
        const cJSON *member;

        if (!cJSON_IsObject(value))
                return REFUSE(compiler, -EINVAL, "`properties` must be an object");
        cJSON_ArrayForEach(member, value)
        {
                struct json_schema_property *property = find_property(schema, member->string);
                struct compiler inner = *compiler;
                int r = 0;

                /* `required` may have come first, and named it. */
                if (property && property->schema)
                        return REFUSE(compiler, -EINVAL, "`properties` has `%.64s` twice",
                                      member->string);
                if (!property)
                        r = add_property(compiler, schema, member->string, &property);
                if (r < 0)
                        return r;
                inner.name = member->string;
                r = compile(&inner, member, &property->schema);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compile_required(struct compiler *compiler, struct json_schema *schema,
                            const cJSON *value)
{
        const cJSON *name;

        if (!cJSON_IsArray(value))
                return REFUSE(compiler, -EINVAL, "`required` must be a list of names");
        cJSON_ArrayForEach(name, value)
        {
                struct json_schema_property *property;
                int r = 0;

                if (!cJSON_IsString(name))
                        return REFUSE(compiler, -EINVAL, "`required` must be a list of names");
                property = find_property(schema, name->valuestring);
                if (!property)
                        r = add_property(compiler, schema, name->valuestring, &property);
                if (r < 0)
                        return r;
                if (property->required)
                        return REFUSE(compiler, -EINVAL, "`required` has `%.64s` twice",
                                      name->valuestring);
                property->required = true;
        }
        return 0;
}

static int compile_additional(struct compiler *compiler, struct json_schema *schema,
                              const cJSON *value)
{
        if (!cJSON_IsBool(value))
                return REFUSE(compiler, -EINVAL, "`additionalProperties` must be true or false");
        schema->closed = cJSON_IsFalse(value);
        return 0;
}

static int pass_text(struct compiler *compiler, struct json_schema *schema, const cJSON *value)
{
        (void)schema;
        return cJSON_IsString(value)
                       ? 0
                       : REFUSE(compiler, -EINVAL, "`%s` must be a string", value->string);
}

static int pass_any(struct compiler *compiler, struct json_schema *schema, const cJSON *value)
{
        (void)compiler, (void)schema, (void)value;
        return 0;
}

static int pass_list(struct compiler *compiler, struct json_schema *schema, const cJSON *value)
{
        (void)schema;
        return cJSON_IsArray(value)
                       ? 0
                       : REFUSE(compiler, -EINVAL, "`%s` must be a list", value->string);
}

/* JSON Schema Validation, draft 2020-12: clause 6, and annotations of clause 9. */
static const struct {
        const char *name;
        keyword_fn *compile;
} keywords[] = {
        {"type", compile_type},
        {"enum", compile_enum},
        {"const", compile_const},
        {"minimum", compile_minimum},
        {"maximum", compile_maximum},
        {"exclusiveMinimum", compile_exclusive_minimum},
        {"exclusiveMaximum", compile_exclusive_maximum},
        {"minLength", compile_min_length},
        {"maxLength", compile_max_length},
        {"minItems", compile_min_items},
        {"maxItems", compile_max_items},
        {"items", compile_items},
        {"properties", compile_properties},
        {"required", compile_required},
        {"additionalProperties", compile_additional},
        {"title", pass_text},
        {"description", pass_text},
        {"default", pass_any},
        {"examples", pass_list},
        {"format", pass_text},
        {"$schema", pass_text},
};

static int refuse_keyword(const struct compiler *compiler, const char *name)
{
        const char *names[ARRAY_SIZE(keywords)], *best;

        for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
                names[i] = keywords[i].name;
        if (spelling_near(name, names, ARRAY_SIZE(names), &best, 1) > 0)
                return REFUSE(compiler, -EINVAL, "`%.64s` is no known keyword; did you mean `%s`?",
                              name, best);
        return REFUSE(compiler, -EINVAL,
                      "`%.64s` is no keyword that can be checked here, leave it out", name);
}

static int compile_keyword(struct compiler *compiler, struct json_schema *schema,
                           const cJSON *member, uint32_t *seen)
{
        for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
                if (strcmp(keywords[i].name, member->string) != 0)
                        continue;
                if (*seen & UINT32_C(1) << i)
                        return REFUSE(compiler, -EINVAL, "`%s` is there twice", member->string);
                *seen |= UINT32_C(1) << i;
                return keywords[i].compile(compiler, schema, member);
        }
        return refuse_keyword(compiler, member->string);
}

static int compare_properties(const void *a, const void *b)
{
        const struct json_schema_property *first = a, *second = b;

        return strcmp(first->name, second->name);
}

/* A schema that nothing can match is a mistake in it. */
static int check_limits(const struct compiler *compiler, const struct json_schema *schema)
{
        if (schema->minimum > schema->maximum ||
            schema->exclusive_minimum >= schema->exclusive_maximum ||
            schema->minimum >= schema->exclusive_maximum ||
            schema->exclusive_minimum >= schema->maximum)
                return REFUSE(compiler, -EINVAL, "no number lies between minimum and maximum");
        if (schema->min_length > schema->max_length)
                return REFUSE(compiler, -EINVAL, "`minLength` is larger than `maxLength`");
        if (schema->min_items > schema->max_items)
                return REFUSE(compiler, -EINVAL, "`minItems` is larger than `maxItems`");
        return 0;
}

static int compile(struct compiler *compiler, const cJSON *value, struct json_schema **ret)
{
        AUTO(json_schema) struct json_schema *schema = NULL;
        struct compiler inner = *compiler;
        const cJSON *member;
        uint32_t seen = 0;
        int r;

        if (!cJSON_IsObject(value))
                return REFUSE(compiler, -EINVAL, "a schema must be an object");
        if (++inner.depth > JSON_SCHEMA_DEPTH_MAX)
                return REFUSE(compiler, -E2BIG, "a schema must have at most %d levels",
                              JSON_SCHEMA_DEPTH_MAX);
        schema = malloc(sizeof(*schema));
        if (!schema)
                return error_set(compiler->error, -ENOMEM, "out of memory for a schema");
        *schema = (struct json_schema){
                .types = JSON_SCHEMA_ANY,
                .minimum = -INFINITY,
                .maximum = INFINITY,
                .exclusive_minimum = -INFINITY,
                .exclusive_maximum = INFINITY,
                .max_length = SIZE_MAX,
                .max_items = SIZE_MAX,
        };
        cJSON_ArrayForEach(member, value)
        {
                r = compile_keyword(&inner, schema, member, &seen);
                if (r < 0)
                        return r;
        }
        r = check_limits(compiler, schema);
        if (r < 0)
                return r;
        if (schema->properties)
                qsort(schema->properties, schema->properties_count, sizeof(*schema->properties),
                      compare_properties);
        *ret = TAKE(schema);
        return 0;
}

int json_schema_compile(const char *text, struct json_schema **ret, struct error *error)
{
        size_t length = strnlen(text, JSON_SCHEMA_TEXT_MAX + 1);
        struct compiler compiler = {.error = error};
        struct json_schema *schema = NULL;
        AUTO_JSON cJSON *source = NULL;
        int r;

        if (length > JSON_SCHEMA_TEXT_MAX)
                return error_set(error, -E2BIG, "a schema must have at most %d bytes",
                                 JSON_SCHEMA_TEXT_MAX);
        r = json_parse(text, length, JSON_DEPTH_MAX, &source, error);
        if (r == -ELOOP)
                return error_set(error, -E2BIG, "a schema must have at most %d levels",
                                 JSON_SCHEMA_DEPTH_MAX);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                if (error)
                        error->code = -EBADMSG;
                return -EBADMSG;
        }
        r = compile(&compiler, source, &schema);
        if (r < 0)
                return r;
        schema->source = TAKE(source);
        *ret = schema;
        return 0;
}

/* As deep as schemas are, which is bounded. */
struct json_schema *json_schema_free(struct json_schema *schema)
{
        if (!schema)
                return NULL;
        json_schema_free(schema->items);
        for (size_t i = 0; i < schema->properties_count; i++)
                json_schema_free(schema->properties[i].schema);
        free(schema->properties);
        cJSON_Delete(schema->source);
        free(schema);
        return NULL;
}
