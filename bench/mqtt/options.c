#include "bench/mqtt/options.h"

#include "bench/mqtt/callers.h"
#include "bench/mqtt/hoard.h"
#include "bench/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
        "Usage: bench-mqtt WHAT --port P [options]\n"
        "  fan-in, fan-out, pairs, fleet   messages from publishers to receivers\n"
        "  rpc                             requests and replies\n"
        "  connects                        clients that come and go\n"
        "  hoard                           retained messages\n"
        "  paced                           commands to an agent, as many of the same to an echo\n"
        "Options\n"
        "  --host A         IPv4 address of the broker (127.0.0.1)\n"
        "  --publishers N   (1); 0: no messages\n"
        "  --receivers N    (1)\n"
        "  --filters N      of each receiver of a fleet (1)\n"
        "  --qos N          (0)\n"
        "  --window N       messages of a publisher that are under way (20)\n"
        "  --per-write N    messages that leave in one write (10)\n"
        "  --callers N      (1)\n"
        "  --at-once N      clients that come and go (32)\n"
        "  --tls HOW        they come by TLS: full, or resumed (sessions)\n"
        "  --lasting        the receivers' sessions are kept by the broker\n"
        "  --retain         so is the last message of every topic\n"
        "  --transport T    tcp, tls, ws or wss, for receivers without publishers\n"
        "  --topics N       retained messages (100000)\n"
        "  --echo-port P    of the echo on 127.0.0.1\n"
        "  --per-second N   commands, as many to the echo (100)\n"
        "  --pin N          that they are about, BCM number (17)\n" TRIAL_USAGE
        "  --steps          waits for a line of standard input after each step\n";

void options_usage(void)
{
        fputs(usage, stderr);
}

enum {
        FILTERS = 256,
        AT_ONCE,
        TOPICS,
        CALLERS,
        STEPS,
        ECHO_PORT,
        PER_SECOND,
        PIN,
        TLS,
        LASTING,
        RETAIN,
        TRANSPORT
};

static int parse_option(struct options *options, int option, const char *text)
{
        unsigned value = 0;
        int r = trial_parse(&options->trial, option, text);

        if (r <= 0)
                return r;
        switch (option) {
        case 'n':
                return number_parse(text, FLOW_CLIENTS_MAX, &options->flow.publishers);
        case 'r':
                return number_parse(text, FLOW_CLIENTS_MAX, &options->flow.receivers);
        case FILTERS:
                return number_parse(text, FLOW_FILTERS_MAX, &options->flow.filters);
        case 'q':
                return number_parse(text, 2, &options->flow.qos);
        case 'f':
                return number_parse(text, 10000, &options->flow.window);
        case 'b':
                return number_parse(text, 10000, &options->flow.per_write);
        case CALLERS:
                return number_parse(text, CALLERS_MAX, &options->callers);
        case AT_ONCE:
                return number_parse(text, STORM_AT_ONCE_MAX, &options->at_once);
        case TOPICS:
                return number_parse(text, HOARD_TOPICS_MAX, &options->topics);
        case ECHO_PORT:
                r = number_parse(text, 65535, &value);
                options->paced.echo.sin_port = htons((uint16_t)value);
                return r;
        case TLS:
                options->tls = strcmp(text, "resumed") == 0 ? STORM_RESUMED : STORM_FULL;
                return options->tls == STORM_FULL && strcmp(text, "full") != 0 ? -EINVAL : 0;
        case LASTING:
                options->flow.lasting = true;
                return 0;
        case RETAIN:
                options->flow.retain = true;
                return 0;
        case TRANSPORT:
                return channel_kind_parse(text, &options->flow.kind);
        case PER_SECOND:
                return number_parse(text, PACED_PER_SECOND_MAX, &options->paced.per_second);
        case PIN:
                return number_parse(text, 99, &options->paced.pin);
        case STEPS:
                options->steps = true;
                return 0;
        default:
                options_usage();
                return -EINVAL;
        }
}

int options_parse(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                TRIAL_OPTIONS,
                {"publishers", required_argument, NULL, 'n'},
                {"receivers", required_argument, NULL, 'r'},
                {"filters", required_argument, NULL, FILTERS},
                {"qos", required_argument, NULL, 'q'},
                {"window", required_argument, NULL, 'f'},
                {"per-write", required_argument, NULL, 'b'},
                {"callers", required_argument, NULL, CALLERS},
                {"at-once", required_argument, NULL, AT_ONCE},
                {"topics", required_argument, NULL, TOPICS},
                {"echo-port", required_argument, NULL, ECHO_PORT},
                {"per-second", required_argument, NULL, PER_SECOND},
                {"pin", required_argument, NULL, PIN},
                {"tls", required_argument, NULL, TLS},
                {"lasting", no_argument, NULL, LASTING},
                {"retain", no_argument, NULL, RETAIN},
                {"transport", required_argument, NULL, TRANSPORT},
                {"steps", no_argument, NULL, STEPS},
                {NULL, 0, NULL, 0},
        };
        int option;

        *options = (struct options){
                .trial = trial_default(),
                .flow = {.publishers = 1,
                         .receivers = 1,
                         .filters = 1,
                         .window = 20,
                         .per_write = 10},
                .paced = {.echo = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                          .per_second = 100,
                          .pin = 17},
                .callers = 1,
                .at_once = 32,
                .topics = 100000,
        };
        while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                int r = parse_option(options, option, optarg);

                if (r < 0)
                        return r;
        }
        if (optind + 1 != argc || options->trial.address.sin_port == 0) {
                options_usage();
                return -EINVAL;
        }
        options->flow.broker = options->trial.address;
        return optind;
}
