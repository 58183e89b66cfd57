/* broker/listeners.h - all places where a broker listens, as its configuration has them, and as
 * another one has them while it runs. Loop thread. */
#pragma once

#include "broker/entrance.h"

struct broker_listeners;

/* Opens all of them, or none. -errno with a sentence that names the listener. */
int broker_listeners_new(const struct broker_entrance_options *options,
                         const struct broker_config *config, struct broker_listeners **ret,
                         struct error *error);
/* Those that are there become what the configuration says now, others are opened, and those that
 * it has no more are closed, whose clients stay. Each for itself: what cannot be done is logged,
 * and leaves that listener as it was. How many could not. */
size_t broker_listeners_reload(struct broker_listeners *listeners,
                               const struct broker_config *config);
/* Puts before a sentence which listener it is about, and returns its code. */
int broker_listeners_place(const struct broker_config *config,
                           const struct broker_listener *listener, struct error *error);
/* What listens where. */
void broker_listeners_log(const struct broker_listeners *listeners);
/* No more connections come, and no more requests over HTTP; those there are go on. */
void broker_listeners_close(struct broker_listeners *listeners);
/* After the broker. */
struct broker_listeners *broker_listeners_free(struct broker_listeners *listeners);
DEFINE_CLEANUP(broker_listeners)
