#include "broker/program.h"

#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/notify.h"
#include "broker/certificate.h"
#include "broker/changes.h"
#include "broker/hooks.h"
#include "broker/keep.h"
#include "broker/listeners.h"
#include "broker/pid-file.h"
#include "broker/user.h"
#include "loop/signal.h"
#include "mqtt/broker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ON_INTERRUPT, ON_TERMINATE, ON_HANGUP, SIGNALS };

struct broker_program {
        const struct broker_options *options;
        struct log *log;
        struct broker_config config;
        struct loop *loop;
        struct net_context *net;
        struct broker_doors *doors; /* NULL: there is no configuration */
        struct broker_operations *operations;
        struct broker_hooks hooks;
        struct mqtt_broker *broker;
        struct broker_keep keep;
        struct broker_listeners *listeners;
        struct loop_signal signals[SIGNALS];
        bool has_pid_file, stopping;
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
        notify_send("STOPPING=1");
        log_info(program->log, "broker", "stopping clients=%zu",
                 mqtt_broker_connections(program->broker));
        broker_listeners_close(program->listeners);
        mqtt_broker_stop(program->broker, MQTT_SERVER_SHUTTING_DOWN);
}

static void on_interrupt(struct loop_signal *signal)
{
        stop(container_of(signal, struct broker_program, signals[ON_INTERRUPT]));
}

static void on_terminate(struct loop_signal *signal)
{
        stop(container_of(signal, struct broker_program, signals[ON_TERMINATE]));
}

/* Another configuration under those who are connected. */

static int load_again(struct broker_program *program, struct broker_config *ret,
                      struct error *error)
{
        int r = broker_config_load(program->options->config, ret, error);

        if (r < 0)
                return r;
        r = broker_options_apply(program->options, ret);
        if (r == 0)
                r = broker_doors_load(program->doors, ret, error);
        else
                error_set(error, r, "cannot add a listener: %s", strerror(-r));
        if (r < 0)
                broker_config_done(ret);
        return r;
}

static void log_changes(const struct broker_program *program, const struct broker_config *fresh)
{
        const char *key;
        size_t position = 0;

        broker_config_log_warnings(fresh, program->log);
        while ((key = broker_changes_next(&program->config, fresh, &position)))
                log_warning(program->log, "config", "waits for a restart key=%s", key);
}

static void apply(struct broker_program *program, struct broker_config *fresh)
{
        struct mqtt_hooks hooks;
        size_t failures;

        log_changes(program, fresh);
        program->hooks.log_connections = fresh->log.connections;
        hooks = broker_hooks_make(&program->hooks);
        mqtt_broker_change_hooks(program->broker, &hooks);
        broker_operations_configure(program->operations, fresh);
        failures = broker_listeners_reload(program->listeners, fresh);
        broker_config_done(&program->config);
        program->config = *fresh;
        if (failures == 0)
                log_info(program->log, "config", "loaded again");
}

/* For who moves it away, and lets nobody make another one there. */
static void reopen_log(const struct broker_program *program)
{
        int r = log_reopen(program->log);

        if (r < 0)
                log_warning(program->log, "config", "cannot open the log again error=\"%s\"",
                            strerror(-r));
}

static void reload(struct broker_program *program)
{
        struct timespec now;
        struct broker_config fresh;
        struct error error;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
        reopen_log(program);
        if (!program->doors)
                log_info(program->log, "config", "there is no configuration to load again");
        else if (load_again(program, &fresh, &error) < 0)
                log_error(program->log, "config", "stays as it was: %s", error.text);
        else
                apply(program, &fresh);
        notify_send("READY=1");
}

static void on_hangup(struct loop_signal *signal)
{
        struct broker_program *program =
                container_of(signal, struct broker_program, signals[ON_HANGUP]);

        if (!program->stopping)
                reload(program);
}

/* The start. */

/* Descriptors bound how many clients there can be. */
static void raise_descriptors(void)
{
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
                files.rlim_cur = files.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &files);
        }
}

static int start_loop(struct broker_program *program)
{
        struct loop_signal *signals = program->signals;
        int r = loop_new(&program->loop);

        if (r == 0)
                r = net_context_new(program->loop, (size_t)program->config.memory, &program->net);
        if (r == 0)
                r = loop_signal_open(&signals[ON_INTERRUPT], program->loop, SIGINT, on_interrupt);
        if (r == 0)
                r = loop_signal_open(&signals[ON_TERMINATE], program->loop, SIGTERM, on_terminate);
        if (r == 0)
                r = loop_signal_open(&signals[ON_HANGUP], program->loop, SIGHUP, on_hangup);
        return r;
}

