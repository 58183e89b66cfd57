/* proto/proxy.h - the first bytes of a connection that a load balancer passes on: whose it is.
 *
 * Both versions of the PROXY protocol. Strict: what is not to the letter is refused, since
 * whoever can send a header can be anybody.
 *
 * Source: "The PROXY protocol", versions 1 and 2, revision of 2020/03/05, section 2. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        PROXY_HEADER_MAX = 536, /* bytes that fit in the first segment of any connection */
        PROXY_LINE_MAX = 107,   /* of them, in version 1 */
};

enum proxy_family {
        PROXY_UNKNOWN, /* the sender itself speaks (a health check), or does not know */
        PROXY_IPV4,
        PROXY_IPV6,
        PROXY_UNIX,
};

struct proxy_header {
        bool local; /* the sender itself speaks */
        enum proxy_family family;
        uint8_t source[16], destination[16]; /* in network order, 4 bytes of IPv4 */
        uint16_t source_port, destination_port;
        /* Version 2 only. */
        bool tls;      /* the client spoke TLS with the sender */
        bool verified; /* and showed a certificate that the sender has verified */
        /* Of that certificate; well-formed UTF-8 without U+0000, in the bytes that were decoded.
         * NULL: none. */
        const char *common_name;
        size_t common_name_length;
};

/* The length of the header; 0: more bytes are needed, all of these are its; -EBADMSG: this is no
 * header; -EMSGSIZE: one of more than PROXY_HEADER_MAX bytes. */
int proxy_header_decode(const uint8_t *bytes, size_t count, struct proxy_header *ret);
