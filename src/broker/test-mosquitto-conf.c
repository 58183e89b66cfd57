#include "base/log.h"
#include "broker/config-fixture.h"
#include "broker/mosquitto-internal.h"

#include <errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct broker_config c;

static void read_conf(const char *text)
{
        config_good("m.conf", text, &c);
}

TEST(an_empty_file_is_a_broker_for_this_machine)
{
        read_conf("");
        CHECK(c.local_only);
        CHECK_EQ(c.listeners.count, 0);
        CHECK_EQ(c.access.anonymous, BROKER_ANONYMOUS_ALL);
        CHECK_EQ(broker_config_add_local(&c, NULL, 0), 0);
        CHECK_EQ(config_listener(&c, 0)->port, 1883);
        CHECK_TEXT(config_listener(&c, 0)->host, "localhost");
        CHECK_NULL(c.state_dir);
        CHECK_EQ(c.keep.sessions, MQTT_KEEP_MEMORY);
        broker_config_done(&c);
}

TEST(defaults_are_those_of_mosquitto)
{
        struct mqtt_limits limits;

        read_conf("listener 1883\n");
        broker_config_limits(&c, &limits);
        CHECK_EQ(limits.receive_maximum, 20);
        CHECK_EQ(limits.inflight, 20);
        CHECK_EQ(limits.aliases, 10);
        CHECK_EQ(limits.aliases_granted, 10);
        CHECK_EQ(limits.keep_alive_s, 0);
        CHECK_EQ(limits.packet_bytes, 2000000);
        CHECK_EQ(limits.queue_messages, 1000);
        CHECK(!limits.queue_qos_0);
        CHECK_EQ(limits.session_expiry_max_s, UINT32_MAX);
        CHECK_EQ(c.sys_interval, 10);
        CHECK(c.retain);
        CHECK_EQ(config_listener(&c, 0)->maximum_qos, 2);
        CHECK_EQ(c.log.level, LOG_LEVEL_INFO);
        CHECK(c.log.connections);
        broker_config_done(&c);
}

