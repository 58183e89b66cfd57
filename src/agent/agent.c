#include "agent/agent.h"

#include "agent/access/access.h"
#include "agent/builtin/builtin.h"
#include "agent/capacity.h"
#include "agent/event-log.h"
#include "agent/gate/gate.h"
#include "agent/gpio/gpio.h"
#include "agent/gpio/guard-link.h"
#include "agent/handler/handler.h"
#include "agent/ndjson/server.h"
#include "agent/notify.h"
#include "agent/service/service.h"
#include "agent/state-dir.h"
#include "agent/web/web.h"
#include "base/cleanup.h"
#include "base/log.h"
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
        int state_fd; /* keeps the state directory ours */
        struct log *log;
        struct loop *loop;
        struct loop_work *work;
        struct command_bus *bus;
        struct event_log *events;
        struct command_registry *registry;
        struct net_context *net;
        struct net_tls *tls;
        struct access *access;
        struct builtin *builtin;
        struct guard_link *guard; /* until the GPIO has it */
        struct gpio *gpio;
        struct service *service;
        struct handler *handler;
        struct ndjson_server *server;
        struct gate *gate; /* NULL: no MQTT */
        struct web *web;   /* NULL: no HTTP */
        struct capacity capacity;
        unsigned ways_in; /* that have not stopped yet */
        struct notify notify;
        struct loop_signal terminate, interrupt, hang_up;
        struct loop_timer grace;
        bool signals_open, stopping;
};

static void agent_admit(void *owner, int fd, const struct net_address *peer,
                        struct command_principal *ret)
{
        struct agent *agent = owner;
        struct ucred credentials;
        socklen_t length = sizeof(credentials);
        bool vouched = peer->any.sa_family == AF_UNIX &&
                       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0;

        access_initial_principal(agent->access, vouched ? &credentials.uid : NULL, ret);
}

/* Who comes by MQTT or HTTP and shows nothing. */
static void agent_admit_anybody(void *owner, struct command_principal *ret)
{
        struct agent *agent = owner;

        access_initial_principal(agent->access, NULL, ret);
}

/* By the kernel's word, whoever comes by the broker's Unix socket. */
static void agent_vouch(void *owner, int fd, struct command_principal *ret)
{
        static const struct net_address local = {.any = {.sa_family = AF_UNIX}};

        agent_admit(owner, fd, &local, ret);
}

static void agent_stopped(void *owner)
{
        struct agent *agent = owner;

        if (--agent->ways_in == 0)
                loop_stop(agent->loop, 0);
}

static void agent_on_grace_over(struct loop_timer *timer)
{
        struct agent *agent = container_of(timer, struct agent, grace);

        log_warning(agent->log, "agent", "stopping with requests under way count=%zu",
                    command_registry_pending(agent->registry));
        loop_stop(agent->loop, 0);
}

/* Pins first: whatever else is slow, nothing stays driven. */
static void agent_begin_stop(struct agent *agent, const char *why)
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
        agent->ways_in = 1 + (agent->gate != NULL) + (agent->web != NULL);
        if (agent->web)
                web_stop(agent->web, agent_stopped, agent);
        if (agent->gate)
                gate_stop(agent->gate, agent_stopped, agent);
        ndjson_server_stop(agent->server, agent_stopped, agent);
}

static void agent_on_terminate(struct loop_signal *signal)
{
        agent_begin_stop(container_of(signal, struct agent, terminate), "SIGTERM");
}

static void agent_on_interrupt(struct loop_signal *signal)
{
        agent_begin_stop(container_of(signal, struct agent, interrupt), "SIGINT");
}

/* Connections go on with the one they began with. */
static void read_certificate(struct agent *agent)
{
        struct error error;
        int r = agent->tls ? net_tls_reload(agent->tls, NULL, &error) : 0;

        if (r < 0)
                log_error(agent->log, "tls", "going on with the certificate of before: %s",
                          error.text);
        else if (r > 0)
                log_info(agent->log, "tls", "new certificate file=%s",
                         agent->config->tls.certificate);
}

