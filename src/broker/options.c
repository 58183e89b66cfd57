#include "broker/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { PORT = 1883 };

static const char usage[] =
        "usage: pifleet-broker [-v] [-p PORT] [-w PORT]\n"
        "\n"
        "An MQTT 3.1.1 and 5.0 broker for this machine, open to all its users.\n"
        "\n"
        "  -p, --port PORT  port on the loopback addresses (1883; 0: any that is free)\n"
        "  -w, --http PORT  also serve MQTT over WebSockets, at ws://localhost:PORT/mqtt\n"
        "  -v, --verbose    log who comes and goes\n"
        "      --version    print the version and exit\n"
        "      --help       print this and exit\n";

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

int broker_options_parse(int argc, char *argv[], struct broker_options *ret)
{
        enum { VERSION = 256, HELP };
        static const struct option long_options[] = {
                {"port", required_argument, NULL, 'p'}, {"http", required_argument, NULL, 'w'},
                {"verbose", no_argument, NULL, 'v'},    {"version", no_argument, NULL, VERSION},
                {"help", no_argument, NULL, HELP},      {0}};
        int option, r = 0;

        *ret = (struct broker_options){.port = PORT};
        while ((option = getopt_long(argc, argv, "p:w:v", long_options, NULL)) >= 0) {
                switch (option) {
                case 'p':
                        r = parse_port(optarg, &ret->port);
                        break;
                case 'w':
                        ret->http = true;
                        r = parse_port(optarg, &ret->http_port);
                        break;
                case 'v':
                        ret->verbose = true;
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