TEST(with_a_listener_nobody_comes_in_without_a_name_unless_it_says_so)
{
        static const struct {
                const char *text;
                int anonymous[2];
        } cases[] = {
                {"listener 1\n", {BROKER_ANONYMOUS_NONE}},
                {"port 1\n", {BROKER_ANONYMOUS_NONE}},
                {"bind_address 127.0.0.1\n", {BROKER_ANONYMOUS_NONE}},
                {"allow_anonymous true\nlistener 1\n", {BROKER_ANONYMOUS_ALL}},
                {"listener 1\nallow_anonymous true\n", {BROKER_ANONYMOUS_ALL}},
                {"listener 1\nallow_anonymous 0\nallow_anonymous 1\n", {BROKER_ANONYMOUS_ALL}},
                {"max_connections 5\n", {BROKER_ANONYMOUS_ALL}},
                {"max_connections 5\nallow_anonymous false\n", {BROKER_ANONYMOUS_NONE}},
                {"listener 1\nlistener_allow_anonymous true\nlistener 2\n",
                 {BROKER_ANONYMOUS_ALL, BROKER_ANONYMOUS_NONE}},
                {"per_listener_settings true\nlistener 1\nlistener 2\nallow_anonymous true\n",
                 {BROKER_ANONYMOUS_NONE, BROKER_ANONYMOUS_ALL}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                read_conf(cases[i].text);
                for (size_t j = 0; j < c.listeners.count; j++)
                        CHECK_EQ(broker_config_access(&c, config_listener(&c, j)).anonymous,
                                 cases[i].anonymous[j]);
                broker_config_done(&c);
        }
}

TEST(a_listener_is_a_port_with_or_without_an_address_or_a_socket)
{
        read_conf("listener 1883\nlistener 1884 127.0.0.1\nlistener 0 /run/b.sock\n"
                  "listener 1885 # all\n  listener\t1886   ::1  \n");
        CHECK(!c.local_only);
        CHECK_EQ(c.listeners.count, 5);
        CHECK_NULL(config_listener(&c, 0)->host);
        CHECK_TEXT(config_listener(&c, 1)->host, "127.0.0.1");
        CHECK_EQ(config_listener(&c, 1)->port, 1884);
        CHECK_TEXT(config_listener(&c, 2)->socket, "/run/b.sock");
        CHECK_NULL(config_listener(&c, 3)->host);
        CHECK_TEXT(config_listener(&c, 4)->host, "::1");
        CHECK_EQ(config_listener(&c, 4)->family, BROKER_FAMILY_IPV6);
        CHECK_TEXT(config_listener(&c, 4)->place, "m.conf:5");
        broker_config_done(&c);
}

TEST(settings_hold_for_the_listener_above_them)
{
        read_conf("listener 1\nmax_connections 7\nmax_qos 1\nmax_topic_alias 3\n"
                  "max_topic_alias_broker 0\nmount_point site/\naccept_protocol_versions 5\n"
                  "listener 2\nprotocol websockets\nsocket_domain ipv6\n"
                  "websockets_origin https://a\nwebsockets_origin https://b\n"
                  "max_connections -1\n");
        CHECK_EQ(config_listener(&c, 0)->clients, 7);
        CHECK_EQ(config_listener(&c, 0)->maximum_qos, 1);
        CHECK_EQ(config_listener(&c, 0)->aliases, 3);
        CHECK_EQ(config_listener(&c, 0)->aliases_granted, 0);
        CHECK_TEXT(config_listener(&c, 0)->mount_point, "site/");
        CHECK(config_listener(&c, 0)->mqtt_5 && !config_listener(&c, 0)->mqtt_3_1_1);
        CHECK(!config_listener(&c, 0)->mqtt_3_1 && config_listener(&c, 1)->mqtt_3_1);
        CHECK_EQ(config_listener(&c, 0)->protocol, BROKER_PROTOCOL_MQTT);
        CHECK_EQ(config_listener(&c, 1)->clients, 0);
        CHECK_EQ(config_listener(&c, 1)->protocol, BROKER_PROTOCOL_WEBSOCKET);
        CHECK_EQ(config_listener(&c, 1)->family, BROKER_FAMILY_IPV6);
        CHECK_EQ(config_listener(&c, 1)->origins.count, 2);
        CHECK_EQ(config_listener(&c, 1)->maximum_qos, 2);
        broker_config_done(&c);
}

TEST(port_and_bind_address_are_a_listener_before_all_others)
{
        read_conf("bind_address 192.0.2.1\nport 1999\nmax_connections 3\nlistener 2000\n");
        CHECK_EQ(c.listeners.count, 2);
        CHECK_TEXT(config_listener(&c, 0)->host, "192.0.2.1");
        CHECK_EQ(config_listener(&c, 0)->port, 1999);
        CHECK_EQ(config_listener(&c, 0)->clients, 3);
        broker_config_done(&c);

        read_conf("port 1999\n");
        CHECK_NULL(config_listener(&c, 0)->host);
        broker_config_done(&c);

        /* Local still: -p may say which port. */
        read_conf("max_connections 3\n");
        CHECK(c.local_only);
        CHECK_EQ(broker_config_add_local(&c, (const uint16_t[]){5, 6}, 2), 0);
        CHECK_EQ(c.listeners.count, 2);
        CHECK_EQ(config_listener(&c, 0)->clients, 3);
        CHECK_EQ(config_listener(&c, 0)->port, 5);
        CHECK_EQ(config_listener(&c, 1)->port, 6);
        broker_config_done(&c);
}

TEST(defaults_above_all_listeners_are_no_listener)
{
        read_conf("protocol mqtt\nmax_connections -1\nmax_qos 2\nrequire_certificate false\n"
                  "listener 1\nmax_connections 3\nlistener 2\n");
        CHECK_EQ(c.listeners.count, 2);
        CHECK_EQ(config_listener(&c, 0)->port, 1);
        CHECK_EQ(config_listener(&c, 0)->clients, 3);
        CHECK_TEXT(config_listener(&c, 1)->place, "m.conf:7");
        broker_config_done(&c);
}

TEST(settings_of_all_are_read)
{
        struct mqtt_limits limits;

        read_conf("max_inflight_messages 0\nmax_queued_messages 50\nmax_queued_bytes 4096\n"
                  "max_packet_size 100\nmax_keepalive 60\npersistent_client_expiration 2d\n"
                  "queue_qos0_messages true\nsys_interval 0\nretain_available false\n"
                  "message_size_limit 9\nmax_inflight_bytes 77\nclientid_prefixes a-\n"
                  "global_max_clients 5\nglobal_max_connections -1\nmemory_limit 2000000\n"
                  "auto_id_prefix x\nallow_zero_length_clientid false\nuser nobody\n"
                  "pid_file /run/b.pid\nlog_type warning\nlog_type debug\nlog_type error\n"
                  "log_dest file /var/log/b\nconnection_messages 0\n");
        broker_config_limits(&c, &limits);
        CHECK_EQ(limits.receive_maximum, UINT16_MAX);
        CHECK_EQ(limits.queue_messages, 50);
        CHECK_EQ(limits.queue_bytes, 4096);
        CHECK_EQ(limits.packet_bytes, 100);
        CHECK_EQ(limits.keep_alive_s, 60);
        CHECK_EQ(limits.session_expiry_max_s, 172800);
        CHECK_EQ(limits.sessions, 5);
        CHECK_EQ(limits.clients, 100000);
        CHECK(limits.queue_qos_0);
        CHECK_EQ(c.sys_interval, 0);
        CHECK(!c.retain);
        CHECK_EQ(c.payload_bytes, 9);
        CHECK_EQ(c.inflight_bytes, 77);
        CHECK_TEXT(c.client_id_prefixes.items[0], "a-");
        CHECK_EQ(c.memory, 2000000);
        CHECK_TEXT(c.access.assigned_prefix, "x");
        CHECK_EQ(c.access.empty_client_ids, BROKER_EMPTY_IDS_NO);
        CHECK_TEXT(c.user, "nobody");
        CHECK_TEXT(c.pid_file, "/run/b.pid");
        CHECK_EQ(c.log.level, LOG_LEVEL_DEBUG);
        CHECK_TEXT(c.log.file, "/var/log/b");
        CHECK(!c.log.connections);
        CHECK_EQ(c.warnings.count, 0);
        broker_config_done(&c);
}

TEST(tls_and_users_of_certificates_are_read)
{
        read_conf("listener 8883\ncertfile c.pem\nkeyfile k.pem\ncafile old.pem\ncafile ca.pem\n"
                  "capath cas\ncrlfile crl.pem\nrequire_certificate true\n"
                  "disable_client_cert_date_checks true\n"
                  "use_identity_as_username true\nciphers HIGH\nciphers_tls1.3 A:B\n"
                  "tls_version tlsv1.3\nuse_username_as_clientid true\n");
        CHECK_TEXT(config_listener(&c, 0)->certificate, "c.pem");
        CHECK_TEXT(config_listener(&c, 0)->key, "k.pem");
        CHECK_TEXT(config_listener(&c, 0)->authorities, "ca.pem");
        CHECK_TEXT(config_listener(&c, 0)->authorities_folder, "cas");
        CHECK_TEXT(config_listener(&c, 0)->revoked, "crl.pem");
        CHECK_EQ(config_listener(&c, 0)->client_certificates, BROKER_CERTIFICATES_REQUIRED);
        CHECK(config_listener(&c, 0)->certificates_of_any_date);
        CHECK_EQ(config_listener(&c, 0)->certificate_user, BROKER_CERTIFICATE_USER_COMMON_NAME);
        CHECK_TEXT(config_listener(&c, 0)->ciphers, "HIGH");
        CHECK_TEXT(config_listener(&c, 0)->cipher_suites, "A:B");
        CHECK_EQ(config_listener(&c, 0)->tls_version, BROKER_TLS_1_3);
        CHECK(config_listener(&c, 0)->client_id_is_user);
        broker_config_done(&c);
}

TEST(a_proxy_may_have_asked_for_certificates_itself)
{
        read_conf("listener 1\nenable_proxy_protocol 2\nrequire_certificate true\n"
                  "proxy_protocol_v2_require_tls true\nuse_identity_as_username true\n");
        CHECK_EQ(config_listener(&c, 0)->proxy, BROKER_PROXY_V2);
        CHECK_EQ(config_listener(&c, 0)->client_certificates, BROKER_CERTIFICATES_REQUIRED);
        CHECK(config_listener(&c, 0)->proxy_tls);
        CHECK_EQ(c.warnings.count, 0);
        broker_config_done(&c);
}

TEST(persistence_is_a_journal_beside_mosquittos_file)
{
        static const struct {
                const char *text, *folder;
        } cases[] = {
                {"persistence true\n", "mosquitto.db.journal"},
                {"persistence true\npersistence_location /var/lib/m\n",
                 "/var/lib/m/mosquitto.db.journal"},
                {"persistence_location a\npersistence_file b.db\nretained_persistence 1\n",
                 "a/b.db.journal"},
                {"persistence_location a\n", NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                read_conf(cases[i].text);
                CHECK_EQ(!c.state_dir, !cases[i].folder);
                if (cases[i].folder)
                        CHECK_TEXT(c.state_dir, cases[i].folder);
                CHECK_EQ(c.keep.sessions, cases[i].folder ? MQTT_KEEP_INTERVAL : MQTT_KEEP_MEMORY);
                broker_config_done(&c);
        }
}

TEST(comments_blanks_and_windows_lines_pass)
{
        read_conf("# one\r\n\r\n   \n\t# two\nlistener 1883\r\nallow_anonymous true # yes\r\n"
                  "password_file a file # with blanks  \r\n");
        CHECK_EQ(c.listeners.count, 1);
        CHECK_EQ(c.access.anonymous, BROKER_ANONYMOUS_ALL);
        CHECK_TEXT(c.access.password_file, "a file # with blanks");
        broker_config_done(&c);
}

TEST(a_comment_may_follow_a_value_of_one_word)
{
        read_conf("per_listener_settings 1 # each its own\nport 1999 # not 1883\n"
                  "log_type error # quiet\nlog_type warning\t# or nearly\nlog_dest stderr # here\n"
                  "allow_anonymous true # all\nlistener 2000 # another\n");
        CHECK_EQ(config_listener(&c, 0)->port, 1999);
        CHECK_EQ(config_listener(&c, 0)->access.anonymous, BROKER_ANONYMOUS_ALL);
        CHECK_EQ(c.log.level, LOG_LEVEL_WARNING);
        CHECK_NULL(c.log.file);
        CHECK_EQ(c.warnings.count, 1); /* nobody can come in at 2000 */
        broker_config_done(&c);
}

TEST(a_byte_order_mark_is_no_part_of_the_first_key)
{
        read_conf("\xef\xbb\xbflistener 5\n");
        CHECK_EQ(config_listener(&c, 0)->port, 5);
        broker_config_done(&c);
        CHECK(strstr(config_refusal("m.conf", "listener 5\n\xef\xbb\xbflistener 6\n"),
                     "m.conf:2: ") != NULL);
}

TEST(a_file_may_end_without_a_line_end)
{
        read_conf("listener 1883");
        CHECK_EQ(c.listeners.count, 1);
        broker_config_done(&c);
}

TEST(what_has_no_effect_is_told_with_its_line)
{
        read_conf("autosave_interval 5\nset_tcp_nodelay true\nlog_dest syslog\n"
                  "check_retain_source false\nlog_timestamp true\n");
        CHECK_EQ(c.warnings.count, 3);
        CHECK_EQ(c.check_retain_source, false);
        CHECK_TEXT(c.warnings.items[0],
                   "m.conf:1: `autosave_interval` has no effect: with "
                   "`persistence true` every change is written within a second");
        CHECK(strncmp(c.warnings.items[1], "m.conf:3: ", 10) == 0);
        CHECK(strncmp(c.warnings.items[2], "m.conf:5: ", 10) == 0);
        broker_config_done(&c);
}

TEST(pages_of_every_site_are_warned_of)
{
        read_conf("allow_anonymous true\nlistener 1\nprotocol websockets\n");
        CHECK_EQ(c.warnings.count, 1);
        CHECK_TEXT(c.warnings.items[0], "m.conf:2: pages of every site may connect: name yours by "
                                        "`websockets_origin`");
        broker_config_done(&c);
        read_conf("allow_anonymous true\nlistener 1\nprotocol websockets\n"
                  "websockets_origin *\n");
        CHECK_EQ(c.warnings.count, 0);
        broker_config_done(&c);
}

TEST(warnings_are_bounded_and_counted)
{
        char text[200 * 32] = "";

        for (int i = 0; i < 200; i++)
                strcat(text, "autosave_interval 5\n");
        read_conf(text);
        CHECK_EQ(c.warnings.count, BROKER_WARNINGS_MAX);
        CHECK_EQ(c.warnings_lost, 200 - BROKER_WARNINGS_MAX);
        broker_config_done(&c);
}

TEST(what_is_wrong_is_told_with_its_line)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                {"foo 1\n", "m.conf:1: `foo` is not known"},
                {"allow_anonimous true\n", "m.conf:1: `allow_anonimous` is not known; did you "
                                           "mean allow_anonymous?"},
                {"# x\n\nallow_anonymous\n", "m.conf:3: `allow_anonymous` has no value"},
                {"allow_anonymous falst\n",
                 "m.conf:1: allow_anonymous cannot be 'falst'; expected: true or false"},
                {"allow_anonymous true false\n",
                 "m.conf:1: allow_anonymous has one value: 'false' is too much"},
                {"sys_interval x\n", "m.conf:1: sys_interval cannot be 'x'; expected: a number"},
                {"sys_interval 1x\n", "m.conf:1: sys_interval cannot be '1x'; expected: a number"},
                {"sys_interval -1\n", "m.conf:1: sys_interval cannot be -1; expected: 0 to 65535"},
                {"sys_interval 65536\n",
                 "m.conf:1: sys_interval cannot be 65536; expected: 0 to 65535"},
                {"sys_interval 010\n",
                 "m.conf:1: sys_interval cannot be '010'; expected: a number"},
                {"sys_interval -\n", "m.conf:1: sys_interval cannot be '-'; expected: a number"},
                {"memory_limit 99999999999999999999\n", "m.conf:1: memory_limit cannot be "
                                                        "'99999999999999999999'; expected: a "
                                                        "number"},
                {"memory_limit 100\n", "m.conf:1: memory_limit is below 1048576 bytes, in which no "
                                       "broker fits"},
                {"max_packet_size 19\n",
                 "m.conf:1: max_packet_size cannot be 19; expected: 20 to 2147483647"},
                {"max_inflight_messages 65536\n",
                 "m.conf:1: max_inflight_messages cannot be 65536; expected: -1 to 65535"},
                {"maximum_qos 3\n", "m.conf:1: maximum_qos cannot be 3; expected: 0 to 2"},
                {"listener\n", "m.conf:1: `listener` has no value: expected PORT [ADDRESS], or 0 "
                               "and the path of a Unix socket"},
                {"listener 0\n",
                 "m.conf:1: a listener with port 0 is a Unix socket, whose path is missing"},
                {"listener 0 # no\n",
                 "m.conf:1: a listener with port 0 is a Unix socket, whose path is missing"},
                {"listener 100000\n", "m.conf:1: '100000' is not a port, 0 to 65535"},
                {"listener x\n", "m.conf:1: 'x' is not a port, 0 to 65535"},
                {"port 0\n", "m.conf:1: '0' is not a port, 1 to 65535"},
                {"bind_address\n", "m.conf:1: `bind_address` has no value: expected an address"},
                {"accept_protocol_versions 5\n",
                 "m.conf:1: `accept_protocol_versions` belongs to a listener: it stands below a "
                 "line `listener PORT`"},
                {"listener 1\naccept_protocol_versions\n",
                 "m.conf:2: `accept_protocol_versions` has no value"},
                {"listener 1\naccept_protocol_versions 4,6\n",
                 "m.conf:2: accept_protocol_versions cannot be '6'; expected: 3, 4, 5, or several "
                 "with commas between them"},
                {"mount_point a/\n", "m.conf:1: `mount_point` belongs to a listener: it stands "
                                     "below a line `listener PORT`"},
                {"listener 1\nmount_point a/+/\n",
                 "m.conf:1: this listener has a mount_point that topics cannot begin with: no "
                 "wildcards, and not empty"},
                {"listener 1\nmount_point a\n",
                 "m.conf:1: this listener has a mount_point that is no level of its own: it ends "
                 "with '/' and does not begin with '$', such as site/"},
                {"listener 1\nprotocol test\n",
                 "m.conf:2: protocol cannot be 'test'; expected: mqtt or websockets"},
                {"listener 1\nprotocol\n", "m.conf:2: `protocol` has no value"},
                {"per_listener_settings true\nallow_anonymous true\n",
                 "m.conf:2: `allow_anonymous` belongs to a listener: it stands below a line "
                 "`listener PORT`"},
                {"allow_anonymous true\nper_listener_settings true\n",
                 "m.conf:2: `per_listener_settings` stands before all other settings of users and "
                 "their rights: move it up"},
                {"per_listener_settings yes\n",
                 "m.conf:1: per_listener_settings cannot be 'yes'; expected: true or false"},
                {"pid_file a\npid_file b\n", "m.conf:2: `pid_file` is there twice: remove one"},
                {"user\n", "m.conf:1: `user` has no value"},
                {"user  \n", "m.conf:1: `user` has no value"},
                {"connection a\n",
                 "m.conf:1: `connection` is not possible: bridges are not part of this broker: "
                 "remove the section, or let mosquitto bridge"},
                {"plugin_opt_x 1\n",
                 "m.conf:1: `plugin_opt_` is not possible: plugins are not loaded: users and "
                 "rights come from `password_file` and `acl_file`"},
                {"upgrade_outgoing_qos true\n",
                 "m.conf:1: `upgrade_outgoing_qos` is not possible: MQTT forbids it: no message "
                 "has a higher QoS than it was published with"},
                {"retain_expiry_interval 5\n",
                 "m.conf:1: `retain_expiry_interval` is not possible: retained messages expire "
                 "when their publisher says so (Message Expiry)"},
                {"persistent_client_expiration 14\n",
                 "m.conf:1: persistent_client_expiration cannot be '14'; expected: a number and "
                 "one of the letters s, h, d, w, m, y, such as 14d"},
                {"persistent_client_expiration 0d\n", "m.conf:1: persistent_client_expiration "
                                                      "cannot be 0; expected: 1 to 4294967295"},
                {"persistent_client_expiration d\n",
                 "m.conf:1: persistent_client_expiration cannot be 'd'; expected: a number and "
                 "one of the letters s, h, d, w, m, y, such as 14d"},
                {"log_type loud\n",
                 "m.conf:1: log_type cannot be 'loud'; expected: error, warning, notice, "
                 "information, debug, all or none"},
                {"log_dest file\n", "m.conf:1: `log_dest` has no value"},
                {"log_dest printer\n",
                 "m.conf:1: log_dest cannot be 'printer'; expected: stderr, or file and its path"},
                {"listener 1\nlistener 1\n",
                 "m.conf:2: this listener listens where another one does: change the port or the "
                 "address"},
                {"listener 1\ncertfile a\n", "m.conf:1: this listener has a certificate and no key "
                                             "(certfile and keyfile): both, or none"},
                {"listener 1\ncafile a\n",
                 "m.conf:1: this listener has settings of TLS and no certificate: name the "
                 "certificate and its key (certfile and keyfile)"},
                {"listener 1\ncertfile a\nkeyfile b\nrequire_certificate true\n",
                 "m.conf:1: this listener asks clients for certificates and trusts nobody who "
                 "signs them: name the authorities (cafile)"},
                {"listener 0 /a\ncertfile a\nkeyfile b\n",
                 "m.conf:1: this listener is a Unix socket with TLS: leave the certificate out"},
                {"max_connections 3\nlistener 1\n",
                 "m.conf:1: `max_connections` belongs to a listener and stands above all: move it "
                 "below the `listener` that it is for"},
                {"listener 1\nlistener_auto_id_prefix "
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
                 "m.conf:2: listener_auto_id_prefix has at most 50 bytes"},
                {"include_dir /nowhere/at/all\n", "m.conf:1: cannot read the folder "
                                                  "'/nowhere/at/all': No such file or directory"},
                {"include_dir\n", "m.conf:1: `include_dir` has no value: expected a folder"},
                {"user \xff\n", "m.conf:1: this is not text (UTF-8)"},
                {"persistence_file a\npersistence_file b\n",
                 "m.conf:2: `persistence_file` is there twice: remove one"},
                {"clientid_prefixes a\nclientid_prefixes b\n",
                 "m.conf:2: more than 1 lines of `clientid_prefixes`"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                CHECK_TEXT(config_refusal("m.conf", cases[i].text), cases[i].says);
}

TEST(a_zero_in_a_file_is_no_text)
{
        static const char text[] = "user a\nuser \0b\n";
        struct error error;

        CHECK_EQ(broker_config_parse("m.conf", text, sizeof(text) - 1, &c, &error), -EINVAL);
        CHECK_TEXT(error.text, "m.conf:2: this is not text (UTF-8)");
}

TEST(lines_files_and_listeners_are_bounded)
{
        size_t size = BROKER_CONFIG_LENGTH_MAX + 2;
        char *text = malloc(size);
        struct error error;

        memset(text, '#', size);
        CHECK_EQ(broker_config_parse("m.conf", text, size - 1, &c, &error), -EFBIG);
        CHECK_EQ(broker_config_parse("m.conf", text, MOSQUITTO_LINE_MAX + 1, &c, &error), -EINVAL);
        CHECK_TEXT(error.text, "m.conf:1: a line has at most 65535 bytes");
        size = 0;
        for (int i = 1; i <= BROKER_LISTENERS_MAX + 1; i++)
                size += (size_t)sprintf(text + size, "listener %d\n", i);
        CHECK_EQ(broker_config_parse("m.conf", text, size, &c, &error), -EINVAL);
        CHECK_TEXT(error.text, "m.conf:257: more than 256 listeners");
        free(text);
}

static void write_file(const char *folder, const char *name, const char *text)
{
        char path[256];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "w");
        CHECK(file != NULL);
        CHECK(fputs(text, file) >= 0);
        CHECK_EQ(fclose(file), 0);
}

TEST(the_files_of_a_folder_are_read_in_order_each_with_listeners_of_its_own)
{
        char folder[] = "/tmp/pifleet-include-XXXXXX", text[128], command[64], says[128];

        CHECK(mkdtemp(folder) != NULL);
        write_file(folder, "b.conf", "listener 2\nmax_connections 2\n");
        write_file(folder, "A.conf", "listener 1\n");
        write_file(folder, "c.conf.off", "nonsense\n");
        snprintf(text, sizeof(text), "listener 9\ninclude_dir %s\nmax_connections 9\n", folder);
        read_conf(text);
        CHECK_EQ(c.listeners.count, 3);
        CHECK_EQ(config_listener(&c, 0)->clients, 9);
        CHECK_EQ(config_listener(&c, 1)->port, 1);
        CHECK_EQ(config_listener(&c, 2)->clients, 2);
        broker_config_done(&c);

        write_file(folder, "z.conf", "\nmax_qos 7\n");
        snprintf(says, sizeof(says), "%s/z.conf:2: max_qos cannot be 7; expected: 0 to 2", folder);
        CHECK_TEXT(config_refusal("m.conf", text), says);
        write_file(folder, "z.conf", "include_dir /\n");
        snprintf(says, sizeof(says), "%s/z.conf:1: `include_dir` is for the main file only",
                 folder);
        CHECK_TEXT(config_refusal("m.conf", text), says);
        snprintf(command, sizeof(command), "rm -r %s", folder);
        CHECK_EQ(system(command), 0);
}

TEST(keys_stand_in_order_and_once)
{
        for (size_t i = 1; mosquitto_key_at(i); i++) {
                CHECK(strcmp(mosquitto_key_at(i - 1)->name, mosquitto_key_at(i)->name) < 0);
                CHECK(mosquitto_find_key(mosquitto_key_at(i)->name) == mosquitto_key_at(i));
        }
}

TEST(every_key_says_something_to_an_empty_and_to_a_strange_value)
{
        for (size_t i = 0; mosquitto_key_at(i); i++) {
                static const char *const values[] = {"", " ", " -1", " \xe2\x82\xac", " #"};

                for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
                        struct error error;
                        char text[128];
                        int r;

                        snprintf(text, sizeof(text), "listener 1\n%s%s\n",
                                 mosquitto_key_at(i)->name, values[j]);
                        r = broker_config_parse("m.conf", text, strlen(text), &c, &error);
                        CHECK(r == 0 || (r == -EINVAL && strncmp(error.text, "m.conf:", 7) == 0));
                        if (r == 0)
                                broker_config_done(&c);
                }
        }
}

TEST(without_memory_nothing_is_left_behind)
{
        config_without_memory("m.conf",
                              "port 5\nbind_address ::1\nlistener 1\nlistener 0 /a\n"
                              "websockets_origin a\nprotocol websockets\nhttp_dir /a\n"
                              "password_file a\nacl_file b\npersistence true\n"
                              "persistence_location c\npersistence_file d\nlog_dest file x\n");
}
