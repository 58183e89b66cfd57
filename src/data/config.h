/* data/config.h - one YAML file, many rooms: each brings its own table of keys.
 *
 * A room describes its part of the file:
 *
 *     static const struct config_key keys[] = {
 *             CONFIG_TEXT(struct ndjson_config, host, "host", "0.0.0.0", "an address"),
 *             CONFIG_INTEGER(struct ndjson_config, port, "port", 3000, 0, 65535, "a TCP port"),
 *     };
 *     struct config_section section = {"command", keys, ARRAY_SIZE(keys), &ndjson_config};
 *
 * and config_load() checks a file against all sections: unknown sections and
 * keys (with near matches), wrong types, values out of range and duplicates are
 * refused with file, line, column and what was expected. Every key is optional;
 * absent ones have their default, and so has a section that is there but empty.
 * JSON is YAML, so a JSON file loads too. Aliases, anchors and tags are refused
 * (the first two make small files huge). At most 1 MiB, 16 levels.
 *
 * What looks like one thing and is read as another is refused instead: a number
 * is decimal, without quotes, leading zeros, exponent, underscores or unit (010
 * is 8 to some readers of YAML, 0x10 and 1e3 text to others); true and false
 * are the only booleans (yes and on are text to half of the readers); an empty
 * or null value is an error, since leaving the key out is how to say that. Text
 * is any scalar, quoted or not. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
        CONFIG_TYPE_TEXT,     /* char *; owned, freed by config_done */
        CONFIG_TYPE_INTEGER,  /* int64_t, minimum..maximum, within +-2^53 */
        CONFIG_TYPE_SECONDS,  /* double, minimum..maximum; at most 15 digits */
        CONFIG_TYPE_BOOL,     /* bool */
        CONFIG_TYPE_CHOICE,   /* int or an enum: index into `choices` */
        CONFIG_TYPE_TEXTS,    /* struct config_texts */
        CONFIG_TYPE_LIST,     /* struct config_list of structs described by `items` */
        CONFIG_TYPE_MAP,      /* the same from a mapping with names of the file's choice */
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
        size_t offset;                  /* of the member in the section's struct */
        const char *default_text;       /* TEXT (NULL: absent); TEXTS: words between spaces */
        double default_number;          /* INTEGER, SECONDS, BOOL, CHOICE */
        double minimum, maximum;        /* INTEGER, SECONDS; TEXTS, LIST, MAP: most in `maximum` */
        const char *const *choices;     /* CHOICE: NULL-terminated */
        const struct config_key *items; /* MAP: one whose name is NULL is the value itself */
        size_t items_count, item_size;  /* LIST, MAP */
        size_t name_offset;             /* MAP: of the item's char * for its name; owned */
        bool required;                  /* inside LIST items only */
        const char *expected;           /* what a good value is, for errors */
};

/* One initialiser for each type of key; a member of another type does not
 * compile. `expected` stands behind "expected: ", the range included: "a TCP port, 0 to
 * 65535". Further members of struct config_key may follow:
 *
 *     CONFIG_TEXT(struct token, name, "name", NULL, "the token's name", .required = true)
 *
 * `choices` is a NULL-terminated array of names, in the order of the values.
 * `item_keys` is an array of struct config_key (not a pointer) whose offsets
 * are those of `item_type`; `most` is how many items may stand there. */
#define CONFIG_TEXT(struct_type, member, key, default_, expected_, ...)                            \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_TEXT,                                           \
                .offset = CONFIG_OFFSET_OF(struct_type, member, char *),                           \
                .default_text = (default_), .expected = (expected_), ##__VA_ARGS__                 \
        }
#define CONFIG_INTEGER(struct_type, member, key, default_, least, most, expected_, ...)            \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_INTEGER,                                        \
                .offset = CONFIG_OFFSET_OF(struct_type, member, int64_t),                          \
                .default_number = (default_), .minimum = (least), .maximum = (most),               \
                .expected = (expected_), ##__VA_ARGS__                                             \
        }
#define CONFIG_SECONDS(struct_type, member, key, default_, least, most, expected_, ...)            \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_SECONDS,                                        \
                .offset = CONFIG_OFFSET_OF(struct_type, member, double),                           \
                .default_number = (default_), .minimum = (least), .maximum = (most),               \
                .expected = (expected_), ##__VA_ARGS__                                             \
        }
#define CONFIG_BOOL(struct_type, member, key, default_, ...)                                       \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_BOOL,                                           \
                .offset = CONFIG_OFFSET_OF(struct_type, member, bool),                             \
                .default_number = (default_), .expected = "true or false", ##__VA_ARGS__           \
        }
