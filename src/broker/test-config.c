#include "access/settings.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "broker/changes.h"
#include "broker/config-fixture.h"
#include "broker/config-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct broker_config c;

TEST(the_grammar_is_told_by_the_name_and_else_by_the_first_word)
{
        static const struct {
                const char *name, *text;
                enum broker_grammar grammar;
        } cases[] = {
                {"a.yaml", "", BROKER_GRAMMAR_YAML},
                {"a.yml", "{}", BROKER_GRAMMAR_YAML},
                {"a.json", "{}", BROKER_GRAMMAR_YAML},
                {"a.conf", "", BROKER_GRAMMAR_MOSQUITTO},
                {".conf", "listener 1", BROKER_GRAMMAR_MOSQUITTO},
                {"a", "", BROKER_GRAMMAR_YAML},
                {"a", "# listener 1\n\n  \r\n", BROKER_GRAMMAR_YAML},
                {"a", "# x\nlog:\n", BROKER_GRAMMAR_YAML},
                {"a", "  {log: {level: info}}", BROKER_GRAMMAR_YAML},
                {"a", "---\n", BROKER_GRAMMAR_YAML},
                {"a", "# x\n\n listener 1\n", BROKER_GRAMMAR_MOSQUITTO},
                {"a", "port 1", BROKER_GRAMMAR_MOSQUITTO},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                config_good(cases[i].name, cases[i].text, &c);
                CHECK_EQ(c.grammar, cases[i].grammar);
                CHECK_TEXT(c.path, cases[i].name);
                broker_config_done(&c);
        }
}

TEST(without_a_word_it_is_as_without_a_file)
{
        struct broker_config without;
        struct mqtt_limits limits;

        config_good("a.yaml", "", &c);
        CHECK_EQ(broker_config_defaults(&without), 0);
        CHECK(c.local_only && without.local_only);
        CHECK_EQ(c.access.anonymous, BROKER_ANONYMOUS_LOOPBACK);
        CHECK(!c.operations.local_admin);
        CHECK_EQ(c.operations.metrics, BROKER_METRICS_LOOPBACK);
        CHECK_EQ(c.keep.sessions, MQTT_KEEP_MEMORY);
        CHECK_EQ(without.keep.sessions, MQTT_KEEP_MEMORY);
        CHECK_EQ(without.keep.retained, MQTT_KEEP_MEMORY);
        CHECK_NULL(c.state_dir);
        /* What the broker's room grants. */
        broker_config_limits(&c, &limits);
        CHECK_EQ(limits.clients, mqtt_limits_default.clients);
        CHECK_EQ(limits.sessions, mqtt_limits_default.sessions);
        CHECK_EQ(limits.packet_bytes, mqtt_limits_default.packet_bytes);
        CHECK_EQ(limits.receive_maximum, mqtt_limits_default.receive_maximum);
        CHECK_EQ(limits.aliases, mqtt_limits_default.aliases);
        CHECK_EQ(limits.aliases_granted, mqtt_limits_default.aliases_granted);
        CHECK_EQ(limits.inflight, mqtt_limits_default.inflight);
        CHECK_EQ(limits.queue_messages, mqtt_limits_default.queue_messages);
        CHECK_EQ(limits.queue_bytes, mqtt_limits_default.queue_bytes);
        CHECK_EQ(limits.queue_qos_0, mqtt_limits_default.queue_qos_0);
        CHECK_EQ(limits.sys_interval_s, mqtt_limits_default.sys_interval_s);
        CHECK_EQ(limits.memory_bytes, mqtt_limits_default.memory_bytes);
        broker_config_done(&c);
        broker_config_done(&without);
}

static int load_example(struct broker_config *ret)
{
        const char *path = getenv("PIFLEET_EXAMPLE_CONFIG");
        struct error error;
        int r;

        CHECK(path != NULL);
        r = broker_config_load(path, ret, &error);
        if (r < 0)
                FAIL("%s", error.text);
        return r;
}

