#include "agent/handler/module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int handler_module_new(const char *filename, struct handler_module **ret)
{
        AUTO(handler_module) struct handler_module *module = calloc(1, sizeof(*module));

        if (!module)
                return -ENOMEM;
        /* Room for one too many, for the moment between adding and dropping. */
        module->earlier = calloc(HANDLER_EARLIER_MAX + 1, sizeof(*module->earlier));
        if (!module->earlier)
                return -ENOMEM;
        snprintf(module->filename, sizeof(module->filename), "%s", filename);
        *ret = TAKE(module);
        return 0;
}

int handler_module_clone(const struct handler_module *module, struct handler_module **ret)
{
        struct handler_module *copy = NULL;
        struct handler_version *earlier;
        int r = handler_module_new(module->filename, &copy);

        if (r < 0)
                return r;
        earlier = copy->earlier;
        memcpy(earlier, module->earlier, module->earlier_count * sizeof(*earlier));
        *copy = *module;
        copy->earlier = earlier;
        *ret = copy;
        return 0;
}

struct handler_module *handler_module_free(struct handler_module *module)
{
        if (module)
                free(module->earlier);
        free(module);
        return NULL;
}

const struct handler_version *handler_module_version(const struct handler_module *module,
                                                     const char *sha256)
{
        if (sha256[0] == '\0')
                return NULL;
        if (strcmp(module->current.sha256, sha256) == 0)
                return &module->current;
        for (size_t i = 0; i < module->earlier_count; i++)
                if (strcmp(module->earlier[i].sha256, sha256) == 0)
                        return &module->earlier[i];
        return NULL;
}

const struct handler_version *handler_module_version_by_seq(const struct handler_module *module,
                                                            uint64_t seq)
{
        if (module->current.seq == seq)
                return &module->current;
        for (size_t i = 0; i < module->earlier_count; i++)
                if (module->earlier[i].seq == seq)
                        return &module->earlier[i];
        return NULL;
}

bool handler_module_has_backup(const struct handler_module *module, const char *backup)
{
        for (size_t i = 0; i < module->earlier_count; i++)
                if (strcmp(module->earlier[i].backup, backup) == 0)
                        return true;
        return false;
}

void handler_module_drop_earlier(struct handler_module *module, size_t index)
{
        module->earlier_count--;
        memmove(&module->earlier[index], &module->earlier[index + 1],
                (module->earlier_count - index) * sizeof(module->earlier[0]));
}

size_t handler_module_last_good(const struct handler_module *module)
{
        size_t i = 0;

        while (i < module->earlier_count &&
               (module->earlier[i].state != HANDLER_GOOD ||
                strcmp(module->earlier[i].sha256, module->current.sha256) == 0))
                i++;
        return i;
}

void handler_module_add_earlier(struct handler_module *module,
                                const struct handler_version *version)
{
        size_t at = 0, last;

        for (size_t i = 0; i < module->earlier_count; i++)
                if (strcmp(module->earlier[i].sha256, version->sha256) == 0)
                        handler_module_drop_earlier(module, i--);
        while (at < module->earlier_count && module->earlier[at].seq > version->seq)
                at++;
        memmove(&module->earlier[at + 1], &module->earlier[at],
                (module->earlier_count - at) * sizeof(module->earlier[0]));
        module->earlier[at] = *version;
        module->earlier_count++;
        if (module->earlier_count <= HANDLER_EARLIER_MAX)
                return;
        last = module->earlier_count - 1;
        handler_module_drop_earlier(module,
                                    last == handler_module_last_good(module) ? last - 1 : last);
}
