/* broker/addresses.h - the addresses that a listener listens on. */
#pragma once

#include "broker/config.h"
#include "net/address.h"

enum { BROKER_ADDRESSES_MAX = 16 };

enum broker_addresses_need {
        BROKER_ADDRESSES_ALL,
        BROKER_ADDRESSES_FIRST, /* others are left out where the machine has no such address */
        BROKER_ADDRESSES_ANY,   /* the first one that the machine has is enough */
};

struct broker_addresses {
        struct net_address items[BROKER_ADDRESSES_MAX];
        size_t count; /* at least 1 */
        enum broker_addresses_need need;
};

/* Of a Unix socket, an interface (those it has now), "localhost", all addresses, or a host.
 * -EINVAL, -ENODEV, -ENAMETOOLONG with a sentence. */
int broker_addresses_of(const struct broker_listener *listener, struct broker_addresses *ret,
                        struct error *error);
