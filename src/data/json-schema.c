#include "data/json-schema.h"

#include "base/spelling.h"
#include "data/json-schema-tree.h"
#include "data/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
        SENTENCE_MAX = ERROR_TEXT_MAX,
        QUOTED_MAX = 48, /* bytes of a stranger's text that are repeated */
        LISTED_MAX = 8,  /* values or names that are listed */
};

/* Where we are in the value; the chain lies on the stack and becomes text only
 * when there is an error. */
struct place {
        const struct place *parent;
        const char *name; /* NULL: an item, at `index` */
        size_t index;
};

/* A sentence under construction; what does not fit is cut. */
struct sentence {
        char text[SENTENCE_MAX];
        size_t length;
};

static void PRINTF_LIKE(2, 3) say(struct sentence *sentence, const char *format, ...)
{
        size_t room = sizeof(sentence->text) - sentence->length;
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(sentence->text + sentence->length, room, format, arguments);
        va_end(arguments);
        if (length > 0)
                sentence->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* Strangers' text: a piece that ends between two characters. */
static void say_text(struct sentence *sentence, const char *quote, const char *text)
{
        size_t length = strnlen(text, QUOTED_MAX + 1);
        bool cut = length > QUOTED_MAX;

        if (cut)
                for (length = QUOTED_MAX; length > 0 && (text[length] & 0xC0) == 0x80;)
                        length--;
        say(sentence, "%s%.*s%s%s", quote, (int)length, text, cut ? "..." : "", quote);
}

static void say_value(struct sentence *sentence, const cJSON *value)
{
        if (cJSON_IsString(value))
                say_text(sentence, "\"", value->valuestring);
        else if (cJSON_IsNumber(value))
                say(sentence, "%.15g", value->valuedouble);
        else if (cJSON_IsBool(value))
                say(sentence, "%s", cJSON_IsTrue(value) ? "true" : "false");
        else if (cJSON_IsArray(value))
                say(sentence, "an array");
        else if (cJSON_IsObject(value))
                say(sentence, "an object");
        else
                say(sentence, "null");
}

/* As deep as the schema at most. */
static void say_steps(struct sentence *sentence, const struct place *place)
{
        if (place->parent)
                say_steps(sentence, place->parent);
        if (!place->name) {
                say(sentence, "[%zu]", place->index);
                return;
        }
        if (place->parent)
                say(sentence, ".");
        say_text(sentence, "", place->name);
}

static void say_path(struct sentence *sentence, const struct place *place)
{
        if (!place) {
                say(sentence, "the value");
                return;
        }
        say(sentence, "`");
        say_steps(sentence, place);
        say(sentence, "`");
}

/* "a, b or c": what goes before item `index` of `count`. */
static const char *conjunction(size_t index, size_t count)
{
        return index == 0 ? "" : index + 1 == count ? " or " : ", ";
}

static int finish(const struct sentence *sentence, struct error *error)
{
        return error_set(error, -EINVAL, "%s", sentence->text);
}

static unsigned type_of(const cJSON *value)
{
        if (cJSON_IsNumber(value))
                return json_is_integer(value) ? JSON_SCHEMA_INTEGER | JSON_SCHEMA_NUMBER
                                              : JSON_SCHEMA_NUMBER;
        if (cJSON_IsString(value))
                return JSON_SCHEMA_STRING;
        if (cJSON_IsBool(value))
                return JSON_SCHEMA_BOOLEAN;
        if (cJSON_IsObject(value))
                return JSON_SCHEMA_OBJECT;
        if (cJSON_IsArray(value))
                return JSON_SCHEMA_ARRAY;
        return JSON_SCHEMA_NULL;
}

static int refuse_type(const struct json_schema *schema, const cJSON *value,
                       const struct place *place, struct error *error)
{
        static const char *const names[] = {"null",     "true or false", "an integer", "a number",
                                            "a string", "an array",      "an object"};
        const size_t count = (size_t)__builtin_popcount(schema->types);
        struct sentence sentence = {0};
        size_t said = 0;

        if (!error)
                return -EINVAL;
        say_path(&sentence, place);
        say(&sentence, " must be ");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (schema->types & 1u << i)
                        say(&sentence, "%s%s", conjunction(said++, count), names[i]);
        say(&sentence, ", not ");
        say_value(&sentence, value);
        return finish(&sentence, error);
}

static int refuse_limit(const char *relation, double limit, const cJSON *value,
                        const struct place *place, struct error *error)
{
        struct sentence sentence = {0};

        if (!error)
                return -EINVAL;
        say_path(&sentence, place);
        say(&sentence, " must be %s %.15g, not ", relation, limit);
        say_value(&sentence, value);
        return finish(&sentence, error);
}

static int refuse_count(const char *relation, size_t limit, const char *what, size_t count,
                        const struct place *place, struct error *error)
{
        struct sentence sentence = {0};

        if (!error)
                return -EINVAL;
        say_path(&sentence, place);
        say(&sentence, " must have %s %zu %s%s, not %zu", relation, limit, what,
            limit == 1 ? "" : "s", count);
        return finish(&sentence, error);
}

static int refuse_choice(const cJSON *choices, const cJSON *value, const struct place *place,
                         struct error *error)
{
        const size_t count = (size_t)cJSON_GetArraySize(choices);
        const char *words[JSON_SCHEMA_ENUM_MAX], *best;
        struct sentence sentence = {0};
        size_t said = 0, words_count = 0;
        const cJSON *choice;

        if (!error)
                return -EINVAL;
        say_path(&sentence, place);
        say(&sentence, " must be ");
        cJSON_ArrayForEach(choice, choices)
        {
                if (cJSON_IsString(choice))
                        words[words_count++] = choice->valuestring;
                if (said == LISTED_MAX)
                        continue;
                say(&sentence, "%s", conjunction(said++, count));
                say_value(&sentence, choice);
        }
        if (said < count)
                say(&sentence, " or one of %zu more", count - said);
        say(&sentence, ", not ");
        say_value(&sentence, value);
        if (said < count && cJSON_IsString(value) &&
            spelling_near(value->valuestring, words, words_count, &best, 1) > 0)
                say(&sentence, "; did you mean \"%s\"?", best);
        return finish(&sentence, error);
}

static int refuse_constant(const cJSON *constant, const cJSON *value, const struct place *place,
                           struct error *error)
{
        struct sentence sentence = {0};

        if (!error)
                return -EINVAL;
        say_path(&sentence, place);
        say(&sentence, " must be ");
        say_value(&sentence, constant);
        say(&sentence, ", not ");
        say_value(&sentence, value);
        return finish(&sentence, error);
}

static int refuse_member(const char *complaint, const struct place *place, struct error *error)
{
        struct sentence sentence = {0};

        if (!error)
                return -EINVAL;
        say_path(&sentence, place);
        say(&sentence, " %s", complaint);
        return finish(&sentence, error);
}

static int refuse_unknown(const struct json_schema *schema, const struct place *place,
                          struct error *error)
{
        const char *names[JSON_SCHEMA_PROPERTIES_MAX], *best[3];
        struct sentence sentence = {0};
        const char **listed = names;
        size_t count = schema->properties_count, near;

        if (!error)
                return -EINVAL;
        say_path(&sentence, place);
        say(&sentence, " is unknown");
        if (count == 0) {
                say(&sentence, ", nothing may stand here");
                return finish(&sentence, error);
        }
        for (size_t i = 0; i < count; i++)
                names[i] = schema->properties[i].name;
        near = spelling_near(place->name, names, count, best, ARRAY_SIZE(best));
        if (near > 0) {
                listed = best;
                count = near;
        }
        say(&sentence, near > 0 ? "; did you mean " : "; known are ");
        for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
                say(&sentence, "%s", near > 0 ? conjunction(i, count) : i > 0 ? ", " : "");
                say_text(&sentence, "`", listed[i]);
        }
        say(&sentence, near > 0 ? "?" : count > LISTED_MAX ? " and others" : "");
        return finish(&sentence, error);
}