/* Users and rules of MQTT; those who are connected stay. */
static void read_users(struct agent *agent)
{
        struct agent_config config;
        struct error error;
        int r;

        if (!agent->gate || !agent->config->path)
                return;
        r = agent_config_read_again(agent->config, &config, &error);
        if (r == 0) {
                r = gate_set_users(agent->gate, &config.mqtt, &error);
                agent_config_done(&config);
        }
        if (r < 0)
                log_error(agent->log, "mqtt", "going on with the users and rules of before: %s",
                          error.text);
        else
                log_info(agent->log, "mqtt", "read users and rules again file=%s",
                         agent->config->path);
}

static void agent_on_hang_up(struct loop_signal *signal)
{
        struct agent *agent = container_of(signal, struct agent, hang_up);
        int r = log_reopen(agent->log);

        if (r < 0)
                log_warning(agent->log, "log",
                            "cannot open file=%s anew, going on with the old: %s",
                            agent->config->log.file, strerror(-r));
        read_certificate(agent);
        read_users(agent);
}

static int open_signals(struct agent *agent)
{
        int r;

        signal(SIGPIPE, SIG_IGN);
        r = loop_signal_open(&agent->terminate, agent->loop, SIGTERM, agent_on_terminate);
        if (r == 0)
                r = loop_signal_open(&agent->interrupt, agent->loop, SIGINT, agent_on_interrupt);
        if (r == 0)
                r = loop_signal_open(&agent->hang_up, agent->loop, SIGHUP, agent_on_hang_up);
        agent->signals_open = r == 0;
        return r;
}

/* Somebody can come in there who has no token. */
static bool has_users(const struct agent *agent, const char *section)
{
        const struct gate_config *mqtt = &agent->config->mqtt;

        return strcmp(section, "mqtt") == 0 &&
               (mqtt->users.count > 0 || mqtt->guest != GATE_GUEST_NONE);
}

/* Where proxies bring clients from elsewhere, loopback is no wall. */
static bool is_loopback(const struct agent *agent, const char *section,
                        const struct net_address *address)
{
        const struct agent_config *config = agent->config;
        bool proxied = (strcmp(section, "mqtt") == 0 && config->mqtt.proxies.count > 0) ||
                       (strcmp(section, "http") == 0 && config->http.proxies.count > 0);

        return !proxied && net_address_is_loopback(address);
}

/* The address a listener really gets: the network only for those who may. */
static int decide_address(struct agent *agent, const char *section, const char *host, uint16_t port,
                          struct net_address *ret, struct error *error)
{
        int r;

        r = net_address_parse(host, port, ret, error);
        if (r < 0)
                return error_prefix(error, "%s.host: ", section);
        r = access_check_listen(&agent->config->access, host, is_loopback(agent, section, ret),
                                error);
        if (r == ACCESS_LISTEN_LOOPBACK_ONLY && has_users(agent, section))
                return 0;
        if (r > 0)
                log_warning(agent->log, "access", "%s", error->text);
        if (r == ACCESS_LISTEN_LOOPBACK_ONLY)
                return net_address_parse("127.0.0.1", port, ret, error);
        return r < 0 ? r : 0;
}

static int listen_on(struct agent *agent, const char *transport, int64_t port, struct error *error)
{
        struct net_address address;
        int r;

        if (port == 0)
                return 0;
        r = decide_address(agent, "command", agent->config->command.host, (uint16_t)port, &address,
                           error);
        return r < 0 ? r : ndjson_server_listen(agent->server, transport, &address, error);
}

static int listen_on_socket(struct agent *agent, struct error *error)
{
        const char *path = agent->config->command.socket;
        struct net_address address;
        int r;

        if (!path || path[0] == '\0')
                return 0;
        r = net_address_local(path, &address);
        if (r < 0)
                return error_set(error, r, "command.socket: %s is too long for a socket's path",
                                 path);
        return ndjson_server_listen(agent->server, "unix", &address, error);
}

