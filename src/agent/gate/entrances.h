/* agent/gate/entrances.h - where clients come in: TCP, TLS, a Unix socket, and, from whoever serves
 * HTTP, streams. gate_listen() and gate_adopt() of gate.h are here. */
#pragma once

#include "data/json-writer.h"

struct gate;

/* What connections go through before the broker has them: a proxy's header, a handshake. -ENOMEM.
 */
int gate_open_ways(struct gate *gate);
/* Nobody comes any more; those on their way are closed. */
void gate_close_entrances(struct gate *gate);
/* Where it listens; members of an open object. */
void gate_write_entrances(const struct gate *gate, struct json_writer *writer);
