#include "agent/transports.h"

#include "agent/gate/gate.h"
#include "agent/listen-address.h"
#include "agent/ndjson/server.h"
#include "agent/web/web.h"

#include <sys/socket.h>

/* Who comes and shows nothing: by a Unix socket, whoever the kernel says. */
static void admit(void *owner, int fd, const struct net_address *peer,
                  struct command_principal *ret)
{
        const struct transports *transports = owner;
        struct ucred credentials;
        socklen_t length = sizeof(credentials);
        bool vouched = peer->any.sa_family == AF_UNIX &&
                       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0;

        access_initial_principal(transports->setup.access, vouched ? &credentials.uid : NULL, ret);
}

static void admit_local(void *owner, int fd, struct command_principal *ret)
{
        static const struct net_address local = {.any = {.sa_family = AF_UNIX}};

        admit(owner, fd, &local, ret);
}

static void admit_anybody(void *owner, struct command_principal *ret)
{
        const struct transports *transports = owner;

        access_initial_principal(transports->setup.access, NULL, ret);
}

static int find_address(const struct transports *transports, const char *section, const char *host,
                        int64_t port, struct net_address *ret, struct error *error)
{
        return listen_address_find(transports->setup.config, transports->setup.log, section, host,
                                   port, ret, error);
}

/* What all of them stand on. */
static int open_net(struct transports *transports, struct error *error)
{
        const struct agent_config *config = transports->setup.config;
        const struct net_tls_options tls = agent_config_tls(config);
        bool wants_tls = config->command.tls_port != 0 ||
                         (config->mqtt.enabled && config->mqtt.tls_port != 0) ||
                         (config->http.enabled && config->http.tls_port != 0);
        int r;

        r = net_context_new(transports->setup.loop, (size_t)config->limits.memory,
                            &transports->net);
        if (r == 0 && wants_tls)
                r = net_tls_new(NET_TLS_SERVER, &tls, &transports->tls, error);
        return r;
}

static int listen_for_commands(struct transports *transports, const char *transport, int64_t port,
                               struct error *error)
{
        struct net_address address;
        int r;

        if (port == 0)
                return 0;
        r = find_address(transports, "command", transports->setup.config->command.host, port,
                         &address, error);
        return r < 0 ? r : ndjson_server_listen(transports->server, transport, &address, error);
}

static int listen_for_local_commands(struct transports *transports, struct error *error)
{
        struct net_address address;
        int r = listen_address_find_local("command", transports->setup.config->command.socket,
                                          &address, error);

        if (r != 0)
                return r < 0 ? r : 0;
        return ndjson_server_listen(transports->server, "unix", &address, error);
}

static int open_server(struct transports *transports, struct error *error)
{
        const struct ndjson_config *config = &transports->setup.config->command;
        const struct ndjson_setup setup = {
                .registry = transports->setup.registry,
                .net = transports->net,
                .log = transports->setup.log,
                .tls = transports->tls,
                .connections_max = transports->capacity.command,
                .admit = admit,
                .admit_owner = transports,
        };
        int r;

        r = ndjson_server_new(config, &setup, &transports->server);
        if (r == 0)
                r = listen_for_commands(transports, "tcp", config->port, error);
        if (r == 0)
                r = listen_for_commands(transports, "tls", config->tls_port, error);
        return r < 0 ? r : listen_for_local_commands(transports, error);
}

/* 1: there is no such entrance. */
static int find_gate_address(struct transports *transports, enum gate_entrance entrance,
                             struct net_address *ret, struct error *error)
{
        const struct gate_config *config = &transports->setup.config->mqtt;
        const char *tls_host = config->tls_host ? config->tls_host : config->host;

        switch (entrance) {
        case GATE_TCP:
                return find_address(transports, "mqtt", config->host, config->port, ret, error);
        case GATE_TLS:
                if (config->tls_port == 0)
                        return 1;
                return find_address(transports, "mqtt", tls_host, config->tls_port, ret, error);
        case GATE_SOCKET:
                return listen_address_find_local("mqtt", config->socket, ret, error);
        case GATE_ENTRANCES:
                break;
        }
        return 1;
}

/* A broker that runs already has the port: it stays, and all but MQTT is served. */
static int listen_for_gate(struct transports *transports, enum gate_entrance entrance,
                           struct error *error)
{
        struct net_address address;
        int r = find_gate_address(transports, entrance, &address, error);

        if (r != 0)
                return r < 0 ? r : 0;
        r = gate_listen(transports->gate, entrance, &address, error);
        if (r != GATE_PORT_IN_USE)
                return r;
        log_error(transports->setup.log, "mqtt", "%s", error->text);
        return 0;
}

static int open_gate(struct transports *transports, struct error *error)
{
        const struct agent_config *config = transports->setup.config;
        struct gate_options options = {
                .config = &config->mqtt,
                .state_dir = config->state_dir,
                .net = transports->net,
                .log = transports->setup.log,
                .tls = transports->tls,
                .connections_max = transports->capacity.mqtt,
                .request_bytes = (size_t)config->command.max_line,
                .admit = admit_anybody,
                .vouch = admit_local,
                .admit_owner = transports,
        };
        int r;

        if (!config->mqtt.enabled)
                return 0;
        access_lend_login(transports->setup.access, &options.login);
        r = gate_attach(transports->setup.registry, &options, &transports->gate, error);
        for (size_t i = 0; i < GATE_ENTRANCES && r == 0; i++)
                r = listen_for_gate(transports, (enum gate_entrance)i, error);
        return r;
}

