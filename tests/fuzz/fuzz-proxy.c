/* Fuzzes the PROXY protocol's header: a header is one whatever stands behind it, none is found in
 * a part of it, and what it tells is in it. */
#include "fuzz/fuzz.h"
#include "proto/proxy.h"

#include <errno.h>
#include <string.h>

enum { INPUT_MAX = 4096 };

/* In memory of exactly their size, so that a byte beyond is found. */
static int decode(const uint8_t *bytes, size_t count, struct proxy_header *ret)
{
        uint8_t *copy = malloc(count > 0 ? count : 1);
        size_t at;
        int r;

        MUST(copy != NULL);
        if (count > 0)
                memcpy(copy, bytes, count);
        r = proxy_header_decode(copy, count, ret);
        if (r > 0 && ret->common_name) {
                at = (size_t)((const uint8_t *)ret->common_name - copy);
                MUST(ret->tls && ret->verified && ret->common_name_length > 0);
                MUST(at < (size_t)r && ret->common_name_length <= (size_t)r - at);
                MUST(!memchr(ret->common_name, '\0', ret->common_name_length));
                ret->common_name = NULL;
        }
        free(copy);
        return r;
}

static void check_header(const uint8_t *bytes, size_t length, const struct proxy_header *header)
{
        struct proxy_header again;

        MUST(length <= PROXY_HEADER_MAX);
        MUST(!header->local || (header->family == PROXY_UNKNOWN && !header->tls));
        memset(&again, 0, sizeof(again));
        MUST(decode(bytes, length, &again) == (int)length);
        MUST(again.family == header->family && again.local == header->local);
        MUST(memcmp(again.source, header->source, sizeof(again.source)) == 0);
        MUST(again.source_port == header->source_port);
        MUST(again.common_name_length == header->common_name_length);
        for (size_t i = 0; i < length; i++)
                MUST(decode(bytes, i, &again) == 0);
}

/* Once refused, or complete, more bytes do not change it. */
static void check_parts(const uint8_t *bytes, size_t count, int verdict)
{
        struct proxy_header header;
        size_t i = 0;
        int r;

        while ((r = decode(bytes, i, &header)) == 0 && i < count)
                i++;
        MUST(verdict > 0 ? r == verdict && i == (size_t)r : r == verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        struct proxy_header header;
        int r;

        if (count > INPUT_MAX)
                return 0;
        memset(&header, 0, sizeof(header));
        r = decode(bytes, count, &header);
        MUST(r >= 0 ? (size_t)r <= count : r == -EBADMSG || r == -EMSGSIZE);
        MUST(r != 0 || count < PROXY_HEADER_MAX);
        if (r > 0)
                check_header(bytes, (size_t)r, &header);
        if (count < 1024)
                check_parts(bytes, count, r);
        return 0;
}
