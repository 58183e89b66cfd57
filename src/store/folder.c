#include "store/folder.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

int store_folder_take(int directory_fd)
{
        /* A description of our own: the lock goes with it, not with the caller's. */
        AUTO_CLOSE int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        return TAKE_FD(fd);
}

static int by_generation(const void *one, const void *other)
{
        const struct store_file *a = one, *b = other;

        if (a->generation != b->generation)
                return a->generation < b->generation ? -1 : 1;
        return (a->kind == STORE_SEGMENT) - (b->kind == STORE_SEGMENT);
}

static int add_file(struct store_listing *listing, const struct store_file *file, size_t *capacity)
{
        struct store_file *moved;

        if (listing->count == STORE_FILES_MAX)
                return -E2BIG;
        if (listing->count == *capacity) {
                size_t larger = *capacity > 0 ? *capacity * 2 : 16;

                moved = reallocarray(listing->files, larger, sizeof(*file));
                if (!moved)
                        return -ENOMEM;
                listing->files = moved;
                *capacity = larger;
        }
        listing->files[listing->count++] = *file;
        return 0;
}

static int read_entries(struct store_listing *listing, DIR *directory)
{
        const struct dirent *entry;
        size_t capacity = 0;

        for (;;) {
                struct store_file file;
                int r = 0;

                errno = 0;
                entry = readdir(directory);
                if (!entry)
                        return -errno;
                file.state = store_name_parse(entry->d_name, &file.generation, &file.kind);
                if (file.state != STORE_NAME_OTHER)
                        r = add_file(listing, &file, &capacity);
                if (r < 0)
                        return r;
        }
}

int store_listing_init(struct store_listing *listing, int folder_fd)
{
        int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory;
        int r;

        *listing = (struct store_listing){0};
        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory) {
                r = -errno;
                close(fd);
                return r;
        }
        r = read_entries(listing, directory);
        closedir(directory);
        if (r == 0 && listing->count > 0)
                qsort(listing->files, listing->count, sizeof(*listing->files), by_generation);
        return r;
}

void store_listing_done(struct store_listing *listing)
{
        free(listing->files);
}

void store_folder_clean(int folder_fd, uint64_t generation)
{
        struct store_listing listing;
        char name[STORE_NAME_SIZE];

        if (store_listing_init(&listing, folder_fd) == 0)
                for (size_t i = 0; i < listing.count; i++) {
                        const struct store_file *file = &listing.files[i];

                        if (file->state == STORE_NAME_PARTIAL)
                                store_name_partial(name, file->generation);
                        else if (file->state == STORE_NAME_WHOLE && file->generation < generation)
                                store_name(name, file->generation, file->kind);
                        else
                                continue;
                        (void)unlinkat(folder_fd, name, 0);
                }
        store_listing_done(&listing);
}
