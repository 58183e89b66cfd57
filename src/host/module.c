#include "host/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool name_is_good(const char *name)
{
        size_t length = name ? strnlen(name, HOST_NAME_MAX + 1) : 0;

        if (length == 0 || length > HOST_NAME_MAX || name[0] < 'a' || name[0] > 'z')
                return false;
        return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static int check_command(const struct pifleet_module *module, uint32_t index,
                         enum host_module_failure *failure, struct error *error)
{
        const struct pifleet_command *command = &module->commands[index];

        if (!name_is_good(command->name)) {
                *failure = HOST_MODULE_BAD_COMMAND_NAME;
                return error_set(error, -ENOEXEC,
                                 "\"%.80s\" is no name for a command: a small letter, then small "
                                 "letters, digits and underscores, %d characters at most",
                                 command->name ? command->name : "", HOST_NAME_MAX);
        }
        if (!command->handler)
                return error_set(error, -ENOEXEC, "the command %s has no handler", command->name);
        if (host_module_find(module, command->name) != command)
                return error_set(error, -ENOEXEC, "the command %s is there twice", command->name);
        return 0;
}

static int check_module(const struct pifleet_module *module, enum host_module_failure *failure,
                        struct error *error)
{
        if (module->abi != PIFLEET_HANDLER_ABI)
                return error_set(error, -ENOEXEC,
                                 "built for version %u of pifleet/handler.h, this is %d",
                                 (unsigned)module->abi, PIFLEET_HANDLER_ABI);
        if (module->commands_count == 0 || !module->commands)
                return error_set(error, -ENOEXEC, "PIFLEET_MODULE names no commands");
        if (module->commands_count > HOST_COMMANDS_MAX) {
                *failure = HOST_MODULE_TOO_MANY_COMMANDS;
                return error_set(error, -ENOEXEC, "%u commands; a module has %d at most",
                                 (unsigned)module->commands_count, HOST_COMMANDS_MAX);
        }
        for (uint32_t i = 0; i < module->commands_count; i++) {
                int r = check_command(module, i, failure, error);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The dynamic linker knows the module by a path that tells nobody anything. */
static int refuse_link(const char *path, const char *name, struct error *error)
{
        const char *said = dlerror();
        size_t length = strlen(path);

        if (!said)
                said = "cannot be loaded";
        else if (strncmp(said, path, length) == 0 && strncmp(said + length, ": ", 2) == 0)
                said += length + 2;
        return error_set(error, -ENOEXEC, "%s: %s", name, said);
}

int host_module_load(int fd, const char *name, const struct pifleet_module **ret,
                     enum host_module_failure *failure, struct error *error)
{
        char path[sizeof("/proc/self/fd/-2147483648")];
        const struct pifleet_module *module;
        void *object;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        *failure = HOST_MODULE_LINK_ERROR;
        /* All symbols now: what is missing shall fail the load and not a call. */
        object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!object)
                return refuse_link(path, name, error);
        *failure = HOST_MODULE_BAD_COMMANDS;
        module = dlsym(object, "pifleet_module");
        if (!module)
                return error_set(error, -ENOEXEC,
                                 "no commands: %s does not say PIFLEET_MODULE(...)", name);
        r = check_module(module, failure, error);
        if (r < 0)
                return r;
        *ret = module;
        return 0;
}

const struct pifleet_command *host_module_find(const struct pifleet_module *module,
                                               const char *name)
{
        for (uint32_t i = 0; i < module->commands_count; i++) {
                const struct pifleet_command *command = &module->commands[i];

                if (command->name && strcmp(command->name, name) == 0)
                        return command;
        }
        return NULL;
}
