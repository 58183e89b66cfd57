/* store/reader.h - reads a file of a log, record by record, through a window of its own.
 *
 * What it is given is hostile: nothing in a file makes it read or keep more than the file
 * holds. Blocking. One thread. */
#pragma once

#include "base/buffer.h"
#include "store/record.h"
#include "store/segment.h"

#include <stdbool.h>

struct store_reader {
        struct store_header header;
        int fd;
        struct buffer window; /* what was read and not consumed */
        uint64_t offset;      /* of the window's first byte in the file */
        uint64_t size;        /* of the file */
        uint64_t budget;      /* bytes that may still be summed in a search */
        size_t consumed;      /* of the window: the last record */
        int error;            /* a part of the file that the disk does not give back */
};

/* Takes the descriptor over always, unless it is negative: that -errno is returned. -EBADMSG:
 * no header, `size` is set; -EPROTONOSUPPORT; -ENOMEM; -errno. Must be done in each case. */
int store_reader_init(struct store_reader *reader, int fd);
void store_reader_done(struct store_reader *reader);

enum { STORE_READER_END = 0, STORE_READER_RECORD = 1 };

/* RECORD: *ret is valid until the next call. END. -EBADMSG: what follows is no whole record,
 * or cannot be read; where it begins is told by store_reader_offset(). -ENOMEM. */
int store_reader_next(struct store_reader *reader, struct store_record *ret);
/* Of what comes next. */
uint64_t store_reader_offset(const struct store_reader *reader);

/* After -EBADMSG: goes on with the next whole record that can be found, whose sequence is
 * `least` or more. The work is bounded by some times what is left of the file: END may mean
 * that there was enough of it. -ENOMEM. */
int store_reader_search(struct store_reader *reader, uint64_t least, struct store_record *ret);
