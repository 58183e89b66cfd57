/* agent/handler/version.h - one version of a module, as the disk remembers it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        HANDLER_NAME_MAX = 66,   /* [a-z][a-z0-9_]{0,62} plus .py or .c */
        HANDLER_SHA256_HEX = 64, /* lower case */
        HANDLER_BACKUP_MAX = 127,
        HANDLER_WHY_MAX = 255,
};

enum handler_state { HANDLER_UNTRIED, HANDLER_GOOD, HANDLER_BAD };

struct handler_version {
        char sha256[HANDLER_SHA256_HEX + 1]; /* of the source; "" for none */
        uint64_t seq;                        /* grows with every change of any module */
        int64_t time;                        /* seconds since 1970, for people: the clock may have
                                              * been wrong; order is by `seq` */
        uint32_t size;                       /* bytes of the source */
        enum handler_state state;
        char backup[HANDLER_BACKUP_MAX + 1]; /* its file in .backups/; "" while it is in place */
};

/* "untried", "good", "bad". */
const char *handler_state_name(enum handler_state state);
bool handler_state_from_name(const char *name, enum handler_state *ret);

/* A module's file name as it has to be: no path, no dots but the suffix's. */
bool handler_name_is_valid(const char *filename);
/* ".py" or ".c", of a valid name. */
const char *handler_name_suffix(const char *filename);
bool handler_sha256_is_valid(const char *hex);
/* Of bytes, as text; `ret` has room for HANDLER_SHA256_HEX + 1. */
void handler_sha256(const void *bytes, size_t count, char *ret);
