/* agent/gate/method.h - a request that names a method in place of a command.
 *
 *     {"v":1,"id":"c1-42","method":"ping","params":{},"token":"..."}
 *
 * Without a device it is the command of that name, with `params` as its arguments. */
#pragma once

#include "base/error.h"
#include "command/code.h"

#include "data/json.h"

#include <stdbool.h>

/* Makes a command's of a request's object with `method`; `token` is `lease_token` by then.
 * What is not known is refused, not left out: it may have been a wish to be careful. False:
 * *code and *error say why, and the object is of use for its `id` only. */
bool gate_method_to_command(cJSON *object, enum command_code *code, struct error *error);
