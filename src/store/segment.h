/* store/segment.h - what each file of a log begins with, and how it is called.
 *
 *     magic 8, version u32, kind u16, flags u16, schema u32, generation u64, first u64,
 *     salt u64, sum u32, then records                                   (little-endian)
 *
 * A log is a chain of segments, GENERATION.log, each with the changes since the one before,
 * and images, GENERATION.snapshot: the whole state, from which the segments of its generation
 * and later go on.
 *
 * The first 48 bytes and their sum mean the same in every version of the format, so that a
 * later one is told from a damaged one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_HEADER = 48, STORE_VERSION = 1, STORE_NAME_SIZE = 40 };

enum store_kind { STORE_SEGMENT = 1, STORE_IMAGE = 2 };

struct store_header {
        uint32_t version; /* of this format */
        uint32_t schema;  /* of the records' bytes: the caller's */
        enum store_kind kind;
        bool fresh; /* a segment that does not go on from those before, only from its image */
        uint64_t generation;
        uint64_t first; /* sequence of its first record; of an image: of the first that may not
                         * be in it */
        uint64_t salt;  /* random */
        uint32_t seed;  /* of the records' sums */
};

/* Sets `seed`; `version` is STORE_VERSION. */
void store_header_encode(struct store_header *header, uint8_t bytes[STORE_HEADER]);
/* Sets the sum over what is there, and says it: the seed. */
uint32_t store_header_seal(uint8_t bytes[STORE_HEADER]);
/* -EBADMSG: damaged, or no such file; -EPROTONOSUPPORT: of a version that is not known here,
 * *ret is set as far as all versions agree. */
int store_header_decode(const uint8_t bytes[STORE_HEADER], struct store_header *ret);

void store_name(char name[STORE_NAME_SIZE], uint64_t generation, enum store_kind kind);
/* Where an image lies until it is complete. */
void store_name_partial(char name[STORE_NAME_SIZE], uint64_t generation);
void store_name_damaged(char name[STORE_NAME_SIZE], uint64_t generation, enum store_kind kind);

enum store_name_state {
        STORE_NAME_OTHER,
        STORE_NAME_WHOLE,
        STORE_NAME_PARTIAL,
        STORE_NAME_DAMAGED
};
/* *ret_generation and *ret_kind are set but for OTHER. */
enum store_name_state store_name_parse(const char *name, uint64_t *ret_generation,
                                       enum store_kind *ret_kind);
