/* agent/builtin/roots.h - small files of the system, below roots that can be exchanged.
 *
 * Everything this room knows of the machine comes from /proc, /sys and /etc; tests put
 * trees of files in their place. A root that is not there is no error: what would be
 * read from it is not there either. Nothing here blocks (a FIFO in place of a file reads
 * as empty) and nothing grows: each read fills at most the memory it is given.
 *
 * Files are opened for each read. Keeping them open and reading by pread would save 1.7
 * us of 2.3 for /proc/uptime and 1.7 of 5.5 for /proc/stat on a 3 GHz x86, so about 15 us
 * of each get_metrics; it would cost five descriptors and, for seq_files, a page of
 * kernel memory each for as long as the agent lives. At a call a second that is no gain. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROOTS_NAME_MAX = 64, ROOTS_NAMES_MAX = 64, ROOTS_LINE_MAX = 256 };

struct roots {
        int proc, sys, etc; /* directories, -1 where there is none */
};

void roots_init(struct roots *roots, const char *proc, const char *sys, const char *etc);
void roots_done(struct roots *roots);

/* Reads the file `path` below `root` into `text` and terminates it. Of a file that does
 * not fit (size - 1 bytes) only whole lines are kept, so that no number is cut short.
 * Returns how many bytes, -errno of the call that failed. `text` is empty on failure. */
int roots_read(int root, const char *path, char *text, size_t size);

/* The first line, without blanks around it. -ENODATA: empty; -EILSEQ: not text (invalid
 * UTF-8, control characters); -EMSGSIZE: does not fit, or -errno. Empty on failure. */
int roots_read_line(int root, const char *path, char *text, size_t size);

/* A file that holds one decimal number. -EBADMSG: it holds something else; -errno. */
int roots_read_integer(int root, const char *path, int64_t *ret);

bool roots_exists(int root, const char *path);

struct roots_names {
        char names[ROOTS_NAMES_MAX][ROOTS_NAME_MAX];
        size_t count;
};

/* The names in a directory in byte order, without those that begin with a dot: the first
 * 64 of them. Names longer than 63 bytes are left out. -errno of open(2). */
int roots_list(int root, const char *path, struct roots_names *ret);
