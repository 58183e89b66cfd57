/* mqtt/clients-json.h - a broker's clients as JSON, alike in all programs that show them. */
#pragma once

#include "data/json-writer.h"
#include "mqtt/clients.h"

/* "3.1", "3.1.1", "5.0" */
const char *mqtt_version_text(enum mqtt_version version);
/* The members of one, into an open object. `user`: whom the program knows it as, while it is
 * connected. */
void mqtt_client_info_write(const struct mqtt_client_info *info, struct mqtt_text user,
                            struct json_writer *writer);
/* One of its subscriptions, into an open array. */
void mqtt_subscription_info_write(struct mqtt_text filter,
                                  const struct mqtt_subscription_options *options,
                                  struct json_writer *writer);
