#include "store/segment.h"

#include "base/crc32c.h"
#include "store/little-endian.h"
#include "store/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
        MAGIC = 0,
        MAGIC_LENGTH = 8,
        VERSION = 8,
        KIND = 12,
        FLAGS = 14,
        SCHEMA = 16,
        GENERATION = 20,
        FIRST = 28,
        SALT = 36,
        SUM = 44,
        FLAG_FRESH = 1,
        DIGITS = 16,
};

static const uint8_t magic[MAGIC_LENGTH] = {'p', 'f', 's', 't', 'o', 'r', 'e', '\n'};

uint32_t store_header_seal(uint8_t bytes[STORE_HEADER])
{
        uint32_t sum = crc32c_extend(0, bytes, SUM);

        put_u32(bytes + SUM, sum);
        return sum;
}

void store_header_encode(struct store_header *header, uint8_t bytes[STORE_HEADER])
{
        header->version = STORE_VERSION;
        memcpy(bytes + MAGIC, magic, MAGIC_LENGTH);
        put_u32(bytes + VERSION, header->version);
        put_u16(bytes + KIND, (uint16_t)header->kind);
        put_u16(bytes + FLAGS, header->fresh ? FLAG_FRESH : 0);
        put_u32(bytes + SCHEMA, header->schema);
        put_u64(bytes + GENERATION, header->generation);
        put_u64(bytes + FIRST, header->first);
        put_u64(bytes + SALT, header->salt);
        header->seed = store_header_seal(bytes);
}

int store_header_decode(const uint8_t bytes[STORE_HEADER], struct store_header *ret)
{
        struct store_header header = {.seed = crc32c_extend(0, bytes, SUM)};

        if (memcmp(bytes + MAGIC, magic, MAGIC_LENGTH) != 0 || get_u32(bytes + SUM) != header.seed)
                return -EBADMSG;
        header.version = get_u32(bytes + VERSION);
        header.kind = get_u16(bytes + KIND);
        header.fresh = get_u16(bytes + FLAGS) & FLAG_FRESH;
        header.schema = get_u32(bytes + SCHEMA);
        header.generation = get_u64(bytes + GENERATION);
        header.first = get_u64(bytes + FIRST);
        header.salt = get_u64(bytes + SALT);
        if (header.version == STORE_VERSION &&
            (header.first == 0 || header.first > STORE_SEQUENCE_MAX))
                return -EBADMSG;
        *ret = header;
        return header.version == STORE_VERSION ? 0 : -EPROTONOSUPPORT;
}

static const char *suffix_of(enum store_kind kind)
{
        return kind == STORE_IMAGE ? "snapshot" : "log";
}

static void name_with(char name[STORE_NAME_SIZE], uint64_t generation, enum store_kind kind,
                      const char *state)
{
        snprintf(name, STORE_NAME_SIZE, "%016" PRIx64 ".%s%s", generation, suffix_of(kind), state);
}

void store_name(char name[STORE_NAME_SIZE], uint64_t generation, enum store_kind kind)
{
        name_with(name, generation, kind, "");
}

void store_name_partial(char name[STORE_NAME_SIZE], uint64_t generation)
{
        name_with(name, generation, STORE_IMAGE, ".partial");
}

void store_name_damaged(char name[STORE_NAME_SIZE], uint64_t generation, enum store_kind kind)
{
        name_with(name, generation, kind, ".damaged");
}

static bool parse_generation(const char *name, uint64_t *ret)
{
        uint64_t generation = 0;

        for (unsigned i = 0; i < DIGITS; i++) {
                const char *digits = "0123456789abcdef";
                const char *digit = name[i] != '\0' ? strchr(digits, name[i]) : NULL;

                if (!digit)
                        return false;
                generation = generation << 4 | (uint64_t)(digit - digits);
        }
        *ret = generation;
        return name[DIGITS] == '.' && generation <= INT64_MAX; /* there is always a next one */
}

enum store_name_state store_name_parse(const char *name, uint64_t *ret_generation,
                                       enum store_kind *ret_kind)
{
        uint64_t generation;
        enum store_kind kind;
        const char *rest;

        if (!parse_generation(name, &generation))
                return STORE_NAME_OTHER;
        rest = name + DIGITS + 1;
        kind = rest[0] == 's' ? STORE_IMAGE : STORE_SEGMENT;
        if (strncmp(rest, suffix_of(kind), strlen(suffix_of(kind))) != 0)
                return STORE_NAME_OTHER;
        rest += strlen(suffix_of(kind));
        *ret_generation = generation;
        *ret_kind = kind;
        if (strcmp(rest, "") == 0)
                return STORE_NAME_WHOLE;
        if (strcmp(rest, ".partial") == 0 && kind == STORE_IMAGE)
                return STORE_NAME_PARTIAL;
        return strcmp(rest, ".damaged") == 0 ? STORE_NAME_DAMAGED : STORE_NAME_OTHER;
}
