/* agent/web/web.h - HTTP as a way in to the registry's commands.
 *
 *     POST /api/command   a command, as on the command server; its reply is the answer
 *     GET  /api/events    what happens, as server-sent events
 *     GET  /metrics       figures, for Prometheus
 *     GET  /...           the files of a folder
 *
 * Who asks shows a token of the command server (Authorization: Bearer), or is who a client
 * without one is. A page of somebody else's in a browser is refused (trust.h).
 *
 * Knows no command. Loop thread only. */
#pragma once

#include "agent/web/config.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "command/registry.h"
#include "data/prometheus.h"
#include "http/router.h"
#include "net/stream.h"

struct web;

enum {
        WEB_BODY_BEFORE_AUTH = 65536, /* bytes of a request whose sender is not known */
        WEB_DEPTH_MAX = 32,           /* of nested arrays and objects in a request */
        WEB_SOURCES_MAX = 8,          /* of figures */
};

/* Who a client is that shows no token. */
typedef void web_admit_fn(void *owner, struct command_principal *ret);

struct web_options {
        const struct web_config *config;
        struct net_context *net;
        struct log *log;
        struct net_tls *tls;    /* NULL: no TLS */
        size_t connections_max; /* the next is told 503 and closed */
        size_t request_bytes;   /* of a request, once it is known whose; beyond: 413 */
        web_admit_fn *admit;
        void *admit_owner;
};

/* Reads the page's files. What `options` points to, and the registry, must outlive it.
 * -errno with a sentence. */
int web_attach(struct command_registry *registry, const struct web_options *options,
               struct web **ret, struct error *error);
/* Closes what is left at once; before the rooms that know whose tokens are whose. */
struct web *web_free(struct web *web);
DEFINE_CLEANUP(web)

/* For paths of other rooms, such as a WebSocket. Whoever adds one outlives it. */
struct http_router *web_router(struct web *web);
/* Does a request ask for this machine's name, or one of http.names? `owner` is the web. */
bool web_is_named(void *owner, const struct http_request *request);
/* Somebody else's figures for /metrics, appended in the order of these calls. At most
 * WEB_SOURCES_MAX. */
typedef void web_figures_fn(void *owner, struct prometheus_writer *writer);
void web_add_figures(struct web *web, web_figures_fn *write, void *owner);

/* Accepts clients; each of both once. After all paths were added. WEB_PORT_IN_USE: another program
 * listens there, which is no reason for the agent not to start; `error` says so, and so does
 * the status. -errno with a sentence. */
enum { WEB_PORT_IN_USE = 1 };
enum web_port { WEB_PLAIN, WEB_TLS, WEB_PORTS };
int web_listen(struct web *web, enum web_port port, const struct net_address *address,
               struct error *error);
/* Takes a connection that somebody else accepted. The descriptor is the web's from here on. */
void web_adopt(struct web *web, enum web_port port, int fd, const struct net_address *peer);

/* Whose are those who say by ALPN that they speak MQTT. */
typedef void web_stream_fn(void *owner, struct net_stream *stream);
void web_on_mqtt(struct web *web, web_stream_fn *on_mqtt, void *owner);

/* No more connections and requests; those under way are answered, event streams end.
 * `stopped` is called when all are gone, perhaps at once. */
typedef void web_stopped_fn(void *owner);
void web_stop(struct web *web, web_stopped_fn *stopped, void *owner);
