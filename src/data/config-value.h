/* data/config-value.h - one value of a table of keys; for this room. */
#pragma once

#include "data/config.h"

/* Sets what `key` describes in `target` to its default, over whatever was there.
 * -ENOMEM: it holds no memory. */
int config_value_default(const struct config_key *key, void *target);
/* A scalar; `plain`: not in quotes. -EINVAL: not a value of this key; -ENOMEM.
 * What was there stays then, and is freed else. */
int config_value_read(const struct config_key *key, const char *text, bool plain, void *target);
/* Frees what it owns and leaves NULL there. */
void config_value_done(const struct config_key *key, void *target);
void *config_value_of(const struct config_key *key, void *target);
