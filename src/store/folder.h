/* store/folder.h - the folder in which a log lives: whose it is, and what is in it.
 *
 * Nothing but the files of segment.h is looked at or touched. Blocking. */
#pragma once

#include "store/segment.h"

#include <stddef.h>

/* Opens the folder once more and takes it for this process, as long as the descriptor stays
 * open. The descriptor; -EBUSY: another has it; -errno. */
int store_folder_take(int directory_fd);

struct store_file {
        uint64_t generation;
        enum store_kind kind;
        enum store_name_state state;
};

struct store_listing {
        struct store_file *files; /* by generation, images before segments */
        size_t count;
};

enum { STORE_FILES_MAX = 65536 };

/* -E2BIG: more than STORE_FILES_MAX; -ENOMEM; -errno. Must be done in each case. */
int store_listing_init(struct store_listing *listing, int folder_fd);
void store_listing_done(struct store_listing *listing);

/* Removes what is of no use once the image of `generation` is in place: segments and images
 * before it, and what is partial. What cannot be removed stays for the next time. */
void store_folder_clean(int folder_fd, uint64_t generation);
