/* bench-mqtt: loads an MQTT broker, and says what that cost it.
 *
 * Ends with one line of JSON on standard output. With --steps it says what it has done, a
 * word on a line, and goes on when a line comes on standard input, so that the caller can
 * look at the broker in between. */
#include "bench/histogram.h"
#include "bench/mqtt/callers.h"
#include "bench/mqtt/hoard.h"
#include "bench/mqtt/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
        static struct flow_result result;
        struct flow_plan plan = options->flow;
        struct flow *flow = NULL;
        int r = 0;

        if (plan.kind == CHANNEL_TLS || plan.kind == CHANNEL_WSS)
                r = secure_new(false, &plan.secure);
        if (r == 0)
                r = flow_new(&plan, &flow);

        if (r == 0)
                r = step(options, "connected");
        if (r == 0)
                r = flow_subscribe(flow);
        if (r == 0)
                r = step(options, "subscribed");
        if (r == 0 && options->flow.publishers > 0) {
                r = flow_measure(flow, options->trial.server, options->trial.warm_up_ms,
                                 options->trial.window_ms, &result);
                if (r == 0)
                        print_result("delivered", result.delivered, result.lost, &result.window,
                                     plan.qos > 0 ? &result.acknowledgements : NULL);
        }
        flow_free(flow);
        secure_free(plan.secure);
        return r;
}

static int measure_calls(const struct options *options)
{
        static struct callers_result result;
        struct callers *callers = NULL;
        int r = callers_new(&options->flow.broker, options->callers, &callers);

        if (r == 0)
                r = callers_measure(callers, options->trial.server, options->trial.warm_up_ms,
                                    options->trial.window_ms, &result);
        if (r == 0)
                print_result("calls", result.latencies.count, result.lost, &result.window,
                             &result.latencies);
        callers_free(callers);
        return r;
}

static int measure_connects(const struct options *options)
{
        static struct storm_result result;
        const struct storm_plan plan = {options->flow.broker, options->at_once, options->tls};
        int r = storm_measure(&plan, options->trial.server, options->trial.warm_up_ms,
                              options->trial.window_ms, &result);

        if (r < 0)
                return r;
        printf("{\"connects\":%" PRIu64 ",\"resumed\":%" PRIu64 ",\"lost\":%" PRIu64,
               result.latencies.count, result.resumed, result.lost);
        clocks_print(&result.window);
        print_latencies("", &result.latencies);
        puts("}");
        return 0;
}

static int measure_hoard(const struct options *options)
{
        struct hoard_result result;
        int r = hoard_store(&options->flow.broker, options->topics, false, options->trial.server,
                            &result);

        if (r == 0)
                r = step(options, "published");
        if (r == 0)
                r = hoard_store(&options->flow.broker, options->topics, true, options->trial.server,
                                &result);
        if (r == 0)
                print_result("stored", options->topics - result.lost, result.lost, &result.window,
                             NULL);
        if (r == 0)
                r = step(options, "stored");
        if (r == 0)
                r = hoard_fetch(&options->flow.broker, options->topics, options->trial.server,
                                &result);
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
        plan.warm_up = (unsigned)((uint64_t)plan.per_second * options->trial.warm_up_ms / 1000);
        plan.count = 1 + (unsigned)((uint64_t)plan.per_second * options->trial.window_ms / 1000);
        r = paced_measure(&plan, options->trial.server, &result);
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
        enum shape shape;
} whats[] = {
        {"fan-in", measure_flow, SHAPE_FAN_IN},
        {"fan-out", measure_flow, SHAPE_FAN_OUT},
        {"pairs", measure_flow, SHAPE_PAIRS},
        {"fleet", measure_flow, SHAPE_FLEET},
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
                if (options->trial.cpu >= 0)
                        r = clocks_pin(options->trial.cpu);
                if (r == 0)
                        r = whats[i].measure(options);
                if (r < 0)
                        fprintf(stderr, "bench-mqtt: %s: %s\n", name, strerror(-r));
                return r < 0 || fflush(stdout) != 0 ? 1 : 0;
        }
        options_usage();
        return 2;
}

int main(int argc, char **argv)
{
        struct options options;
        int what = options_parse(&options, argc, argv);

        return what < 0 ? 2 : run(&options, argv[what]);
}
