/* net/address.h - where a stream comes from or goes to. */
#pragma once

#include "base/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { NET_ADDRESS_TEXT_MAX = 128 };

struct net_address {
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
                struct sockaddr_un local;
        };
        socklen_t length;
        bool v6_only; /* of a listener at "::": IPv4 is not meant */
};

/* The same of a peer, as it is kept for each of many: short, since clients of Unix sockets
 * have no name. Family AF_UNSPEC: not known. */
struct net_peer {
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        };
};
void net_peer_init(struct net_peer *peer, const struct net_address *address);
void net_peer_address(const struct net_peer *peer, struct net_address *ret);

/* A numeric host ("0.0.0.0", "::1") or "localhost", never the resolver.
 * -EINVAL with a sentence. */
int net_address_parse(const char *host, uint16_t port, struct net_address *ret,
                      struct error *error);
int net_address_local(const char *path, struct net_address *ret); /* -ENAMETOOLONG */
bool net_address_is_loopback(const struct net_address *address);  /* Unix sockets too */
uint16_t net_address_port(const struct net_address *address);     /* 0 for Unix sockets */
/* "192.0.2.1:3000", "[::1]:3000", "unix:/run/..." */
const char *net_address_text(const struct net_address *address, char text[NET_ADDRESS_TEXT_MAX]);

/* What failed attempts are counted by: an IPv4 address, the /64 of an IPv6 one;
 * one key for all Unix sockets, one for whoever is not known. An IPv4-mapped address counts as
 * IPv4. */
uint64_t net_address_origin(const struct net_address *address);
