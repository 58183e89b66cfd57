/* net/networks.h - addresses and networks as people write them: 192.0.2.7, 192.0.2.0/24,
 * fd00::/8. */
#pragma once

#include "base/error.h"
#include "net/address.h"

#include <stddef.h>

/* -EINVAL: one of them is none; with a sentence. */
int net_networks_check(char *const networks[], size_t count, struct error *error);
/* Whether an address is in one of them, which were checked. Of none: it is. Unix sockets are in
 * none. */
bool net_networks_have(char *const networks[], size_t count, const struct net_address *address);
