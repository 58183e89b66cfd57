/* agent/handler/config.h - the section `handlers` of the configuration: what deployed
 * modules may do, and what is asked of them.
 *
 *     handlers:
 *       timeout: 10
 *       shared_dirs: [/home/pi/recordings]
 *       modules:
 *         camera_handlers: {role: viewer, timeouts: {take_picture: 30}, memory: 268435456}
 *
 * A value that the daemon loads once and that stays unchanged while it runs. */
#pragma once

#include "base/error.h"
#include "command/principal.h"
#include "data/config.h"
#include "proto/minisign.h"

#include <stdbool.h>

enum {
        HANDLER_CONFIG_MODULES_MAX = 256,
        HANDLER_CONFIG_TIMEOUTS_MAX = 256, /* of a module */
        HANDLER_CONFIG_PATHS_MAX = 16,     /* devices or directories of a module */
        HANDLER_CONFIG_KEYS_MAX = 16,
};

enum handler_start {
        HANDLER_START_NOW,  /* when the agent starts */
        HANDLER_START_LAZY, /* at its first call */
};

/* Seconds for one command. */
struct handler_timeout {
        char *command;
        double seconds;
};

/* What is granted to one module. */
struct handler_grant {
        char *name;     /* camera_handlers, or with its suffix, for that language only */
        int role;       /* handler_role() reads it */
        double timeout; /* 0: the section's */
        struct config_list timeouts;     /* of struct handler_timeout */
        int64_t memory;                  /* bytes, 0: as it is by default */
        int64_t tasks;                   /* processes and threads, 0: as it is by default */
        int64_t storage;                 /* bytes in its own folder, 0: the section's */
        struct config_texts devices;     /* patterns below /dev */
        struct config_texts directories; /* writable for it */
        struct config_texts groups;      /* of the system, by name */
        bool network;
        int start; /* handler_start_of() reads it */
};

struct handler_config {
        char *dir;      /* "handlers" */
        double timeout; /* seconds of a call */
        struct config_texts shared_dirs;
        struct config_list modules; /* of struct handler_grant */
        int start;                  /* enum handler_start */
        bool auto_rollback;
        bool require_signature;
        struct config_texts trusted_keys; /* minisign's public keys */
        int refuse;                       /* handler_refuse_name() */
        int64_t backups;                  /* of a module */
        int64_t backup_days;              /* 0: as old as they get */
        int64_t disk;                     /* bytes of all versions */
        int64_t storage;                  /* bytes in a module's own folder; 0: no limit */
        char *spawner;                    /* path of an installed spawner's socket; "": none */
        char *python;                     /* path of the interpreter */
};

/* The section for config_load(), which fills *config. */
struct config_section handler_config_section(struct handler_config *config);
/* What a table of keys cannot say: names of modules, paths, keys that are keys.
 * -EINVAL with a sentence that names the entry. */
int handler_config_check(const struct handler_config *config, struct error *error);

/* What a module is granted, by its file name; NULL: nothing beyond the default. */
const struct handler_grant *handler_config_grant(const struct handler_config *config,
                                                 const char *filename);
enum command_role handler_grant_role(const struct handler_grant *grant); /* NULL is fine */
/* Of one command of a module. `grant` may be NULL. */
uint32_t handler_config_timeout_ms(const struct handler_config *config,
                                   const struct handler_grant *grant, const char *command);
enum handler_start handler_config_start(const struct handler_config *config,
                                        const struct handler_grant *grant);
/* The least severity that the scan refuses: "low", "medium" or "high". */
const char *handler_config_refuse(const struct handler_config *config);
/* Fills in the trusted keys; returns how many. After a check. */
size_t handler_config_keys(const struct handler_config *config,
                           struct minisign_key keys[HANDLER_CONFIG_KEYS_MAX]);
