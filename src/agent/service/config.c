#include "agent/service/config.h"

static const struct config_key keys[] = {
        CONFIG_TEXTS(struct service_config, services, "services", "*.service", SERVICE_PATTERNS_MAX,
                     "a list of unit names, with * and ? for any: [\"pi-*.service\"]"),
};

struct config_section service_config_section(struct service_config *config)
{
        return (struct config_section){
                .name = "monitor", .keys = keys, .keys_count = ARRAY_SIZE(keys), .target = config};
}
