/* store/record.h - one record in a file: what it is, which it is, its bytes, and a sum over
 * all of it.
 *
 *     sum u32, count u32, sequence u56, type u8, then `count` bytes     (little-endian)
 *
 * The sum is the CRC-32C that begins with the file's seed (segment.h): what a file system
 * shows of another file after a power cut is not taken for a record of this one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
        STORE_RECORD_HEADER = 16,
        STORE_RECORD_MAX = 1 << 29, /* bytes */
        STORE_TYPE_MAX = 0xEF,      /* of those that callers may give */
        /* Ends an image: `sequence` is the last that is in it, the bytes are how many records
         * came before as u64. */
        STORE_TYPE_END = 0xFE,
        /* Begins a group: all up to `sequence` were on the disk when it was written. So what
         * is broken before it was damaged, and not torn. No bytes, no sequence of its own. */
        STORE_TYPE_MARK = 0xFF,
};
#define STORE_SEQUENCE_MAX ((UINT64_C(1) << 56) - 1)

struct store_record {
        uint64_t sequence;
        const uint8_t *bytes;
        uint32_t count;
        uint8_t type;
};

/* Writes the header but for the sum; the bytes follow it. */
void store_record_begin(uint8_t header[STORE_RECORD_HEADER], uint8_t type, uint64_t sequence,
                        uint32_t count);
/* What the header says, true or not, without a look behind it. */
void store_record_peek(const uint8_t header[STORE_RECORD_HEADER], struct store_record *ret);
/* Writes the sum of a record that is there as a whole, and says how long it is. */
size_t store_record_seal(uint8_t *record, uint32_t seed);
/* Is it whole? `record` holds as many bytes as its header says. */
int store_record_check(const uint8_t *record, uint32_t seed); /* 0; -EBADMSG */
