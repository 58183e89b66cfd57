/* client/address.h - the numeric addresses of a host, in the order to try them.
 *
 * libmosquitto takes the first address that a connection can be begun with, and does not go
 * on when it then fails; a name with an IPv6 address that nobody answers at needs more. */
#pragma once

#include "base/error.h"

#include <stddef.h>

enum { CLIENT_ADDRESS_TEXT_MAX = 64, CLIENT_ADDRESSES_MAX = 8 };

struct client_address {
        char text[CLIENT_ADDRESS_TEXT_MAX]; /* "192.0.2.1", "fe80::1%eth0" */
};

/* Asks the resolver, for as long as that waits. Of more than CLIENT_ADDRESSES_MAX the first.
 * How many; -ENOENT: there is no such host; -errno, each with a sentence. */
int client_address_resolve(const char *host, struct client_address ret[CLIENT_ADDRESSES_MAX],
                           struct error *error);
