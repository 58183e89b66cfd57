/* agent/gate/config.h - the section `mqtt` of the configuration: where the broker listens, and
 * what it grants. */
#pragma once

#include "access/settings.h"
#include "base/error.h"
#include "data/config.h"
#include "mqtt/keep-config.h"
#include "mqtt/limits-config.h"

enum {
        GATE_TOPIC_MAX = 64, /* bytes of the base topic */
        GATE_USERS_MAX = 1000,
        GATE_RULES_MAX = 10000,
};

enum gate_guest { GATE_GUEST_NONE, GATE_GUEST_VIEWER };

struct gate_config {
        bool enabled;
        char *host;
        int64_t port;     /* 0: any that is free */
        char *tls_host;   /* absent: the same as `host` */
        int64_t tls_port; /* 0: no TLS */
        char *socket;     /* absent: no Unix socket */
        /* Who may connect to `port`, and begins with the PROXY protocol; none: everybody, without
         * it. */
        struct config_texts proxies;
        char *topic; /* the base of all topics of ours */
        struct mqtt_keep_config keep;
        int guest;                /* enum gate_guest: what somebody without a password may do */
        struct config_list users; /* of struct user_setting, beside the tokens */
        struct config_list acl;   /* of struct rule_setting, for topics that are not ours */
        struct mqtt_limits_config limits;
};

struct config_section gate_config_section(struct gate_config *target);
/* What a table of keys cannot say: the base topic is one, and users and rules are some. -EINVAL
 * with a sentence; -ENOMEM, -EIO. */
int gate_config_check(const struct gate_config *config, struct error *error);
/* The defaults, and over them what the section says. */
void gate_config_limits(const struct gate_config *config, struct mqtt_limits *ret);
