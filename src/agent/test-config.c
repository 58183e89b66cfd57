#include "agent/config.h"

#include "base/attributes.h"
#include "base/log.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int load(struct agent_config *config, struct error *error, const char *text,
                const char *const more[])
{
        char path[] = "/tmp/pifleet-config-XXXXXX";
        const char *argv[16] = {"pifleet-agent", "--config", path};
        int argc = 3, fd = mkstemp(path), r;

        CHECK(fd >= 0);
        CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
        while (more && *more)
                argv[argc++] = *more++;
        r = agent_config_load(config, argc, (char **)argv, error);
        unlink(path);
        return r;
}

static void check_text(const char *actual, const char *expected)
{
        if (!expected)
                CHECK_NULL(actual);
        else
                CHECK_TEXT(actual, expected);
}

static void check_same(const struct agent_config *a, const struct agent_config *b)
{
        check_text(a->state_dir, b->state_dir);
        CHECK_EQ(a->profile, b->profile);
        check_text(a->command.host, b->command.host);
        CHECK_EQ(a->command.port, b->command.port);
        CHECK_EQ(a->command.tls_port, b->command.tls_port);
        check_text(a->command.socket, b->command.socket);
        CHECK(a->command.idle_timeout == b->command.idle_timeout);
        CHECK_EQ(a->command.max_line, b->command.max_line);
        CHECK_EQ(a->access.mode, b->access.mode);
        CHECK_EQ(a->access.allow_open_network, b->access.allow_open_network);
        CHECK_EQ(a->access.open_role, b->access.open_role);
        CHECK_EQ(a->access.tokens.count, b->access.tokens.count);
        CHECK_EQ(a->gpio.backend, b->gpio.backend);
        CHECK_EQ(a->monitor.services.count, b->monitor.services.count);
        for (size_t i = 0; i < a->monitor.services.count; i++)
                CHECK_TEXT(a->monitor.services.items[i], b->monitor.services.items[i]);
        check_text(a->tls.certificate, b->tls.certificate);
        check_text(a->tls.authorities, b->tls.authorities);
        CHECK_EQ(a->tls.client_certificates, b->tls.client_certificates);
        CHECK_EQ(a->tls.version, b->tls.version);
        check_text(a->log.file, b->log.file);
        CHECK_EQ(a->log.level, b->log.level);
        CHECK_EQ(a->mqtt.enabled, b->mqtt.enabled);
        check_text(a->mqtt.host, b->mqtt.host);
        check_text(a->mqtt.topic, b->mqtt.topic);
        check_text(a->mqtt.tls_host, b->mqtt.tls_host);
        CHECK_EQ(a->mqtt.tls_port, b->mqtt.tls_port);
        check_text(a->mqtt.socket, b->mqtt.socket);
        CHECK_EQ(a->mqtt.proxies.count, b->mqtt.proxies.count);
        CHECK_EQ(a->mqtt.guest, b->mqtt.guest);
        CHECK_EQ(a->mqtt.users.count, b->mqtt.users.count);
        CHECK_EQ(a->mqtt.acl.count, b->mqtt.acl.count);
        CHECK_EQ(a->mqtt.keep.sessions, b->mqtt.keep.sessions);
        CHECK_EQ(a->mqtt.keep.retained, b->mqtt.keep.retained);
        CHECK(a->mqtt.keep.interval == b->mqtt.keep.interval);
        /* All numbers. */
        CHECK_EQ(memcmp(&a->mqtt.limits, &b->mqtt.limits, sizeof(a->mqtt.limits)), 0);
        CHECK_EQ(a->mqtt.port, b->mqtt.port);
        CHECK_EQ(a->http.enabled, b->http.enabled);
        check_text(a->http.host, b->http.host);
        CHECK_EQ(a->http.port, b->http.port);
        check_text(a->http.tls_host, b->http.tls_host);
        CHECK_EQ(a->http.tls_port, b->http.tls_port);
        check_text(a->http.page, b->http.page);
        CHECK_EQ(a->http.metrics, b->http.metrics);
        CHECK_EQ(a->http.names.count, b->http.names.count);
        CHECK_EQ(a->http.proxies.count, b->http.proxies.count);
        CHECK_EQ(a->http.connections, b->http.connections);
        CHECK_EQ(a->http.event_streams, b->http.event_streams);
        CHECK(a->http.timeout == b->http.timeout);
        CHECK_EQ(a->limits.connections, b->limits.connections);
        CHECK_EQ(a->limits.memory, b->limits.memory);
}