static bool scalars_equal(const cJSON *a, const cJSON *b)
{
        if (cJSON_IsString(a))
                return cJSON_IsString(b) && strcmp(a->valuestring, b->valuestring) == 0;
        if (cJSON_IsNumber(a))
                return cJSON_IsNumber(b) && a->valuedouble == b->valuedouble;
        return type_of(a) == type_of(b) && (!cJSON_IsBool(a) || cJSON_IsTrue(a) == cJSON_IsTrue(b));
}

static bool is_among(const cJSON *choices, const cJSON *value)
{
        const cJSON *choice;

        cJSON_ArrayForEach(choice, choices)
        {
                if (scalars_equal(choice, value))
                        return true;
        }
        return false;
}

static int check_value(const struct json_schema *schema, const cJSON *value,
                       const struct place *place, struct error *error);

static int check_number(const struct json_schema *schema, const cJSON *value,
                        const struct place *place, struct error *error)
{
        double number = value->valuedouble;

        if (number < schema->minimum)
                return refuse_limit("at least", schema->minimum, value, place, error);
        if (number > schema->maximum)
                return refuse_limit("at most", schema->maximum, value, place, error);
        if (number <= schema->exclusive_minimum)
                return refuse_limit("more than", schema->exclusive_minimum, value, place, error);
        if (number >= schema->exclusive_maximum)
                return refuse_limit("less than", schema->exclusive_maximum, value, place, error);
        return 0;
}

