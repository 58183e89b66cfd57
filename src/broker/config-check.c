/* What no single key can tell. */
#include "base/cleanup.h"
#include "broker/config-internal.h"
#include "net/networks.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SUBJECT_MAX = ERROR_TEXT_MAX };

/* What a sentence about a listener begins with: "FILE:LINE: this listener", or
 * "FILE: listeners[2]". */
static const char *subject_of(const struct broker_config *config, size_t index,
                              char text[SUBJECT_MAX])
{
        const struct broker_listener *listener =
                (const struct broker_listener *)config->listeners.items + index;

        if (listener->place)
                snprintf(text, SUBJECT_MAX, "%s: this listener", listener->place);
        else
                snprintf(text, SUBJECT_MAX, "%s: listeners[%zu]", config->path, index);
        return text;
}

static int refuse(const struct broker_config *config, size_t index, struct error *error,
                  const char *why)
{
        char subject[SUBJECT_MAX];

        return error_set(error, -EINVAL, "%s %s", subject_of(config, index, subject), why);
}

static bool is_mode(const char *text)
{
        return strlen(text) == 4 && strspn(text, "01234567") == 4;
}

/* Nobody is asked for what names are to be taken from. */
static bool has_no_names(const struct broker_listener *listener)
{
        return broker_listener_asks_names(listener) &&
               listener->client_certificates == BROKER_CERTIFICATES_NONE &&
               (listener->certificate || listener->proxy == BROKER_PROXY_NONE);
}

/* A proxy ends TLS and verifies certificates, which version 1 of its protocol cannot say. */
static bool proxy_asks(const struct broker_listener *listener)
{
        return !listener->certificate && listener->proxy == BROKER_PROXY_V2 &&
               listener->client_certificates == BROKER_CERTIFICATES_REQUIRED;
}

static const char *judge_tls(const struct broker_listener *listener, enum broker_grammar grammar)
{
        const bool authorities = listener->authorities || listener->authorities_folder;

        if (listener->certificate && !listener->key)
                return "has a certificate and no key (certfile and keyfile): both, or none";
        if (listener->key && !listener->certificate)
                return "has a key and no certificate (certfile and keyfile): both, or none";
        if (!listener->certificate &&
            (authorities || listener->revoked || listener->ciphers || listener->cipher_suites ||
             (listener->client_certificates != BROKER_CERTIFICATES_NONE && !proxy_asks(listener))))
                return "has settings of TLS and no certificate: name the certificate and its key "
                       "(certfile and keyfile)";
        if (listener->client_certificates != BROKER_CERTIFICATES_NONE && !authorities &&
            !proxy_asks(listener))
                return "asks clients for certificates and trusts nobody who signs them: name "
                       "the authorities (cafile)";
        if (listener->revoked && listener->client_certificates == BROKER_CERTIFICATES_NONE)
                return "has a list of revoked certificates and asks nobody for one "
                       "(require_certificate)";
        /* With TLS mosquitto starts, and refuses everybody: see warn_of_locked(). */
        if (has_no_names(listener) &&
            (!listener->certificate || grammar != BROKER_GRAMMAR_MOSQUITTO))
                return "takes names from certificates and asks nobody for one "
                       "(require_certificate)";
        return NULL;
}

static const char *judge(const struct broker_listener *listener, enum broker_grammar grammar)
{
        struct mqtt_text mount_point;

        if (listener->socket && listener->certificate)
                return "is a Unix socket with TLS: leave the certificate out";
        if (listener->socket && listener->proxy != BROKER_PROXY_NONE)
                return "is a Unix socket behind a proxy, which is not possible";
        if (listener->proxy_tls && listener->proxy != BROKER_PROXY_V2)
                return "wants to hear of TLS from a proxy that does not speak version 2 of the "
                       "protocol";
        if (listener->socket && listener->socket[0] == '\0')
                return "has a socket without a path";
        if (!is_mode(listener->socket_mode))
                return "has a socket_mode that is not four octal digits such as 0660";
        if (listener->packet_bytes >= 0 && listener->packet_bytes < 20)
                return "has packet_bytes below 20, in which no packet fits";
        if (!listener->mqtt_3_1 && !listener->mqtt_3_1_1 && !listener->mqtt_5)
                return "speaks no version of MQTT";
        if (listener->files && listener->protocol == BROKER_PROTOCOL_MQTT)
                return "has files and does not speak HTTP (protocol)";
        if (listener->origins.count > 0 && listener->protocol == BROKER_PROTOCOL_MQTT)
                return "has origins and does not speak HTTP (protocol)";
        if (!listener->mount_point)
                return judge_tls(listener, grammar);
        if (strlen(listener->mount_point) > 1024)
                return "has a mount_point of more than 1024 bytes";
        mount_point =
                (struct mqtt_text){listener->mount_point, (uint16_t)strlen(listener->mount_point)};
        if (!mqtt_topic_name_is_valid(mount_point))
                return "has a mount_point that topics cannot begin with: no wildcards, and not "
                       "empty";
        if (listener->mount_point[mount_point.length - 1] != '/' || listener->mount_point[0] == '$')
                return "has a mount_point that is no level of its own: it ends with '/' and does "
                       "not begin with '$', such as site/";
        return judge_tls(listener, grammar);
}

