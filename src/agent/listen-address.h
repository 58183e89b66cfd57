/* agent/listen-address.h - the address at which a transport really listens: on the network only
 * where strangers find a wall, which is a token, or users of its own. */
#pragma once

#include "agent/config.h"
#include "base/log.h"
#include "net/address.h"

/* For `section` of the configuration ("command", "mqtt", "http"), which names `host`. Whoever may
 * not be reached from elsewhere gets 127.0.0.1; the log says so, and what else is risky about it.
 * -EINVAL and others with a sentence. */
int listen_address_find(const struct agent_config *config, struct log *log, const char *section,
                        const char *host, int64_t port, struct net_address *ret,
                        struct error *error);
/* The same of a Unix socket. 1: `path` is NULL or empty, there shall be none. */
int listen_address_find_local(const char *section, const char *path, struct net_address *ret,
                              struct error *error);
