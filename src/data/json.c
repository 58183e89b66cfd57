#include "data/json.h"

#include <errno.h>
#include <math.h>

static const double integer_max = 9007199254740992.0; /* 2^53 */

int json_parse(const char *text, size_t length, unsigned depth, cJSON **ret, struct error *error)
{
        cJSON *tree;
        int r;

        r = json_check(text, length, depth, error);
        if (r < 0)
                return r;
        /* The text is well-formed, so that only memory can be wanting. */
        tree = cJSON_ParseWithLengthOpts(text, length, NULL, false);
        if (!tree)
                return error_set(error, -ENOMEM, "out of memory for %zu bytes of JSON", length);
        *ret = tree;
        return 0;
}

const cJSON *json_get(const cJSON *object, const char *name)
{
        return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *json_get_string(const cJSON *object, const char *name)
{
        const cJSON *value = json_get(object, name);

        return cJSON_IsString(value) ? value->valuestring : NULL;
}

bool json_get_integer(const cJSON *object, const char *name, int64_t *ret)
{
        const cJSON *value = json_get(object, name);

        if (!json_is_integer(value))
                return false;
        *ret = (int64_t)value->valuedouble;
        return true;
}

bool json_get_double(const cJSON *object, const char *name, double *ret)
{
        const cJSON *value = json_get(object, name);

        if (!cJSON_IsNumber(value))
                return false;
        *ret = value->valuedouble;
        return true;
}

bool json_get_bool(const cJSON *object, const char *name, bool *ret)
{
        const cJSON *value = json_get(object, name);

        if (!cJSON_IsBool(value))
                return false;
        *ret = cJSON_IsTrue(value);
        return true;
}

bool json_is_integer(const cJSON *value)
{
        return cJSON_IsNumber(value) && value->valuedouble >= -integer_max &&
               value->valuedouble <= integer_max && trunc(value->valuedouble) == value->valuedouble;
}