static int check_string(const struct json_schema *schema, const cJSON *value,
                        const struct place *place, struct error *error)
{
        size_t characters = 0;

        if (schema->min_length == 0 && schema->max_length == SIZE_MAX)
                return 0;
        for (const char *c = value->valuestring; *c != '\0'; c++)
                characters += (*c & 0xC0) != 0x80;
        if (characters < schema->min_length)
                return refuse_count("at least", schema->min_length, "character", characters, place,
                                    error);
        if (characters > schema->max_length)
                return refuse_count("at most", schema->max_length, "character", characters, place,
                                    error);
        return 0;
}

static int check_array(const struct json_schema *schema, const cJSON *value,
                       const struct place *place, struct error *error)
{
        struct place here = {.parent = place};
        const cJSON *item;
        size_t count = 0;
        int r;

        cJSON_ArrayForEach(item, value)
        {
                count++;
        }
        if (count < schema->min_items)
                return refuse_count("at least", schema->min_items, "item", count, place, error);
        if (count > schema->max_items)
                return refuse_count("at most", schema->max_items, "item", count, place, error);
        if (!schema->items)
                return 0;
        cJSON_ArrayForEach(item, value)
        {
                r = check_value(schema->items, item, &here, error);
                if (r < 0)
                        return r;
                here.index++;
        }
        return 0;
}

static const struct json_schema_property *find_property(const struct json_schema *schema,
                                                        const char *name)
{
        size_t low = 0, high = schema->properties_count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(name, schema->properties[middle].name);

                if (order == 0)
                        return &schema->properties[middle];
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

static int check_object(const struct json_schema *schema, const cJSON *value,
                        const struct place *place, struct error *error)
{
        uint64_t seen[JSON_SCHEMA_PROPERTIES_MAX / 64] = {0};
        struct place here = {.parent = place};
        const cJSON *member;
        int r;

        if (schema->properties_count == 0 && !schema->closed)
                return 0;
        cJSON_ArrayForEach(member, value)
        {
                const struct json_schema_property *property = find_property(schema, member->string);
                size_t i;

                here.name = member->string;
                if (!property && schema->closed)
                        return refuse_unknown(schema, &here, error);
                if (!property)
                        continue;
                i = (size_t)(property - schema->properties);
                if (seen[i / 64] >> i % 64 & 1)
                        return refuse_member("is there twice", &here, error);
                seen[i / 64] |= UINT64_C(1) << i % 64;
                r = property->schema ? check_value(property->schema, member, &here, error) : 0;
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < schema->properties_count; i++) {
                here.name = schema->properties[i].name;
                if (schema->properties[i].required && !(seen[i / 64] >> i % 64 & 1))
                        return refuse_member("is missing", &here, error);
        }
        return 0;
}

static int check_value(const struct json_schema *schema, const cJSON *value,
                       const struct place *place, struct error *error)
{
        const unsigned type = type_of(value);

        if (!(schema->types & type))
                return refuse_type(schema, value, place, error);
        if (schema->enumeration && !is_among(schema->enumeration, value))
                return refuse_choice(schema->enumeration, value, place, error);
        if (schema->constant && !scalars_equal(schema->constant, value))
                return refuse_constant(schema->constant, value, place, error);
        if (type & JSON_SCHEMA_NUMBER)
                return check_number(schema, value, place, error);
        if (type == JSON_SCHEMA_STRING)
                return check_string(schema, value, place, error);
        if (type == JSON_SCHEMA_ARRAY)
                return check_array(schema, value, place, error);
        if (type == JSON_SCHEMA_OBJECT)
                return check_object(schema, value, place, error);
        return 0;
}

int json_schema_check(const struct json_schema *schema, const cJSON *value, struct error *error)
{
        return check_value(schema, value, NULL, error);
}
