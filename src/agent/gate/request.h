/* agent/gate/request.h - one message to `pi/rpc/request`, until its reply is published.
 *
 * The payload is the object of the command server, whose reply comes back byte for byte, with
 * the QoS of the request, at most 1, and its Correlation Data. It goes to the Response Topic,
 * or, when there is none and the payload says `"reply":true`, to the client's own; with
 * neither, to nobody. `token` in the payload is a lease's, as `lease_token` is: who asks is
 * known by the connection. An object with `method` in place of `command` (method.h) is
 * answered in an envelope (envelope.h). One that comes again (repeats.h) is answered again, if that
 * can be, and not carried out. */
#pragma once

#include "agent/gate/caller.h"

struct gate_request;

/* What on_publish answers: MQTT_HOOK_HANDLED, carried out or answered with a failure; or a
 * reason, and nothing was done. 0x87: retained, or no place for its reply that this client may
 * have; 0x89: no memory. */
int gate_request_take(struct gate_caller *caller, const struct mqtt_publish *publish);
struct gate_request *gate_request_from_link(struct list *link);
/* Goes on without its caller. */
void gate_request_abandon(struct gate_request *request);
