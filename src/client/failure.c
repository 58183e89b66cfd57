#include "client/failure.h"

#include "base/attributes.h"

#include <errno.h>
#include <mosquitto.h>
#include <string.h>

static const struct failure {
        int result, code;
        const char *sentence; /* %s: the broker's name */
} failures[] = {
        {MOSQ_ERR_CONN_LOST, -ECONNRESET, "%s closed the connection"},
        {MOSQ_ERR_NO_CONN, -ENOTCONN, "there is no connection to %s"},
        {MOSQ_ERR_CONN_REFUSED, -ECONNREFUSED, "%s refused the connection"},
        {MOSQ_ERR_KEEPALIVE, -ETIMEDOUT, "%s has not answered for longer than the keep-alive"},
        {MOSQ_ERR_PROTOCOL, -EPROTO,
         "what answers at %s does not speak MQTT 5 as the standard has it"},
        {MOSQ_ERR_MALFORMED_PACKET, -EPROTO,
         "what answers at %s does not speak MQTT 5 as the standard has it"},
        {MOSQ_ERR_DUPLICATE_PROPERTY, -EPROTO,
         "what answers at %s does not speak MQTT 5 as the standard has it"},
        {MOSQ_ERR_TOPIC_ALIAS_INVALID, -EPROTO,
         "what answers at %s does not speak MQTT 5 as the standard has it"},
        {MOSQ_ERR_TLS, -EPROTO,
         "no TLS connection to %s: it does not speak TLS, or its certificate is not trusted"},
        {MOSQ_ERR_TLS_HANDSHAKE, -EPROTO,
         "no TLS connection to %s: it does not speak TLS, or its certificate is not trusted"},
        {MOSQ_ERR_OVERSIZE_PACKET, -EMSGSIZE, "that is larger than %s takes"},
        {MOSQ_ERR_PAYLOAD_SIZE, -EMSGSIZE, "that is larger than MQTT can carry, to %s or anybody"},
        {MOSQ_ERR_QOS_NOT_SUPPORTED, -ENOTSUP, "%s does not have this QoS"},
        {MOSQ_ERR_RETAIN_NOT_SUPPORTED, -ENOTSUP, "%s retains no messages"},
        {MOSQ_ERR_INVAL, -EINVAL, "that cannot be sent to %s: a topic or a value is not valid"},
        {MOSQ_ERR_MALFORMED_UTF8, -EINVAL, "that cannot be sent to %s: not text in UTF-8"},
        {MOSQ_ERR_EAI, -ENOENT, "the host of %s cannot be found"},
        {MOSQ_ERR_LOOKUP, -ENOENT, "the host of %s cannot be found"},
};

int client_failure(int result, int number, const char *name, struct error *error)
{
        if (result == MOSQ_ERR_NOMEM)
                return error_set(error, -ENOMEM, "out of memory");
        if (result == MOSQ_ERR_ERRNO && number > 0)
                return error_set(error, -number, "the connection to %s failed: %s", name,
                                 strerror(number));
        for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
                if (failures[i].result == result) {
                        const char *end = strstr(failures[i].sentence, "%s");

                        return error_set(error, failures[i].code, "%.*s%s%s",
                                         (int)(end - failures[i].sentence), failures[i].sentence,
                                         name, end + 2);
                }
        return error_set(error, -EIO, "the connection to %s failed: %s", name,
                         mosquitto_strerror(result));
}

int client_failure_reason(uint8_t reason, const char *what, const char *words, struct error *error)
{
        return error_set(error, reason, "%s: %s (0x%02x)%s%s", what,
                         mosquitto_reason_string(reason), reason, words && *words ? ": " : "",
                         words ? words : "");
}
