#include "agent/gate/envelope.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>

TEST(each_code_has_the_exception_that_clients_raise)
{
        static const struct {
                enum command_code code;
                const char *type;
        } cases[] = {
                {COMMAND_BAD_JSON, "ValueError"},
                {COMMAND_BAD_REQUEST, "ValueError"},
                {COMMAND_BAD_PARAMS, "ValueError"},
                {COMMAND_BAD_VALUE, "OutputDeviceBadValue"},
                {COMMAND_UNAUTHORIZED, "PermissionError"},
                {COMMAND_FORBIDDEN, "PermissionError"},
                {COMMAND_NO_DEVICE, "GPIOZeroError"},
                {COMMAND_NO_METHOD, "GPIOZeroError"},
                {COMMAND_NO_PIN, "PinInvalidPin"},
                {COMMAND_EXPIRED, "TimeoutError"},
                {COMMAND_LEASE_REQUIRED, "LeaseError"},
                {COMMAND_LEASE_HELD, "LeaseError"},
                {COMMAND_LEASE_STALE, "LeaseError"},
                {COMMAND_ESTOP, "LeaseError"},
                {COMMAND_INTERLOCK, "LeaseError"},
                {COMMAND_PIN_IN_USE, "GPIOPinInUse"},
                {COMMAND_TOO_LARGE, "GPIOZeroError"},
                {COMMAND_BUSY, "GPIOZeroError"},
                {COMMAND_HARDWARE, "PinError"},
                {COMMAND_UNSUPPORTED, "PinError"},
                {COMMAND_NOT_READY, "PinError"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                CHECK_TEXT(gate_envelope_type(cases[i].code), cases[i].type);
}

TEST(a_failure_replaces_what_stood_there)
{
        AUTO_JSON cJSON *id = cJSON_CreateString("c\"1");
        struct buffer buffer;

        buffer_init(&buffer, 1024);
        CHECK_EQ(buffer_append_text(&buffer, "old"), 0);
        CHECK_EQ(gate_envelope_write_failure(&buffer, id, COMMAND_NO_DEVICE, "none"), 0);
        CHECK_EQ(buffer_append(&buffer, "", 1), 0);
        CHECK_TEXT(buffer_data(&buffer),
                   "{\"v\":1,\"id\":\"c\\\"1\",\"ok\":false,\"error\":{\"code\":\"NO_DEVICE\","
                   "\"number\":4040,\"type\":\"GPIOZeroError\",\"message\":\"none\"}}");
        buffer_done(&buffer);
}

TEST(one_that_does_not_fit_is_told)
{
        struct buffer buffer;

        buffer_init(&buffer, 20);
        CHECK_EQ(gate_envelope_write_failure(&buffer, NULL, COMMAND_NO_DEVICE, "none"), -EMSGSIZE);
        buffer_done(&buffer);
}
