/* agent/web/web-internal.h - as the files of this room know it. */
#pragma once

#include "agent/web/events.h"
#include "agent/web/web.h"
#include "http/files.h"
#include "http/server.h"
#include "net/entrance.h"
#include "net/listener.h"

enum { WEB_ROUTES = 3, WEB_HOST_NAME_SIZE = 256 };

struct web {
        struct command_registry *registry;
        struct web_options options;
        struct command_transport counts;
        char host_name[WEB_HOST_NAME_SIZE]; /* of this machine; "": not known */
        struct http_route routes[WEB_ROUTES];
        struct http_router *router;
        struct http_server *server;
        struct http_files *files; /* NULL: no page */
        struct web_events events;
        struct buffer figures; /* of /metrics, while it is written */
        struct {
                web_figures_fn *write;
                void *owner;
        } sources[WEB_SOURCES_MAX];
        size_t sources_count;
        struct net_listener *listeners[WEB_PORTS];
        /* Through the header of a proxy, or a handshake; NULL: straight to the server. */
        struct net_entrance *ways[WEB_PORTS];
        web_stream_fn *on_mqtt; /* NULL: nobody speaks it here */
        void *mqtt_owner;
        uint64_t outside; /* connections that the server has not seen: no descriptor, no TLS */
        web_stopped_fn *stopped;
        void *stopped_owner;
};

static inline struct loop *web_loop(const struct web *web)
{
        return command_registry_loop(web->registry);
}
