#include "agent/config.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECTIONS_MAX = 16, OVERRIDES_MAX = 16, FIRST_FLAG = 256 /* beyond characters */ };

static const char default_path[] = "/etc/pifleet/agent.yaml";

static const char *const profiles[] = {"standard", "appliance", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
static const char *const reserved_names[AGENT_RESERVED_SECTIONS] = {"devices", "lease"};

static const char *const client_certificates[] = {"none", "optional", "required", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};

static const struct config_key top_keys[] = {
        CONFIG_CHOICE(struct agent_config, profile, "profile", AGENT_PROFILE_STANDARD, profiles,
                      "standard, or appliance, which opens no port at all"),
        CONFIG_TEXT(struct agent_config, state_dir, "state_dir", "/var/lib/pifleet",
                    "the path of the directory that keeps what must survive a restart"),
};
static const struct config_key tls_keys[] = {
        CONFIG_TEXT(struct agent_config, tls.certificate, "certificate", NULL,
                    "the path of a PEM file: the certificate and its chain"),
        CONFIG_TEXT(struct agent_config, tls.key, "key", NULL,
                    "the path of a PEM file: the certificate's private key"),
        CONFIG_CHOICE(struct agent_config, tls.client_certificates, "client_certificates",
                      NET_TLS_PEERS_NONE, client_certificates, "none, optional or required"),
        CONFIG_TEXT(struct agent_config, tls.authorities, "authorities", NULL,
                    "the path of a PEM file: who signs clients' certificates"),
        CONFIG_TEXT(struct agent_config, tls.revoked, "revoked", NULL,
                    "the path of a PEM file: the list of clients' certificates that are revoked"),
        CONFIG_CHOICE(struct agent_config, tls.version, "version", NET_TLS_1_2, tls_versions,
                      "the lowest version, \"1.2\" or \"1.3\""),
};
static const struct config_key log_keys[] = {
        CONFIG_TEXT(struct agent_config, log.file, "file", NULL,
                    "the path of a file; without it the log goes to standard error"),
        CONFIG_CHOICE(struct agent_config, log.level, "level", LOG_LEVEL_INFO, levels,
                      "error, warning, info or debug"),
};
static const struct config_key limits_keys[] = {
        CONFIG_INTEGER(struct agent_config, limits.connections, "connections", 0, 0, 1000000,
                       "how many clients at once, 0: as many as descriptors allow"),
        CONFIG_INTEGER(struct agent_config, limits.memory, "memory", 256 << 20, 1 << 20, UINT32_MAX,
                       "bytes, 1048576 and up, for all that clients make us hold"),
};

struct sections {
        struct config_section list[SECTIONS_MAX];
        size_t count;
};

static struct sections sections_of(struct agent_config *config)
{
        struct sections sections = {
                .list = {{NULL, top_keys, ARRAY_SIZE(top_keys), config},
                         ndjson_config_section(&config->command),
                         access_config_section(&config->access),
                         gpio_config_section(&config->gpio),
                         service_config_section(&config->monitor),
                         handler_config_section(&config->handlers),
                         gate_config_section(&config->mqtt),
                         web_config_section(&config->http),
                         {"tls", tls_keys, ARRAY_SIZE(tls_keys), config},
                         {"log", log_keys, ARRAY_SIZE(log_keys), config},
                         {"limits", limits_keys, ARRAY_SIZE(limits_keys), config}},
                .count = 11,
        };

        for (size_t i = 0; i < AGENT_RESERVED_SECTIONS; i++)
                sections.list[sections.count++] = (struct config_section){
                        .name = reserved_names[i], .target = &config->reserved[i]};
        return sections;
}

struct flag {
        const char *name, *argument, *section, *key, *help;
};

static const struct flag flags[] = {
        {"config", "FILE", NULL, NULL, "read this file in place of /etc/pifleet/agent.yaml"},
        {"host", "ADDRESS", "command", "host", "listen on this address"},
        {"port", "PORT", "command", "port", "listen on this TCP port; 0 switches it off"},
        {"tls-port", "PORT", "command", "tls_port", "the same for TLS (needs tls.certificate)"},
        {"socket", "PATH", "command", "socket", "the Unix socket; \"\" switches it off"},
        {"state-dir", "DIR", NULL, "state_dir", "where to keep what must survive a restart"},
        {"log-level", "LEVEL", "log", "level", "error, warning, info or debug"},
        {"log-file", "FILE", "log", "file", "append the log to this file"},
        {"mqtt-port", "PORT", "mqtt", "port", "the MQTT broker's TCP port; 0: any that is free"},
        {"http-port", "PORT", "http", "port", "the HTTP server's TCP port; 0 switches it off"},
        {"check-config", NULL, NULL, NULL, "check the configuration, say what is wrong, and exit"},
        {"version", NULL, NULL, NULL, "print the version and exit"},
        {"help", NULL, NULL, NULL, "print this and exit"},
};

struct command_line {
        const char *values[ARRAY_SIZE(flags)]; /* NULL: not given; "" without an argument */
};

static const char *value_of(const struct command_line *line, const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                if (strcmp(flags[i].name, name) == 0)
                        return line->values[i];
        }
        return NULL;
}

