/* cli/client.h - one connection to an agent: a request, its reply, the next.
 *
 * Blocks until the reply is there, the time is up or the connection is gone; a
 * failure comes with a sentence that says the next step. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "data/json.h"

#include <stdbool.h>
#include <stdint.h>

struct client_target {
        const char *socket; /* a Unix socket's path; NULL: TCP */
        const char *host;
        uint16_t port;
        bool tls;
        const char *authority_path;              /* NULL: the system's */
        const char *certificate_path, *key_path; /* our own; NULL: none */
        bool insecure;                           /* TLS without looking at the certificate */
        const char *token;                       /* NULL: none is shown */
        uint32_t timeout_ms;                     /* to connect, and for each reply */
};

struct client;

enum { CLIENT_REFUSED = 1 };

/* Connects, and shows the token where there is one, so that what follows may be
 * as long as a request of somebody known. The target's texts must live as long
 * as the client. CLIENT_REFUSED: the agent does not accept the token, the error
 * holds its sentence; -EINVAL: a file of the target cannot be used; other
 * -errno: no connection. */
int client_open(const struct client_target *target, struct client **ret, struct error *error);
struct client *client_free(struct client *client);
DEFINE_CLEANUP(client)

/* Sends `request` and waits. *ret is the reply, an object, the caller's.
 * -ETIMEDOUT, -ECONNRESET, -EBADMSG (it is not an agent that answers), -EMSGSIZE,
 * -ENOMEM, others: no reply. */
int client_request(struct client *client, const cJSON *request, cJSON **ret, struct error *error);

/* Does a reply say success? */
bool client_reply_is_good(const cJSON *reply);

/* "127.0.0.1:3000", "/run/pifleet/agent.sock" */
enum { CLIENT_TARGET_TEXT_MAX = 300 };
const char *client_target_text(const struct client_target *target,
                               char text[CLIENT_TARGET_TEXT_MAX]);
