/* agent/gate/envelope.h - replies to requests that have a `method`.
 *
 *     {"v":1,"id":"c1-42","ok":false,
 *      "error":{"code":"NO_DEVICE","number":4040,"type":"GPIOZeroError","message":"..."}} */
#pragma once

#include "base/buffer.h"
#include "command/code.h"

#include "data/json.h"

/* A failure, over what the buffer held. `id`: NULL, or the request's. -ENOMEM, -EMSGSIZE. */
int gate_envelope_write_failure(struct buffer *out, const cJSON *id, enum command_code code,
                                const char *message);
/* The class of exception that a client raises for it. */
const char *gate_envelope_type(enum command_code code);
