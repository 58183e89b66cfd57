/* broker/config.h - what pifleet-broker was told by its configuration.
 *
 * One struct, two grammars: our own YAML (config.c) and mosquitto.conf
 * (broker/mosquitto-conf.h), whose defaults are those of mosquitto. Which it is: a name that
 * ends in ".yaml", ".yml" or ".json" is YAML, one in ".conf" is mosquitto's; with other names
 * the first word decides, which has a colon behind it in YAML, or is "{" or "---".
 *
 * A value that is loaded once and stays unchanged while it is used. */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "data/config.h"
#include "mqtt/keep-config.h"
#include "mqtt/limits-config.h"

enum {
        BROKER_LISTENERS_MAX = 256,
        BROKER_ORIGINS_MAX = 64,
        BROKER_PROXIES_MAX = 64,
        BROKER_PREFIXES_MAX = 64,
        BROKER_CONFIG_LENGTH_MAX = 1 << 20, /* bytes of a file */
        BROKER_WARNINGS_MAX = 64,           /* more are counted only */
};

enum broker_grammar { BROKER_GRAMMAR_YAML, BROKER_GRAMMAR_MOSQUITTO };

enum broker_protocol {
        BROKER_PROTOCOL_MQTT,
        BROKER_PROTOCOL_HTTP,      /* MQTT over WebSockets at /mqtt, and operations */
        BROKER_PROTOCOL_WEBSOCKET, /* MQTT over WebSockets at every path, files */
};

enum broker_family { BROKER_FAMILY_ANY, BROKER_FAMILY_IPV4, BROKER_FAMILY_IPV6 };

/* Who comes in without a user name. */
enum broker_anonymous {
        BROKER_ANONYMOUS_NONE,
        BROKER_ANONYMOUS_LOOPBACK, /* from this machine */
        BROKER_ANONYMOUS_ALL,
        BROKER_ANONYMOUS_INHERITED, /* a listener: as for all */
};

enum broker_empty_ids { BROKER_EMPTY_IDS_NO, BROKER_EMPTY_IDS_YES, BROKER_EMPTY_IDS_INHERITED };

/* Who may come in, and what they may do. A listener's own, and below it that of all. */
struct broker_access {
        int anonymous;         /* enum broker_anonymous */
        int empty_client_ids;  /* enum broker_empty_ids: those without an id get one */
        char *assigned_prefix; /* of ids that the broker chooses; NULL: as for all */
        char *password_file;   /* of mosquitto's format; NULL: as for all */
        char *acl_file;        /* the same */
};

enum broker_client_certificates {
        BROKER_CERTIFICATES_NONE,
        BROKER_CERTIFICATES_OPTIONAL,
        BROKER_CERTIFICATES_REQUIRED,
};

enum broker_certificate_user {
        BROKER_CERTIFICATE_USER_NONE,
        BROKER_CERTIFICATE_USER_COMMON_NAME,
        BROKER_CERTIFICATE_USER_SUBJECT, /* of RFC 2253 */
        BROKER_CERTIFICATE_USER_URI,     /* of the alternative names */
};

enum broker_tls_version { BROKER_TLS_1_2, BROKER_TLS_1_3 };
enum broker_proxy { BROKER_PROXY_NONE, BROKER_PROXY_V1, BROKER_PROXY_V2 };

/* -1 where it is said so: as the section `mqtt` has it. */
struct broker_listener {
        char *name;   /* for logs and figures; NULL: what it listens on */
        char *place;  /* "FILE:LINE" where it began; NULL: YAML */
        int protocol; /* enum broker_protocol */

        char *socket;      /* of the file system; NULL: TCP */
        char *socket_mode; /* four octal digits, that of the socket */
        char *host;        /* NULL: all addresses */
        int64_t port;
        int family;      /* enum broker_family, for a host that says nothing */
        char *interface; /* NULL: all */

        int64_t clients; /* 0: as many as all may be */
        int64_t maximum_qos;
        bool retain;
        int64_t aliases, aliases_granted, keep_alive, packet_bytes; /* -1 */
        char *mount_point;
        bool mqtt_3_1, mqtt_3_1_1, mqtt_5;
        int64_t client_messages, client_bytes; /* of each client, a second; 0: no bound */
        int64_t messages, bytes, connects;     /* of all that come through it; the same */

