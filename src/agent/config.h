/* agent/config.h - everything the agent can be told: defaults, the file over
 * them, the flags over both. Each room brings its own section. */
#pragma once

#include "agent/access/config.h"
#include "agent/gate/config.h"
#include "agent/gpio/config.h"
#include "agent/handler/config.h"
#include "agent/ndjson/config.h"
#include "agent/service/config.h"
#include "agent/web/config.h"
#include "base/error.h"
#include "net/tls.h"

enum agent_profile { AGENT_PROFILE_STANDARD, AGENT_PROFILE_APPLIANCE };

/* Sections of rooms that are not part of this release: accepted, so that one
 * file serves several releases, and named in the log. */
enum { AGENT_RESERVED_SECTIONS = 2 };

struct agent_config {
        char *path; /* of the file; NULL: there is none */
        char *state_dir;
        int profile;
        struct ndjson_config command;
        struct access_config access;
        struct gpio_config gpio;
        struct service_config monitor;
        struct handler_config handlers;
        struct gate_config mqtt;
        struct web_config http;
        struct {
                char *certificate, *key;     /* PEM files */
                char *authorities, *revoked; /* of clients' certificates, the same */
                int client_certificates;     /* enum net_tls_peers */
                int version;                 /* enum net_tls_version, and up */
        } tls;
        struct {
                char *file; /* absent: standard error */
                int level;  /* enum log_level */
        } log;
        struct {
                int64_t connections; /* 0: as many as descriptors allow */
                int64_t memory;      /* bytes that peers may make us hold */
        } limits;
        bool reserved[AGENT_RESERVED_SECTIONS];
};

/* What all listeners with TLS have; texts are the configuration's. */
struct net_tls_options agent_config_tls(const struct agent_config *config);

/* Outcomes beside 0 (go on). */
enum {
        AGENT_CONFIG_DONE = 1, /* --help, --version, --check-config: said on stdout, exit 0 */
};

/* Reads the command line and the file it names. -EINVAL and others with a
 * sentence; *ret then holds no memory. */
int agent_config_load(struct agent_config *ret, int argc, char *argv[], struct error *error);
/* Reads the file of `config` again, for what may change while the agent runs: users and rules of
 * MQTT. -EINVAL and others with a sentence; *ret then holds no memory. */
int agent_config_read_again(const struct agent_config *config, struct agent_config *ret,
                            struct error *error);
void agent_config_done(struct agent_config *config);
/* The name of a reserved section that the file has; NULL: no more. Start with
 * *position = 0. */
const char *agent_config_next_reserved(const struct agent_config *config, size_t *position);
