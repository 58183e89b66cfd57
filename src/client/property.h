/* client/property.h - a message's properties as libmosquitto has them, and back. */
#pragma once

#include "client/message.h"

#include <mosquitto.h>

/* *ret is a list for a PUBLISH or a will, NULL when the message has no properties; the
 * caller's, to be freed with mosquitto_property_free_all(). -EINVAL: libmosquitto refuses one,
 * a text that is not UTF-8; -ENOMEM. */
int client_property_list(const struct client_message *message, mosquitto_property **ret);

/* Copies what was received. libmosquitto's message keeps its own. -ENOMEM. */
int client_property_receive(const struct mosquitto_message *from, const mosquitto_property *list,
                            struct client_message **ret);
