#include "command/code.h"

const char *command_code_name(enum command_code code)
{
        switch (code) {
        case COMMAND_BAD_JSON:
                return "BAD_JSON";
        case COMMAND_BAD_REQUEST:
                return "BAD_REQUEST";
        case COMMAND_BAD_PARAMS:
                return "BAD_PARAMS";
        case COMMAND_BAD_VALUE:
                return "BAD_VALUE";
        case COMMAND_UNAUTHORIZED:
                return "UNAUTHORIZED";
        case COMMAND_FORBIDDEN:
                return "FORBIDDEN";
        case COMMAND_NO_DEVICE:
                return "NO_DEVICE";
        case COMMAND_NO_METHOD:
                return "NO_METHOD";
        case COMMAND_NO_PIN:
                return "NO_PIN";
        case COMMAND_EXPIRED:
                return "EXPIRED";
        case COMMAND_LEASE_REQUIRED:
                return "LEASE_REQUIRED";
        case COMMAND_LEASE_HELD:
                return "LEASE_HELD";
        case COMMAND_LEASE_STALE:
                return "LEASE_STALE";
        case COMMAND_ESTOP:
                return "ESTOP";
        case COMMAND_INTERLOCK:
                return "INTERLOCK";
        case COMMAND_PIN_IN_USE:
                return "PIN_IN_USE";
        case COMMAND_TOO_LARGE:
                return "TOO_LARGE";
        case COMMAND_BUSY:
                return "BUSY";
        case COMMAND_HARDWARE:
                return "HARDWARE";
        case COMMAND_UNSUPPORTED:
                return "UNSUPPORTED";
        case COMMAND_NOT_READY:
                return "NOT_READY";
        }
        return "HARDWARE";
}
