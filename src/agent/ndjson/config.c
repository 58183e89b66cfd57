#include "agent/ndjson/config.h"

static const struct config_key keys[] = {
        CONFIG_TEXT(struct ndjson_config, host, "host", "0.0.0.0",
                    "the address to listen on, such as 0.0.0.0, :: or 127.0.0.1"),
        CONFIG_INTEGER(struct ndjson_config, port, "port", 3000, 0, 65535,
                       "a TCP port, 0 to 65535; 0 switches it off"),
        CONFIG_INTEGER(struct ndjson_config, tls_port, "tls_port", 0, 0, 65535,
                       "a TCP port, 0 to 65535; 0 switches TLS off"),
        CONFIG_TEXT(struct ndjson_config, socket, "socket", "/run/pifleet/agent.sock",
                    "the path of a Unix socket; \"\" switches it off"),
        CONFIG_SECONDS(struct ndjson_config, idle_timeout, "idle_timeout", 30, 1, 86400,
                       "seconds, 1 to 86400"),
        CONFIG_INTEGER(struct ndjson_config, max_line, "max_line", 16 << 20, 1024, 64 << 20,
                       "bytes, 1024 to 67108864"),
};

struct config_section ndjson_config_section(struct ndjson_config *target)
{
        return (struct config_section){"command", keys, ARRAY_SIZE(keys), target};
}
