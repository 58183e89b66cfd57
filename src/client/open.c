#include "base/clock.h"
#include "client/address.h"
#include "client/connection-internal.h"
#include "client/failure.h"
#include "client/property.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

static int configure_tls(struct mosquitto *mosquitto, const struct client_settings *settings)
{
        /* It takes a certificate of ours only beside a place of authorities. */
        const char *folder = settings->authority_path ? NULL : "/etc/ssl/certs";
        int r;

        if (settings->authority_path || settings->certificate_path)
                r = mosquitto_tls_set(mosquitto, settings->authority_path, folder,
                                      settings->certificate_path, settings->key_path, NULL);
        else
                r = mosquitto_int_option(mosquitto, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
        if (r == MOSQ_ERR_SUCCESS && settings->insecure) {
                r = mosquitto_tls_opts_set(mosquitto, 0, NULL, NULL);
                if (r == MOSQ_ERR_SUCCESS)
                        r = mosquitto_tls_insecure_set(mosquitto, true);
        }
        return r;
}

static int configure_will(struct mosquitto *mosquitto, const struct client_settings *settings)
{
        const struct client_message *will = settings->will;
        mosquitto_property *list = NULL;
        int r = client_property_list(will, &list);

        if (r < 0)
                return r == -ENOMEM ? MOSQ_ERR_NOMEM : MOSQ_ERR_INVAL;
        r = MOSQ_ERR_SUCCESS;
        if (settings->will_delay_seconds > 0)
                r = mosquitto_property_add_int32(&list, MQTT_PROP_WILL_DELAY_INTERVAL,
                                                 settings->will_delay_seconds);
        if (r == MOSQ_ERR_SUCCESS)
                r = mosquitto_will_set_v5(mosquitto, will->topic, (int)will->payload_length,
                                          will->payload, will->qos, will->retain, list);
        if (r != MOSQ_ERR_SUCCESS)
                mosquitto_property_free_all(&list);
        return r;
}

/* libmosquitto connects without blocking only by a function that takes no properties, but keeps
 * those of the function that does; that one refuses a port below 0 once it has them. */
static int keep_properties(struct mosquitto *mosquitto, const struct client_settings *settings)
{
        mosquitto_property *list = NULL;
        int r = mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                             settings->session_expiry_seconds);

        if (r == MOSQ_ERR_SUCCESS)
                r = mosquitto_connect_bind_v5(mosquitto, "", -1, settings->keepalive_seconds, NULL,
                                              list);
        mosquitto_property_free_all(&list);
        return r == MOSQ_ERR_INVAL ? MOSQ_ERR_SUCCESS : r;
}

static int configure(struct mosquitto *mosquitto, const struct client_settings *settings)
{
        int r = mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);

        if (r == MOSQ_ERR_SUCCESS)
                r = mosquitto_int_option(mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
        if (r == MOSQ_ERR_SUCCESS && (settings->user || settings->password))
                r = mosquitto_username_pw_set(mosquitto, settings->user, settings->password);
        if (r == MOSQ_ERR_SUCCESS && settings->tls)
                r = configure_tls(mosquitto, settings);
        if (r == MOSQ_ERR_SUCCESS && settings->will)
                r = configure_will(mosquitto, settings);
        if (r == MOSQ_ERR_SUCCESS && settings->session_expiry_seconds > 0)
                r = keep_properties(mosquitto, settings);
        return r;
}

/* Until TCP has a connection to this address, or none: 0, -errno. */
static int try_address(struct client_connection *connection, const struct client_settings *settings,
                       const char *host, int port, uint64_t deadline_ns, struct error *error)
{
        int result;

        connection->end = 0;
        connection->established = false;
        errno = 0;
        result = mosquitto_connect_bind_async(connection->mosquitto, host, port,
                                              settings->keepalive_seconds, NULL);
        if (result > MOSQ_ERR_SUCCESS)
                client_connection_end_with(connection, result, errno);
        while (connection->end == 0 && !connection->established) {
                int r = client_connection_turn(connection, deadline_ns);

                if (r == -ETIMEDOUT)
                        return error_set(error, r, "%s does not answer", connection->name);
                if (r < 0)
                        return r;
        }
        /* A broker that is quick has refused us by now, and ended the connection. */
        if (connection->greeting.there)
                return 0;
        return client_connection_ended(connection, error);
}