static bool wants_tls(const struct agent_config *config)
{
        return config->command.tls_port != 0 ||
               (config->mqtt.enabled && config->mqtt.tls_port != 0) ||
               (config->http.enabled && config->http.tls_port != 0);
}

static int open_server(struct agent *agent, struct error *error)
{
        const struct agent_config *config = agent->config;
        struct ndjson_setup setup = {
                .registry = agent->registry,
                .log = agent->log,
                .connections_max = agent->capacity.command,
                .admit = agent_admit,
                .admit_owner = agent,
        };
        const struct net_tls_options tls = agent_config_tls(config);
        int r;

        r = net_context_new(agent->loop, (size_t)config->limits.memory, &agent->net);
        if (r == 0 && wants_tls(config))
                r = net_tls_new(NET_TLS_SERVER, &tls, &agent->tls, error);
        setup.net = agent->net;
        setup.tls = agent->tls;
        if (r == 0)
                r = ndjson_server_new(&config->command, &setup, &agent->server);
        if (r == 0)
                r = listen_on(agent, "tcp", config->command.port, error);
        if (r == 0)
                r = listen_on(agent, "tls", config->command.tls_port, error);
        if (r == 0)
                r = listen_on_socket(agent, error);
        return r;
}

/* 1: there is no such entrance. */
static int find_gate_address(struct agent *agent, enum gate_entrance entrance,
                             struct net_address *ret, struct error *error)
{
        const struct gate_config *config = &agent->config->mqtt;
        int r;

        switch (entrance) {
        case GATE_TCP:
                return decide_address(agent, "mqtt", config->host, (uint16_t)config->port, ret,
                                      error);
        case GATE_TLS:
                if (config->tls_port == 0)
                        return 1;
                return decide_address(agent, "mqtt",
                                      config->tls_host ? config->tls_host : config->host,
                                      (uint16_t)config->tls_port, ret, error);
        case GATE_SOCKET:
                if (!config->socket || config->socket[0] == '\0')
                        return 1;
                r = net_address_local(config->socket, ret);
                return r == 0 ? 0
                              : error_set(error, r,
                                          "mqtt.socket: %s is too long for a socket's path",
                                          config->socket);
        case GATE_ENTRANCES:
                break;
        }
        return 1;
}

/* A broker that runs already has the port: it stays, and all but MQTT is served. */
static int listen_for_gate(struct agent *agent, enum gate_entrance entrance, struct error *error)
{
        struct net_address address;
        int r = find_gate_address(agent, entrance, &address, error);

        if (r != 0)
                return r < 0 ? r : 0;
        r = gate_listen(agent->gate, entrance, &address, error);
        if (r != GATE_PORT_IN_USE)
                return r;
        log_error(agent->log, "mqtt", "%s", error->text);
        return 0;
}

static int open_gate(struct agent *agent, struct error *error)
{
        const struct gate_config *config = &agent->config->mqtt;
        struct gate_options options = {
                .config = config,
                .state_dir = agent->config->state_dir,
                .net = agent->net,
                .log = agent->log,
                .tls = agent->tls,
                .connections_max = agent->capacity.mqtt,
                .request_bytes = (size_t)agent->config->command.max_line,
                .admit = agent_admit_anybody,
                .vouch = agent_vouch,
                .admit_owner = agent,
        };
        int r;

        if (!config->enabled)
                return 0;
        access_lend_login(agent->access, &options.login);
        r = gate_attach(agent->registry, &options, &agent->gate, error);
        for (size_t i = 0; i < GATE_ENTRANCES && r == 0; i++)
                r = listen_for_gate(agent, (enum gate_entrance)i, error);
        return r;
}

