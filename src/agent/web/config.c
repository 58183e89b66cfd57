#include "agent/web/config.h"

#include "net/networks.h"

enum { NAMES_MAX = 16, PROXIES_MAX = 64 };

static const char *const metrics[] = {"off", "viewer", "loopback", "open", NULL};

static const struct config_key keys[] = {
        CONFIG_BOOL(struct web_config, enabled, "enabled", true),
        CONFIG_TEXT(struct web_config, host, "host", "127.0.0.1",
                    "the address to listen on, such as 127.0.0.1, 0.0.0.0 or ::"),
        CONFIG_INTEGER(struct web_config, port, "port", 8080, 0, 65535,
                       "a TCP port, 0 to 65535; 0: any that is free"),
        CONFIG_TEXT(struct web_config, tls_host, "tls_host", NULL,
                    "the address for TLS; without it that of host"),
        CONFIG_INTEGER(struct web_config, tls_port, "tls_port", 0, 0, 65535,
                       "a TCP port, 0 to 65535; 0 switches TLS off"),
        CONFIG_TEXTS(struct web_config, proxies, "proxies", "", PROXIES_MAX,
                     "addresses and networks of proxies, such as 192.0.2.0/24"),
        CONFIG_TEXT(struct web_config, page, "page", NULL,
                    "the path of a folder with files to serve; without it there are none"),
        CONFIG_CHOICE(struct web_config, metrics, "metrics", WEB_METRICS_VIEWER, metrics,
                      "who reads /metrics without a token: off, viewer, loopback or open"),
        CONFIG_TEXTS(struct web_config, names, "names", "", NAMES_MAX,
                     "at most 16 names that browsers call this machine by"),
        CONFIG_INTEGER(struct web_config, connections, "connections", 256, 1, 100000,
                       "how many connections at once, 1 to 100000"),
        CONFIG_INTEGER(struct web_config, event_streams, "event_streams", 32, 0, 1024,
                       "how many readers of events at once, 0 to 1024"),
        CONFIG_SECONDS(struct web_config, timeout, "timeout", 300, 1, 86400,
                       "seconds, 1 to 86400, until a command has to be answered"),
};

struct config_section web_config_section(struct web_config *target)
{
        return (struct config_section){"http", keys, ARRAY_SIZE(keys), target};
}

int web_config_check(const struct web_config *config, struct error *error)
{
        int r = net_networks_check(config->proxies.items, config->proxies.count, error);

        return r < 0 ? error_prefix(error, "http.proxies: ") : 0;
}
