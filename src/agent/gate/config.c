#include "agent/gate/config.h"

#include "agent/gate/users.h"
#include "net/networks.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <string.h>

enum { PROXIES_MAX = 64 };

static const char *const guests[] = {"none", "viewer", NULL};

static const struct config_key keys[] = {
        CONFIG_BOOL(struct gate_config, enabled, "enabled", true),
        CONFIG_TEXT(struct gate_config, host, "host", "127.0.0.1",
                    "the address to listen on, such as 127.0.0.1, 0.0.0.0 or ::"),
        CONFIG_INTEGER(struct gate_config, port, "port", 1883, 0, 65535,
                       "a TCP port, 0 to 65535; 0: any that is free"),
        CONFIG_TEXT(struct gate_config, tls_host, "tls_host", NULL,
                    "the address for TLS; without it that of host"),
        CONFIG_INTEGER(struct gate_config, tls_port, "tls_port", 0, 0, 65535,
                       "a TCP port, 0 to 65535, such as 8883; 0 switches TLS off"),
        CONFIG_TEXT(struct gate_config, socket, "socket", NULL,
                    "the path of a Unix socket; without it there is none"),
        CONFIG_TEXTS(struct gate_config, proxies, "proxies", "", PROXIES_MAX,
                     "addresses and networks of proxies, such as 192.0.2.0/24"),
        CONFIG_TEXT(struct gate_config, topic, "topic", "pi",
                    "a topic of at most 64 bytes that all of ours begin with, such as pi"),
        MQTT_KEEP_KEYS(struct gate_config, keep),
        CONFIG_CHOICE(struct gate_config, guest, "guest", GATE_GUEST_NONE, guests,
                      "viewer, or none: nobody comes in without a password"),
        CONFIG_LIST(struct gate_config, users, "users", struct user_setting, user_setting_keys,
                    GATE_USERS_MAX, USER_SETTING_EXPECTED),
        CONFIG_LIST(struct gate_config, acl, "acl", struct rule_setting, rule_setting_keys,
                    GATE_RULES_MAX, RULE_SETTING_EXPECTED),
        MQTT_LIMITS_KEYS(struct gate_config, limits),
};

struct config_section gate_config_section(struct gate_config *target)
{
        return (struct config_section){"mqtt", keys, ARRAY_SIZE(keys), target};
}

static int check_users(const struct gate_config *config, struct error *error)
{
        AUTO(user_table) struct user_table *users = NULL;
        AUTO(acl) struct acl *acl = NULL;

        return gate_users_make(config, &users, &acl, error);
}

int gate_config_check(const struct gate_config *config, struct error *error)
{
        size_t length = strlen(config->topic);
        struct mqtt_text topic = {config->topic, (uint16_t)length};

        if (length == 0 || length > GATE_TOPIC_MAX)
                return error_set(error, -EINVAL, "mqtt.topic: has 1 to %d bytes", GATE_TOPIC_MAX);
        if (config->topic[0] == '$' || config->topic[0] == '/' ||
            config->topic[length - 1] == '/' || strstr(config->topic, "//") ||
            !mqtt_topic_name_is_valid(topic))
                return error_set(error, -EINVAL,
                                 "mqtt.topic: \"%s\" is not a base for topics; it begins with no "
                                 "'$', has no wildcards and no empty levels",
                                 config->topic);
        if (net_networks_check(config->proxies.items, config->proxies.count, error) < 0)
                return error_prefix(error, "mqtt.proxies: ");
        return check_users(config, error);
}

void gate_config_limits(const struct gate_config *config, struct mqtt_limits *ret)
{
        mqtt_limits_config_apply(&config->limits, ret);
}
