/* broker/networks.h - addresses and networks as people write them: 192.0.2.7, 192.0.2.0/24,
 * fd00::/8. */
#pragma once

#include "data/config.h"
#include "net/address.h"

/* -EINVAL: one of them is none; with a sentence. */
int broker_networks_check(const struct config_texts *networks, struct error *error);
/* Whether an address is in one of them, which were checked. Of none: it is. Unix sockets are in
 * none. */
bool broker_networks_have(const struct config_texts *networks, const struct net_address *address);
