/* broker/place.h - what a listener listens on, as text: by which it is known again, and named where
 * it has no name. Of ports that are any that is free, the names tell them apart. */
#pragma once

#include "broker/config.h"

enum { BROKER_PLACE_MAX = 300 };

/* "*:1883", "192.0.2.1:8883", "eth0:1883", "/run/broker.sock". Returns `text`. */
const char *broker_place(const struct broker_listener *listener, char text[BROKER_PLACE_MAX]);
