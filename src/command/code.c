#include "command/code.h"

#include "base/attributes.h"

#include <stddef.h>
#include <string.h>

static const struct {
        enum command_code code;
        const char *name;
} codes[] = {
        {COMMAND_BAD_JSON, "BAD_JSON"},
        {COMMAND_BAD_REQUEST, "BAD_REQUEST"},
        {COMMAND_BAD_PARAMS, "BAD_PARAMS"},
        {COMMAND_BAD_VALUE, "BAD_VALUE"},
        {COMMAND_UNAUTHORIZED, "UNAUTHORIZED"},
        {COMMAND_FORBIDDEN, "FORBIDDEN"},
        {COMMAND_NO_DEVICE, "NO_DEVICE"},
        {COMMAND_NO_METHOD, "NO_METHOD"},
        {COMMAND_NO_PIN, "NO_PIN"},
        {COMMAND_EXPIRED, "EXPIRED"},
        {COMMAND_LEASE_REQUIRED, "LEASE_REQUIRED"},
        {COMMAND_LEASE_HELD, "LEASE_HELD"},
        {COMMAND_LEASE_STALE, "LEASE_STALE"},
        {COMMAND_ESTOP, "ESTOP"},
        {COMMAND_INTERLOCK, "INTERLOCK"},
        {COMMAND_PIN_IN_USE, "PIN_IN_USE"},
        {COMMAND_TOO_LARGE, "TOO_LARGE"},
        {COMMAND_BUSY, "BUSY"},
        {COMMAND_HARDWARE, "HARDWARE"},
        {COMMAND_UNSUPPORTED, "UNSUPPORTED"},
        {COMMAND_NOT_READY, "NOT_READY"},
};

const char *command_code_name(enum command_code code)
{
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
                if (codes[i].code == code)
                        return codes[i].name;
        }
        return "HARDWARE";
}

bool command_code_parse(const char *name, enum command_code *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
                if (strcmp(codes[i].name, name) == 0) {
                        *ret = codes[i].code;
                        return true;
                }
        }
        return false;
}