        /* TLS where there is a certificate. */
        char *certificate, *key;
        char *authorities, *authorities_folder, *revoked; /* of clients' certificates */
        int client_certificates;                          /* enum broker_client_certificates */
        bool certificates_of_any_date;                    /* expired ones, too */
        int certificate_user;                             /* enum broker_certificate_user */
        int certificate_client_id;                        /* the same; no other id is taken */
        int tls_version;                                  /* enum broker_tls_version, and up */
        char *ciphers, *cipher_suites;                    /* of 1.2, of 1.3; NULL: the library's */
        bool client_id_is_user;                           /* the user's name is the client id */

        int proxy;                   /* enum broker_proxy */
        bool proxy_tls;              /* whom it passes on came to it by TLS */
        struct config_texts proxies; /* whose word counts; empty: everybody's who connects */

        char *files;                 /* a folder, served over HTTP */
        struct config_texts origins; /* of pages that may connect, beside its own */
        struct broker_access access;
};

/* Who may read GET /metrics. */
enum broker_metrics {
        BROKER_METRICS_OFF,
        BROKER_METRICS_ADMIN,    /* who may use the other operations */
        BROKER_METRICS_LOOPBACK, /* these, and programs on this machine */
        BROKER_METRICS_ALL,
};

struct broker_config {
        char *path; /* NULL: there is no file */
        enum broker_grammar grammar;
        char *state_dir; /* NULL: none, everything is in memory */
        char *pid_file, *user;
        struct config_list listeners; /* of struct broker_listener */
        bool local_only;              /* no listener was asked for; see below */

        struct mqtt_limits_config mqtt;
        int64_t receive_maximum, aliases, aliases_granted;
        int64_t inflight_bytes;                 /* 0: as inflight says */
        int64_t payload_bytes;                  /* 0: as packet_bytes says */
        bool queue_qos0;                        /* for clients that are away */
        bool retain;                            /* of all listeners; each may say no for itself */
        int64_t sys_interval;                   /* seconds; 0: no $SYS */
        struct config_texts client_id_prefixes; /* one of which each id has; none: all may be */
        struct mqtt_keep_config keep;           /* settled */
        struct broker_access access;
        bool check_retain_source; /* rules are asked again whether it could be published now */
        bool anonymous_reads;     /* those without a name may subscribe, and not publish */
        struct config_list users; /* of struct user_setting (access/settings.h) */
        struct config_list acl;   /* of struct rule_setting */

        struct {
                bool local_admin; /* whoever is on this machine needs no login */
                int metrics;      /* enum broker_metrics */
        } operations;
        struct {
                char *file; /* NULL: standard error */
                int level;  /* enum log_level */
                bool connections;
        } log;
        int64_t memory; /* bytes of all buffers of all clients */

        /* What was read and has no effect, "FILE:LINE: ..."; for the log. */
        struct config_texts warnings;
        size_t warnings_lost;
};

/* As if there were an empty file of ours: no listeners. -ENOMEM. */
int broker_config_defaults(struct broker_config *config);
/* Reads `path`. -EINVAL with a sentence that begins with the file, and the line where there is
 * one; -errno of the file; -ENOMEM. On failure *ret holds no memory. */
int broker_config_load(const char *path, struct broker_config *ret, struct error *error);
/* The same from memory; `path` says which grammar it is, and stands in errors. */
int broker_config_parse(const char *path, const char *text, size_t length,
                        struct broker_config *ret, struct error *error);
/* One more listener, with the defaults of ours; *ret is valid until the next. -ENOSPC:
 * BROKER_LISTENERS_MAX are there; -ENOMEM. */
int broker_config_add_listener(struct broker_config *config, struct broker_listener **ret);
/* Without the one at this index: those behind it move up. */
void broker_config_remove_listener(struct broker_config *config, size_t index);
/* What a broker without listeners of its own does: MQTT at these ports of 127.0.0.1 and, where
 * there is IPv6, ::1; without ports at 1883. -ENOMEM, -ENOSPC. */
int broker_config_add_local(struct broker_config *config, const uint16_t ports[], size_t count);
void broker_config_warn(struct broker_config *config, const char *format, ...) PRINTF_LIKE(2, 3);
void broker_config_log_warnings(const struct broker_config *config, struct log *log);
void broker_config_done(struct broker_config *config);

/* Names of clients come of certificates. */
static inline bool broker_listener_asks_names(const struct broker_listener *listener)
{
        return listener->certificate_user != BROKER_CERTIFICATE_USER_NONE ||
               listener->certificate_client_id != BROKER_CERTIFICATE_USER_NONE;
}

/* A listener's own access, and where it says nothing, that of all: nothing is inherited in the
 * result. */
struct broker_access broker_config_access(const struct broker_config *config,
                                          const struct broker_listener *listener);
/* What the broker as a whole grants. */
void broker_config_limits(const struct broker_config *config, struct mqtt_limits *ret);
