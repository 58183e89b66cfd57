#include "store/record.h"

#include "base/crc32c.h"
#include "store/little-endian.h"

#include <errno.h>

enum { SUM = 0, COUNT = 4, SEQUENCE_AND_TYPE = 8 };

void store_record_begin(uint8_t header[STORE_RECORD_HEADER], uint8_t type, uint64_t sequence,
                        uint32_t count)
{
        put_u32(header + SUM, 0);
        put_u32(header + COUNT, count);
        put_u64(header + SEQUENCE_AND_TYPE, (uint64_t)type << 56 | sequence);
}

void store_record_peek(const uint8_t header[STORE_RECORD_HEADER], struct store_record *ret)
{
        uint64_t both = get_u64(header + SEQUENCE_AND_TYPE);

        ret->count = get_u32(header + COUNT);
        ret->sequence = both & STORE_SEQUENCE_MAX;
        ret->type = (uint8_t)(both >> 56);
        ret->bytes = header + STORE_RECORD_HEADER;
}

static size_t length_of(const uint8_t *record)
{
        return (size_t)STORE_RECORD_HEADER + get_u32(record + COUNT);
}

static uint32_t sum_of(const uint8_t *record, uint32_t seed)
{
        return crc32c_extend(seed, record + COUNT, length_of(record) - COUNT);
}

size_t store_record_seal(uint8_t *record, uint32_t seed)
{
        put_u32(record + SUM, sum_of(record, seed));
        return length_of(record);
}

int store_record_check(const uint8_t *record, uint32_t seed)
{
        return get_u32(record + SUM) == sum_of(record, seed) ? 0 : -EBADMSG;
}
