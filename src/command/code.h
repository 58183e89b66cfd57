/* command/code.h - the codes of failed replies: a name for programs, a number
 * for those that prefer one. Names and numbers are the contract with clients. */
#pragma once

#include <stdbool.h>

enum command_code {
        COMMAND_BAD_JSON = 4000,
        COMMAND_BAD_REQUEST = 4001,
        COMMAND_BAD_PARAMS = 4002,
        COMMAND_BAD_VALUE = 4003,
        COMMAND_UNAUTHORIZED = 4010,
        COMMAND_FORBIDDEN = 4030,
        COMMAND_NO_DEVICE = 4040,
        COMMAND_NO_METHOD = 4041,
        COMMAND_NO_PIN = 4042,
        COMMAND_EXPIRED = 4080,
        COMMAND_LEASE_REQUIRED = 4090,
        COMMAND_LEASE_HELD = 4091,
        COMMAND_LEASE_STALE = 4092,
        COMMAND_ESTOP = 4093,
        COMMAND_INTERLOCK = 4094,
        COMMAND_PIN_IN_USE = 4095,
        COMMAND_TOO_LARGE = 4130,
        COMMAND_BUSY = 4290,
        COMMAND_HARDWARE = 5000,
        COMMAND_UNSUPPORTED = 5010,
        COMMAND_NOT_READY = 5030,
};

const char *command_code_name(enum command_code code); /* "BAD_JSON" */
/* False: none of them has this name; *ret untouched. */
bool command_code_parse(const char *name, enum command_code *ret);