TEST(the_shipped_example_says_exactly_the_defaults)
{
        struct broker_config plain;
        size_t position = 0;

        CHECK_EQ(load_example(&c), 0);
        config_good("a.yaml", "", &plain);
        CHECK_EQ(memcmp(&c.mqtt, &plain.mqtt, sizeof(c.mqtt)), 0);
        CHECK_NULL(broker_changes_next(&plain, &c, &position));
        CHECK_EQ(c.receive_maximum, plain.receive_maximum);
        CHECK_EQ(c.aliases, plain.aliases);
        CHECK_EQ(c.aliases_granted, plain.aliases_granted);
        CHECK_EQ(c.inflight_bytes, plain.inflight_bytes);
        CHECK_EQ(c.payload_bytes, plain.payload_bytes);
        CHECK_EQ(c.retain, plain.retain);
        CHECK_EQ(c.client_id_prefixes.count, 0);
        CHECK_EQ(c.access.anonymous, plain.access.anonymous);
        CHECK_EQ(c.access.empty_client_ids, plain.access.empty_client_ids);
        CHECK_EQ(c.anonymous_reads, plain.anonymous_reads);
        CHECK_EQ(c.check_retain_source, plain.check_retain_source);
        CHECK_NULL(c.access.password_file);
        CHECK_EQ(c.users.count + c.acl.count + c.listeners.count, 0);
        CHECK_EQ(c.operations.local_admin, plain.operations.local_admin);
        CHECK_EQ(c.operations.metrics, plain.operations.metrics);
        CHECK_EQ(c.log.connections, plain.log.connections);
        CHECK(c.local_only);
        broker_config_done(&plain);
        broker_config_done(&c);
}

TEST(the_shipped_example_shows_every_key)
{
        struct broker_sections sections = broker_sections_of(&c);
        struct broker_listener listener;
        struct config_section of_listener = broker_listener_section(&listener);
        AUTO_FREE char *text = NULL;
        size_t length;

        CHECK_EQ(config_read_file(getenv("PIFLEET_EXAMPLE_CONFIG"), 1 << 20, &text, &length, NULL),
                 0);
        text[length] = '\0'; /* it is shorter than what was made room for */
        for (size_t i = 0; i <= BROKER_SECTIONS; i++) {
                const struct config_section *section =
                        i < BROKER_SECTIONS ? &sections.list[i] : &of_listener;

                for (size_t j = 0; j < section->keys_count; j++) {
                        char key[80];

                        snprintf(key, sizeof(key), "%s:", section->keys[j].name);
                        if (!strstr(text, key))
                                FAIL("%s is not in the example", section->keys[j].name);
                }
        }
}

TEST(listeners_have_defaults_that_are_safe)
{
        config_good("a.yaml", "listeners:\n  - {}\n  - {host: \"*\", port: 8883}\n", &c);
        CHECK(!c.local_only);
        CHECK_TEXT(config_listener(&c, 0)->host, "localhost");
        CHECK_EQ(config_listener(&c, 0)->port, 1883);
        CHECK_EQ(config_listener(&c, 0)->maximum_qos, 2);
        CHECK(config_listener(&c, 0)->retain);
        CHECK_EQ(broker_config_access(&c, config_listener(&c, 0)).anonymous,
                 BROKER_ANONYMOUS_LOOPBACK);
        CHECK_NULL(config_listener(&c, 1)->host);
        broker_config_done(&c);
}

TEST(a_listener_says_for_itself_what_is_not_as_for_all)
{
        struct broker_access access;

        config_good("a.yaml",
                    "access: {anonymous: none, password_file: all, empty_client_ids: false}\n"
                    "listeners:\n"
                    "  - {port: 1, anonymous: all, password_file: own, empty_client_ids: true,\n"
                    "     assigned_prefix: x-}\n"
                    "  - {port: 2}\n",
                    &c);
        access = broker_config_access(&c, config_listener(&c, 0));
        CHECK_EQ(access.anonymous, BROKER_ANONYMOUS_ALL);
        CHECK_EQ(access.empty_client_ids, BROKER_EMPTY_IDS_YES);
        CHECK_TEXT(access.password_file, "own");
        CHECK_TEXT(access.assigned_prefix, "x-");
        access = broker_config_access(&c, config_listener(&c, 1));
        CHECK_EQ(access.anonymous, BROKER_ANONYMOUS_NONE);
        CHECK_EQ(access.empty_client_ids, BROKER_EMPTY_IDS_NO);
        CHECK_TEXT(access.password_file, "all");
        CHECK_NULL(access.assigned_prefix);
        broker_config_done(&c);
}

TEST(users_and_rules_stand_in_the_file)
{
        config_good("a.yaml",
                    "access:\n"
                    "  users: [{name: ann, hash: \"$argon2id$x\", role: admin}]\n"
                    "  acl: [{user: ann, allow: readwrite, topic: \"a/#\"}]\n",
                    &c);
        CHECK_EQ(c.users.count, 1);
        CHECK_TEXT(((const struct user_setting *)c.users.items)->role, "admin");
        CHECK_EQ(c.acl.count, 1);
        broker_config_done(&c);
}

