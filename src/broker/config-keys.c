/* The keys of our own grammar. Those of the listeners hold for every protocol; what makes no
 * sense together is refused by config-check.c. */
#include "access/settings.h"
#include "base/log.h"
#include "broker/config-internal.h"

#define AS_ALL "-1: as the section `mqtt` has it"
#define RATE "a number, 0 to 4294967295; 0: no bound"
#define MIB (1 << 20)

static const char *const protocols[] = {"mqtt", "http", "websocket", NULL};
static const char *const families[] = {"any", "ipv4", "ipv6", NULL};
static const char *const anonymous[] = {"none", "loopback", "all", "inherited", NULL};
static const char *const yes_or_no[] = {"false", "true", "inherited", NULL};
static const char *const certificates[] = {"none", "optional", "required", NULL};
static const char *const certificate_users[] = {"none", "common_name", "subject", "uri", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const proxies[] = {"none", "v1", "v2", NULL};
static const char *const metrics[] = {"off", "admin", "loopback", "all", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};

#define PATH_OF(what) "the path of " what

/* Of a listener and of all; `anonymous_` and `empty_` are what holds where nothing is said. */
#define ACCESS_KEYS(struct_type, anonymous_, empty_)                                               \
        CONFIG_CHOICE(struct_type, access.anonymous, "anonymous", anonymous_, anonymous,           \
                      "who comes in without a user name: none, loopback, all"),                    \
                CONFIG_CHOICE(struct_type, access.empty_client_ids, "empty_client_ids", empty_,    \
                              yes_or_no, "true or false"),                                         \
                CONFIG_TEXT(struct_type, access.assigned_prefix, "assigned_prefix", NULL,          \
                            "what client ids begin with that the broker chooses"),                 \
                CONFIG_TEXT(struct_type, access.password_file, "password_file", NULL,              \
                            PATH_OF("a file of users and their passwords, as mosquitto has it")),  \
                CONFIG_TEXT(struct_type, access.acl_file, "acl_file", NULL,                        \
                            PATH_OF("a file of who may do what, as mosquitto has it"))

static const struct config_key listener_keys[] = {
        CONFIG_TEXT(struct broker_listener, name, "name", NULL, "a name for logs and figures"),
        CONFIG_CHOICE(struct broker_listener, protocol, "protocol", BROKER_PROTOCOL_MQTT, protocols,
                      "mqtt; http: MQTT over WebSockets at /mqtt, and operations; websocket: MQTT "
                      "over WebSockets at every path"),

        CONFIG_TEXT(struct broker_listener, socket, "socket", NULL, PATH_OF("a Unix socket")),
        CONFIG_TEXT(struct broker_listener, socket_mode, "socket_mode", "0660",
                    "the mode of the socket, four octal digits such as 0660"),
        CONFIG_TEXT(struct broker_listener, host, "host", "localhost",
                    "the address to listen on; localhost: 127.0.0.1 and ::1; \"*\": all"),
        CONFIG_INTEGER(struct broker_listener, port, "port", 1883, 0, 65535,
                       "a TCP port, 0 to 65535; 0: any that is free"),
        CONFIG_CHOICE(struct broker_listener, family, "family", BROKER_FAMILY_ANY, families,
                      "any, ipv4 or ipv6, for all addresses and localhost"),
        CONFIG_TEXT(struct broker_listener, interface, "interface", NULL,
                    "the name of a network interface, such as eth0"),

        CONFIG_INTEGER(struct broker_listener, clients, "clients", 0, 0, 1000000,
                       "how many clients at once; 0: as many as all may be"),
        CONFIG_INTEGER(struct broker_listener, maximum_qos, "maximum_qos", 2, 0, 2, "0, 1 or 2"),
        CONFIG_BOOL(struct broker_listener, retain, "retain", true),
        CONFIG_INTEGER(struct broker_listener, aliases, "topic_aliases", -1, -1, UINT16_MAX,
                       "topic aliases of a client; " AS_ALL),
        CONFIG_INTEGER(struct broker_listener, aliases_granted, "topic_aliases_granted", -1, -1,
                       UINT16_MAX, "topic aliases towards a client; " AS_ALL),
        CONFIG_INTEGER(struct broker_listener, keep_alive, "keep_alive", -1, -1, UINT16_MAX,
                       "seconds, the longest keep-alive; 0: as the client wishes; " AS_ALL),
        CONFIG_INTEGER(struct broker_listener, packet_bytes, "packet_bytes", -1, -1, 64 * MIB,
                       "bytes of a client's packet, 20 to 67108864; " AS_ALL),
        CONFIG_TEXT(struct broker_listener, mount_point, "mount_point", NULL,
                    "what stands before all topics of these clients, such as site/"),
        CONFIG_BOOL(struct broker_listener, mqtt_3_1, "mqtt_3_1", true),
        CONFIG_BOOL(struct broker_listener, mqtt_3_1_1, "mqtt_3_1_1", true),
        CONFIG_BOOL(struct broker_listener, mqtt_5, "mqtt_5", true),
        CONFIG_INTEGER(struct broker_listener, client_messages, "client_messages_per_second", 0, 0,
                       UINT32_MAX, RATE),
        CONFIG_INTEGER(struct broker_listener, client_bytes, "client_bytes_per_second", 0, 0,
                       UINT32_MAX, RATE),
        CONFIG_INTEGER(struct broker_listener, messages, "messages_per_second", 0, 0, UINT32_MAX,
                       RATE),
        CONFIG_INTEGER(struct broker_listener, bytes, "bytes_per_second", 0, 0, UINT32_MAX, RATE),
        CONFIG_INTEGER(struct broker_listener, connects, "connects_per_second", 0, 0, UINT32_MAX,
                       RATE),

        CONFIG_TEXT(struct broker_listener, certificate, "certificate", NULL,
                    PATH_OF("a PEM file: the certificate and its chain")),
        CONFIG_TEXT(struct broker_listener, key, "key", NULL,
                    PATH_OF("a PEM file: the certificate's private key")),
        CONFIG_CHOICE(struct broker_listener, client_certificates, "client_certificates",
                      BROKER_CERTIFICATES_NONE, certificates, "none, optional or required"),
        CONFIG_BOOL(struct broker_listener, certificates_of_any_date, "certificates_of_any_date",
                    false),
        CONFIG_TEXT(struct broker_listener, authorities, "authorities", NULL,
                    PATH_OF("a PEM file: who signs clients' certificates")),
        CONFIG_TEXT(struct broker_listener, authorities_folder, "authorities_folder", NULL,
                    PATH_OF("a folder of such files, named by `openssl rehash`")),
        CONFIG_TEXT(struct broker_listener, revoked, "revoked", NULL,
                    PATH_OF("a PEM file: certificates that count no more")),
        CONFIG_CHOICE(struct broker_listener, certificate_user, "certificate_user",
                      BROKER_CERTIFICATE_USER_NONE, certificate_users,
                      "what of a client's certificate is its user's name: none, common_name, "
                      "subject or uri"),
        CONFIG_CHOICE(struct broker_listener, certificate_client_id, "certificate_client_id",
                      BROKER_CERTIFICATE_USER_NONE, certificate_users,
                      "what of a client's certificate is its client id: none, common_name, "
                      "subject or uri"),
        CONFIG_CHOICE(struct broker_listener, tls_version, "tls_version", BROKER_TLS_1_2,
                      tls_versions, "the lowest version, 1.2 or 1.3"),
        CONFIG_TEXT(struct broker_listener, ciphers, "ciphers", NULL,
                    "ciphers of TLS 1.2 as openssl-ciphers(1) takes them"),
        CONFIG_TEXT(struct broker_listener, cipher_suites, "cipher_suites", NULL,
                    "cipher suites of TLS 1.3 with colons between them"),
        CONFIG_BOOL(struct broker_listener, client_id_is_user, "client_id_is_user", false),

        CONFIG_CHOICE(struct broker_listener, proxy, "proxy_protocol", BROKER_PROXY_NONE, proxies,
                      "none, v1 or v2"),
        CONFIG_BOOL(struct broker_listener, proxy_tls, "proxy_requires_tls", false),
        CONFIG_TEXTS(struct broker_listener, proxies, "proxies", NULL, BROKER_PROXIES_MAX,
                     "addresses and networks of the proxies, such as 192.0.2.0/24"),
        CONFIG_TEXT(struct broker_listener, files, "files", NULL,
                    PATH_OF("a folder that is served over HTTP")),
        CONFIG_TEXTS(struct broker_listener, origins, "origins", NULL, BROKER_ORIGINS_MAX,
                     "origins of pages that may connect, such as https://example.org"),
        ACCESS_KEYS(struct broker_listener, BROKER_ANONYMOUS_INHERITED, BROKER_EMPTY_IDS_INHERITED),
};

static const struct config_key top_keys[] = {
        CONFIG_TEXT(struct broker_config, state_dir, "state_dir", NULL,
                    PATH_OF("the folder that keeps what must survive a restart")),
        CONFIG_TEXT(struct broker_config, pid_file, "pid_file", NULL,
                    PATH_OF("a file for the number of the process")),
        CONFIG_TEXT(struct broker_config, user, "user", NULL,
                    "the name of the user that it becomes when root starts it"),
        CONFIG_LIST(struct broker_config, listeners, "listeners", struct broker_listener,
                    listener_keys, BROKER_LISTENERS_MAX, "at most 256 listeners"),
};

static const struct config_key mqtt_keys[] = {
        MQTT_LIMITS_KEYS(struct broker_config, mqtt),
        CONFIG_INTEGER(struct broker_config, receive_maximum, "receive_maximum", 1024, 1,
                       UINT16_MAX, "how many QoS 2 messages of a client under way"),
        CONFIG_INTEGER(struct broker_config, aliases, "topic_aliases", 32, 0, UINT16_MAX,
                       "topic aliases of a client"),
        CONFIG_INTEGER(struct broker_config, aliases_granted, "topic_aliases_granted", 32, 0,
                       UINT16_MAX, "topic aliases towards a client"),
        CONFIG_INTEGER(struct broker_config, inflight_bytes, "inflight_bytes", 0, 0, UINT32_MAX,
                       "bytes of QoS 1 and 2 under way to a client; 0: as `inflight` says"),
        CONFIG_INTEGER(struct broker_config, payload_bytes, "payload_bytes", 0, 0, 268435455,
                       "bytes of a message's payload; 0: as `packet_bytes` says"),
        CONFIG_BOOL(struct broker_config, queue_qos0, "queue_qos_0", false),
        CONFIG_BOOL(struct broker_config, retain, "retain", true),
        CONFIG_INTEGER(struct broker_config, sys_interval, "sys_interval", 10, 0, 65535,
                       "seconds between the messages below $SYS; 0: none"),
        CONFIG_TEXTS(struct broker_config, client_id_prefixes, "client_id_prefixes", NULL,
                     BROKER_PREFIXES_MAX, "texts, one of which every client id begins with"),
        MQTT_KEEP_KEYS(struct broker_config, keep),
};

static const struct config_key access_keys[] = {
        ACCESS_KEYS(struct broker_config, BROKER_ANONYMOUS_LOOPBACK, BROKER_EMPTY_IDS_YES),
        CONFIG_BOOL(struct broker_config, anonymous_reads, "anonymous_reads_only", false),
        CONFIG_BOOL(struct broker_config, check_retain_source, "check_retain_source", true),
        CONFIG_LIST(struct broker_config, users, "users", struct user_setting, user_setting_keys,
                    USERS_MAX, USER_SETTING_EXPECTED),
        CONFIG_LIST(struct broker_config, acl, "acl", struct rule_setting, rule_setting_keys,
                    ACL_RULES_MAX, RULE_SETTING_EXPECTED),
};

static const struct config_key operations_keys[] = {
        CONFIG_BOOL(struct broker_config, operations.local_admin, "local_admin", false),
        CONFIG_CHOICE(struct broker_config, operations.metrics, "metrics", BROKER_METRICS_LOOPBACK,
                      metrics, "who may read them: off, admin, loopback or all"),
};

static const struct config_key log_keys[] = {
        CONFIG_TEXT(struct broker_config, log.file, "file", NULL,
                    PATH_OF("a file; without it the log goes to standard error")),
        CONFIG_CHOICE(struct broker_config, log.level, "level", LOG_LEVEL_INFO, levels,
                      "error, warning, info or debug"),
        CONFIG_BOOL(struct broker_config, log.connections, "connections", false),
};

static const struct config_key limits_keys[] = {
        CONFIG_INTEGER(struct broker_config, memory, "memory", 1 << 30, 1 << 20, UINT32_MAX,
                       "bytes, 1048576 and up, for all that clients make us hold"),
};

struct broker_sections broker_sections_of(struct broker_config *config)
{
        return (struct broker_sections){{
                {NULL, top_keys, ARRAY_SIZE(top_keys), config},
                {"mqtt", mqtt_keys, ARRAY_SIZE(mqtt_keys), config},
                {"access", access_keys, ARRAY_SIZE(access_keys), config},
                {"operations", operations_keys, ARRAY_SIZE(operations_keys), config},
                {"log", log_keys, ARRAY_SIZE(log_keys), config},
                {"limits", limits_keys, ARRAY_SIZE(limits_keys), config},
        }};
}

struct config_section broker_listener_section(struct broker_listener *listener)
{
        return (struct config_section){NULL, listener_keys, ARRAY_SIZE(listener_keys), listener};
}