/* Of a word of letters, of which we have none, getopt_long(3) has only looked at the first. */
static int refuse_option(char *argv[], struct error *error)
{
        if (optopt > ' ' && optopt <= '~')
                return error_set(error, -EINVAL, "-%c is no option; see --help", optopt);
        return error_set(error, -EINVAL, "%s is no option; see --help", argv[optind - 1]);
}

static int command_line_read(struct command_line *line, int argc, char *argv[], struct error *error)
{
        struct option options[ARRAY_SIZE(flags) + 1] = {0};
        int c;

        /* A number each: what is short for two with the same is taken for the first of them. */
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                options[i] = (struct option){flags[i].name,
                                             flags[i].argument ? required_argument : no_argument,
                                             NULL, FIRST_FLAG + (int)i};
        optind = 0;
        opterr = 0;
        while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
                if (c == ':')
                        return error_set(error, -EINVAL, "%s needs a value; see --help",
                                         argv[optind - 1]);
                if (c < FIRST_FLAG)
                        return refuse_option(argv, error);
                line->values[c - FIRST_FLAG] = optarg ? optarg : "";
        }
        if (optind < argc)
                return error_set(error, -EINVAL, "\"%s\" is not expected here; see --help",
                                 argv[optind]);
        return 0;
}

static void print_help(void)
{
        printf("pifleet-agent - answers commands on a Raspberry Pi\n\n"
               "Usage: pifleet-agent [OPTION...]\n\n");
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                char left[40];

                snprintf(left, sizeof(left), "--%s%s%s", flags[i].name,
                         flags[i].argument ? " " : "", flags[i].argument ? flags[i].argument : "");
                printf("  %-22s %s\n", left, flags[i].help);
        }
        printf("\nWithout a configuration file it listens on 127.0.0.1:3000, open to every local\n"
               "user, and simulates a GPIO chip where there is none: try `pifleet call ping`\n"
               "beside it.\n"
               "`pifleet setup` makes a configuration with a first access token.\n");
}

/* The directory of a run that nobody configured. */
static int private_state_dir(char **ret)
{
        const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
        int r;

        if (base && base[0] == '/')
                r = asprintf(ret, "%s/pifleet", base);
        else if (home && home[0] == '/')
                r = asprintf(ret, "%s/.local/state/pifleet", home);
        else
                r = asprintf(ret, "/tmp/pifleet-%u", (unsigned)getuid());
        return r < 0 ? -ENOMEM : 0;
}

static int replace_text(char **place, const char *text)
{
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        free(*place);
        *place = copy;
        return 0;
}

/* Nobody wrote a file: on loopback, open, everything in one private folder. */
static int apply_unconfigured(struct agent_config *config)
{
        config->access.mode = ACCESS_MODE_OPEN;
        free(TAKE(config->state_dir));
        return replace_text(&config->command.host, "127.0.0.1") < 0
                       ? -ENOMEM
                       : private_state_dir(&config->state_dir);
}