#define CONFIG_CHOICE(struct_type, member, key, default_, choices_, expected_, ...)                \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_CHOICE,                                         \
                .offset = offsetof(struct_type, member) +                                          \
                          CONFIG_REQUIRE(sizeof(((struct_type *)0)->member) == sizeof(int)),       \
                .default_number = (default_), .choices = (choices_), .expected = (expected_),      \
                ##__VA_ARGS__                                                                      \
        }
#define CONFIG_TEXTS(struct_type, member, key, default_words, most, expected_, ...)                \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_TEXTS,                                          \
                .offset = CONFIG_OFFSET_OF(struct_type, member, struct config_texts),              \
                .default_text = (default_words), .maximum = (most), .expected = (expected_),       \
                ##__VA_ARGS__                                                                      \
        }
#define CONFIG_LIST(struct_type, member, key, item_type, item_keys, most, expected_, ...)          \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_LIST,                                           \
                .offset = CONFIG_OFFSET_OF(struct_type, member, struct config_list),               \
                .maximum = (most), .items = (item_keys), .items_count = ARRAY_SIZE(item_keys),     \
                .item_size = sizeof(item_type), .expected = (expected_), ##__VA_ARGS__             \
        }
/* `{NAME: {KEY: VALUE, ...}, ...}`, or `{NAME: VALUE, ...}` when `item_keys` is one key
 * without a name. `name_member` is the item's char * that NAME goes into; what names may
 * be is the room's to check. */
#define CONFIG_MAP(struct_type, member, key, item_type, name_member, item_keys, most, expected_,   \
                   ...)                                                                            \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_MAP,                                            \
                .offset = CONFIG_OFFSET_OF(struct_type, member, struct config_list),               \
                .maximum = (most), .items = (item_keys), .items_count = ARRAY_SIZE(item_keys),     \
                .item_size = sizeof(item_type),                                                    \
                .name_offset = CONFIG_OFFSET_OF(item_type, name_member, char *),                   \
                .expected = (expected_), ##__VA_ARGS__                                             \
        }
#define CONFIG_RESERVED(struct_type, member, key)                                                  \
        {                                                                                          \
                .name = (key), .type = CONFIG_TYPE_RESERVED,                                       \
                .offset = CONFIG_OFFSET_OF(struct_type, member, bool)                              \
        }

/* Zero, or an array of negative size, which no compiler accepts. */
#define CONFIG_REQUIRE(condition) (0 * sizeof(char[(condition) ? 1 : -1]))
#define CONFIG_OFFSET_OF(struct_type, member, member_type)                                         \
        (offsetof(struct_type, member) +                                                           \
         CONFIG_REQUIRE(__builtin_types_compatible_p(__typeof__(((struct_type *)0)->member),       \
                                                     member_type)))

/* The section whose name is NULL has keys at the top level of the file.
 *
 * A section without keys (keys_count 0) is reserved for a room that is not
 * there: any shape is accepted, and `target` is a bool, set when it is present. */
struct config_section {
        const char *name; /* the top-level key; NULL: its keys stand there themselves */
        const struct config_key *keys;
        size_t keys_count;
        void *target; /* the struct that is filled */
};

/* Sets all targets to their defaults, whatever they held before. -ENOMEM: they
 * hold no memory. */
int config_defaults(const struct config_section sections[], size_t count);
/* Defaults, then the file over them. On failure the targets hold no memory.
 * -ENOENT and others of open(2); -EINVAL: refused; -EFBIG: over 1 MiB; -ENOMEM;
 * error says where and why. */
int config_load(const char *path, const struct config_section sections[], size_t count,
                struct error *error);
/* Whatever can be read: a pipe is fine too. *ret is the caller's to free, without a zero at its
 * end; one byte more than `max` is how a caller knows that there is more. -errno, -ENOMEM; error
 * says which file. */
int config_read_file(const char *path, size_t max, char **ret, size_t *ret_length,
                     struct error *error);
/* The same from memory; `name` stands in errors in place of the path. */
int config_parse(const char *name, const char *text, size_t length,
                 const struct config_section sections[], size_t count, struct error *error);
/* One value from the command line: section "command" (or NULL), key "port", text
 * "3001". Scalars only. -EINVAL with what was expected; -ENOMEM. The value stays as it
 * was on failure. */
int config_override(const struct config_section sections[], size_t count, const char *section,
                    const char *key, const char *text, struct error *error);
/* Frees what the targets own and leaves NULL there. Twice is fine. */
void config_done(const struct config_section sections[], size_t count);
