#include "cli/token-name.h"

#include "base/attributes.h"

#include <string.h>

enum { NAME_MAX_LENGTH = 63 };

static bool is_among(const char *word, const char *const words[], size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(word, words[i]) == 0)
                        return true;
        return false;
}

bool token_name_is_good(const char *name)
{
        static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789._-@";
        static const char *const taken[] = {"open", "local", "root"};
        size_t length = strlen(name);

        return length > 0 && length <= NAME_MAX_LENGTH && strspn(name, alphabet) == length &&
               !is_among(name, taken, ARRAY_SIZE(taken));
}

bool token_role_is_good(const char *role)
{
        static const char *const roles[] = {"viewer", "operator", "deployer", "admin"};

        return is_among(role, roles, ARRAY_SIZE(roles));
}