TEST(with_a_folder_sessions_survive_unless_it_says_otherwise)
{
        static const struct {
                const char *text;
                int sessions, retained;
        } cases[] = {
                {"state_dir: /a", MQTT_KEEP_INTERVAL, MQTT_KEEP_FSYNC},
                {"state_dir: /a\nmqtt: {durability: fsync}", MQTT_KEEP_FSYNC, MQTT_KEEP_FSYNC},
                {"state_dir: /a\nmqtt: {durability: interval}", MQTT_KEEP_INTERVAL,
                 MQTT_KEEP_INTERVAL},
                {"state_dir: /a\nmqtt: {retained_durability: memory}", MQTT_KEEP_INTERVAL,
                 MQTT_KEEP_MEMORY},
                {"state_dir: /a\nmqtt: {durability: memory, retained_durability: memory}",
                 MQTT_KEEP_MEMORY, MQTT_KEEP_MEMORY},
                {"mqtt: {durability: memory}", MQTT_KEEP_MEMORY, MQTT_KEEP_MEMORY},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                config_good("a.yaml", cases[i].text, &c);
                CHECK_EQ(c.keep.sessions, cases[i].sessions);
                CHECK_EQ(c.keep.retained, cases[i].retained);
                broker_config_done(&c);
        }
}

TEST(what_is_wrong_is_told_with_its_place)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                {"listeners: [{prot: 1}]", "a.yaml:1:14: `listeners[0].prot` is not known; did "
                                           "you mean `port` or `protocol`?"},
                {"lisseners: []",
                 "a.yaml:1:1: `lisseners` is not known; did you mean `listeners`?"},
                {"listeners: [{port: 70000}]",
                 "a.yaml:1:20: listeners[0].port cannot be 70000; expected:"},
                {"listeners: [{}, {}]",
                 "a.yaml: listeners[1] listens where another one does: change the port or the "
                 "address"},
                {"listeners: [{port: 0}, {port: 0}]",
                 "a.yaml: listeners[1] listens on any port, as another one does: give it a name"},
                {"listeners: [{socket: /a}, {socket: /a}]",
                 "a.yaml: listeners[1] listens where another one does: change the port or the "
                 "address"},
                {"listeners: [{port: 1, name: a}, {port: 2, name: a}]",
                 "a.yaml: listeners[1] has the name of another one"},
                {"listeners: [{certificate: a}]",
                 "a.yaml: listeners[0] has a certificate and no key (certfile and keyfile): both, "
                 "or none"},
                {"listeners: [{key: a}]", "a.yaml: listeners[0] has a key and no certificate"},
                {"listeners: [{certificate: a, key: b, revoked: c}]",
                 "a.yaml: listeners[0] has a list of revoked certificates and asks nobody for one"},
                {"listeners: [{certificate: a, key: b, certificate_user: subject}]",
                 "a.yaml: listeners[0] takes names from certificates and asks nobody for one"},
                {"listeners: [{certificate_client_id: uri}]",
                 "a.yaml: listeners[0] takes names from certificates and asks nobody for one"},
                {"listeners: [{certificate_user: subject}]",
                 "a.yaml: listeners[0] takes names from certificates and asks nobody for one"},
                {"listeners: [{socket: \"\"}]", "a.yaml: listeners[0] has a socket without a path"},
                {"listeners: [{socket: /a, proxy_protocol: v2}]",
                 "a.yaml: listeners[0] is a Unix socket behind a proxy, which is not possible"},
                {"listeners: [{proxy_protocol: v1, proxy_requires_tls: true}]",
                 "a.yaml: listeners[0] wants to hear of TLS from a proxy that does not speak "
                 "version 2 of the protocol"},
                {"listeners: [{proxy_protocol: v1, client_certificates: required}]",
                 "a.yaml: listeners[0] has settings of TLS and no certificate"},
                {"listeners: [{proxy_protocol: v2, client_certificates: optional}]",
                 "a.yaml: listeners[0] has settings of TLS and no certificate"},
                {"listeners: [{socket: /a, socket_mode: \"999\"}]",
                 "a.yaml: listeners[0] has a socket_mode that is not four octal digits"},
                {"listeners: [{packet_bytes: 19}]",
                 "a.yaml: listeners[0] has packet_bytes below 20, in which no packet fits"},
                {"listeners: [{mqtt_3_1: false, mqtt_3_1_1: false, mqtt_5: false}]",
                 "a.yaml: listeners[0] speaks no version of MQTT"},
                {"listeners: [{files: /a}]",
                 "a.yaml: listeners[0] has files and does not speak HTTP (protocol)"},
                {"listeners: [{origins: [a]}]",
                 "a.yaml: listeners[0] has origins and does not speak HTTP (protocol)"},
                {"listeners: [{proxies: [x]}]",
                 "a.yaml: listeners[0] has a wrong proxy: 'x' is no address and no network such "
                 "as 192.0.2.0/24"},
                {"access: {anonymous: inherited}",
                 "a.yaml: access: only a listener can have `inherited`, from here"},
                {"mqtt: {durability: fsync}",
                 "a.yaml: mqtt.durability: needs `state_dir`, a folder to keep messages in"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *said = config_refusal("a.yaml", cases[i].text);

                if (strncmp(said, cases[i].says, strlen(cases[i].says)) != 0)
                        CHECK_TEXT(said, cases[i].says);
        }
}

