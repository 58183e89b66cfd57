/* agent/handler/content-store.h - sources by their digest, and what a compiler made
 * of them.
 *
 *     sources/SHA256.py        0400
 *     objects/SHA256-COMPILER.so    COMPILER: 16 digits of its name's digest; the
 *                              object, then its own SHA-256 as 64 digits
 *
 * Blocking; one thread. */
#pragma once

#include "agent/handler/version.h"

struct content_store {
        int sources_fd, objects_fd; /* owned */
        uint64_t object_bytes;      /* all objects together */
};

int content_store_open(struct content_store *store, int directory_fd);
void content_store_close(struct content_store *store);

/* Nothing is written when it lies there whole. -EFBIG; -errno: it does not lie there, or may
 * not survive a power cut. */
int content_store_put(struct content_store *store, const char *sha256, const char *suffix,
                      const void *bytes, size_t count);
/* Checked. -ENOENT; -EBADMSG: damaged; -errno. The caller frees *ret. */
int content_store_get(const struct content_store *store, const char *sha256, const char *suffix,
                      char **ret, size_t *ret_count);
/* The same of a copy that lies elsewhere, at `name` of a folder. */
int content_copy_get(int folder_fd, const char *name, const char *sha256, char **ret,
                     size_t *ret_count);
/* With its objects, where no other module has that source. Failures are left to the next
 * collection. */
void content_store_drop(struct content_store *store, const char *sha256, const char *suffix);

int content_store_put_object(struct content_store *store, const char *sha256, const char *compiler,
                             const void *object, size_t count);
int content_store_get_object(struct content_store *store, const char *sha256, const char *compiler,
                             char **ret, size_t *ret_count);

/* Removes what nobody refers to, and counts the objects. */
typedef bool content_refers_fn(const void *owner, const char *sha256, const char *suffix);
void content_store_collect(struct content_store *store, content_refers_fn *refers,
                           const void *owner);
