/* bench-load: asks a server as fast as it answers, and says how fast that was.
 *
 * One line of JSON on standard output. With --server PID it also reads that
 * process's CPU time at both ends of the very window in which it counts. */
#include "bench/clocks.h"
#include "bench/crowd.h"
#include "bench/number.h"
#include "bench/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_MAX = 4096 };

struct options {
        const struct protocol *protocol;
        char *request; /* of that, given; NULL: its own */
        struct trial trial;
        unsigned connections;
        unsigned in_flight;
};

struct measurement {
        struct histogram latencies;
        struct clocks window;
};

static const char usage[] =
        "Usage: bench-load --port P --protocol NAME [options]\n"
        "  --host A         IPv4 address of the server (127.0.0.1)\n"
        "  --protocol NAME  json, resp, echo, pin, call-builtin, "
        "call-python, call-c,\n"
        "                   http-file or http-unchanged\n"
        "  --request FILE   holds the request, for those of HTTP\n"
        "  --connections N  (1)\n"
        "  --in-flight N    requests each connection keeps in flight (1)\n" TRIAL_USAGE;

static int read_request(const char *path, struct options *options)
{
        FILE *file = fopen(path, "re");
        size_t count = 0;

        free(options->request);
        options->request = calloc(1, REQUEST_MAX + 1);
        if (file && options->request)
                count = fread(options->request, 1, REQUEST_MAX + 1, file);
        if (file)
                fclose(file);
        if (count > 0 && count <= REQUEST_MAX)
                return 0;
        fprintf(stderr, "bench-load: '%s' is no file with a request of up to %d bytes\n", path,
                REQUEST_MAX);
        return -EINVAL;
}

static int parse_option(struct options *options, int letter, const char *text)
{
        int r = trial_parse(&options->trial, letter, text);

        if (r <= 0)
                return r;
        switch (letter) {
        case 'P':
                options->protocol = protocol_find(text);
                if (options->protocol)
                        return 0;
                fprintf(stderr, "bench-load: no protocol '%s'; there are %s\n", text,
                        protocol_names());
                return -EINVAL;
        case 'r':
                return read_request(text, options);
        case 'n':
                return number_parse(text, CROWD_CONNECTIONS_MAX, &options->connections);
        case 'f':
                return number_parse(text, CROWD_IN_FLIGHT_MAX, &options->in_flight);
        default:
                fputs(usage, stderr);
                return -EINVAL;
        }
}

static int parse_options(struct options *options, int argc, char **argv)
{
        static const struct option known[] = {
                TRIAL_OPTIONS,
                {"protocol", required_argument, NULL, 'P'},
                {"request", required_argument, NULL, 'r'},
                {"connections", required_argument, NULL, 'n'},
                {"in-flight", required_argument, NULL, 'f'},
                {NULL, 0, NULL, 0},
        };
        int letter;

        while ((letter = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                int r = parse_option(options, letter, optarg);

                if (r < 0)
                        return r;
        }
        if (optind != argc || !options->protocol || options->trial.address.sin_port == 0 ||
            options->trial.window_ms == 0 || !options->protocol->request != !!options->request) {
                fputs(usage, stderr);
                return -EINVAL;
        }
        return 0;
}

static int measure(const struct options *options, struct crowd *crowd,
                   struct measurement *measurement)
{
        struct clocks before, after;
        uint64_t now = clocks_now_ns();
        int r = crowd_start(crowd);

        if (r < 0)
                return r;
        r = crowd_run(crowd, now + (uint64_t)options->trial.warm_up_ms * 1000000, NULL);
        if (r < 0)
                return r;

        histogram_reset(&measurement->latencies);
        r = clocks_read(options->trial.server, &before);
        if (r < 0)
                return r;
        r = crowd_run(crowd, before.monotonic_ns + (uint64_t)options->trial.window_ms * 1000000,
                      &measurement->latencies);
        if (r < 0)
                return r;
        r = clocks_read(options->trial.server, &after);
        if (r < 0)
                return r;

        measurement->window = clocks_between(&before, &after);
        return crowd_drain(crowd);
}

static int print_measurement(const struct options *options, const struct measurement *m)
{
        const struct histogram *h = &m->latencies;

        printf("{\"protocol\":\"%s\",\"connections\":%u,\"in_flight\":%u,\"requests\":%" PRIu64,
               options->protocol->name, options->connections, options->in_flight, h->count);
        clocks_print(&m->window);
        printf(",\"p50_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64 ",\"p999_ns\":%" PRIu64
               ",\"max_ns\":%" PRIu64 "}\n",
               histogram_quantile_ns(h, 500), histogram_quantile_ns(h, 990),
               histogram_quantile_ns(h, 999), h->max_ns);
        return fflush(stdout) == 0 ? 0 : -errno;
}

static int run(const struct options *options)
{
        static struct measurement measurement;
        struct protocol protocol = *options->protocol;
        struct crowd *crowd = NULL;
        int r = 0;

        if (options->request)
                protocol.request = options->request;

        if (options->trial.cpu >= 0)
                r = clocks_pin(options->trial.cpu);
        if (r == 0)
                r = crowd_new(&options->trial.address, &protocol, options->connections,
                              options->in_flight, &crowd);
        if (r == 0)
                r = measure(options, crowd, &measurement);
        if (r == 0)
                r = print_measurement(options, &measurement);
        crowd_free(crowd);
        return r;
}

int main(int argc, char **argv)
{
        struct options options = {
                .trial = trial_default(),
                .connections = 1,
                .in_flight = 1,
        };
        int r = parse_options(&options, argc, argv);

        if (r < 0) {
                free(options.request);
                return 2;
        }
        r = run(&options);
        free(options.request);
        if (r < 0) {
                fprintf(stderr, "bench-load: %s\n", strerror(-r));
                return 1;
        }
        return 0;
}
