/* bench-mqtt: loads an MQTT broker, and says what that cost it.
 *
 * Ends with one line of JSON on standard output. With --steps it says what it has done, a
 * word on a line, and goes on when a line comes on standard input, so that the caller can
 * look at the broker in between. */
#include "bench/histogram.h"
#include "bench/mqtt/callers.h"
#include "bench/mqtt/flow.h"
#include "bench/mqtt/hoard.h"
#include "bench/mqtt/paced.h"
#include "bench/mqtt/storm.h"
#include "bench/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
        struct flow_plan flow; /* the broker's address, for all */
        struct paced_plan paced;
        unsigned callers, at_once, topics;
        unsigned warm_up_ms, window_ms;
        int cpu;    /* -1: any */
        int server; /* its process id; 0: not told */
        bool steps;
};

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
        "  --topics N       retained messages (100000)\n"
        "  --echo-port P    of the echo on 127.0.0.1\n"
        "  --per-second N   commands, as many to the echo (100)\n"
        "  --pin N          that they are about, BCM number (17)\n"
        "  --warm-up-ms N   runs that long before it counts (300)\n"
        "  --window-ms N    counts that long (2000)\n"
        "  --cpu N          pins itself to that core\n"
        "  --server PID     reports that process's CPU time\n"
        "  --steps          waits for a line of standard input after each step\n";

enum { FILTERS = 256, AT_ONCE, TOPICS, CALLERS, STEPS, ECHO_PORT, PER_SECOND, PIN };

static int parse_option(struct options *options, int option, const char *text)
{
        unsigned value = 0;
        int r;

        switch (option) {
        case 'h':
                if (inet_pton(AF_INET, text, &options->flow.broker.sin_addr) == 1)
                        return 0;
                fprintf(stderr, "bench-mqtt: '%s' is not an IPv4 address\n", text);
                return -EINVAL;
        case 'p':
                r = number_parse(text, 65535, &value);
                options->flow.broker.sin_port = htons((uint16_t)value);
                return r;
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
        case PER_SECOND:
                return number_parse(text, PACED_PER_SECOND_MAX, &options->paced.per_second);
        case PIN:
                return number_parse(text, 99, &options->paced.pin);
        case 'u':
                return number_parse(text, 60000, &options->warm_up_ms);
        case 'w':
                return number_parse(text, 600000, &options->window_ms);
        case 'c':
                r = number_parse(text, CPU_SETSIZE - 1, &value);
                options->cpu = (int)value;
                return r;
        case 's':
                r = number_parse(text, INT32_MAX, &value);
                options->server = (int)value;
                return r;
        case STEPS:
                options->steps = true;
                return 0;
        default:
                fputs(usage, stderr);
                return -EINVAL;
        }
}

static int parse_options(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                {"host", required_argument, NULL, 'h'},
                {"port", required_argument, NULL, 'p'},
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
                {"warm-up-ms", required_argument, NULL, 'u'},
                {"window-ms", required_argument, NULL, 'w'},
                {"cpu", required_argument, NULL, 'c'},
                {"server", required_argument, NULL, 's'},
                {"steps", no_argument, NULL, STEPS},
                {NULL, 0, NULL, 0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                int r = parse_option(options, option, optarg);

                if (r < 0)
                        return r;
        }
        if (optind + 1 != argc || options->flow.broker.sin_port == 0) {
                fputs(usage, stderr);
                return -EINVAL;
        }
        return 0;
}

/* -ECANCELED: nobody tells us to go on. */
static int step(const struct options *options, const char *word)
{
        int c;

        if (!options->steps)
                return 0;
        puts(word);
        fflush(stdout);
        while ((c = getchar()) != '\n')
                if (c == EOF)
                        return -ECANCELED;
        return 0;
}

/* As members, with a comma before the first; `prefix`: of their names. */
static void print_latencies(const char *prefix, const struct histogram *latencies)
{
        printf(",\"%sp50_ns\":%" PRIu64 ",\"%sp99_ns\":%" PRIu64 ",\"%smax_ns\":%" PRIu64, prefix,
               histogram_quantile_ns(latencies, 500), prefix, histogram_quantile_ns(latencies, 990),
               prefix, latencies->max_ns);
}

static void print_result(const char *what, uint64_t count, uint64_t lost,
                         const struct clocks *window, const struct histogram *latencies)
{
        printf("{\"%s\":%" PRIu64 ",\"lost\":%" PRIu64, what, count, lost);
        clocks_print(window);
        if (latencies)
                print_latencies("", latencies);
        puts("}");
}

