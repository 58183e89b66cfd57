#include "agent/handler/content-store.h"

#include "agent/handler/folder.h"
#include "agent/handler/repository.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        NAME_SIZE = HANDLER_SHA256_HEX + 32,
        COMPILER_DIGITS = 16,
        ENTRIES_MAX = 65536,
};

int content_store_open(struct content_store *store, int directory_fd)
{
        int r;

        *store = (struct content_store){.sources_fd = -1, .objects_fd = -1};
        r = folder_open(directory_fd, "sources", 0700, &store->sources_fd);
        if (r == 0)
                r = folder_open(directory_fd, "objects", 0700, &store->objects_fd);
        if (r < 0)
                content_store_close(store);
        return r;
}

void content_store_close(struct content_store *store)
{
        if (store->sources_fd >= 0)
                close(store->sources_fd);
        if (store->objects_fd >= 0)
                close(store->objects_fd);
        store->sources_fd = store->objects_fd = -1;
}

static void source_name(char name[NAME_SIZE], const char *sha256, const char *suffix)
{
        snprintf(name, NAME_SIZE, "%s%s", sha256, suffix);
}

int content_copy_get(int folder_fd, const char *name, const char *sha256, char **ret,
                     size_t *ret_count)
{
        char digest[HANDLER_SHA256_HEX + 1];
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r = durable_read_own(folder_fd, name, HANDLER_SOURCE_MAX, &bytes, &count);

        if (r < 0)
                return r;
        handler_sha256(bytes, count, digest);
        if (strcmp(digest, sha256) != 0)
                return -EBADMSG;
        *ret = TAKE(bytes);
        *ret_count = count;
        return 0;
}

int content_store_get(const struct content_store *store, const char *sha256, const char *suffix,
                      char **ret, size_t *ret_count)
{
        char name[NAME_SIZE];

        source_name(name, sha256, suffix);
        return content_copy_get(store->sources_fd, name, sha256, ret, ret_count);
}

int content_store_put(struct content_store *store, const char *sha256, const char *suffix,
                      const void *bytes, size_t count)
{
        AUTO_FREE char *there = NULL;
        char name[NAME_SIZE];
        size_t there_count;

        if (count > HANDLER_SOURCE_MAX)
                return -EFBIG;
        if (content_store_get(store, sha256, suffix, &there, &there_count) == 0)
                return 0;
        source_name(name, sha256, suffix);
        return durable_write(store->sources_fd, name, 0400, bytes, count);
}

/* Of all compilers: what begins with the digest. */
static void drop_object(void *owner, int folder_fd, const char *name)
{
        if (strncmp(name, owner, HANDLER_SHA256_HEX) == 0)
                (void)unlinkat(folder_fd, name, 0);
}

static void count_object(void *owner, int folder_fd, const char *name)
{
        struct stat status;

        if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode) && status.st_size > 0)
                *(uint64_t *)owner += (uint64_t)status.st_size;
}

static void count_objects(struct content_store *store)
{
        uint64_t bytes = 0;

        if (folder_each(store->objects_fd, ENTRIES_MAX, count_object, &bytes) >= 0)
                store->object_bytes = bytes;
}

static void drop_objects(struct content_store *store, const char *sha256)
{
        char digest[HANDLER_SHA256_HEX + 1];

        memcpy(digest, sha256, sizeof(digest));
        (void)folder_each(store->objects_fd, ENTRIES_MAX, drop_object, digest);
        count_objects(store);
}

void content_store_drop(struct content_store *store, const char *sha256, const char *suffix)
{
        char name[NAME_SIZE];

        source_name(name, sha256, suffix);
        (void)unlinkat(store->sources_fd, name, 0);
        if (strcmp(suffix, ".c") == 0)
                drop_objects(store, sha256);
}

static void object_name(char name[NAME_SIZE], const char *sha256, const char *compiler)
{
        char digest[HANDLER_SHA256_HEX + 1];

        handler_sha256(compiler, strlen(compiler), digest);
        snprintf(name, NAME_SIZE, "%s-%.*s.so", sha256, (int)COMPILER_DIGITS, digest);
}

int content_store_put_object(struct content_store *store, const char *sha256, const char *compiler,
                             const void *object, size_t count)
{
        AUTO_FREE char *bytes = NULL;
        char name[NAME_SIZE];
        int r;

        if (count > HANDLER_OBJECT_MAX)
                return -EFBIG;
        bytes = malloc(count + HANDLER_SHA256_HEX + 1);
        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, object, count);
        handler_sha256(object, count, bytes + count);
        drop_objects(store, sha256);
        object_name(name, sha256, compiler);
        r = durable_write(store->objects_fd, name, 0400, bytes, count + HANDLER_SHA256_HEX);
        count_objects(store);
        return r;
}

int content_store_get_object(struct content_store *store, const char *sha256, const char *compiler,
                             char **ret, size_t *ret_count)
{
        char name[NAME_SIZE], digest[HANDLER_SHA256_HEX + 1];
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r;

        object_name(name, sha256, compiler);
        r = durable_read_own(store->objects_fd, name, HANDLER_OBJECT_MAX + HANDLER_SHA256_HEX,
                             &bytes, &count);
        if (r < 0)
                return r;
        if (count >= HANDLER_SHA256_HEX) {
                count -= HANDLER_SHA256_HEX;
                handler_sha256(bytes, count, digest);
                if (memcmp(bytes + count, digest, HANDLER_SHA256_HEX) == 0) {
                        bytes[count] = '\0';
                        *ret = TAKE(bytes);
                        *ret_count = count;
                        return 0;
                }
        }
        drop_objects(store, sha256);
        return -ENOENT;
}

struct collection {
        content_refers_fn *refers;
        const void *owner;
        bool objects;
};

static void collect_one(void *owner, int folder_fd, const char *name)
{
        const struct collection *collection = owner;
        const char *suffix = collection->objects ? ".c" : name + HANDLER_SHA256_HEX;
        char digest[HANDLER_SHA256_HEX + 1];

        if (strlen(name) < HANDLER_SHA256_HEX)
                return;
        memcpy(digest, name, HANDLER_SHA256_HEX);
        digest[HANDLER_SHA256_HEX] = '\0';
        if (handler_sha256_is_valid(digest) &&
            !collection->refers(collection->owner, digest, suffix))
                (void)unlinkat(folder_fd, name, 0);
}

void content_store_collect(struct content_store *store, content_refers_fn *refers,
                           const void *owner)
{
        struct collection collection = {.refers = refers, .owner = owner};

        (void)folder_each(store->sources_fd, ENTRIES_MAX, collect_one, &collection);
        collection.objects = true;
        (void)folder_each(store->objects_fd, ENTRIES_MAX, collect_one, &collection);
        count_objects(store);
}
