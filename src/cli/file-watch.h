/* cli/file-watch.h - waits until one of some files is saved.
 *
 * It looks at their folders, since editors replace a file rather than write into
 * it. Uses inotify(7); a folder on a network file system tells nothing of what
 * others do there. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct file_watch;

enum { FILE_WATCH_MAX = 256 };

/* `paths` must live as long as the watch. -errno with a sentence. */
int file_watch_new(char *const paths[], size_t count, struct file_watch **ret, struct error *error);
struct file_watch *file_watch_free(struct file_watch *watch);
DEFINE_CLEANUP(file_watch)

/* Blocks until at least one was saved, and a moment longer, until none is any more:
 * an editor that saves in steps counts once. Sets saved[i] for those that were.
 * -errno. */
int file_watch_wait(struct file_watch *watch, bool saved[]);
