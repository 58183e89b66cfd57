/* client/connection.h - one connection to an MQTT 5 broker, over libmosquitto: each call
 * blocks until what it is for is done, its time is up, or the connection is gone.
 *
 * One thread at a time. Never reconnects by itself: see client/backoff.h. Writes to a socket
 * without MSG_NOSIGNAL (libmosquitto's doing): the program ignores SIGPIPE.
 *
 * Where a function says so, a positive result is the broker's reason code (MQTT 5, 2.4), with
 * its name, and its words where it has any, in the error. Times are milliseconds, -1: for ever.
 * Common failures: -ETIMEDOUT, -EINTR (a watch fired; without words), -ECONNRESET and others
 * (the connection is gone, for good), -EPROTO (TLS fails, or it is no MQTT that is spoken
 * there), -ENOMEM. A broker that sends messages faster than they are taken finds its connection
 * ended with -ENOBUFS at CLIENT_WAITING_BYTES_MAX; that is only possible while something else is
 * waited for, such as the SUBACK behind all that a session has kept. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "client/message.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum {
        CLIENT_PORT = 1883,
        CLIENT_REASON_NOBODY = 0x10,  /* a reason code: taken, but nobody has subscribed to it */
        CLIENT_REASON_REFUSED = 0x80, /* reason codes from here on say no */

        CLIENT_WAITING_BYTES_MAX = 64 << 20,
        CLIENT_WATCHES_MAX = 2,
        CLIENT_FILTERS_MAX = 64,
        CLIENT_ID_MAX = 1024,
};

struct client_settings {
        const char *socket; /* a Unix socket's path; NULL: TCP */
        const char *host;
        uint16_t port;
        bool tls;
        const char *authority_path;              /* NULL: the system's */
        const char *certificate_path, *key_path; /* our own; NULL: none */
        bool insecure;                           /* TLS without looking at the certificate */

        const char *client_id; /* 1 to CLIENT_ID_MAX bytes */
        const char *user;      /* NULL: none */
        const char *password;  /* NULL: none */
        bool resume;           /* go on with the session that is there */
        uint32_t session_expiry_seconds;
        uint16_t keepalive_seconds; /* 5 and more */

        const struct client_message *will; /* NULL: none */
        uint32_t will_delay_seconds;

        /* What ends a wait with -EINTR: poll(2) reports something for one of them. Its
         * descriptors are the caller's. */
        struct pollfd watches[CLIENT_WATCHES_MAX];
        size_t watch_count;
};

struct client_connection;

/* Connects and waits for CONNACK; `timeout_ms` without the resolver's time. The settings are
 * not needed afterwards. A reason code from CLIENT_REASON_REFUSED on: the broker does not want us;
 * -ENOENT: no such host or socket; -EINVAL: what the settings say cannot be sent. */
int client_connection_open(const struct client_settings *settings, int timeout_ms,
                           struct client_connection **ret, struct error *error);
/* Says DISCONNECT when it still stands, so that the will is not published. */
struct client_connection *client_connection_free(struct client_connection *connection);
DEFINE_CLEANUP(client_connection)

/* Other watches in place of the settings'. At most CLIENT_WATCHES_MAX. */
void client_connection_watch(struct client_connection *connection, const struct pollfd watches[],
                             size_t count);

/* "pi.local:1883", "/run/mqtt.sock" */
const char *client_connection_name(const struct client_connection *connection);
/* The client identifier that the broker knows it by. */
const char *client_connection_id(const struct client_connection *connection);

/* Publishes and waits until it is written (QoS 0) or acknowledged (QoS 1 and 2): 0,
 * CLIENT_REASON_NOBODY, or a reason code from CLIENT_REASON_REFUSED on. -EMSGSIZE: larger than the
 * broker takes; -ENOTSUP: its QoS or its being retained is nothing that the broker has; -EINVAL:
 * its topic or a property of it cannot be sent. */
int client_connection_publish(struct client_connection *connection,
                              const struct client_message *message, int timeout_ms,
                              struct error *error);

struct client_subscription {
        const char *const *filters;
        size_t count;        /* 1 to CLIENT_FILTERS_MAX */
        int qos;             /* the highest to receive with */
        int retain_handling; /* what is retained is sent: 0 always, 1 to a new subscription, 2 not
                              */
};

/* Subscribes and waits for SUBACK. 0: reasons[i] is what it says of filters[i]: the QoS that
 * was granted, or a reason code from CLIENT_REASON_REFUSED on. A reason code: the broker ended the
 * connection with it. -EINVAL: a filter is none. */
int client_connection_subscribe(struct client_connection *connection,
                                const struct client_subscription *subscription, uint8_t reasons[],
                                int timeout_ms, struct error *error);

/* The next message; the caller's. A reason code from CLIENT_REASON_REFUSED on: the broker ended the
 * connection with it. What came before an end is given out before the end is told. */
int client_connection_receive(struct client_connection *connection, int timeout_ms,
                              struct client_message **ret, struct error *error);

/* "Not authorized" for 0x87; static. */
const char *client_reason_text(uint8_t reason);