static int listen_for_web(struct agent *agent, enum web_port port, struct error *error)
{
        const struct web_config *config = &agent->config->http;
        bool tls = port == WEB_TLS;
        const char *host = tls && config->tls_host ? config->tls_host : config->host;
        struct net_address address;
        int r;

        if (tls && config->tls_port == 0)
                return 0;
        r = decide_address(agent, "http", host, (uint16_t)(tls ? config->tls_port : config->port),
                           &address, error);
        if (r == 0)
                r = web_listen(agent->web, port, &address, error);
        if (r != WEB_PORT_IN_USE)
                return r;
        log_error(agent->log, "http", "%s", error->text);
        return 0;
}

static void take_mqtt(void *owner, struct net_stream *stream)
{
        const struct agent *agent = owner;

        gate_adopt_stream(agent->gate, stream);
}

/* As with MQTT, another program that has the port has come first. */
static int open_web(struct agent *agent, struct error *error)
{
        const struct web_options options = {
                .config = &agent->config->http,
                .net = agent->net,
                .log = agent->log,
                .tls = agent->tls,
                .connections_max = agent->capacity.http,
                .request_bytes = (size_t)agent->config->command.max_line,
                .admit = agent_admit_anybody,
                .admit_owner = agent,
        };
        int r;

        if (!options.config->enabled)
                return 0;
        r = web_attach(agent->registry, &options, &agent->web, error);
        if (r == 0)
                web_add_figures(agent->web, builtin_write_figures, agent->builtin);
        if (r == 0 && agent->gate)
                r = gate_route(agent->gate, web_router(agent->web));
        if (r == 0 && agent->gate)
                web_add_figures(agent->web, gate_write_figures, agent->gate);
        if (r == 0 && agent->gate)
                web_on_mqtt(agent->web, take_mqtt, agent);
        if (r == 0)
                r = listen_for_web(agent, WEB_PLAIN, error);
        return r < 0 ? r : listen_for_web(agent, WEB_TLS, error);
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

        r = access_attach(agent->registry, agent->work, &config->access, &agent->access, error);
        if (r == 0)
                r = builtin_attach(agent->registry, &builtin, &agent->builtin, error);
        if (r == 0)
                r = gpio_attach(agent->registry, &config->gpio, TAKE(agent->guard), &agent->gpio,
                                error);
        if (r == 0)
                r = service_attach(agent->registry, &config->monitor, &agent->service, error);
        return r < 0 ? r : attach_handlers(agent, error);
}

static int open_core(struct agent *agent)
{
        int r;

        r = loop_new(&agent->loop);
        if (r == 0)
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

static void log_reserved(struct agent *agent)
{
        const char *name;
        size_t position = 0;

        while ((name = agent_config_next_reserved(agent->config, &position)))
                log_warning(agent->log, "config",
                            "ignored section=%s: this release has no use for it", name);
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

static int agent_open(struct agent *agent, struct error *error)
{
        const struct agent_config *config = agent->config;
        int r;

        r = log_new(config->log.file, (enum log_level)config->log.level, &agent->log);
        if (r < 0)
                return error_set(error, r, "cannot open the log %s: %s", config->log.file,
                                 strerror(-r));
        log_info(agent->log, "agent", "starting version=%s config=%s state=%s", PIFLEET_VERSION,
                 config->path ? config->path : "none", config->state_dir);
        log_reserved(agent);
        r = open_guard(agent, error);
        if (r < 0)
                return r;
        r = state_dir_open(config->state_dir, &agent->state_fd, error);
        if (r < 0)
                return r;
        r = open_core(agent);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        loop_timer_init(&agent->grace, agent->loop, agent_on_grace_over);
        r = attach_rooms(agent, error);
        agent->capacity = capacity_find(config);
        if (r == 0)
                r = open_server(agent, error);
        if (r == 0)
                r = open_gate(agent, error);
        if (r == 0)
                r = open_web(agent, error);
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
        r = agent_open(agent, error);
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
        web_free(agent->web);
        gate_free(agent->gate);
        ndjson_server_free(agent->server);
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
        net_context_free(agent->net);
        net_tls_free(agent->tls);
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
