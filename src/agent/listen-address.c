#include "agent/listen-address.h"

#include "agent/access/access.h"

#include <string.h>

/* Somebody can come in there who has no token. */
static bool has_users(const struct agent_config *config, const char *section)
{
        const struct gate_config *mqtt = &config->mqtt;

        return strcmp(section, "mqtt") == 0 &&
               (mqtt->users.count > 0 || mqtt->guest != GATE_GUEST_NONE);
}

/* Where proxies bring clients from elsewhere, loopback is no wall. */
static bool is_loopback(const struct agent_config *config, const char *section,
                        const struct net_address *address)
{
        bool proxied = (strcmp(section, "mqtt") == 0 && config->mqtt.proxies.count > 0) ||
                       (strcmp(section, "http") == 0 && config->http.proxies.count > 0);

        return !proxied && net_address_is_loopback(address);
}

int listen_address_find(const struct agent_config *config, struct log *log, const char *section,
                        const char *host, int64_t port, struct net_address *ret,
                        struct error *error)
{
        int r;

        r = net_address_parse(host, (uint16_t)port, ret, error);
        if (r < 0)
                return error_prefix(error, "%s.host: ", section);
        r = access_check_listen(&config->access, host, is_loopback(config, section, ret), error);
        if (r == ACCESS_LISTEN_LOOPBACK_ONLY && has_users(config, section))
                return 0;
        if (r > 0)
                log_warning(log, "access", "%s", error->text);
        if (r == ACCESS_LISTEN_LOOPBACK_ONLY)
                return net_address_parse("127.0.0.1", (uint16_t)port, ret, error);
        return r < 0 ? r : 0;
}

int listen_address_find_local(const char *section, const char *path, struct net_address *ret,
                              struct error *error)
{
        int r;

        if (!path || path[0] == '\0')
                return 1;
        r = net_address_local(path, ret);
        return r == 0 ? 0
                      : error_set(error, r, "%s.socket: %s is too long for a socket's path",
                                  section, path);
}