TEST(the_shipped_example_says_exactly_the_defaults)
{
        const char *argv[] = {"pifleet-agent", "--config", getenv("PIFLEET_EXAMPLE_CONFIG")};
        struct agent_config example, defaults;
        struct error error;

        if (!argv[2])
                FAIL("PIFLEET_EXAMPLE_CONFIG must name packaging/agent.yaml");
        if (agent_config_load(&example, 3, (char **)argv, &error) < 0)
                FAIL("%s", error.text);
        CHECK_EQ(load(&defaults, &error, "{}", NULL), 0);
        check_same(&example, &defaults);
        agent_config_done(&example);
        agent_config_done(&defaults);
}

TEST(the_shipped_example_names_every_key)
{
        static const char *const keys[] = {
                "profile:",
                "state_dir:",
                "host:",
                "port:",
                "tls_port:",
                "socket:",
                "max_line:",
                "mode:",
                "backend:",
                "idle_timeout:",
                "open_role:",
                "tokens:",
                "chip:",
                "level:",
                "allow_open_network:",
                "certificate:",
                "key:",
                "client_certificates:",
                "authorities:",
                "revoked:",
                "version:",
                "file:",
                "memory:",
                "connections:",
                "name:",
                "role:",
                "hash:",
                "services:",
                "mqtt:",
                "enabled:",
                "topic:",
                "clients:",
                "sessions:",
                "connecting:",
                "subscriptions:",
                "subscriptions_per_session:",
                "retained_messages:",
                "retained_bytes:",
                "packet_bytes:",
                "keep_alive:",
                "session_expiry:",
                "inflight:",
                "output_bytes:",
                "queue_messages:",
                "queue_bytes:",
                "queued_bytes:",
                "guest:",
                "users:",
                "acl:",
                "durability:",
                "retained_durability:",
                "durability_interval:",
                "http:",
                "tls_host:",
                "page:",
                "metrics:",
                "names:",
                "proxies:",
                "event_streams:",
                "timeout:",
                "storage:",
        };
        FILE *file = fopen(getenv("PIFLEET_EXAMPLE_CONFIG"), "re");
        char text[16384];

        CHECK(file != NULL);
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                if (!strstr(text, keys[i]))
                        FAIL("the example does not mention %s", keys[i]);
        }
}

TEST(flags_stand_over_the_file)
{
        struct agent_config config;
        struct error error;

        CHECK_EQ(load(&config, &error, "command: {port: 3001, host: 127.0.0.1}",
                      (const char *[]){"--port", "3002", "--log-level=debug", "--state-dir", "/x",
                                       NULL}),
                 0);
        CHECK_EQ(config.command.port, 3002);
        CHECK_TEXT(config.command.host, "127.0.0.1");
        CHECK_EQ(config.log.level, 3);
        CHECK_TEXT(config.state_dir, "/x");
        CHECK_EQ(config.access.mode, ACCESS_MODE_TOKEN);
        agent_config_done(&config);
}

TEST(an_appliance_opens_no_port_unless_a_flag_says_so)
{
        struct agent_config config;
        struct error error;

        CHECK_EQ(load(&config, &error, "profile: appliance\ncommand: {port: 3001}", NULL), 0);
        CHECK_EQ(config.command.port, 0);
        agent_config_done(&config);
        CHECK_EQ(load(&config, &error, "profile: appliance",
                      (const char *[]){"--port", "3002", NULL}),
                 0);
        CHECK_EQ(config.command.port, 3002);
        agent_config_done(&config);
}

