/* agent/handler/journal.h - which changes have begun and not ended.
 *
 * Records: length (4 bytes, little endian, 2 to 4096), CRC-32 of the payload (4 bytes), payload: a
 * JSON object {"op":"begin","id":…,…} or {"op":"end","id":…}. Reading ends at the first
 * record that is not whole. A begin is on the disk when it returns; an end may
 * be lost, and then the change is finished once more. Members that are not known are
 * passed over, so that a later release may add some.
 * Blocking; one thread. */
#pragma once

#include "agent/handler/change.h"

enum {
        JOURNAL_BYTES_MAX = 1 << 20, /* what is read */
        JOURNAL_COMPACT = 256 << 10, /* above, the next begin writes the file anew */
};

struct handler_journal {
        int directory_fd; /* borrowed */
        uint64_t size;    /* bytes that are good */
        bool dirty;       /* more or less may lie there: the file is to be written anew */
};

/* Reads the changes that did not end (at most HANDLER_STAGED_MAX, the last ones) into
 * `changes`. 0; 1: the end of it was torn, or all of it is damaged; -ENOMEM, -errno. */
int handler_journal_open(struct handler_journal *journal, int directory_fd, struct list *changes);
/* `change` is not among `changes` yet. -errno: it did not begin. */
int handler_journal_begin(struct handler_journal *journal, const struct handler_change *change,
                          const struct list *changes);
void handler_journal_end(struct handler_journal *journal, uint64_t id);
/* Writes the file anew: `changes` and nothing else. */
int handler_journal_rewrite(struct handler_journal *journal, const struct list *changes);

/* The codec alone. Returns how many bytes of whole records there are; -ENOMEM. */
int64_t handler_journal_decode(const char *bytes, size_t count, struct list *changes);
int handler_journal_encode(const struct handler_change *change, struct buffer *out);
int handler_journal_encode_end(uint64_t id, struct buffer *out);
