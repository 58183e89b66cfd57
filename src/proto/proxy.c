#include "proto/proxy.h"

#include "base/crc32c.h"
#include "base/utf8.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
        BINARY_SIZE = 16, /* of version 2 before its addresses */
        ADDRESSES_IPV4 = 12,
        ADDRESSES_IPV6 = 36,
        ADDRESSES_UNIX = 216,
        TLV_SIZE = 3,
        TLS_SIZE = 5, /* before what is in it */
};

enum tlv {
        TLV_CRC32C = 0x03,
        TLV_TLS = 0x20,
        TLV_TLS_COMMON_NAME = 0x22,
};

/* Of the first byte in TLV_TLS. */
enum tls_bits {
        TLS_SPOKEN = 0x01,
        TLS_CERTIFICATE_NOW = 0x02,
        TLS_CERTIFICATE_IN_SESSION = 0x04,
};

static const uint8_t signature[] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                    '\n', 'Q',  'U',  'I',  'T', '\n'};
static const char word[] = "PROXY ";

static uint16_t read_16(const uint8_t *bytes)
{
        return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t read_32(const uint8_t *bytes)
{
        return (uint32_t)read_16(bytes) << 16 | read_16(bytes + 2);
}

/* ---- version 1: a line ---- */

struct words {
        const char *rest, *end;
};

/* The next one, of at most `size` - 1 characters, and the space behind it, if it has one. */
static bool next_word(struct words *words, char *text, size_t size, bool last)
{
        const char *space = memchr(words->rest, ' ', (size_t)(words->end - words->rest));
        const char *end = last ? words->end : space;
        size_t length;

        if (!end || (last && space))
                return false;
        length = (size_t)(end - words->rest);
        if (length == 0 || length >= size || memchr(words->rest, '\0', length))
                return false;
        memcpy(text, words->rest, length);
        text[length] = '\0';
        words->rest = last ? end : end + 1;
        return true;
}

static bool parse_port(const char *text, uint16_t *ret)
{
        uint32_t port = 0;

        if (text[0] == '0' && text[1] != '\0')
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                port = port * 10 + (uint32_t)(*text - '0');
                if (port > UINT16_MAX)
                        return false;
        }
        *ret = (uint16_t)port;
        return true;
}

static bool parse_addresses(struct words words, int family, struct proxy_header *header)
{
        char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], from[6], to[6];

        return next_word(&words, source, sizeof(source), false) &&
               next_word(&words, destination, sizeof(destination), false) &&
               next_word(&words, from, sizeof(from), false) &&
               next_word(&words, to, sizeof(to), true) &&
               inet_pton(family, source, header->source) == 1 &&
               inet_pton(family, destination, header->destination) == 1 &&
               parse_port(from, &header->source_port) && parse_port(to, &header->destination_port);
}

static bool parse_line(const char *line, size_t length, struct proxy_header *header)
{
        struct words words = {line + sizeof(word) - 1, line + length};
        const size_t rest = length - (sizeof(word) - 1);

        /* What stands behind it is to be ignored. */
        if (rest >= 7 && memcmp(words.rest, "UNKNOWN", 7) == 0 &&
            (rest == 7 || words.rest[7] == ' ')) {
                header->family = PROXY_UNKNOWN;
                return true;
        }
        if (rest < 5 || words.rest[4] != ' ')
                return false;
        header->family = memcmp(words.rest, "TCP4", 4) == 0   ? PROXY_IPV4
                         : memcmp(words.rest, "TCP6", 4) == 0 ? PROXY_IPV6
                                                              : PROXY_UNKNOWN;
        words.rest += 5;
        return header->family != PROXY_UNKNOWN &&
               parse_addresses(words, header->family == PROXY_IPV4 ? AF_INET : AF_INET6, header);
}

static int decode_line(const uint8_t *bytes, size_t count, struct proxy_header *header)
{
        const size_t seen = count < PROXY_LINE_MAX ? count : PROXY_LINE_MAX;
        const uint8_t *end = memchr(bytes, '\r', seen);
        const size_t length = end ? (size_t)(end - bytes) : seen;

        if (memchr(bytes, '\n', length) || length + 2 > PROXY_LINE_MAX)
                return -EBADMSG;
        if (!end || length + 1 == count)
                return 0;
        if (end[1] != '\n' || length < sizeof(word) - 1 ||
            !parse_line((const char *)bytes, length, header))
                return -EBADMSG;
        return (int)length + 2;
}

/* ---- version 2: binary ---- */

/* What is yet to be read of the header. */
struct rest {
        const uint8_t *bytes;
        size_t count;
};

/* 1: the next, taken off the rest; 0: there is none. */
static int next_tlv(struct rest *rest, uint8_t *type, struct rest *value)
{
        size_t length;

        if (rest->count == 0)
                return 0;
        if (rest->count < TLV_SIZE)
                return -EBADMSG;
        length = read_16(rest->bytes + 1);
        if (length > rest->count - TLV_SIZE)
                return -EBADMSG;
        *type = rest->bytes[0];
        *value = (struct rest){rest->bytes + TLV_SIZE, length};
        rest->bytes += TLV_SIZE + length;
        rest->count -= TLV_SIZE + length;
        return 1;
}