#define USER_HASH "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"
#define TOKEN_HASH "blake2b:6e4616ba485d7ff160dde955bb90a9f12f558d6df0e7c10ce84615a97cfe1f76"

TEST(users_and_rules_are_read_again)
{
        char path[] = "/tmp/pifleet-config-XXXXXX";
        const char *argv[] = {"pifleet-agent", "--config", path};
        struct agent_config config, again;
        struct error error;
        FILE *file;

        close(mkstemp(path));
        CHECK_EQ(agent_config_load(&config, 3, (char **)argv, &error), 0);
        file = fopen(path, "we");
        CHECK(file != NULL);
        fprintf(file, "mqtt: {users: [{name: ann, role: viewer, hash: '" USER_HASH "'}]}\n");
        fclose(file);
        CHECK_EQ(agent_config_read_again(&config, &again, &error), 0);
        CHECK_EQ(again.mqtt.users.count, 1);
        agent_config_done(&again);
        file = fopen(path, "we");
        CHECK(file != NULL);
        fprintf(file, "mqtt: {users: [{name: ann, role: cook, hash: '" USER_HASH "'}]}\n");
        fclose(file);
        CHECK_EQ(agent_config_read_again(&config, &again, &error), -EINVAL);
        CHECK(strstr(error.text, path) && strstr(error.text, "expected a role"));
        unlink(path);
        CHECK_EQ(agent_config_read_again(&config, &again, &error), -ENOENT);
        agent_config_done(&config);
}

TEST(the_broker_grants_by_default_what_its_room_does)
{
        struct agent_config config;
        struct mqtt_limits limits;
        struct error error;

        CHECK_EQ(load(&config, &error, "{}", NULL), 0);
        gate_config_limits(&config.mqtt, &limits);
        CHECK_EQ(limits.clients, mqtt_limits_default.clients);
        CHECK_EQ(limits.sessions, mqtt_limits_default.sessions);
        CHECK_EQ(limits.connecting, mqtt_limits_default.connecting);
        CHECK_EQ(limits.subscriptions_per_session, mqtt_limits_default.subscriptions_per_session);
        CHECK_EQ(limits.subscriptions, mqtt_limits_default.subscriptions);
        CHECK_EQ(limits.retained_messages, mqtt_limits_default.retained_messages);
        CHECK_EQ(limits.retained_bytes, mqtt_limits_default.retained_bytes);
        CHECK_EQ(limits.packet_bytes, mqtt_limits_default.packet_bytes);
        CHECK_EQ(limits.keep_alive_s, mqtt_limits_default.keep_alive_s);
        CHECK_EQ(limits.session_expiry_max_s, mqtt_limits_default.session_expiry_max_s);
        CHECK_EQ(limits.inflight, mqtt_limits_default.inflight);
        CHECK_EQ(limits.output_bytes, mqtt_limits_default.output_bytes);
        CHECK_EQ(limits.queue_messages, mqtt_limits_default.queue_messages);
        CHECK_EQ(limits.queue_bytes, mqtt_limits_default.queue_bytes);
        CHECK_EQ(limits.queued_bytes, mqtt_limits_default.queued_bytes);
        CHECK_EQ(limits.turn_bytes, mqtt_limits_default.turn_bytes);
        CHECK(config.mqtt.enabled);
        agent_config_done(&config);
}

TEST(the_broker_is_switched_off_and_on)
{
        struct agent_config config;
        struct error error;

        CHECK_EQ(load(&config, &error, "mqtt: {enabled: false}", NULL), 0);
        CHECK(!config.mqtt.enabled);
        agent_config_done(&config);
        CHECK_EQ(load(&config, &error, "profile: appliance", NULL), 0);
        CHECK(!config.mqtt.enabled);
        agent_config_done(&config);
        CHECK_EQ(load(&config, &error, "profile: appliance",
                      (const char *[]){"--mqtt-port", "0", NULL}),
                 0);
        CHECK(config.mqtt.enabled);
        CHECK_EQ(config.mqtt.port, 0);
        agent_config_done(&config);
}

