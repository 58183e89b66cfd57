/* cli/token-name.h - what an item of `access.tokens` may be called, and may do. */
#pragma once

#include <stdbool.h>

#define TOKEN_NAME_EXPECTED                                                                        \
        "a name of 1 to 63 letters, digits, '.', '_', '-' or '@', but not root, local or open, "   \
        "which stand for callers without a token"
#define TOKEN_ROLE_EXPECTED "viewer, operator, deployer or admin"

bool token_name_is_good(const char *name);
bool token_role_is_good(const char *role);