TEST(names_of_a_proxy_s_certificates_need_none_of_ours)
{
        config_good("a.yaml", "listeners: [{proxy_protocol: v2, certificate_user: common_name}]",
                    &c);
        broker_config_done(&c);
}

TEST(what_waits_for_a_restart_is_named)
{
        struct broker_config after;
        size_t position = 0;

        config_good("a.yaml", "mqtt: {queue_messages: 5, keep_alive: 7}\nstate_dir: /a", &c);
        config_good("a.yaml", "mqtt: {queue_messages: 6, keep_alive: 8}\nstate_dir: /b", &after);
        CHECK_TEXT(broker_changes_next(&c, &after, &position), "state_dir");
        CHECK_TEXT(broker_changes_next(&c, &after, &position), "mqtt.queue_messages");
        CHECK_NULL(broker_changes_next(&c, &after, &position));
        position = 0;
        CHECK_NULL(broker_changes_next(&c, &c, &position));
        broker_config_done(&after);
        broker_config_done(&c);
}

TEST(where_nobody_can_log_in_is_warned_of)
{
        static const struct {
                const char *name, *text, *says;
        } cases[] = {
                {"m.conf", "listener 1\n",
                 "m.conf:1: this listener has no users (password_file), and lets nobody in without "
                 "a name (allow_anonymous): nobody can log in"},
                {"m.conf", "listener 1\nallow_anonymous true\n", NULL},
                {"m.conf", "listener 1\npassword_file a\n", NULL},
                {"m.conf",
                 "allow_anonymous true\nlistener 1\ncertfile a\nkeyfile b\n"
                 "use_identity_as_username true\n",
                 "m.conf:2: this listener takes names from certificates and asks nobody for one "
                 "(require_certificate): nobody can log in"},
                {"m.conf",
                 "listener 1\ncertfile a\nkeyfile b\ncafile c\nrequire_certificate true\n"
                 "use_subject_as_username true\n",
                 NULL},
                {"m.conf", "", NULL},
                {"a.yaml", "listeners: [{}]\n", NULL},
                {"a.yaml", "listeners: [{port: 1}, {anonymous: none}]\n",
                 "a.yaml: listeners[1] has no users (password_file), and lets nobody in without a "
                 "name (allow_anonymous): nobody can log in"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                config_good(cases[i].name, cases[i].text, &c);
                CHECK_EQ(c.warnings.count, cases[i].says ? 1 : 0);
                if (cases[i].says)
                        CHECK_TEXT(c.warnings.items[0], cases[i].says);
                broker_config_done(&c);
        }
}

TEST(a_file_is_read_and_one_that_is_not_there_is_told)
{
        char path[] = "/tmp/pifleet-config-XXXXXX", says[128];
        int fd = mkstemp(path);
        struct error error;

        CHECK_EQ(write(fd, "listener 7\n", 11), 11);
        close(fd);
        CHECK_EQ(broker_config_load(path, &c, &error), 0);
        CHECK_EQ(config_listener(&c, 0)->port, 7);
        broker_config_done(&c);
        CHECK_EQ(unlink(path), 0);
        CHECK_EQ(broker_config_load(path, &c, &error), -ENOENT);
        snprintf(says, sizeof(says), "cannot read %s: No such file or directory", path);
        CHECK_TEXT(error.text, says);
        CHECK_EQ(broker_config_load("/", &c, &error), -EISDIR);
}

TEST(without_memory_nothing_is_left_behind)
{
        config_without_memory("a.yaml", "state_dir: /a\n"
                                        "listeners: [{name: a, origins: [b], protocol: http}]\n"
                                        "access: {users: [{name: ann}], password_file: x}\n"
                                        "mqtt: {client_id_prefixes: [a, b]}\n");
}