TEST(http_is_switched_off_and_on)
{
        static const struct {
                const char *text, *flag, *value;
                bool enabled;
                int64_t port;
        } cases[] = {
                {"{}", NULL, NULL, true, 8080},
                {"http: {enabled: false}", NULL, NULL, false, 8080},
                {"profile: appliance", NULL, NULL, false, 8080},
                {"profile: appliance", "--http-port", "8081", true, 8081},
                {"http: {port: 8082}", "--http-port", "0", false, 0},
                {"http: {port: 0}", NULL, NULL, true, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct agent_config config;
                struct error error;

                CHECK_EQ(load(&config, &error, cases[i].text,
                              (const char *[]){cases[i].flag, cases[i].value, NULL}),
                         0);
                CHECK_EQ(config.http.enabled, cases[i].enabled);
                CHECK_EQ(config.http.port, cases[i].port);
                agent_config_done(&config);
        }
}

TEST(small_limits_of_the_broker_fit_one_another)
{
        struct agent_config config;
        struct mqtt_limits limits;
        struct error error;

        CHECK_EQ(load(&config, &error, "mqtt: {output_bytes: 65536}", NULL), 0);
        gate_config_limits(&config.mqtt, &limits);
        CHECK_EQ(limits.turn_bytes, 32768);
        CHECK_EQ(limits.slice_bytes, 32768);
        agent_config_done(&config);
}

TEST(sections_of_later_releases_are_accepted_and_named)
{
        struct agent_config config;
        struct error error;
        size_t position = 0;

        CHECK_EQ(load(&config, &error, "devices: {led1: {kind: led, pin: 17}}\nlease: {ttl: 60}",
                      NULL),
                 0);
        CHECK_TEXT(agent_config_next_reserved(&config, &position), "devices");
        CHECK_TEXT(agent_config_next_reserved(&config, &position), "lease");
        CHECK_NULL(agent_config_next_reserved(&config, &position));
        agent_config_done(&config);
}

TEST(what_is_wrong_is_refused_with_what_to_do)
{
        static const struct {
                const char *text, *flag, *value, *words;
        } cases[] = {
                {"command: {prot: 3000}", NULL, NULL, "port"},
                {"comand: {port: 3000}", NULL, NULL, "command"},
                {"command: {port: 65536}", NULL, NULL, "0 to 65535"},
                {"command: {port: yes}", NULL, NULL, "0 to 65535"},
                {"command: {port: 1}\ncommand: {port: 2}", NULL, NULL, "command"},
                {"command: {tls_port: 3001}", NULL, NULL, "tls.certificate"},
                {"tls: {key: a.pem}", NULL, NULL, "`certificate`"},
                {"tls: {client_certificates: optional}", NULL, NULL, "`authorities`"},
                {"tls: {authorities: a.pem}", NULL, NULL, "`authorities` is about"},
                {"tls: {revoked: a.pem}", NULL, NULL, "`revoked` is about"},
                {"tls: {version: \"1.1\"}", NULL, NULL, "1.3"},
                {"command: {port: 3001, tls_port: 3001}\ntls: {key: a, certificate: b}", NULL, NULL,
                 "the same"},
                {"access: {mode: maybe}", NULL, NULL, "token"},
                {"access: {tokens: [{name: a, role: viewer, hash: x}]}", NULL, NULL, "hash"},
                {"mqtt: {port: 3000}", NULL, NULL, "the same"},
                {"http: {port: 3000}", NULL, NULL, "the same"},
                {"http: {port: 1883}", NULL, NULL, "the same"},
                {"http: {tls_port: 8443}", NULL, NULL, "tls.certificate"},
                {"mqtt: {proxies: [localhost]}", NULL, NULL, "mqtt.proxies: "},
                {"http: {proxies: [192.0.2.0/33]}", NULL, NULL, "http.proxies: "},
                {"mqtt: {tls_port: 8883}", NULL, NULL, "tls.certificate"},
                {"http: {metrics: public}", NULL, NULL, "loopback"},
                {"mqtt: {topic: ''}", NULL, NULL, "64 bytes"},
                {"mqtt: {topic: 'a/#'}", NULL, NULL, "wildcards"},
                {"mqtt: {topic: $SYS}", NULL, NULL, "'$'"},
                {"mqtt: {topic: a//b}", NULL, NULL, "empty"},
                {"mqtt: {topic: /a}", NULL, NULL, "empty"},
                {"mqtt: {topic: a/}", NULL, NULL, "empty"},
                {"mqtt: {clients: 0}", NULL, NULL, "1 to 1000000"},
                {"mqtt: {guest: admin}", NULL, NULL, "viewer, or none"},
                {"mqtt: {users: [{name: root, role: viewer, hash: '" USER_HASH "'}]}", NULL, NULL,
                 "this name stands for"},
                {"mqtt: {users: [{name: ann, role: viewer, hash: '" USER_HASH "'}]}\n"
                 "access: {tokens: [{name: ann, role: viewer, hash: '" TOKEN_HASH "'}]}",
                 NULL, NULL, "mqtt.users, entry 1 (\"ann\"): a token of"},
                {"mqtt: {guest: viewer}\n"
                 "access: {tokens: [{name: guest, role: viewer, hash: '" TOKEN_HASH "'}]}",
                 NULL, NULL, "mqtt.guest: a token of"},
                {"mqtt: {acl: [{allow: read, topic: a/#/b}]}", NULL, NULL, "not a topic filter"},
                {"[1, 2", NULL, NULL, ":1:"},
                {"{}", "--port", "x", "--port"},
                {"{}", "--prot", "1", "--prot"},
                {"{}", "more", "words", "more"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct agent_config config;
                struct error error = {0};

                CHECK(load(&config, &error, cases[i].text,
                           (const char *[]){cases[i].flag, cases[i].value, NULL}) < 0);
                if (!strstr(error.text, cases[i].words))
                        FAIL("%s -> %s, wanted %s", cases[i].text, error.text, cases[i].words);
        }
}

TEST(what_is_no_option_is_named)
{
        static const struct {
                const char *words[4], *sentence;
        } cases[] = {
                {{"--nonsense"}, "--nonsense is no option; see --help"},
                {{"-q"}, "-q is no option; see --help"},
                {{"--port", "0", "-qr"}, "-q is no option; see --help"},
                {{"--version=3"}, "--version=3 is no option; see --help"},
                /* It could be two. */
                {{"--log", "debug"}, "--log is no option; see --help"},
                {{"--s", "/tmp"}, "--s is no option; see --help"},
                {{"--port"}, "--port needs a value; see --help"},
                {{"more"}, "\"more\" is not expected here; see --help"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct agent_config config;
                struct error error;

                CHECK_EQ(load(&config, &error, "", cases[i].words), -EINVAL);
                CHECK_TEXT(error.text, cases[i].sentence);
        }
}

TEST(an_option_may_be_shortened_as_long_as_it_is_one)
{
        static const char *const words[] = {"--sock", "/tmp/a", "--log-l=debug", NULL};
        struct agent_config config;
        struct error error;

        CHECK_EQ(load(&config, &error, "", words), 0);
        CHECK_TEXT(config.command.socket, "/tmp/a");
        CHECK_EQ(config.log.level, LOG_LEVEL_DEBUG);
        agent_config_done(&config);
}

TEST(what_no_single_key_tells_names_the_file)
{
        static const char *const texts[] = {
                "tls: {key: a.pem}",
                "command: {tls_port: 3001}",
                "mqtt: {topic: a//b}",
                "handlers: {dir: elsewhere}",
                "handlers: {require_signature: true}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct agent_config config;
                struct error error = {0};

                CHECK(load(&config, &error, texts[i], NULL) < 0);
                if (strncmp(error.text, "/tmp/pifleet-config-", 20) != 0)
                        FAIL("%s -> %s", texts[i], error.text);
        }
}
