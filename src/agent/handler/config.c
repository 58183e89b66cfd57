#include "agent/handler/config.h"

#include "agent/handler/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const roles[] = {"viewer", "operator", "deployer", "admin", NULL};
static const char *const starts[] = {"now", "lazy", NULL};
static const char *const grant_starts[] = {"default", "now", "lazy", NULL};
static const char *const severities[] = {"low", "medium", "high", NULL};

enum { ROLE_OPERATOR = 1 /* index into roles */, SEVERITY_MEDIUM = 1 };

static const struct config_key timeout_keys[] = {
        CONFIG_SECONDS(struct handler_timeout, seconds, NULL, 10, 0.1, 3600,
                       "seconds, 0.1 to 3600"),
};

static const struct config_key grant_keys[] = {
        CONFIG_CHOICE(struct handler_grant, role, "role", ROLE_OPERATOR, roles,
                      "who may call it: viewer, operator, deployer or admin"),
        CONFIG_SECONDS(struct handler_grant, timeout, "timeout", 0, 0, 3600,
                       "seconds for a call, up to 3600; 0: handlers.timeout"),
        CONFIG_MAP(struct handler_grant, timeouts, "timeouts", struct handler_timeout, command,
                   timeout_keys, HANDLER_CONFIG_TIMEOUTS_MAX,
                   "seconds by command: {take_picture: 30}"),
        CONFIG_INTEGER(struct handler_grant, memory, "memory", 0, 0, 1LL << 40,
                       "bytes for all its processes together; 0: the default"),
        CONFIG_INTEGER(struct handler_grant, tasks, "tasks", 0, 0, 4096,
                       "processes and threads, up to 4096; 0: the default"),
        CONFIG_INTEGER(struct handler_grant, storage, "storage", 0, 0, 1LL << 50,
                       "bytes in its own folder; 0: handlers.storage"),
        CONFIG_TEXTS(struct handler_grant, devices, "devices", NULL, HANDLER_CONFIG_PATHS_MAX,
                     "a list of devices, with * and ?: [\"/dev/i2c-*\"]"),
        CONFIG_TEXTS(struct handler_grant, directories, "directories", NULL,
                     HANDLER_CONFIG_PATHS_MAX, "a list of directories that it may write to"),
        CONFIG_TEXTS(struct handler_grant, groups, "groups", NULL, HANDLER_CONFIG_PATHS_MAX,
                     "a list of groups of the system: [i2c]"),
        CONFIG_BOOL(struct handler_grant, network, "network", false),
        CONFIG_CHOICE(struct handler_grant, start, "start", 0, grant_starts,
                      "default, now, or lazy: at its first call"),
};

static const struct config_key keys[] = {
        CONFIG_TEXT(struct handler_config, dir, "dir", "handlers",
                    "handlers, the folder of the state directory"),
        CONFIG_SECONDS(struct handler_config, timeout, "timeout", 10, 0.1, 3600,
                       "seconds for a call, 0.1 to 3600"),
        CONFIG_TEXTS(struct handler_config, shared_dirs, "shared_dirs", "/home/pi/recordings",
                     HANDLER_CONFIG_PATHS_MAX, "a list of directories that all modules share"),
        CONFIG_MAP(struct handler_config, modules, "modules", struct handler_grant, name,
                   grant_keys, HANDLER_CONFIG_MODULES_MAX,
                   "settings by module: {camera_handlers: {role: viewer}}"),
        CONFIG_CHOICE(struct handler_config, start, "start", HANDLER_START_NOW, starts,
                      "now, or lazy: at the first call"),
        CONFIG_BOOL(struct handler_config, auto_rollback, "auto_rollback", false),
        CONFIG_BOOL(struct handler_config, require_signature, "require_signature", false),
        CONFIG_TEXTS(struct handler_config, trusted_keys, "trusted_keys", NULL,
                     HANDLER_CONFIG_KEYS_MAX, "a list of minisign's public keys"),
        CONFIG_CHOICE(struct handler_config, refuse, "refuse", SEVERITY_MEDIUM, severities,
                      "the least severity that is refused: low, medium or high"),
        CONFIG_INTEGER(struct handler_config, backups, "backups", 10, 1, 32,
                       "how many of each module are kept, 1 to 32"),
        CONFIG_INTEGER(struct handler_config, backup_days, "backup_days", 0, 0, 36500,
                       "days after which backups go; 0: never"),
        CONFIG_INTEGER(struct handler_config, disk, "disk", 64 << 20, 1 << 20, 1LL << 40,
                       "bytes for all versions of all modules, 1048576 and up"),
        CONFIG_INTEGER(struct handler_config, storage, "storage", 1LL << 30, 0, 1LL << 50,
                       "bytes in a module's own folder; 0: no limit"),
        CONFIG_TEXT(struct handler_config, spawner, "spawner", "/run/pifleet-spawner.sock",
                    "the socket of the installed spawner; \"\": the agent starts its own"),
        CONFIG_TEXT(struct handler_config, python, "python", "/usr/bin/python3",
                    "the path of the Python interpreter"),
};

struct config_section handler_config_section(struct handler_config *config)
{
        return (struct config_section){
                .name = "handlers", .keys = keys, .keys_count = ARRAY_SIZE(keys), .target = config};
}

static const struct handler_grant *grant_at(const struct handler_config *config, size_t index)
{
        return (const struct handler_grant *)config->modules.items + index;
}