/* The socket of such a run lies beside its state, wherever that was put. */
static int apply_unconfigured_socket(struct agent_config *config)
{
        free(TAKE(config->command.socket));
        return asprintf(&config->command.socket, "%s/agent.sock", config->state_dir) < 0 ? -ENOMEM
                                                                                         : 0;
}

static int apply_flags(struct agent_config *config, const struct command_line *line,
                       struct error *error)
{
        struct sections sections = sections_of(config);

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                int r;

                if (!line->values[i] || !flags[i].key)
                        continue;
                r = config_override(sections.list, sections.count, flags[i].section, flags[i].key,
                                    line->values[i], error);
                if (r < 0)
                        return error_prefix(error, "--%s: ", flags[i].name);
        }
        return 0;
}

/* Each port is one listener's, and TLS has a certificate. */
static int check_ports(const struct agent_config *config, struct error *error)
{
        const struct {
                const char *key;
                int64_t port; /* 0: not listened on, or at any that is free */
                bool tls;
        } ports[] = {
                {"command.port", config->command.port, false},
                {"command.tls_port", config->command.tls_port, true},
                {"mqtt.port", config->mqtt.enabled ? config->mqtt.port : 0, false},
                {"mqtt.tls_port", config->mqtt.enabled ? config->mqtt.tls_port : 0, true},
                {"http.port", config->http.enabled ? config->http.port : 0, false},
                {"http.tls_port", config->http.enabled ? config->http.tls_port : 0, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
                if (ports[i].port != 0 && ports[i].tls && !config->tls.certificate)
                        return error_set(error, -EINVAL,
                                         "%s is %d, but tls.certificate and tls.key are not set",
                                         ports[i].key, (int)ports[i].port);
                for (size_t j = 0; j < i; j++)
                        if (ports[i].port != 0 && ports[i].port == ports[j].port)
                                return error_set(error, -EINVAL, "%s and %s are the same",
                                                 ports[j].key, ports[i].key);
        }
        return 0;
}

/* Names stand in the log and the audit, whoever they are of. */
static int check_names(const struct agent_config *config, struct error *error)
{
        const struct user_setting *users = config->mqtt.users.items;
        struct error taken;

        for (size_t i = 0; i < config->mqtt.users.count; i++) {
                int r = access_check_other_name(&config->access, users[i].name, error);

                if (r < 0) {
                        error_prefix(error, "mqtt.users, entry %zu (\"%.64s\"): ", i + 1,
                                     users[i].name);
                        return -EINVAL;
                }
        }
        if (config->mqtt.guest != GATE_GUEST_NONE &&
            access_check_other_name(&config->access, "guest", &taken) == -EEXIST)
                return error_set(error, -EINVAL,
                                 "mqtt.guest: a token of `access.tokens` is called guest");
        return 0;
}

static int check_users(const struct agent_config *config, struct error *error)
{
        int r = gate_config_check(&config->mqtt, error);

        return r < 0 ? r : check_names(config, error);
}

struct net_tls_options agent_config_tls(const struct agent_config *config)
{
        static const char *const protocols[] = {"http/1.1", "mqtt", NULL};

        return (struct net_tls_options){
                .certificate = config->tls.certificate,
                .key = config->tls.key,
                .peers = (enum net_tls_peers)config->tls.client_certificates,
                .authorities = config->tls.authorities,
                .revoked = config->tls.revoked,
                .version = (enum net_tls_version)config->tls.version,
                .protocols = protocols,
        };
}

static int check_tls(const struct agent_config *config, struct error *error)
{
        const bool asks = config->tls.client_certificates != NET_TLS_PEERS_NONE;

        if ((config->tls.certificate != NULL) != (config->tls.key != NULL))
                return error_set(error, -EINVAL,
                                 "tls: `certificate` and `key` belong together; %s is missing",
                                 config->tls.key ? "`certificate`" : "`key`");
        if (asks && !config->tls.authorities)
                return error_set(error, -EINVAL,
                                 "tls: `client_certificates` needs `authorities`, which says who "
                                 "signs them");
        if (!asks && (config->tls.authorities || config->tls.revoked))
                return error_set(error, -EINVAL,
                                 "tls: `%s` is about certificates of clients, for which "
                                 "`client_certificates` does not ask",
                                 config->tls.authorities ? "authorities" : "revoked");
        return 0;
}

/* What no single key can tell. */
static int check_whole(const struct agent_config *config, struct error *error)
{
        if (check_tls(config, error) < 0)
                return -EINVAL;
        if (check_ports(config, error) < 0)
                return -EINVAL;
        if (check_users(config, error) < 0)
                return -EINVAL;
        if (web_config_check(&config->http, error) < 0)
                return -EINVAL;
        if (handler_config_check(&config->handlers, error) < 0)
                return -EINVAL;
        return access_config_check(&config->access, error);
}

static int load(struct agent_config *config, const struct command_line *line, struct error *error)
{
        struct sections sections = sections_of(config);
        const char *path = value_of(line, "config");
        int r;

        if (!path && access(default_path, F_OK) == 0)
                path = default_path;
        r = path ? config_load(path, sections.list, sections.count, error)
                 : config_defaults(sections.list, sections.count);
        if (r < 0)
                return r;
        if (path)
                r = replace_text(&config->path, path);
        else
                r = apply_unconfigured(config);
        if (config->profile == AGENT_PROFILE_APPLIANCE) {
                config->command.port = config->command.tls_port = 0;
                config->mqtt.enabled = config->http.enabled = false;
        }
        if (r == 0)
                r = apply_flags(config, line, error);
        if (value_of(line, "mqtt-port"))
                config->mqtt.enabled = true;
        if (r == 0 && value_of(line, "http-port"))
                config->http.enabled = config->http.port != 0;
        if (r == 0 && !config->path && !value_of(line, "socket"))
                r = apply_unconfigured_socket(config);
        if (r == 0) {
                r = check_whole(config, error);
                if (r < 0 && config->path)
                        error_prefix(error, "%s: ", config->path);
        }
        if (r == -ENOMEM)
                error_set(error, r, "not enough memory");
        if (r < 0)
                agent_config_done(config);
        return r;
}

int agent_config_read_again(const struct agent_config *config, struct agent_config *ret,
                            struct error *error)
{
        struct sections sections = sections_of(ret);
        int r;

        *ret = (struct agent_config){0};
        r = config_load(config->path, sections.list, sections.count, error);
        if (r < 0)
                return r;
        r = check_users(ret, error);
        if (r < 0) {
                error_prefix(error, "%s: ", config->path);
                agent_config_done(ret);
        }
        return r;
}

static void print_reserved(const struct agent_config *config)
{
        const char *name;
        size_t position = 0;

        while ((name = agent_config_next_reserved(config, &position)))
                printf("the section `%s` is ignored: this release has no use for it\n", name);
}

int agent_config_load(struct agent_config *ret, int argc, char *argv[], struct error *error)
{
        struct command_line line = {0};
        int r;

        r = command_line_read(&line, argc, argv, error);
        if (r < 0)
                return r;
        if (value_of(&line, "help")) {
                print_help();
                return AGENT_CONFIG_DONE;
        }
        if (value_of(&line, "version")) {
                printf("pifleet-agent %s\n", PIFLEET_VERSION);
                return AGENT_CONFIG_DONE;
        }
        *ret = (struct agent_config){0};
        r = load(ret, &line, error);
        if (r < 0 || !value_of(&line, "check-config"))
                return r;
        printf("%s: good\n", ret->path ? ret->path : "no configuration file; the defaults");
        print_reserved(ret);
        agent_config_done(ret);
        return AGENT_CONFIG_DONE;
}

void agent_config_done(struct agent_config *config)
{
        struct sections sections = sections_of(config);

        config_done(sections.list, sections.count);
        free(TAKE(config->path));
}

const char *agent_config_next_reserved(const struct agent_config *config, size_t *position)
{
        while (*position < AGENT_RESERVED_SECTIONS) {
                size_t i = (*position)++;

                if (config->reserved[i])
                        return reserved_names[i];
        }
        return NULL;
}
