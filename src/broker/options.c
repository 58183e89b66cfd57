#include "broker/options.h"

#include "base/log.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
        "usage: pifleet-broker [-v] [-c FILE] [-p PORT] [-w PORT]\n"
        "\n"
        "An MQTT 3.1.1 and 5.0 broker. Without listeners in a configuration it is for this\n"
        "machine, and open to all its users.\n"
        "\n"
        "  -c, --config FILE  read this configuration: YAML, or mosquitto.conf by its name\n"
        "  -p, --port PORT    port on the loopback addresses (1883; 0: any that is free), where\n"
        "                     the configuration has no listeners; may be given several times\n"
        "  -w, --http PORT    also serve HTTP there: MQTT over WebSockets at\n"
        "                     ws://localhost:PORT/mqtt, and operations\n"
        "  -v, --verbose      log who comes and goes\n"
        "      --test-config  say what is wrong with the configuration, or that it is good\n"
        "      --version      print the version and exit\n"
        "      --help         print this and exit\n";

static int parse_port(const char *text, uint16_t *ret)
{
        unsigned long port;
        char *end;

        port = strtoul(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end != '\0' || port > UINT16_MAX) {
                fprintf(stderr, "pifleet-broker: '%s' is not a port\n", text);
                return -EINVAL;
        }
        *ret = (uint16_t)port;
        return 0;
}

static int add_port(struct broker_options *options, const char *text)
{
        if (options->ports_count == BROKER_PORTS_MAX) {
                fprintf(stderr, "pifleet-broker: more than %d ports\n", BROKER_PORTS_MAX);
                return -EINVAL;
        }
        return parse_port(text, &options->ports[options->ports_count++]);
}

int broker_options_parse(int argc, char *argv[], struct broker_options *ret)
{
        enum { VERSION = 256, HELP, TEST };
        static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                                     {"config-file", required_argument, NULL, 'c'},
                                                     {"port", required_argument, NULL, 'p'},
                                                     {"http", required_argument, NULL, 'w'},
                                                     {"verbose", no_argument, NULL, 'v'},
                                                     {"test-config", no_argument, NULL, TEST},
                                                     {"version", no_argument, NULL, VERSION},
                                                     {"help", no_argument, NULL, HELP},
                                                     {0}};
        int option, r = 0;

        *ret = (struct broker_options){0};
        while ((option = getopt_long(argc, argv, "c:p:w:v", long_options, NULL)) >= 0) {
                switch (option) {
                case 'c':
                        ret->config = optarg;
                        break;
                case 'p':
                        r = add_port(ret, optarg);
                        break;
                case 'w':
                        ret->http = true;
                        r = parse_port(optarg, &ret->http_port);
                        break;
                case 'v':
                        ret->verbose = true;
                        break;
                case TEST:
                        ret->test = true;
                        break;
                case VERSION:
                        puts("pifleet-broker " PIFLEET_VERSION);
                        return BROKER_OPTIONS_DONE;
                case HELP:
                        fputs(usage, stdout);
                        return BROKER_OPTIONS_DONE;
                default:
                        fputs(usage, stderr);
                        return -EINVAL;
                }
                if (r < 0)
                        return r;
        }
        if (optind == argc)
                return 0;
        fprintf(stderr, "pifleet-broker: '%s' is one argument too many\n", argv[optind]);
        return -EINVAL;
}

static int add_http(struct broker_config *config, uint16_t port)
{
        struct broker_listener *listener;
        int r = broker_config_add_listener(config, &listener);

        if (r < 0)
                return r;
        listener->port = port;
        listener->protocol = BROKER_PROTOCOL_HTTP;
        return 0;
}

int broker_options_apply(const struct broker_options *options, struct broker_config *config)
{
        int r = 0;

        if (options->verbose)
                config->log.level = LOG_LEVEL_DEBUG;
        /* Who may connect, publish and take over sessions may see them too. */
        if (!config->path)
                config->operations.local_admin = true;
        if (config->local_only)
                r = broker_config_add_local(config, options->ports, options->ports_count);
        else if (options->ports_count > 0)
                broker_config_warn(config, "--port has no effect: %s has listeners", config->path);
        if (r == 0 && options->http)
                r = add_http(config, options->http_port);
        return r;
}