/* All addresses in turn, each with its part of the time. */
static int try_host(struct client_connection *connection, const struct client_settings *settings,
                    int timeout_ms, struct error *error)
{
        struct client_address addresses[CLIENT_ADDRESSES_MAX];
        uint64_t deadline_ns;
        int count, r = -ENOENT;

        if (settings->socket)
                return try_address(connection, settings, settings->socket, 0,
                                   client_connection_deadline(timeout_ms), error);
        /* Its certificate is looked at for the name it was called by. */
        if (settings->tls)
                return try_address(connection, settings, settings->host, settings->port,
                                   client_connection_deadline(timeout_ms), error);
        count = client_address_resolve(settings->host, addresses, error);
        if (count < 0)
                return count;
        deadline_ns = client_connection_deadline(timeout_ms);
        for (int i = 0; i < count; i++) {
                uint64_t now = clock_monotonic_ns();
                uint64_t part = deadline_ns > now ? (deadline_ns - now) / (uint64_t)(count - i) : 0;

                r = try_address(connection, settings, addresses[i].text, settings->port,
                                timeout_ms < 0 ? UINT64_MAX : now + part, error);
                if (r == 0 || r == -EINTR || r == -ENOMEM)
                        return r;
        }
        return r;
}

static void set_name(struct client_connection *connection, const struct client_settings *settings)
{
        bool brackets = !settings->socket && strchr(settings->host, ':');

        if (settings->socket)
                snprintf(connection->name, sizeof(connection->name), "%s", settings->socket);
        else
                snprintf(connection->name, sizeof(connection->name), "%s%.250s%s:%u",
                         brackets ? "[" : "", settings->host, brackets ? "]" : "",
                         (unsigned)settings->port);
}

static int greet(struct client_connection *connection, const struct client_settings *settings,
                 int timeout_ms, struct error *error)
{
        uint64_t deadline_ns = client_connection_deadline(timeout_ms);
        const struct client_answer *greeting = &connection->greeting;
        int r = try_host(connection, settings, timeout_ms, error);

        if (r < 0)
                return r;
        r = client_connection_await(connection, greeting, "took the connection but did not answer",
                                    deadline_ns, error);
        if (r != 0)
                return r;
        if (greeting->reasons[0] >= CLIENT_REASON_REFUSED)
                return client_failure_reason(greeting->reasons[0],
                                             "the broker refused the connection", greeting->words,
                                             error);
        return 0;
}

int client_connection_open(const struct client_settings *settings, int timeout_ms,
                           struct client_connection **ret, struct error *error)
{
        AUTO(client_connection) struct client_connection *connection = NULL;
        int r;

        if (strlen(settings->client_id) > CLIENT_ID_MAX)
                return error_set(error, -EINVAL, "a client id has at most %d bytes", CLIENT_ID_MAX);
        connection = calloc(1, sizeof(*connection));
        if (!connection)
                return error_set(error, -ENOMEM, "out of memory");
        list_init(&connection->waiting);
        set_name(connection, settings);
        strcpy(connection->id, settings->client_id);
        client_connection_watch(connection, settings->watches, settings->watch_count);
        mosquitto_lib_init();
        connection->mosquitto = mosquitto_new(settings->client_id, !settings->resume, connection);
        if (!connection->mosquitto)
                return client_failure(errno == ENOMEM ? MOSQ_ERR_NOMEM : MOSQ_ERR_INVAL, 0,
                                      connection->name, error);
        r = configure(connection->mosquitto, settings);
        if (r != MOSQ_ERR_SUCCESS)
                return client_failure(r, errno, connection->name, error);
        client_connection_listen(connection);
        r = greet(connection, settings, timeout_ms, error);
        if (r != 0)
                return r;
        *ret = TAKE(connection);
        return 0;
}
