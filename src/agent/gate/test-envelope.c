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

/* What becomes of a reply of the command server, quotes written as '. */
static void check_envelope(const char *reply, bool with_id, const char *expected)
{
        struct buffer text, buffer;

        buffer_init(&text, 1024);
        buffer_init(&buffer, 1024);
        CHECK_EQ(buffer_append_text(&text, reply), 0);
        for (size_t i = 0; i < buffer_length(&text); i++) {
                if (buffer_data(&text)[i] == '\'')
                        buffer_data(&text)[i] = '"';
        }
        CHECK_EQ(buffer_append_text(&buffer, "old"), 0);
        CHECK_EQ(gate_envelope_write(&buffer, buffer_data(&text), buffer_length(&text), with_id),
                 0);
        for (size_t i = 0; i < buffer_length(&buffer); i++) {
                if (buffer_data(&buffer)[i] == '"')
                        buffer_data(&buffer)[i] = '\'';
        }
        CHECK_EQ(buffer_append(&buffer, "", 1), 0);
        CHECK_TEXT(buffer_data(&buffer), expected);
        buffer_done(&buffer);
        buffer_done(&text);
}

TEST(a_result_is_the_reply_without_what_the_envelope_says)
{
        check_envelope("{'success':true,'type':'pong','timestamp':1.500,'id':'c1','uptime':7}",
                       true,
                       "{'v':1,'id':'c1','ok':true,"
                       "'result':{'type':'pong','timestamp':1.5,'uptime':7}}");
        /* An `id` that a module gave out is no request's. */
        check_envelope("{'success':true,'type':'t','id':5}", false,
                       "{'v':1,'ok':true,'result':{'type':'t','id':5}}");
}

TEST(a_failure_has_its_code_its_number_and_its_exception)
{
        check_envelope("{'success':false,'type':'error','timestamp':1,'id':7,'error':'taken',"
                       "'code':'PIN_IN_USE','pid':12,'consumer':'lg'}",
                       true,
                       "{'v':1,'id':7,'ok':false,'error':{'code':'PIN_IN_USE','number':4095,"
                       "'type':'GPIOPinInUse','message':'taken','data':{'pid':12,"
                       "'consumer':'lg'}}}");
        check_envelope("{'success':false,'type':'error','timestamp':1,'error':'later',"
                       "'code':'BUSY','retry_ms':1000}",
                       false,
                       "{'v':1,'ok':false,'error':{'code':'BUSY','number':4290,"
                       "'type':'GPIOZeroError','message':'later','retry_ms':1000}}");
}

TEST(a_failure_that_a_module_made_has_one_of_our_codes)
{
        check_envelope("{'success':false,'type':'x','code':'MINE','n':1}", false,
                       "{'v':1,'ok':false,'error':{'code':'HARDWARE','number':5000,"
                       "'type':'PinError','message':'the command failed',"
                       "'data':{'code':'MINE','n':1}}}");
        check_envelope("{'success':false,'code':7,'error':{'a':1},'id':3}", false,
                       "{'v':1,'ok':false,'error':{'code':'HARDWARE','number':5000,"
                       "'type':'PinError','message':'the command failed',"
                       "'data':{'code':7,'id':3}}}");
}

TEST(one_that_does_not_fit_or_is_no_reply_is_told)
{
        static const char reply[] = "{\"success\":true,\"type\":\"pong\"}";
        struct buffer buffer;

        buffer_init(&buffer, 20);
        CHECK_EQ(gate_envelope_write(&buffer, reply, sizeof(reply) - 1, false), -EMSGSIZE);
        CHECK_EQ(gate_envelope_write(&buffer, "{", 1, false), -EBADMSG);
        buffer_done(&buffer);
}
