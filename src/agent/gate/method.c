#include "agent/gate/method.h"

#include "base/attributes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct members {
        cJSON *v, *method, *params;
};

static bool PRINTF_LIKE(4, 5) refuse(enum command_code *ret, struct error *error,
                                     enum command_code code, const char *format, ...)
{
        char sentence[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        *ret = code;
        error_set(error, -EINVAL, "%s", sentence);
        return false;
}

/* Of every request, whatever it is for. */
static bool is_of_wire(const char *name)
{
        static const char *const names[] = {"command", "id", "token", "lease_token"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (strcmp(name, names[i]) == 0)
                        return true;
        }
        return false;
}

static cJSON **place_of(struct members *members, const char *name)
{
        if (strcmp(name, "v") == 0)
                return &members->v;
        if (strcmp(name, "method") == 0)
                return &members->method;
        return strcmp(name, "params") == 0 ? &members->params : NULL;
}

/* What stands twice of the wire's is the registry's to refuse. */
static bool find_members(const cJSON *object, struct members *ret, enum command_code *code,
                         struct error *error)
{
        for (cJSON *item = object->child; item; item = item->next) {
                cJSON **place = place_of(ret, item->string);

                if (!place && is_of_wire(item->string))
                        continue;
                if (!place)
                        return refuse(code, error, COMMAND_BAD_REQUEST,
                                      "`%.64s` is not known in a request with `method`; arguments "
                                      "stand in `params`",
                                      item->string);
                if (*place)
                        return refuse(code, error, COMMAND_BAD_REQUEST,
                                      "`%s` may stand in a request once", item->string);
                *place = item;
        }
        return true;
}

static bool check_members(const struct members *members, enum command_code *code,
                          struct error *error)
{
        if (members->v && (!cJSON_IsNumber(members->v) || members->v->valuedouble != 1))
                return refuse(code, error, COMMAND_BAD_REQUEST, "`v` is 1 here");
        if (!cJSON_IsString(members->method))
                return refuse(code, error, COMMAND_BAD_REQUEST,
                              "`method` must be a string, the method's name");
        if (!members->params || cJSON_IsNull(members->params))
                return true;
        if (!cJSON_IsObject(members->params))
                return refuse(code, error, COMMAND_BAD_PARAMS,
                              "`params` must be an object, the method's arguments");
        for (const cJSON *item = members->params->child; item; item = item->next) {
                if (is_of_wire(item->string))
                        return refuse(code, error, COMMAND_BAD_PARAMS,
                                      "`%s` stands beside `params`, not in it", item->string);
        }
        return true;
}

static bool move(cJSON *from, cJSON *item, cJSON *to, const char *name)
{
        cJSON_DetachItemViaPointer(from, item);
        if (cJSON_AddItemToObject(to, name, item))
                return true;
        cJSON_Delete(item);
        return false;
}

/* False: no memory. */
static bool rewrite(cJSON *object, const struct members *members)
{
        cJSON *params = members->params;
        bool good = true;

        cJSON_Delete(cJSON_DetachItemViaPointer(object, members->v));
        cJSON_DetachItemViaPointer(object, params);
        good = move(object, members->method, object, "command");
        while (good && params && params->child)
                good = move(params, params->child, object, params->child->string);
        cJSON_Delete(params);
        return good;
}

bool gate_method_to_command(cJSON *object, enum command_code *code, struct error *error)
{
        struct members members = {.v = NULL};

        if (cJSON_GetObjectItemCaseSensitive(object, "device"))
                return refuse(code, error, COMMAND_NO_DEVICE, "no device is configured here");
        if (!find_members(object, &members, code, error) || !check_members(&members, code, error))
                return false;
        if (!rewrite(object, &members))
                return refuse(code, error, COMMAND_BUSY, "not enough memory; try again later");
        return true;
}
