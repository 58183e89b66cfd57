/* agent/gate/envelope.h - replies to requests that have a `method`.
 *
 *     {"v":1,"id":"c1-42","ok":true,"result":{"type":"pong","timestamp":1.5,"uptime":7}}
 *     {"v":1,"id":"c1-42","ok":false,
 *      "error":{"code":"PIN_IN_USE","number":4095,"type":"GPIOPinInUse","message":"...",
 *               "retry_ms":1000,"data":{"pid":17}}}
 *
 * `result` is the command server's reply without `success` and `id`; `data`, what a failure
 * says besides. */
#pragma once

#include "base/buffer.h"
#include "command/code.h"

#include <stdbool.h>

/* A reply of the command server in its envelope, over what the buffer held. `with_id`: the
 * request had one, so that `id` in the reply is that. -ENOMEM, -EMSGSIZE; -EBADMSG: not a
 * reply. */
int gate_envelope_write(struct buffer *out, const char *reply, size_t length, bool with_id);
/* The class of exception that a client raises for it. */
const char *gate_envelope_type(enum command_code code);
