#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* Keys of origins that are no IPv6 prefix. They lie in ::/8, which nobody has
 * for an address (RFC 4291, 2.4), so they meet no /64 of a peer. */
#define ORIGIN_V4 (UINT64_C(1) << 32)
#define ORIGIN_LOCAL (UINT64_C(2) << 32)
#define ORIGIN_UNKNOWN (UINT64_C(3) << 32)

static int parse_v4(const char *host, uint16_t port, struct net_address *ret)
{
        struct in_addr bytes;

        if (inet_pton(AF_INET, host, &bytes) != 1)
                return -EINVAL;
        *ret = (struct net_address){.length = sizeof(ret->v4)};
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_addr = bytes;
        ret->v4.sin_port = htons(port);
        return 0;
}

/* With the interface behind a percent sign for link-local addresses (RFC 4007,
 * 11): "fe80::1%eth0". */
static int parse_v6(const char *host, uint16_t port, struct net_address *ret)
{
        char text[INET6_ADDRSTRLEN];
        size_t length = strcspn(host, "%");
        unsigned scope = 0;
        struct in6_addr bytes;

        if (length >= sizeof(text))
                return -EINVAL;
        memcpy(text, host, length);
        text[length] = '\0';
        if (inet_pton(AF_INET6, text, &bytes) != 1)
                return -EINVAL;
        if (host[length] == '%') {
                scope = if_nametoindex(host + length + 1);
                if (scope == 0)
                        return -ENODEV;
        }
        *ret = (struct net_address){.length = sizeof(ret->v6)};
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_addr = bytes;
        ret->v6.sin6_port = htons(port);
        ret->v6.sin6_scope_id = scope;
        return 0;
}

int net_address_parse(const char *host, uint16_t port, struct net_address *ret, struct error *error)
{
        int r;

        if (strcmp(host, "localhost") == 0)
                host = "127.0.0.1";
        if (parse_v4(host, port, ret) == 0)
                return 0;
        r = parse_v6(host, port, ret);
        if (r == -ENODEV)
                return error_set(error, -EINVAL,
                                 "\"%s\": there is no such network interface; "
                                 "`ip link` lists those that there are",
                                 host);
        if (r < 0)
                return error_set(error, r,
                                 "\"%s\" is not an address to use here; write a "
                                 "numeric one, such as 0.0.0.0, 127.0.0.1 or ::1",
                                 host);
        return 0;
}

int net_address_local(const char *path, struct net_address *ret)
{
        size_t length = strlen(path);

        if (length == 0 || length >= sizeof(ret->local.sun_path))
                return -ENAMETOOLONG;
        *ret = (struct net_address){0};
        ret->local.sun_family = AF_UNIX;
        memcpy(ret->local.sun_path, path, length + 1);
        ret->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
        return 0;
}

void net_peer_init(struct net_peer *peer, const struct net_address *address)
{
        *peer = (struct net_peer){0};
        if (address->any.sa_family == AF_INET)
                peer->v4 = address->v4;
        else if (address->any.sa_family == AF_INET6)
                peer->v6 = address->v6;
        else
                peer->any.sa_family = address->any.sa_family;
}

void net_peer_address(const struct net_peer *peer, struct net_address *ret)
{
        *ret = (struct net_address){.length = sizeof(ret->any.sa_family)};
        if (peer->any.sa_family == AF_INET) {
                ret->v4 = peer->v4;
                ret->length = sizeof(ret->v4);
        } else if (peer->any.sa_family == AF_INET6) {
                ret->v6 = peer->v6;
                ret->length = sizeof(ret->v6);
        } else {
                ret->any.sa_family = peer->any.sa_family;
        }
}

/* The IPv4 address within a mapped IPv6 one (RFC 4291, 2.5.5.2), or of an IPv4
 * address itself, in host order. */
static bool find_v4(const struct net_address *address, uint32_t *ret)
{
        uint32_t bytes;

        if (address->any.sa_family == AF_INET) {
                *ret = ntohl(address->v4.sin_addr.s_addr);
                return true;
        }
        if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
                return false;
        memcpy(&bytes, address->v6.sin6_addr.s6_addr + 12, sizeof(bytes));
        *ret = ntohl(bytes);
        return true;
}

bool net_address_is_loopback(const struct net_address *address)
{
        uint32_t v4;

        if (find_v4(address, &v4))
                return v4 >> 24 == 127;
        if (address->any.sa_family == AF_INET6)
                return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
        return address->any.sa_family == AF_UNIX;
}

uint16_t net_address_port(const struct net_address *address)
{
        if (address->any.sa_family == AF_INET)
                return ntohs(address->v4.sin_port);
        if (address->any.sa_family == AF_INET6)
                return ntohs(address->v6.sin6_port);
        return 0;
}

/* The name is the peer's choice and need not end in a NUL (unix(7)). An
 * abstract one begins with a NUL, shown as '@'. */
static void write_local(const struct net_address *address, char text[NET_ADDRESS_TEXT_MAX])
{
        size_t start = offsetof(struct sockaddr_un, sun_path), out = 0;
        size_t count = address->length > start ? address->length - start : 0;
        const char *path = address->local.sun_path;

        memcpy(text, "unix:", 5);
        out = 5;
        if (count > sizeof(address->local.sun_path))
                count = sizeof(address->local.sun_path);
        for (size_t i = 0; i < count; i++) {
                if (path[i] == '\0' && path[0] != '\0')
                        break;
                if (path[i] == '\0')
                        text[out++] = '@';
                else
                        text[out++] = path[i] > ' ' && path[i] < 0x7f ? path[i] : '?';
        }
        text[out] = '\0';
}

static void write_v6(const struct net_address *address, char text[NET_ADDRESS_TEXT_MAX])
{
        char host[INET6_ADDRSTRLEN], interface[IF_NAMESIZE];
        const char *percent = "", *scope = "";

        if (!inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host)))
                host[0] = '\0';
        if (address->v6.sin6_scope_id != 0 &&
            if_indextoname(address->v6.sin6_scope_id, interface)) {
                percent = "%";
                scope = interface;
        }
        snprintf(text, NET_ADDRESS_TEXT_MAX, "[%s%s%s]:%u", host, percent, scope,
                 net_address_port(address));
}

const char *net_address_text(const struct net_address *address, char text[NET_ADDRESS_TEXT_MAX])
{
        uint32_t v4;

        if (find_v4(address, &v4))
                snprintf(text, NET_ADDRESS_TEXT_MAX, "%u.%u.%u.%u:%u", v4 >> 24, v4 >> 16 & 255,
                         v4 >> 8 & 255, v4 & 255, net_address_port(address));
        else if (address->any.sa_family == AF_INET6)
                write_v6(address, text);
        else if (address->any.sa_family == AF_UNIX)
                write_local(address, text);
        else
                snprintf(text, NET_ADDRESS_TEXT_MAX, "unknown");
        return text;
}

uint64_t net_address_origin(const struct net_address *address)
{
        uint64_t prefix = 0;
        uint32_t v4;

        if (find_v4(address, &v4))
                return ORIGIN_V4 | v4;
        if (address->any.sa_family != AF_INET6)
                return address->any.sa_family == AF_UNIX ? ORIGIN_LOCAL : ORIGIN_UNKNOWN;
        for (unsigned i = 0; i < 8; i++)
                prefix = prefix << 8 | address->v6.sin6_addr.s6_addr[i];
        return prefix;
}
