#include "agent/service/unit-name.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

static const char *const suffixes[] = {
        ".service", ".socket", ".timer", ".path",      ".target", ".mount",
        ".slice",   ".scope",  ".swap",  ".automount", ".device",
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                              ":-_.\\@";

static bool has_suffix(const char *name, size_t length)
{
        const char *dot = strrchr(name, '.');

        if (!dot || dot == name || (size_t)(dot - name) >= length)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
                if (strcmp(dot, suffixes[i]) == 0)
                        return true;
        }
        return false;
}

int unit_name_check(const char *name, struct error *error)
{
        size_t length = strlen(name);
        const char *at, *dot;

        if (length == 0)
                return error_set(error, -EINVAL, "a unit's name is not empty");
        if (length > UNIT_NAME_MAX)
                return error_set(error, -EINVAL, "a unit's name has at most %d bytes, this has %zu",
                                 UNIT_NAME_MAX, length);
        if (strspn(name, letters) != length)
                return error_set(
                        error, -EINVAL,
                        "\"%s\" is no unit's name: it has letters, digits and :-_.\\@ only", name);
        if (!has_suffix(name, length))
                return error_set(error, -EINVAL,
                                 "\"%s\" is no unit's name: it ends in its type, as "
                                 "\"nginx.service\" does",
                                 name);
        at = strchr(name, '@');
        dot = strrchr(name, '.');
        if (at == name)
                return error_set(error, -EINVAL, "\"%s\" is no unit's name: nothing is before @",
                                 name);
        if (at && at + 1 == dot)
                return error_set(error, -EINVAL,
                                 "\"%s\" is a template: its instances have a name behind @", name);
        return 0;
}

bool unit_name_matches(const char *name, const struct config_texts *patterns)
{
        for (size_t i = 0; i < patterns->count; i++) {
                if (fnmatch(patterns->items[i], name, FNM_NOESCAPE) == 0)
                        return true;
        }
        return false;
}

bool unit_name_is_pattern(const char *text)
{
        return strpbrk(text, "*?[") != NULL;
}

bool unit_name_is_service(const char *name)
{
        const char *dot = strrchr(name, '.');

        return dot && strcmp(dot, ".service") == 0;
}
