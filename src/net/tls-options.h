/* net/tls-options.h - a copy of what was asked for. For this room. */
#pragma once

#include "net/tls.h"

/* With texts of its own, to be freed by done. -ENOMEM. */
int tls_options_copy(const struct net_tls_options *options, struct net_tls_options *ret);
void tls_options_done(struct net_tls_options *options);

/* Contradictions and what is missing. -EINVAL with a sentence. */
int tls_options_check(enum net_tls_role role, const struct net_tls_options *options,
                      struct error *error);