/* The name with or without its suffix. */
static bool is_module_name(const char *name)
{
        char filename[HANDLER_NAME_MAX + 2];

        if (handler_name_is_valid(name))
                return true;
        return (size_t)snprintf(filename, sizeof(filename), "%s.py", name) < sizeof(filename) &&
               handler_name_is_valid(filename);
}

static int check_paths(const char *what, const struct config_texts *paths, struct error *error)
{
        for (size_t i = 0; i < paths->count; i++) {
                const char *path = paths->items[i];
                size_t length = strlen(path);

                if (path[0] != '/' || length < 2 || path[length - 1] == '/' || strstr(path, "//") ||
                    strstr(path, "/../") || strstr(path, "/./") ||
                    (length > 3 && strcmp(path + length - 3, "/..") == 0))
                        return error_set(error, -EINVAL,
                                         "%s: \"%.100s\" is not a plain path that begins with /",
                                         what, path);
        }
        return 0;
}

static int check_grant(const struct handler_grant *grant, struct error *error)
{
        int r;

        if (!is_module_name(grant->name))
                return error_set(error, -EINVAL,
                                 "handlers.modules: \"%.80s\" is no module's name: "
                                 "camera_handlers, or camera_handlers.py",
                                 grant->name);
        r = check_paths("devices", &grant->devices, error);
        if (r == 0)
                r = check_paths("directories", &grant->directories, error);
        for (size_t i = 0; r == 0 && i < grant->devices.count; i++) {
                if (strncmp(grant->devices.items[i], "/dev/", 5) != 0)
                        r = error_set(error, -EINVAL, "devices: %.100s is not below /dev",
                                      grant->devices.items[i]);
        }
        return r < 0 ? error_prefix(error, "handlers.modules.%s.", grant->name) : 0;
}

static int check_keys(const struct handler_config *config, struct error *error)
{
        for (size_t i = 0; i < config->trusted_keys.count; i++) {
                const char *text = config->trusted_keys.items[i];
                struct minisign_key key;
                int r = minisign_key_parse(text, strlen(text), &key, error);

                if (r < 0) {
                        error_prefix(error, "handlers.trusted_keys[%zu]: ", i);
                        return -EINVAL;
                }
        }
        if (config->require_signature && config->trusted_keys.count == 0)
                return error_set(error, -EINVAL,
                                 "handlers.require_signature is true, but handlers.trusted_keys "
                                 "is empty: nothing could ever be deployed");
        return 0;
}

int handler_config_check(const struct handler_config *config, struct error *error)
{
        int r;

        if (strcmp(config->dir, "handlers") != 0)
                return error_set(
                        error, -EINVAL,
                        "handlers.dir cannot be \"%.80s\": modules lie in the folder handlers "
                        "of the state directory, and nowhere else; leave the key out, and "
                        "set state_dir to have them in another place",
                        config->dir);
        r = check_paths("handlers.shared_dirs", &config->shared_dirs, error);
        for (size_t i = 0; r == 0 && i < config->modules.count; i++)
                r = check_grant(grant_at(config, i), error);
        if (r == 0 && config->python[0] != '/')
                r = error_set(error, -EINVAL, "handlers.python is a path that begins with /");
        return r < 0 ? r : check_keys(config, error);
}

const struct handler_grant *handler_config_grant(const struct handler_config *config,
                                                 const char *filename)
{
        size_t stem = strcspn(filename, ".");
        const struct handler_grant *found = NULL;

        for (size_t i = 0; i < config->modules.count; i++) {
                const struct handler_grant *grant = grant_at(config, i);

                if (strcmp(grant->name, filename) == 0)
                        return grant;
                if (strlen(grant->name) == stem && strncmp(grant->name, filename, stem) == 0)
                        found = grant;
        }
        return found;
}

enum command_role handler_grant_role(const struct handler_grant *grant)
{
        enum command_role role = COMMAND_ROLE_OPERATOR;

        if (grant)
                (void)command_role_parse(roles[grant->role], &role);
        return role;
}

uint32_t handler_config_timeout_ms(const struct handler_config *config,
                                   const struct handler_grant *grant, const char *command)
{
        double seconds = grant && grant->timeout > 0 ? grant->timeout : config->timeout;

        for (size_t i = 0; grant && i < grant->timeouts.count; i++) {
                const struct handler_timeout *timeout =
                        (const struct handler_timeout *)grant->timeouts.items + i;

                if (strcmp(timeout->command, command) == 0)
                        seconds = timeout->seconds;
        }
        return seconds < 0.1 ? 100 : (uint32_t)(seconds * 1000);
}

enum handler_start handler_config_start(const struct handler_config *config,
                                        const struct handler_grant *grant)
{
        if (grant && grant->start > 0)
                return (enum handler_start)(grant->start - 1);
        return (enum handler_start)config->start;
}

const char *handler_config_refuse(const struct handler_config *config)
{
        return severities[config->refuse];
}

size_t handler_config_keys(const struct handler_config *config,
                           struct minisign_key parsed[HANDLER_CONFIG_KEYS_MAX])
{
        size_t count = 0;

        for (size_t i = 0; i < config->trusted_keys.count && count < HANDLER_CONFIG_KEYS_MAX; i++) {
                const char *text = config->trusted_keys.items[i];

                if (minisign_key_parse(text, strlen(text), &parsed[count], NULL) == 0)
                        count++;
        }
        return count;
}
