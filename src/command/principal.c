#include "command/principal.h"

#include "base/attributes.h"

#include <string.h>

static const char *const names[] = {
        [COMMAND_ROLE_NONE] = "none",         [COMMAND_ROLE_VIEWER] = "viewer",
        [COMMAND_ROLE_OPERATOR] = "operator", [COMMAND_ROLE_DEPLOYER] = "deployer",
        [COMMAND_ROLE_ADMIN] = "admin",
};

const char *command_role_name(enum command_role role)
{
        return names[role];
}

bool command_role_parse(const char *name, enum command_role *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (strcmp(name, names[i]) == 0) {
                        *ret = (enum command_role)i;
                        return true;
                }
        }
        return false;
}