static int read_common_name(struct rest value, struct proxy_header *header)
{
        const char *text = (const char *)value.bytes;

        if (header->common_name || value.count == 0 || memchr(text, '\0', value.count) ||
            utf8_valid_prefix(text, value.count) != value.count)
                return -EBADMSG;
        header->common_name = text;
        header->common_name_length = value.count;
        return 0;
}

static int read_tls(struct rest value, struct proxy_header *header)
{
        struct rest part;
        uint8_t bits, type;
        int r;

        if (header->tls || value.count < TLS_SIZE)
                return -EBADMSG;
        bits = value.bytes[0];
        header->tls = bits & TLS_SPOKEN;
        header->verified = header->tls &&
                           (bits & (TLS_CERTIFICATE_NOW | TLS_CERTIFICATE_IN_SESSION)) &&
                           read_32(value.bytes + 1) == 0;
        value.bytes += TLS_SIZE;
        value.count -= TLS_SIZE;
        while ((r = next_tlv(&value, &type, &part)) > 0)
                if (type == TLV_TLS_COMMON_NAME && read_common_name(part, header) < 0)
                        return -EBADMSG;
        if (!header->verified)
                header->common_name = NULL;
        return r;
}

/* Over the whole header, with zeros where the sum stands (2.2.3). */
static int check_sum(const uint8_t *header, size_t length, struct rest value)
{
        static const uint8_t zeros[4];
        size_t before;
        uint32_t sum;

        if (value.count != sizeof(zeros))
                return -EBADMSG;
        before = (size_t)(value.bytes - header);
        sum = crc32c_extend(0, header, before);
        sum = crc32c_extend(sum, zeros, sizeof(zeros));
        sum = crc32c_extend(sum, value.bytes + sizeof(zeros), length - before - sizeof(zeros));
        return sum == read_32(value.bytes) ? 0 : -EBADMSG;
}

static int read_tlvs(const uint8_t *bytes, size_t length, struct rest rest,
                     struct proxy_header *header)
{
        struct rest value;
        uint8_t type;
        int r;

        while ((r = next_tlv(&rest, &type, &value)) > 0) {
                if (type == TLV_CRC32C)
                        r = check_sum(bytes, length, value);
                else if (type == TLV_TLS)
                        r = read_tls(value, header);
                if (r < 0)
                        break;
        }
        return r;
}

static void read_internet(const uint8_t *bytes, size_t size, struct proxy_header *header)
{
        memcpy(header->source, bytes, size);
        memcpy(header->destination, bytes + size, size);
        header->source_port = read_16(bytes + 2 * size);
        header->destination_port = read_16(bytes + 2 * size + 2);
}

/* The length of the addresses; the byte is of family and transport. */
static int read_addresses(uint8_t kind, struct rest rest, struct proxy_header *header)
{
        switch (kind) {
        case 0x00:
                header->family = PROXY_UNKNOWN;
                return 0;
        case 0x11:
                if (rest.count < ADDRESSES_IPV4)
                        return -EBADMSG;
                header->family = PROXY_IPV4;
                read_internet(rest.bytes, 4, header);
                return ADDRESSES_IPV4;
        case 0x21:
                if (rest.count < ADDRESSES_IPV6)
                        return -EBADMSG;
                header->family = PROXY_IPV6;
                read_internet(rest.bytes, 16, header);
                return ADDRESSES_IPV6;
        case 0x31:
                if (rest.count < ADDRESSES_UNIX)
                        return -EBADMSG;
                header->family = PROXY_UNIX;
                return ADDRESSES_UNIX;
        default:
                return -EBADMSG;
        }
}

static int read_body(const uint8_t *bytes, size_t length, struct proxy_header *header)
{
        struct rest rest = {bytes + BINARY_SIZE, length - BINARY_SIZE};
        int n;

        /* Whatever else it says is to be ignored (2.2). */
        if (header->local)
                return 0;
        n = read_addresses(bytes[13], rest, header);
        if (n < 0)
                return n;
        rest.bytes += n;
        rest.count -= (size_t)n;
        return read_tlvs(bytes, length, rest, header);
}

static int decode_binary(const uint8_t *bytes, size_t count, struct proxy_header *header)
{
        size_t length;
        int r;

        /* Version 2; LOCAL or PROXY. */
        if (count > 12 && bytes[12] != 0x20 && bytes[12] != 0x21)
                return -EBADMSG;
        if (count < BINARY_SIZE)
                return 0;
        length = BINARY_SIZE + (size_t)read_16(bytes + 14);
        if (length > PROXY_HEADER_MAX)
                return -EMSGSIZE;
        if (count < length)
                return 0;
        header->local = bytes[12] == 0x20;
        r = read_body(bytes, length, header);
        return r < 0 ? r : (int)length;
}

static bool begins_like(const uint8_t *bytes, size_t count, const void *text, size_t length)
{
        return memcmp(bytes, text, count < length ? count : length) == 0;
}

int proxy_header_decode(const uint8_t *bytes, size_t count, struct proxy_header *ret)
{
        struct proxy_header header = {.family = PROXY_UNKNOWN};
        int r;

        if (count == 0)
                return 0;
        if (begins_like(bytes, count, signature, sizeof(signature)))
                r = decode_binary(bytes, count, &header);
        else if (begins_like(bytes, count, word, sizeof(word) - 1))
                r = decode_line(bytes, count, &header);
        else
                r = -EBADMSG;
        if (r > 0)
                *ret = header;
        return r;
}
