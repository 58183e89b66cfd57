/* broker/terms.h - what a listener of the configuration grants its clients. */
#pragma once

#include "broker/config.h"
#include "mqtt/terms.h"

/* `name` and `owner` for the broker's hooks and figures; `previous` as in mqtt/terms.h. -EINVAL:
 * a mount point that is none; -ENOMEM. */
int broker_terms_new(const struct broker_config *config, const struct broker_listener *listener,
                     const char *name, void *owner, const struct mqtt_terms *previous,
                     const struct mqtt_terms **ret);