/* As with MQTT, another program that has the port has come first. */
static int listen_for_web(struct transports *transports, enum web_port port, struct error *error)
{
        const struct web_config *config = &transports->setup.config->http;
        bool tls = port == WEB_TLS;
        const char *host = tls && config->tls_host ? config->tls_host : config->host;
        struct net_address address;
        int r;

        if (tls && config->tls_port == 0)
                return 0;
        r = find_address(transports, "http", host, tls ? config->tls_port : config->port, &address,
                         error);
        if (r == 0)
                r = web_listen(transports->web, port, &address, error);
        if (r != WEB_PORT_IN_USE)
                return r;
        log_error(transports->setup.log, "http", "%s", error->text);
        return 0;
}

static void take_mqtt(void *owner, struct net_stream *stream)
{
        const struct transports *transports = owner;

        gate_adopt_stream(transports->gate, stream);
}

/* MQTT over WebSockets, and by ALPN at the port of HTTP; the broker's figures. */
static int introduce_gate(struct transports *transports)
{
        int r = gate_route(transports->gate, web_router(transports->web), web_is_named,
                           transports->web);

        if (r < 0)
                return r;
        web_add_figures(transports->web, gate_write_figures, transports->gate);
        web_on_mqtt(transports->web, take_mqtt, transports);
        return 0;
}

static int open_web(struct transports *transports, struct error *error)
{
        const struct agent_config *config = transports->setup.config;
        const struct web_options options = {
                .config = &config->http,
                .net = transports->net,
                .log = transports->setup.log,
                .tls = transports->tls,
                .connections_max = transports->capacity.http,
                .request_bytes = (size_t)config->command.max_line,
                .admit = admit_anybody,
                .admit_owner = transports,
        };
        int r;

        if (!config->http.enabled)
                return 0;
        r = web_attach(transports->setup.registry, &options, &transports->web, error);
        if (r < 0)
                return r;
        web_add_figures(transports->web, builtin_write_figures, transports->setup.builtin);
        if (transports->gate)
                r = introduce_gate(transports);
        if (r == 0)
                r = listen_for_web(transports, WEB_PLAIN, error);
        return r < 0 ? r : listen_for_web(transports, WEB_TLS, error);
}

int transports_open(struct transports *transports, const struct transports_setup *setup,
                    struct error *error)
{
        int r;

        transports->setup = *setup;
        transports->capacity = capacity_find(setup->config);
        r = open_net(transports, error);
        if (r == 0)
                r = open_server(transports, error);
        if (r == 0)
                r = open_gate(transports, error);
        return r < 0 ? r : open_web(transports, error);
}

void transports_done(struct transports *transports)
{
        transports->web = web_free(transports->web);
        transports->gate = gate_free(transports->gate);
        transports->server = ndjson_server_free(transports->server);
        transports->tls = net_tls_free(transports->tls);
        transports->net = net_context_free(transports->net);
}

static int read_certificate(struct transports *transports, struct error *error)
{
        const struct transports_setup *setup = &transports->setup;
        int r = transports->tls ? net_tls_reload(transports->tls, NULL, error) : 0;

        if (r < 0)
                log_error(setup->log, "tls", "going on with the certificate of before: %s",
                          error->text);
        else if (r > 0)
                log_info(setup->log, "tls", "new certificate file=%s",
                         setup->config->tls.certificate);
        return r < 0 ? r : 0;
}

static int read_users(struct transports *transports, struct error *error)
{
        const struct transports_setup *setup = &transports->setup;
        struct agent_config config;
        int r;

        if (!transports->gate || !setup->config->path)
                return 0;
        r = agent_config_read_again(setup->config, &config, error);
        if (r == 0) {
                r = gate_set_users(transports->gate, &config.mqtt, error);
                agent_config_done(&config);
        }
        if (r < 0)
                log_error(setup->log, "mqtt", "going on with the users and rules of before: %s",
                          error->text);
        else
                log_info(setup->log, "mqtt", "read users and rules again file=%s",
                         setup->config->path);
        return r;
}

int transports_read_again(struct transports *transports, struct error *error)
{
        struct error other;
        int r = read_certificate(transports, error);
        int also = read_users(transports, r < 0 ? &other : error);

        return r < 0 ? r : also;
}

static void on_stopped(void *owner)
{
        struct transports *transports = owner;

        if (--transports->running == 0)
                transports->stopped(transports->owner);
}

void transports_stop(struct transports *transports, transports_stopped_fn *stopped, void *owner)
{
        transports->stopped = stopped;
        transports->owner = owner;
        /* Counted before the first is told, which may have stopped at once. */
        transports->running = 1 + (transports->gate != NULL) + (transports->web != NULL);
        if (transports->web)
                web_stop(transports->web, on_stopped, transports);
        if (transports->gate)
                gate_stop(transports->gate, on_stopped, transports);
        ndjson_server_stop(transports->server, on_stopped, transports);
}
