/* broker/changes.h - what of another configuration cannot take effect while the broker runs. */
#pragma once

#include "broker/config.h"

/* The key of something that differs and wants a restart, as YAML calls it; NULL: no more. Start
 * with *position = 0. */
const char *broker_changes_next(const struct broker_config *before,
                                const struct broker_config *after, size_t *position);
