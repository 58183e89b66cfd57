/* data/config.h - one YAML file, many rooms: each brings its own table of keys.
 *
 * A room describes its part of the file:
 *
 *     static const struct config_key keys[] = {
 *             CONFIG_TEXT(struct ndjson_config, host, "host", "0.0.0.0", "address to listen on"),
 *             CONFIG_INTEGER(struct ndjson_config, port, "port", 3000, 0, 65535, "..."),
 *     };
 *     const struct config_section ndjson_config_section = {"command", keys, ARRAY_SIZE(keys)};
 *
 * and config_load() checks a file against all sections: unknown keys (with near
 * matches), wrong types, values out of range and duplicates are refused with
 * file, line, column and what was expected. Every key is optional; absent ones
 * have their default. JSON is YAML, so a JSON file loads too. Aliases and
 * anchors are refused (they make small files huge). At most 1 MiB, 16 levels. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
        CONFIG_TYPE_TEXT,     /* char *; owned, freed by config_done */
        CONFIG_TYPE_INTEGER,  /* int64_t, minimum..maximum */
        CONFIG_TYPE_SECONDS,  /* double, minimum..maximum */
        CONFIG_TYPE_BOOL,     /* bool */
        CONFIG_TYPE_CHOICE,   /* int: index into `choices` */
        CONFIG_TYPE_TEXTS,    /* struct config_texts */
        CONFIG_TYPE_LIST,     /* struct config_list of structs described by `items` */
        CONFIG_TYPE_RESERVED, /* any shape, only noticed: bool, true when present */
};

struct config_texts {
        char **items;
        size_t count;
};

struct config_list {
        void *items; /* count structs of `item_size` bytes each */
        size_t count;
};

struct config_key {
        const char *name;
        enum config_type type;
        size_t offset;              /* of the member in the section's struct */
        const char *default_text;   /* TEXT (NULL: absent); TEXTS: words between spaces */
        double default_number;      /* INTEGER, SECONDS, BOOL, CHOICE */
        double minimum, maximum;    /* INTEGER, SECONDS; TEXTS, LIST: most items in `maximum` */
        const char *const *choices; /* CHOICE: NULL-terminated */
        const struct config_key *items;
        size_t items_count, item_size; /* LIST */
        bool required;                 /* inside LIST items only */
        const char *expected;          /* what a good value is, for errors: "a port, 0 to 65535" */
};

struct config_section {
        const char *name; /* the top-level key */
        const struct config_key *keys;
        size_t keys_count;
        void *target; /* the struct that is filled */
};

/* Sets all targets to their defaults. -ENOMEM. */
int config_defaults(const struct config_section sections[], size_t count);
/* Defaults, then the file over them. On failure the targets hold no memory.
 * -ENOENT and others of open(2); -EINVAL: refused, error says where and why. */
int config_load(const char *path, const struct config_section sections[], size_t count,
                struct error *error);
/* The same from memory; `name` stands in errors in place of the path. */
int config_parse(const char *name, const char *text, size_t length,
                 const struct config_section sections[], size_t count, struct error *error);
/* One value from the command line: section "command", key "port", text "3001".
 * Scalars only. -EINVAL with what was expected. */
int config_override(const struct config_section sections[], size_t count, const char *section,
                    const char *key, const char *text, struct error *error);
void config_done(const struct config_section sections[], size_t count);