static int measure_flow(const struct options *options)
{
        struct flow_result result;
        struct flow *flow = NULL;
        int r = flow_new(&options->flow, &flow);

        if (r == 0)
                r = step(options, "connected");
        if (r == 0)
                r = flow_subscribe(flow);
        if (r == 0)
                r = step(options, "subscribed");
        if (r == 0 && options->flow.publishers > 0) {
                r = flow_measure(flow, options->server, options->warm_up_ms, options->window_ms,
                                 &result);
                if (r == 0)
                        print_result("delivered", result.delivered, result.lost, &result.window,
                                     NULL);
        }
        flow_free(flow);
        return r;
}

static int measure_calls(const struct options *options)
{
        static struct callers_result result;
        struct callers *callers = NULL;
        int r = callers_new(&options->flow.broker, options->callers, &callers);

        if (r == 0)
                r = callers_measure(callers, options->server, options->warm_up_ms,
                                    options->window_ms, &result);
        if (r == 0)
                print_result("calls", result.latencies.count, result.lost, &result.window,
                             &result.latencies);
        callers_free(callers);
        return r;
}

static int measure_connects(const struct options *options)
{
        static struct storm_result result;
        int r = storm_measure(&options->flow.broker, options->at_once, options->server,
                              options->warm_up_ms, options->window_ms, &result);

        if (r == 0)
                print_result("connects", result.latencies.count, result.lost, &result.window,
                             &result.latencies);
        return r;
}

static int measure_hoard(const struct options *options)
{
        struct hoard_result result;
        int r = hoard_store(&options->flow.broker, options->topics, false, options->server,
                            &result);

        if (r == 0)
                r = step(options, "published");
        if (r == 0)
                r = hoard_store(&options->flow.broker, options->topics, true, options->server,
                                &result);
        if (r == 0)
                print_result("stored", options->topics - result.lost, result.lost, &result.window,
                             NULL);
        if (r == 0)
                r = step(options, "stored");
        if (r == 0)
                r = hoard_fetch(&options->flow.broker, options->topics, options->server, &result);
        if (r == 0)
                print_result("fetched", options->topics - result.lost, result.lost, &result.window,
                             NULL);
        return r;
}

/* In all `warm_up_ms` and `window_ms`, one command at least. */
static int measure_paced(const struct options *options)
{
        static struct paced_result result;
        struct paced_plan plan = options->paced;
        int r;

        plan.agent = options->flow.broker;
        plan.warm_up = (unsigned)((uint64_t)plan.per_second * options->warm_up_ms / 1000);
        plan.count = 1 + (unsigned)((uint64_t)plan.per_second * options->window_ms / 1000);
        r = paced_measure(&plan, options->server, &result);
        if (r < 0)
                return r;
        printf("{\"commands\":%" PRIu64 ",\"lost\":0", result.agent.count);
        clocks_print(&result.window);
        print_latencies("", &result.agent);
        print_latencies("echo_", &result.echo);
        puts("}");
        return 0;
}

static const struct {
        const char *name;
        int (*measure)(const struct options *options);
        enum flow_shape shape;
} whats[] = {
        {"fan-in", measure_flow, FLOW_FAN_IN},
        {"fan-out", measure_flow, FLOW_FAN_OUT},
        {"pairs", measure_flow, FLOW_PAIRS},
        {"fleet", measure_flow, FLOW_FLEET},
        {"rpc", measure_calls, 0},
        {"connects", measure_connects, 0},
        {"hoard", measure_hoard, 0},
        {"paced", measure_paced, 0},
};

static int run(struct options *options, const char *name)
{
        for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
                int r = 0;

                if (strcmp(whats[i].name, name) != 0)
                        continue;
                options->flow.shape = whats[i].shape;
                if (options->cpu >= 0)
                        r = clocks_pin(options->cpu);
                if (r == 0)
                        r = whats[i].measure(options);
                if (r < 0)
                        fprintf(stderr, "bench-mqtt: %s: %s\n", name, strerror(-r));
                return r < 0 || fflush(stdout) != 0 ? 1 : 0;
        }
        fputs(usage, stderr);
        return 2;
}

int main(int argc, char **argv)
{
        struct options options = {
                .flow = {.broker = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                         .publishers = 1,
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
                .warm_up_ms = 300,
                .window_ms = 2000,
                .cpu = -1,
        };

        if (parse_options(&options, argc, argv) < 0)
                return 2;
        return run(&options, argv[optind]);
}
