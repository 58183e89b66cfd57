#include "broker/program.h"

#include "base/attributes.h"
#include "broker/hooks.h"
#include "broker/keep.h"
#include "broker/listeners.h"
#include "loop/signal.h"
#include "mqtt/broker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

enum { SIGNALS = 2 };

struct broker_program {
        struct log *log;
        const struct broker_config *config;
        struct loop *loop;
        struct net_context *net;
        struct broker_doors *doors; /* NULL: there is no configuration */
        struct broker_hooks hooks;
        struct mqtt_broker *broker;
        struct broker_keep keep;
        struct broker_listeners *listeners;
        struct loop_signal signals[SIGNALS];
        bool stopping;
};

/* All clients have read that it ends, or had their time. */
static void on_stopped(void *owner)
{
        struct broker_program *program = owner;

        loop_stop(program->loop, 0);
}

static void stop(struct broker_program *program)
{
        if (program->stopping)
                return;
        program->stopping = true;
        log_info(program->log, "broker", "stopping clients=%zu",
                 mqtt_broker_connections(program->broker));
        broker_listeners_close(program->listeners);
        mqtt_broker_stop(program->broker, MQTT_SERVER_SHUTTING_DOWN);
}

static void on_interrupt(struct loop_signal *signal)
{
        stop(container_of(signal, struct broker_program, signals[0]));
}

static void on_terminate(struct loop_signal *signal)
{
        stop(container_of(signal, struct broker_program, signals[1]));
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

/* Without a configuration it is for this machine, and open to all its users. */
static int start_doors(struct broker_program *program, struct error *error)
{
        int r;

        if (!program->config->path)
                return 0;
        r = broker_doors_new(program->loop, program->log, &program->doors);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        return broker_doors_load(program->doors, program->config, error);
}

static int start_broker(struct broker_program *program)
{
        struct mqtt_limits limits;
        struct mqtt_hooks hooks;
        int r;

        program->hooks = (struct broker_hooks){
                .log = program->log,
                .log_connections = program->config->log.connections,
                .doors = program->doors,
                .on_stopped = on_stopped,
                .owner = program,
        };
        hooks = broker_hooks_make(&program->hooks);
        broker_config_limits(program->config, &limits);
        r = mqtt_broker_new(program->loop, program->net, &limits, &hooks, &program->broker);
        if (r == 0 && program->doors)
                broker_doors_start(program->doors, program->broker);
        return r;
}

static int start_loop(struct broker_program *program)
{
        int r = loop_new(&program->loop);

        if (r == 0)
                r = net_context_new(program->loop, (size_t)program->config->memory, &program->net);
        if (r == 0)
                r = loop_signal_open(&program->signals[0], program->loop, SIGINT, on_interrupt);
        if (r == 0)
                r = loop_signal_open(&program->signals[1], program->loop, SIGTERM, on_terminate);
        return r;
}

static int start(struct broker_program *program, struct error *error)
{
        int r;

        raise_descriptors();
        /* OpenSSL cannot write without the signal (net/stream.h). */
        signal(SIGPIPE, SIG_IGN);
        r = start_loop(program);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        r = start_doors(program, error);
        if (r < 0)
                return r;
        r = start_broker(program);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        r = broker_keep_begin(&program->keep, program->config, program->loop, program->broker,
                              program->log, error);
        if (r < 0)
                return r;
        return broker_listeners_new(&(struct broker_listeners_options){.loop = program->loop,
                                                                       .net = program->net,
                                                                       .broker = program->broker,
                                                                       .doors = program->doors,
                                                                       .log = program->log,
                                                                       .config = program->config},
                                    &program->listeners, error);
}

int broker_program_new(const struct broker_config *config, struct log *log,
                       struct broker_program **ret, struct error *error)
{
        AUTO(broker_program) struct broker_program *program = calloc(1, sizeof(*program));
        int r;

        if (!program)
                return error_set(error, -ENOMEM, "cannot start: out of memory");
        program->config = config;
        program->log = log;
        r = start(program, error);
        if (r < 0)
                return r;
        *ret = TAKE(program);
        return 0;
}

int broker_program_run(struct broker_program *program)
{
        return loop_run(program->loop);
}

struct broker_program *broker_program_free(struct broker_program *program)
{
        if (!program)
                return NULL;
        if (program->listeners)
                broker_listeners_close(program->listeners);
        mqtt_broker_free(program->broker);
        broker_keep_done(&program->keep);
        broker_doors_free(program->doors);
        broker_listeners_free(program->listeners);
        if (program->loop)
                net_context_free(program->net);
        loop_free(program->loop);
        free(program);
        return NULL;
}
