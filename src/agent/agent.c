#include "agent/agent.h"

#include "agent/event-log.h"
#include "agent/gpio/gpio.h"
#include "agent/gpio/guard-link.h"
#include "agent/handler/handler.h"
#include "agent/notify.h"
#include "agent/service/service.h"
#include "agent/state-dir.h"
#include "agent/transports.h"
#include "base/cleanup.h"
#include "command/reply.h"
#include "loop/signal.h"
#include "loop/work.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
        PASSWORD_CHECKS_WAITING = 64,
        STOP_GRACE_MS = 5000, /* for requests that are under way */
};

struct agent {
        const struct agent_config *config;
        struct log *log;
        int state_fd; /* keeps the state directory ours */

        struct loop *loop;
        struct loop_work *work;
        struct command_bus *bus;
        struct event_log *events;
        struct command_registry *registry;

        struct access *access;
        struct builtin *builtin;
        struct guard_link *guard; /* until the GPIO has it */
        struct gpio *gpio;
        struct service *service;
        struct handler *handler;

        struct transports transports;

        struct notify notify;
        struct loop_signal terminate, interrupt, hang_up;
        struct loop_timer grace;
        bool signals_open, stopping;
};

static void on_stopped(void *owner)
{
        struct agent *agent = owner;

        loop_stop(agent->loop, 0);
}

static void on_grace_over(struct loop_timer *timer)
{
        struct agent *agent = container_of(timer, struct agent, grace);

        log_warning(agent->log, "agent", "stopping with requests under way count=%zu",
                    command_registry_pending(agent->registry));
        loop_stop(agent->loop, 0);
}

/* Pins first: whatever else is slow, nothing stays driven. */
static void begin_stop(struct agent *agent, const char *why)
{
        int r;

        if (agent->stopping)
                return;
        agent->stopping = true;
        log_info(agent->log, "agent", "stopping reason=%s", why);
        notify_stopping();
        r = gpio_stop(agent->gpio);
        if (r < 0)
                log_error(agent->log, "gpio", "not all pins are in their safe state: %s",
                          strerror(-r));
        service_stop(agent->service);
        handler_stop(agent->handler);
        loop_timer_start(&agent->grace, STOP_GRACE_MS);
        transports_stop(&agent->transports, on_stopped, agent);
}

static void on_terminate(struct loop_signal *signal)
{
        begin_stop(container_of(signal, struct agent, terminate), "SIGTERM");
}

static void on_interrupt(struct loop_signal *signal)
{
        begin_stop(container_of(signal, struct agent, interrupt), "SIGINT");
}

static int read_again(struct agent *agent, struct error *error)
{
        int r = log_reopen(agent->log);

        if (r < 0)
                log_warning(agent->log, "log",
                            "cannot open file=%s anew, going on with the old: %s",
                            agent->config->log.file, strerror(-r));
        return transports_read_again(&agent->transports, error);
}

static void on_hang_up(struct loop_signal *signal)
{
        struct error error;

        (void)read_again(container_of(signal, struct agent, hang_up), &error); /* it is logged */
}

static int run_reload(void *owner, struct command_request *request)
{
        struct error error;

        if (read_again(owner, &error) < 0)
                return command_reply_fail(request, COMMAND_BAD_VALUE,
                                          "what cannot be read stays as it was: %s", error.text);
        command_reply_open(request, NULL);
        return command_reply_send(request);
}

static int add_commands(struct agent *agent, struct error *error)
{
        static const struct command reload = {
                .name = "config.reload",
                .description = "Reads certificates, and users and rules of MQTT, again.",
                .schema = "{\"type\":\"object\",\"additionalProperties\":false}",
                .role = COMMAND_ROLE_ADMIN,
                .layer = COMMAND_LAYER_PROTECTED,
                .changes = true,
                .run = run_reload,
        };

        return command_registry_add(agent->registry, &reload, 1, "agent", agent, error);
}

static int open_signals(struct agent *agent)
{
        int r;

        signal(SIGPIPE, SIG_IGN);
        r = loop_signal_open(&agent->terminate, agent->loop, SIGTERM, on_terminate);
        if (r == 0)
                r = loop_signal_open(&agent->interrupt, agent->loop, SIGINT, on_interrupt);
        if (r == 0)
                r = loop_signal_open(&agent->hang_up, agent->loop, SIGHUP, on_hang_up);
        agent->signals_open = r == 0;
        return r;
}

static int open_log(struct agent *agent, struct error *error)
{
        const struct agent_config *config = agent->config;
        const char *name;
        size_t position = 0;
        int r = log_new(config->log.file, (enum log_level)config->log.level, &agent->log);

        if (r < 0)
                return error_set(error, r, "cannot open the log %s: %s", config->log.file,
                                 strerror(-r));
        log_info(agent->log, "agent", "starting version=%s config=%s state=%s", PIFLEET_VERSION,
                 config->path ? config->path : "none", config->state_dir);
        while ((name = agent_config_next_reserved(config, &position)))
                log_warning(agent->log, "config",
                            "ignored section=%s: this release has no use for it", name);
        return 0;
}

/* Whoever drives pins under a supervisor leaves no core behind: writing it takes
 * seconds, for which the dead would look alive. */
