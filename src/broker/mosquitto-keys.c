/* The keys of mosquitto.conf, and what this broker makes of each. */
#include "base/spelling.h"
#include "broker/mosquitto-value.h"

#include <stdio.h>
#include <string.h>

#define BRIDGE "bridges are not part of this broker: remove the section, or let mosquitto bridge"
#define PLUGIN "plugins are not loaded: users and rights come from `password_file` and `acl_file`"
#define PSK "pre-shared keys are not part of this broker: use `certfile` and `keyfile`"
#define ENGINE "keys are read from files: use `keyfile`"
#define SAVED "with `persistence true` every change is written within a second"
#define SYSLOG "the log goes to standard error or a file, not to syslog"
#define TIMES "each line of the log has its time, but in systemd's journal, which has its own"
#define BUFFERS "buffers grow and shrink with what is in them"

#define GLOBAL(member) MOSQUITTO_GLOBAL, offsetof(struct broker_config, member)
#define LISTENER(member) MOSQUITTO_LISTENER, offsetof(struct broker_listener, member)
#define NAMED(member) MOSQUITTO_NAMED, offsetof(struct broker_listener, member)
#define ACCESS(member) MOSQUITTO_ACCESS, offsetof(struct broker_access, member)
#define NOTHING(note) MOSQUITTO_GLOBAL, 0, 0, 0, note
#define SIGNED_MAX INT32_MAX

