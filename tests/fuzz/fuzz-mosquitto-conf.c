/* Fuzzes the reader of mosquitto.conf: whatever comes is a configuration that the broker can use,
 * or a sentence with its line. Files of other folders are not read: include_dir is left out. */
#include "broker/config.h"
#include "fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static void check(const struct broker_config *config)
{
        const struct broker_listener *listeners = config->listeners.items;
        struct mqtt_limits limits;

        MUST(config->listeners.count <= BROKER_LISTENERS_MAX);
        MUST(config->warnings.count <= BROKER_WARNINGS_MAX);
        broker_config_limits(config, &limits);
        MUST(limits.packet_bytes >= 20 && limits.inflight > 0 && limits.receive_maximum > 0);
        MUST(limits.queue_messages > 0 && limits.queue_bytes > 0);
        MUST(config->keep.sessions != MQTT_KEEP_DEFAULT);
        for (size_t i = 0; i < config->listeners.count; i++) {
                const struct broker_access access = broker_config_access(config, &listeners[i]);

                MUST(listeners[i].port >= 0 && listeners[i].port <= UINT16_MAX);
                MUST(listeners[i].socket || listeners[i].port > 0);
                MUST(listeners[i].maximum_qos >= 0 && listeners[i].maximum_qos <= 2);
                MUST(!listeners[i].certificate == !listeners[i].key);
                MUST(access.anonymous != BROKER_ANONYMOUS_INHERITED);
                MUST(access.empty_client_ids != BROKER_EMPTY_IDS_INHERITED);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        struct broker_config config;
        struct error error = {0};
        unsigned line;
        int r;

        if (memmem(bytes, count, "include_dir", 11))
                return 0;
        r = broker_config_parse("f.conf", (const char *)bytes, count, &config, &error);
        MUST(error.code == r);
        if (r < 0) {
                MUST(r == -EINVAL || r == -EFBIG);
                MUST(r == -EFBIG || sscanf(error.text, "f.conf:%u: ", &line) == 1);
                MUST(!config.listeners.items && !config.path);
                return 0;
        }
        check(&config);
        broker_config_done(&config);
        return 0;
}