/* Without a configuration it is for this machine, and open to all its users. */
static int start_doors(struct broker_program *program, struct error *error)
{
        int r;

        if (!program->config.path)
                return 0;
        r = broker_doors_new(program->loop, program->log, &program->doors);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        return broker_doors_load(program->doors, &program->config, error);
}

static int start_broker(struct broker_program *program)
{
        struct mqtt_limits limits;
        struct mqtt_hooks hooks;
        int r = broker_operations_new(program->loop, program->doors, program->log,
                                      &program->operations);

        if (r < 0)
                return r;
        program->hooks = (struct broker_hooks){
                .log = program->log,
                .log_connections = program->config.log.connections,
                .doors = program->doors,
                .events = broker_operations_events(program->operations),
                .on_stopped = on_stopped,
                .owner = program,
        };
        hooks = broker_hooks_make(&program->hooks);
        broker_config_limits(&program->config, &limits);
        r = mqtt_broker_new(program->loop, program->net, &limits, &hooks, &program->broker);
        if (r < 0)
                return r;
        if (program->doors)
                broker_doors_start(program->doors, program->broker);
        broker_operations_start(program->operations, program->broker);
        broker_operations_configure(program->operations, &program->config);
        return 0;
}

static int start_listeners(struct broker_program *program, struct error *error)
{
        const struct broker_entrance_options options = {.loop = program->loop,
                                                        .net = program->net,
                                                        .broker = program->broker,
                                                        .doors = program->doors,
                                                        .operations = program->operations,
                                                        .log = program->log};

        return broker_listeners_new(&options, &program->config, &program->listeners, error);
}

static int start(struct broker_program *program, struct error *error)
{
        const struct broker_config *config = &program->config;
        AUTO_CLOSE int pid_fd = -1;
        int r;

        raise_descriptors();
        /* OpenSSL cannot write without the signal (net/stream.h). */
        (void)signal(SIGPIPE, SIG_IGN);
        /* Who backs mosquitto up makes it save by the first; the second shows its topics. */
        (void)signal(SIGUSR1, SIG_IGN);
        (void)signal(SIGUSR2, SIG_IGN);
        r = start_loop(program);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        r = start_doors(program, error);
        if (r < 0)
                return r;
        r = start_broker(program);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        r = start_listeners(program, error);
        if (r == 0 && config->pid_file)
                r = pid_file_open(config->pid_file, &pid_fd, error);
        program->has_pid_file = pid_fd >= 0;
        if (r == 0)
                r = broker_user_become(config, error);
        /* By who will write there. Nobody is attached before the loop runs. */
        if (r == 0)
                r = broker_keep_begin(&program->keep, config, program->loop, program->broker,
                                      program->log, error);
        if (r == 0 && program->has_pid_file)
                r = pid_file_write(config->pid_file, pid_fd, error);
        /* Nobody waits for these lines in vain, and finds something missing after them. */
        if (r == 0)
                broker_listeners_log(program->listeners);
        return r;
}

int broker_program_new(const struct broker_options *options, struct broker_config *config,
                       struct log *log, struct broker_program **ret, struct error *error)
{
        AUTO(broker_program) struct broker_program *program = calloc(1, sizeof(*program));
        int r;

        if (!program) {
                broker_config_done(config);
                return error_set(error, -ENOMEM, "cannot start: out of memory");
        }
        program->options = options;
        program->config = *config;
        *config = (struct broker_config){0};
        program->log = log;
        r = start(program, error);
        if (r < 0)
                return r;
        *ret = TAKE(program);
        return 0;
}

int broker_program_run(struct broker_program *program)
{
        notify_send("READY=1");
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
        broker_listeners_free(program->listeners);
        broker_operations_free(program->operations);
        broker_doors_free(program->doors);
        if (program->loop)
                net_context_free(program->net);
        loop_free(program->loop);
        if (program->has_pid_file)
                pid_file_remove(program->config.pid_file);
        broker_config_done(&program->config);
        free(program);
        return NULL;
}

int broker_program_check(const struct broker_config *config, struct log *log, struct error *error)
{
        const struct broker_listener *listeners = config->listeners.items;
        struct broker_program program = {.log = log, .config = *config};
        int r = loop_new(&program.loop);

        if (r < 0)
                return error_set(error, r, "cannot check: %s", strerror(-r));
        r = start_doors(&program, error);
        for (size_t i = 0; i < config->listeners.count && r == 0; i++) {
                AUTO(net_tls) struct net_tls *tls = NULL;

                r = broker_certificate_load(&listeners[i], &tls, error);
                if (r < 0)
                        broker_listeners_place(config, &listeners[i], error);
        }
        broker_doors_free(program.doors);
        loop_free(program.loop);
        return r;
}