static const struct mosquitto_key keys[] = {
        {"accept_protocol_versions", mosquitto_read_versions, NAMED(mqtt_5)},
        {"acl_file", mosquitto_read_text, ACCESS(acl_file)},
        {"address", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"addresses", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"allow_anonymous", mosquitto_read_anonymous, ACCESS(anonymous)},
        {"allow_duplicate_messages", mosquitto_ignore,
         NOTHING("overlapping subscriptions get one message")},
        {"allow_zero_length_clientid", mosquitto_read_empty_ids, ACCESS(empty_client_ids)},
        {"auth_plugin", mosquitto_refuse_key, NOTHING(PLUGIN)},
        {"auth_plugin_deny_special_chars", mosquitto_refuse_key, NOTHING(PLUGIN)},
        {"auto_id_prefix", mosquitto_read_prefix, ACCESS(assigned_prefix)},
        {"autosave_interval", mosquitto_ignore, NOTHING(SAVED)},
        {"autosave_on_changes", mosquitto_ignore, NOTHING(SAVED)},
        {"bind_address", mosquitto_read_bind_address, NOTHING(NULL)},
        {"bind_interface", mosquitto_read_text, LISTENER(interface)},
        {"bridge_alpn", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_attempt_unsubscribe", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_bind_address", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_cafile", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_capath", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_certfile", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_ciphers", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_ciphers_tls1.3", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_identity", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_insecure", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_keyfile", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_max_packet_size", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_max_topic_alias", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_outgoing_retain", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_protocol_version", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_psk", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_receive_maximum", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_reload_type", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_require_ocsp", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_session_expiry_interval", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_tcp_keepalive", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_tcp_user_timeout", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_tls_use_os_certs", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"bridge_tls_version", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"cafile", mosquitto_read_path, LISTENER(authorities)},
        {"capath", mosquitto_read_path, LISTENER(authorities_folder)},
        {"certfile", mosquitto_read_path, LISTENER(certificate)},
        {"check_retain_source", mosquitto_read_flag, GLOBAL(check_retain_source)},
        {"ciphers", mosquitto_read_path, LISTENER(ciphers)},
        {"ciphers_tls1.3", mosquitto_read_path, LISTENER(cipher_suites)},
        {"cleansession", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"clientid", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"clientid_prefixes", mosquitto_read_append, GLOBAL(client_id_prefixes), 0, 1},
        {"connection", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"connection_messages", mosquitto_read_flag, GLOBAL(log.connections)},
        {"crlfile", mosquitto_read_path, LISTENER(revoked)},
        {"dhparamfile", mosquitto_ignore,
         NOTHING("the library chooses parameters that fit the key")},
        {"disable_client_cert_date_checks", mosquitto_read_flag, NAMED(certificates_of_any_date)},
        {"enable_control_api", mosquitto_refuse_true,
         NOTHING("there are no topics below $CONTROL: the operations over HTTP do the same")},
        {"enable_proxy_protocol", mosquitto_read_proxy, NAMED(proxy), 1, 2},
        {"global_max_clients", mosquitto_read_bound, GLOBAL(mqtt.sessions), -1, 10000000},
        {"global_max_connections", mosquitto_read_bound, GLOBAL(mqtt.clients), -1, 1000000},
        {"global_plugin", mosquitto_refuse_key, NOTHING(PLUGIN)},
        {"http_dir", mosquitto_read_text, NAMED(files)},
        {"idle_timeout", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"include_dir", mosquitto_read_include_dir, NOTHING(NULL)},
        {"keepalive_interval", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"keyfile", mosquitto_read_path, LISTENER(key)},
        {"listener", mosquitto_read_listener, NOTHING(NULL)},
        {"listener_allow_anonymous", mosquitto_read_anonymous, NAMED(access.anonymous)},
        {"listener_auto_id_prefix", mosquitto_read_prefix, NAMED(access.assigned_prefix)},
        {"local_cleansession", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"local_clientid", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"local_password", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"local_username", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"log_dest", mosquitto_read_log_dest, GLOBAL(log.file)},
        {"log_facility", mosquitto_ignore, NOTHING(SYSLOG)},
        {"log_timestamp", mosquitto_ignore, NOTHING(TIMES)},
        {"log_timestamp_format", mosquitto_ignore, NOTHING(TIMES)},
        {"log_type", mosquitto_read_log_type, GLOBAL(log.level)},
        {"max_connections", mosquitto_read_number, LISTENER(clients), -1, 1000000},
        {"max_inflight_bytes", mosquitto_read_number, GLOBAL(inflight_bytes), -1, SIGNED_MAX},
        {"max_inflight_messages", mosquitto_read_inflight, GLOBAL(mqtt.inflight), -1, UINT16_MAX},
        {"max_keepalive", mosquitto_read_number, GLOBAL(mqtt.keep_alive), 0, UINT16_MAX},
        {"max_packet_size", mosquitto_read_number, GLOBAL(mqtt.packet_bytes), 20, SIGNED_MAX},
        {"max_qos", mosquitto_read_number, LISTENER(maximum_qos), 0, 2},
        {"max_queued_bytes", mosquitto_read_bound, GLOBAL(mqtt.queue_bytes), -1, SIGNED_MAX},
        {"max_queued_messages", mosquitto_read_bound, GLOBAL(mqtt.queue_messages), -1, 10000000},
        {"max_topic_alias", mosquitto_read_number, NAMED(aliases), 0, UINT16_MAX},
        {"max_topic_alias_broker", mosquitto_read_number, NAMED(aliases_granted), 0, UINT16_MAX},
        {"maximum_qos", mosquitto_read_number, LISTENER(maximum_qos), 0, 2},
        {"memory_limit", mosquitto_read_memory, GLOBAL(memory), 0, UINT32_MAX},
        {"message_size_limit", mosquitto_read_number, GLOBAL(payload_bytes), 0, 268435455},
        {"mount_point", mosquitto_read_path, NAMED(mount_point)},
        {"notification_topic", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"notifications", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"notifications_local_only", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"packet_buffer_size", mosquitto_ignore, NOTHING(BUFFERS)},
        {"password", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"password_file", mosquitto_read_text, ACCESS(password_file)},
        {"per_listener_settings", mosquitto_read_per_listener, NOTHING(NULL)},
        {"persistence", mosquitto_read_persistence, NOTHING(NULL)},
        {"persistence_file", mosquitto_read_persistence_file, NOTHING(NULL)},
        {"persistence_location", mosquitto_read_persistence_location, NOTHING(NULL)},
        {"persistent_client_expiration", mosquitto_read_expiry, GLOBAL(mqtt.session_expiry)},
        {"pid_file", mosquitto_read_text, GLOBAL(pid_file)},
        {"plugin", mosquitto_refuse_key, NOTHING(PLUGIN)},
        {"plugin_load", mosquitto_refuse_key, NOTHING(PLUGIN)},
        {"plugin_use", mosquitto_refuse_key, NOTHING(PLUGIN)},
        {"port", mosquitto_read_port, NOTHING(NULL)},
        {"protocol", mosquitto_read_protocol, LISTENER(protocol)},
        {"proxy_protocol_v2_require_tls", mosquitto_read_flag, NAMED(proxy_tls)},
        {"psk_file", mosquitto_refuse_key, NOTHING(PSK)},
        {"psk_hint", mosquitto_refuse_key, NOTHING(PSK)},
        {"queue_qos0_messages", mosquitto_read_flag, GLOBAL(queue_qos0)},
        {"remote_clientid", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"remote_password", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"remote_username", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"require_certificate", mosquitto_read_required, LISTENER(client_certificates)},
        {"restart_timeout", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"retain_available", mosquitto_read_flag, GLOBAL(retain)},
        {"retain_expiry_interval", mosquitto_refuse_number,
         NOTHING("retained messages expire when their publisher says so (Message Expiry)")},
        {"retained_persistence", mosquitto_read_persistence, NOTHING(NULL)},
        {"retry_interval", mosquitto_ignore,
         NOTHING("messages are sent again after a reconnection only")},
        {"round_robin", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"set_tcp_nodelay", mosquitto_ignore_quietly, NOTHING(NULL)},
        {"socket_domain", mosquitto_read_family, LISTENER(family)},
        {"start_type", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"sys_interval", mosquitto_read_number, GLOBAL(sys_interval), 0, UINT16_MAX},
        {"threshold", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"tls_engine", mosquitto_refuse_key, NOTHING(ENGINE)},
        {"tls_engine_kpass_sha1", mosquitto_refuse_key, NOTHING(ENGINE)},
        {"tls_keyform", mosquitto_refuse_key, NOTHING(ENGINE)},
        {"tls_version", mosquitto_read_tls_version, NAMED(tls_version)},
        {"topic", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"try_private", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"upgrade_outgoing_qos", mosquitto_refuse_true,
         NOTHING("MQTT forbids it: no message has a higher QoS than it was published with")},
        {"use_identity_as_username", mosquitto_read_identity, LISTENER(certificate_user)},
        {"use_subject_as_username", mosquitto_read_subject, LISTENER(certificate_user)},
        {"use_username_as_clientid", mosquitto_read_flag, LISTENER(client_id_is_user)},
        {"user", mosquitto_read_path, GLOBAL(user)},
        {"username", mosquitto_refuse_key, NOTHING(BRIDGE)},
        {"websockets_headers_size", mosquitto_ignore, NOTHING(BUFFERS)},
        {"websockets_log_level", mosquitto_ignore,
         NOTHING("there is one level for all: `log_type`")},
        {"websockets_origin", mosquitto_read_append, NAMED(origins), 0, BROKER_ORIGINS_MAX},
};

/* Whatever comes behind these. */
static const struct mosquitto_key prefixes[] = {
        {"auth_opt_", mosquitto_refuse_key, NOTHING(PLUGIN)},
        {"plugin_opt_", mosquitto_refuse_key, NOTHING(PLUGIN)},
};

const struct mosquitto_key *mosquitto_find_key(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (strncmp(prefixes[i].name, name, strlen(prefixes[i].name)) == 0)
                        return &prefixes[i];
        return NULL;
}

void mosquitto_suggest_key(const char *typed, char *text, size_t size)
{
        const char *names[ARRAY_SIZE(keys)], *best;

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                names[i] = keys[i].name;
        text[0] = '\0';
        if (spelling_near(typed, names, ARRAY_SIZE(keys), &best, 1) == 1)
                snprintf(text, size, "; did you mean %s?", best);
}

const struct mosquitto_key *mosquitto_key_at(size_t index)
{
        return index < ARRAY_SIZE(keys) ? &keys[index] : NULL;
}
