/* pifleet-broker: an MQTT broker in a process of its own. */
#include "base/attributes.h"
#include "base/log.h"
#include "broker/options.h"
#include "http/server.h"
#include "loop/signal.h"
#include "mqtt/websocket.h"
#include "net/listener.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, MEMORY_MAX = 1024 * 1024 * 1024 };

struct program {
        struct log *log;
        struct loop *loop;
        struct net_context *net;
        struct mqtt_broker *broker;
        struct mqtt_websocket websocket;
        struct http_router *router;
        struct http_server *http; /* NULL: not wanted */
        /* Of MQTT and of HTTP: IPv4, and IPv6 where there is any. */
        struct net_listener *listeners[4];
        struct loop_signal signals[2];
        bool stopping;
};

static void on_accept(void *owner, int fd, const struct net_address *peer)
{
        struct program *program = owner;
        int r = mqtt_broker_attach(program->broker, fd, NULL, peer, NULL);

        if (r < 0) {
                log_warning(program->log, "broker", "turned away error=\"%s\"", strerror(-r));
                close(fd);
        }
}

static void on_accept_http(void *owner, int fd, const struct net_address *peer)
{
        struct program *program = owner;

        http_server_attach(program->http, fd, NULL, peer);
}

static void on_exhausted(void *owner, int error)
{
        struct program *program = owner;

        log_warning(program->log, "broker", "turning away error=\"%s\"", strerror(-error));
}

static void on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        struct program *program = owner;
        char peer[NET_ADDRESS_TEXT_MAX];
        struct net_address address;

        net_peer_address(who->peer, &address);
        log_debug(program->log, "broker", "connect client=%.*s version=%d peer=%s",
                  (int)who->client_id.length, who->client_id.bytes, (int)who->version,
                  net_address_text(&address, peer));
}

static void on_disconnect(void *owner, const struct mqtt_who *who, enum mqtt_reason reason,
                          int failure)
{
        struct program *program = owner;

        log_debug(program->log, "broker", "disconnect client=%.*s reason=0x%02x why=\"%s\"",
                  (int)who->client_id.length, who->client_id.bytes, (unsigned)reason,
                  failure < 0 ? strerror(-failure) : mqtt_reason_name(reason));
}

static void close_listeners(struct program *program)
{
        for (size_t i = 0; i < ARRAY_SIZE(program->listeners); i++)
                program->listeners[i] = net_listener_free(program->listeners[i]);
}

/* All clients have read that it ends, or had their time. */
static void on_stopped(void *owner)
{
        struct program *program = owner;

        loop_stop(program->loop, EXIT_SUCCESS);
}

static void stop(struct program *program)
{
        if (program->stopping)
                return;
        program->stopping = true;
        log_info(program->log, "broker", "stopping clients=%zu",
                 mqtt_broker_connections(program->broker));
        close_listeners(program);
        mqtt_broker_stop(program->broker, MQTT_SERVER_SHUTTING_DOWN);
}

static void on_interrupt(struct loop_signal *signal)
{
        stop(container_of(signal, struct program, signals[0]));
}

static void on_terminate(struct loop_signal *signal)
{
        stop(container_of(signal, struct program, signals[1]));
}

/* "::1" is left out where there is no IPv6, but not to somebody else's program, which those
 * who call "localhost" would reach. */
static bool may_leave_out(size_t host, uint16_t port, int r)
{
        return host > 0 && (port == 0 || r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT);
}

static int listen_at(struct program *program, const char *name, uint16_t port,
                     const struct net_listener_owner *owner, struct net_listener *ret[2])
{
        static const char *const hosts[] = {"127.0.0.1", "::1"};
        const uint16_t asked = port;
        char text[NET_ADDRESS_TEXT_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
                struct net_address address;
                int r = net_address_parse(hosts[i], port, &address, NULL);

                if (r == 0)
                        r = net_listener_new(program->loop, &address, 0, owner, &ret[i]);
                if (r < 0 && !may_leave_out(i, asked, r)) {
                        log_error(program->log, name, "cannot listen host=%s port=%u: %s%s",
                                  hosts[i], port, strerror(-r),
                                  r == -EADDRINUSE ? " (`ss -ltnp` names the other program)" : "");
                        return r;
                }
                /* The other address has the port that the kernel chose for the first. */
                port = net_address_port(net_listener_address(ret[0]));
        }
        log_info(program->log, name, "listening address=%s",
                 net_address_text(net_listener_address(ret[0]), text));
        return 0;
}

static int start_listening(struct program *program, const struct broker_options *options)
{
        const struct net_listener_owner mqtt = {
                .owner = program, .on_accept = on_accept, .on_exhausted = on_exhausted};
        const struct net_listener_owner http = {
                .owner = program, .on_accept = on_accept_http, .on_exhausted = on_exhausted};
        int r = listen_at(program, "broker", options->port, &mqtt, &program->listeners[0]);

        if (r == 0 && options->http)
                r = listen_at(program, "http", options->http_port, &http, &program->listeners[2]);
        return r;
}

/* Its only path is /mqtt, for now. */
static int start_http(struct program *program)
{
        int r = http_router_new(&program->router);

        program->websocket.broker = program->broker;
        if (r == 0)
                r = mqtt_websocket_route(program->router, &program->websocket);
        if (r == 0)
                r = http_server_new(program->loop, program->net, program->router, NULL,
                                    &program->http);
        return r;
}

/* Descriptors bound how many clients there can be. */
static void raise_descriptors(void)
{
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
                files.rlim_cur = files.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &files);
        }
}

static int start(struct program *program, const struct broker_options *options)
{
        struct mqtt_hooks hooks = {.owner = program, .on_stopped = on_stopped};
        int r = loop_new(&program->loop);

        if (options->verbose) {
                hooks.on_connect = on_connect;
                hooks.on_disconnect = on_disconnect;
        }
        if (r == 0)
                r = net_context_new(program->loop, MEMORY_MAX, &program->net);
        if (r == 0)
                r = mqtt_broker_new(program->loop, program->net, NULL, &hooks, &program->broker);
        if (r == 0 && options->http)
                r = start_http(program);
        if (r == 0)
                r = loop_signal_open(&program->signals[0], program->loop, SIGINT, on_interrupt);
        if (r == 0)
                r = loop_signal_open(&program->signals[1], program->loop, SIGTERM, on_terminate);
        if (r == 0)
                r = start_listening(program, options);
        return r;
}

static void end(struct program *program)
{
        close_listeners(program);
        http_server_free(program->http);
        http_router_free(program->router);
        mqtt_broker_free(program->broker);
        if (program->loop)
                net_context_free(program->net);
        loop_free(program->loop);
        log_free(program->log);
}

int main(int argc, char *argv[])
{
        struct program program = {0};
        struct broker_options options;
        int r = broker_options_parse(argc, argv, &options);

        if (r != 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
        r = log_new(NULL, options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, &program.log);
        if (r < 0) {
                fprintf(stderr, "pifleet-broker: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        raise_descriptors();
        r = start(&program, &options);
        if (r == 0)
                r = loop_run(program.loop);
        end(&program);
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
