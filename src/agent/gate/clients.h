/* agent/gate/clients.h - commands about the broker's clients, for administrators.
 *
 *     mqtt_clients    who is there, and whose sessions are kept, page by page
 *     mqtt_client     one of them, with its subscriptions
 *     mqtt_kick       ends a connection, or a session with it */
#pragma once

#include "base/error.h"

struct gate;

enum {
        GATE_CLIENTS_PAGE = 100,      /* of them in a reply, unless said otherwise */
        GATE_CLIENTS_PAGE_MAX = 1000, /* at most */
        GATE_FILTERS_MAX = 1000,      /* of one client in a reply; the rest is only counted */
};

/* Adds the commands; -errno with a sentence. */
int gate_clients_attach(struct gate *gate, struct error *error);
void gate_clients_detach(struct gate *gate); /* without an attachment, too */