static int open_guard(struct agent *agent, struct error *error)
{
        int r = guard_link_open(&agent->guard);

        if (r == -ENOENT) {
                log_info(agent->log, "guard", "none: after a crash, pins stay as they are");
                return 0;
        }
        if (r < 0)
                return error_set(error, r, "the supervisor cannot be understood: %s", strerror(-r));
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return error_set(error, -errno, "cannot do without core dumps: %s",
                                 strerror(errno));
        return 0;
}

static int open_core(struct agent *agent)
{
        int r;

        r = loop_new(&agent->loop);
        if (r < 0)
                return r;
        loop_timer_init(&agent->grace, agent->loop, on_grace_over);
        r = open_signals(agent);
        if (r == 0)
                r = loop_work_new(agent->loop, PASSWORD_CHECKS_WAITING, &agent->work);
        if (r == 0)
                r = command_bus_new(agent->loop, &agent->bus);
        if (r == 0)
                r = event_log_new(agent->bus, agent->log, &agent->events);
        if (r == 0)
                r = command_registry_new(agent->loop, agent->bus, &agent->registry);
        return r;
}

/* Modules see neither configuration nor keys, nor the socket whose users are vouched for. */
static int attach_handlers(struct agent *agent, struct error *error)
{
        const struct agent_config *config = agent->config;
        const struct handler_options options = {
                .config = &config->handlers,
                .state_dir = config->state_dir,
                .hidden = {config->path, config->tls.key, config->command.socket,
                           config->mqtt.socket},
        };

        return handler_attach(agent->registry, &options, &agent->handler, error);
}

static int attach_rooms(struct agent *agent, struct error *error)
{
        const struct agent_config *config = agent->config;
        const struct builtin_config builtin = {.state_dir = config->state_dir};
        int r;

        r = add_commands(agent, error);
        if (r == 0)
                r = access_attach(agent->registry, agent->work, &config->access, &agent->access,
                                  error);
        if (r == 0)
                r = builtin_attach(agent->registry, &builtin, &agent->builtin, error);
        if (r == 0)
                r = gpio_attach(agent->registry, &config->gpio, TAKE(agent->guard), &agent->gpio,
                                error);
        if (r == 0)
                r = service_attach(agent->registry, &config->monitor, &agent->service, error);
        return r < 0 ? r : attach_handlers(agent, error);
}

static int open_transports(struct agent *agent, struct error *error)
{
        const struct transports_setup setup = {
                .config = agent->config,
                .loop = agent->loop,
                .log = agent->log,
                .registry = agent->registry,
                .access = agent->access,
                .builtin = agent->builtin,
        };

        return transports_open(&agent->transports, &setup, error);
}

/* Each may leave its own sentence; where none does, agent_new() has one. */
static int open_all(struct agent *agent, struct error *error)
{
        int r;

        r = open_log(agent, error);
        if (r == 0)
                r = open_guard(agent, error);
        if (r == 0)
                r = state_dir_open(agent->config->state_dir, &agent->state_fd, error);
        if (r == 0)
                r = open_core(agent);
        if (r == 0)
                r = attach_rooms(agent, error);
        if (r == 0)
                r = open_transports(agent, error);
        return r;
}

int agent_new(const struct agent_config *config, struct agent **ret, struct error *error)
{
        struct agent *agent = calloc(1, sizeof(*agent));
        int r;

        if (!agent)
                return error_set(error, -ENOMEM, "not enough memory");
        agent->config = config;
        agent->state_fd = -1;
        error_set(error, 0, "%s", "");
        r = open_all(agent, error);
        if (r < 0) {
                if (error->text[0] == '\0')
                        error_set(error, r, "cannot start: %s", strerror(-r));
                agent_free(agent);
                return r;
        }
        *ret = agent;
        return 0;
}

int agent_run(struct agent *agent)
{
        int r;

        notify_init(&agent->notify, agent->loop);
        notify_ready("serving");
        log_info(agent->log, "agent", "ready");
        r = loop_run(agent->loop);
        notify_done(&agent->notify);
        log_info(agent->log, "agent", "stopped");
        return r;
}

/* A second SIGTERM while everything is taken down must not end it half way. */
static void hold_signals(void)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* In the reverse order of opening: transports, then rooms, then what they use. */
struct agent *agent_free(struct agent *agent)
{
        if (!agent)
                return NULL;
        hold_signals();
        transports_done(&agent->transports);
        handler_free(agent->handler);
        service_free(agent->service);
        gpio_free(agent->gpio);
        guard_link_free(agent->guard);
        builtin_free(agent->builtin);
        access_free(agent->access);
        loop_work_free(agent->work);
        event_log_free(agent->events);
        command_registry_free(agent->registry);
        command_bus_free(agent->bus);
        if (agent->signals_open) {
                loop_timer_stop(&agent->grace);
                loop_signal_close(&agent->terminate);
                loop_signal_close(&agent->interrupt);
                loop_signal_close(&agent->hang_up);
        }
        loop_free(agent->loop);
        log_free(agent->log);
        if (agent->state_fd >= 0)
                close(agent->state_fd);
        free(agent);
        return NULL;
}