static bool is_same_place(const struct broker_listener *a, const struct broker_listener *b)
{
        if (a->socket || b->socket)
                return a->socket && b->socket && strcmp(a->socket, b->socket) == 0;
        /* What listens on any port is known by its name. */
        if (a->port != b->port || a->family != b->family || (a->port == 0 && (a->name || b->name)))
                return false;
        if (!a->interface != !b->interface ||
            (a->interface && strcmp(a->interface, b->interface) != 0))
                return false;
        return !a->host || !b->host ? a->host == b->host : strcmp(a->host, b->host) == 0;
}

static const char *judge_beside(const struct broker_listener *listener,
                                const struct broker_listener *other)
{
        if (is_same_place(listener, other))
                return listener->socket || listener->port > 0
                               ? "listens where another one does: change the port or the address"
                               : "listens on any port, as another one does: give it a name";
        if (listener->name && other->name && strcmp(listener->name, other->name) == 0)
                return "has the name of another one";
        return NULL;
}

static int check_listeners(struct broker_config *config, struct error *error)
{
        struct broker_listener *all = config->listeners.items;

        for (size_t i = 0; i < config->listeners.count; i++) {
                struct error inner;
                const char *why;
                char text[200];

                /* "*" is how YAML says what mosquitto says by nothing. */
                if (all[i].host && strcmp(all[i].host, "*") == 0)
                        free(TAKE(all[i].host));
                why = judge(&all[i], config->grammar);
                if (!why &&
                    net_networks_check(all[i].proxies.items, all[i].proxies.count, &inner) < 0) {
                        snprintf(text, sizeof(text), "has a wrong proxy: %.150s", inner.text);
                        why = text;
                }
                for (size_t j = 0; j < i && !why; j++)
                        why = judge_beside(&all[i], &all[j]);
                if (why)
                        return refuse(config, i, error, why);
        }
        return 0;
}

static const char *why_locked(const struct broker_config *config,
                              const struct broker_listener *listener)
{
        const struct broker_access access = broker_config_access(config, listener);

        if (has_no_names(listener))
                return "takes names from certificates and asks nobody for one "
                       "(require_certificate)";
        if (listener->certificate_user == BROKER_CERTIFICATE_USER_NONE && !access.password_file &&
            config->users.count == 0 && access.anonymous == BROKER_ANONYMOUS_NONE)
                return "has no users (password_file), and lets nobody in without a name "
                       "(allow_anonymous)";
        return NULL;
}

static void warn_of_locked(struct broker_config *config)
{
        const struct broker_listener *all = config->listeners.items;

        for (size_t i = 0; i < config->listeners.count; i++) {
                const char *why = why_locked(config, &all[i]);
                char subject[SUBJECT_MAX];

                if (why)
                        broker_config_warn(config, "%s %s: nobody can log in",
                                           subject_of(config, i, subject), why);
        }
}

int broker_config_check(struct broker_config *config, struct error *error)
{
        const bool wants = config->keep.sessions > MQTT_KEEP_MEMORY ||
                           config->keep.retained > MQTT_KEEP_MEMORY;
        int r;

        if (config->access.anonymous == BROKER_ANONYMOUS_INHERITED ||
            config->access.empty_client_ids == BROKER_EMPTY_IDS_INHERITED)
                return error_set(error, -EINVAL,
                                 "%s: access: only a listener can have `inherited`, from here",
                                 config->path);
        if (wants && !config->state_dir)
                return error_set(error, -EINVAL,
                                 "%s: mqtt.durability: needs `state_dir`, a folder to keep "
                                 "messages in",
                                 config->path);
        if (!config->state_dir)
                config->keep.sessions = config->keep.retained = MQTT_KEEP_MEMORY;
        mqtt_keep_config_settle(&config->keep);
        r = check_listeners(config, error);
        if (r == 0)
                warn_of_locked(config);
        return r;
}
