/* pifleet-broker: an MQTT broker in a process of its own. */
#include "base/attributes.h"
#include "base/log.h"
#include "loop/signal.h"
#include "mqtt/broker.h"
#include "net/listener.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, PORT = 1883, MEMORY_MAX = 1024 * 1024 * 1024 };

static const char usage[] =
        "usage: pifleet-broker [-v] [-p PORT]\n"
        "\n"
        "An MQTT 3.1.1 and 5.0 broker for this machine, open to all its users.\n"
        "\n"
        "  -p, --port PORT  port on the loopback addresses (1883; 0: any that is free)\n"
        "  -v, --verbose    log who comes and goes\n"
        "      --version    print the version and exit\n"
        "      --help       print this and exit\n";

struct options {
        uint16_t port;
        bool verbose;
};

struct program {
        struct log *log;
        struct loop *loop;
        struct net_context *net;
        struct mqtt_broker *broker;
        struct net_listener *listeners[2]; /* IPv4, and IPv6 where there is any */
        struct loop_signal signals[2];
        bool stopping;
};

static int parse_port(const char *text, uint16_t *ret)
{
        unsigned long port;
        char *end;

        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        port = strtoul(text, &end, 10);
        if (*end != '\0' || port > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t)port;
        return 0;
}

/* 1: all was said and done. */
static int parse_options(int argc, char *argv[], struct options *ret)
{
        enum { VERSION = 256, HELP };
        static const struct option long_options[] = {{"port", required_argument, NULL, 'p'},
                                                     {"verbose", no_argument, NULL, 'v'},
                                                     {"version", no_argument, NULL, VERSION},
                                                     {"help", no_argument, NULL, HELP},
                                                     {0}};
        int option;

        *ret = (struct options){.port = PORT};
        while ((option = getopt_long(argc, argv, "p:v", long_options, NULL)) >= 0) {
                switch (option) {
                case 'p':
                        if (parse_port(optarg, &ret->port) < 0) {
                                fprintf(stderr, "pifleet-broker: '%s' is not a port\n", optarg);
                                return -EINVAL;
                        }
                        break;
                case 'v':
                        ret->verbose = true;
                        break;
                case VERSION:
                        puts("pifleet-broker " PIFLEET_VERSION);
                        return 1;
                case HELP:
                        fputs(usage, stdout);
                        return 1;
                default:
                        fputs(usage, stderr);
                        return -EINVAL;
                }
        }
        if (optind == argc)
                return 0;
        fprintf(stderr, "pifleet-broker: '%s' is one argument too many\n", argv[optind]);
        return -EINVAL;
}

static void on_accept(void *owner, int fd, const struct net_address *peer)
{
        struct program *program = owner;
        int r = mqtt_broker_attach(program->broker, fd, NULL, peer);

        if (r < 0) {
                log_warning(program->log, "broker", "turned away error=\"%s\"", strerror(-r));
                close(fd);
        }
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

static int listen_on(struct program *program, const char *host, uint16_t port,
                     struct net_listener **ret)
{
        struct net_listener_owner owner = {
                .owner = program, .on_accept = on_accept, .on_exhausted = on_exhausted};
        struct net_address address;
        int r = net_address_parse(host, port, &address, NULL);

        return r < 0 ? r : net_listener_new(program->loop, &address, 0, &owner, ret);
}

/* "::1" is left out where there is no IPv6. */
static int start_listening(struct program *program, const struct options *options)
{
        char text[NET_ADDRESS_TEXT_MAX];
        int r = listen_on(program, "127.0.0.1", options->port, &program->listeners[0]);

        if (r < 0) {
                log_error(program->log, "broker", "cannot listen port=%u: %s", options->port,
                          strerror(-r));
                return r;
        }
        (void)listen_on(program, "::1",
                        net_address_port(net_listener_address(program->listeners[0])),
                        &program->listeners[1]);
        log_info(program->log, "broker", "listening address=%s",
                 net_address_text(net_listener_address(program->listeners[0]), text));
        return 0;
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

static int start(struct program *program, const struct options *options)
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
        mqtt_broker_free(program->broker);
        if (program->loop)
                net_context_free(program->net);
        loop_free(program->loop);
        log_free(program->log);
}

int main(int argc, char *argv[])
{
        struct program program = {0};
        struct options options;
        int r = parse_options(argc, argv, &options);

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
