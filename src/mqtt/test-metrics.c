/* What Prometheus is told. */
#include "mqtt/metrics.h"

#include "mqtt/conversation-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *figures_of(struct conversation *talk, struct buffer *out)
{
        struct prometheus_writer writer;

        buffer_truncate(out, 0);
        prometheus_writer_init(&writer, out);
        mqtt_metrics_put(talk->broker, &writer);
        CHECK_EQ(prometheus_writer_error(&writer), 0);
        CHECK_EQ(buffer_append(out, "", 1), 0);
        return buffer_data(out);
}

static void check_line(const char *text, const char *line)
{
        if (!strstr(text, line))
                FAIL("%s is not in\n%s", line, text);
}

TEST(what_there_is_and_what_happened_is_told)
{
        struct conversation talk;
        struct buffer out;
        const char *text;

        buffer_init(&out, 1 << 20);
        conversation_init(&talk, NULL, NULL);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a~\n"
                                "a> 82{0001 [t] 01}\n"
                                "a~\n"
                                "a.\n"
                                "b@5\n"
                                "b> 33{[t] 0001 () 'abc'} 30{[t] () 'x'}\n"
                                "b~\n"
                                "c!\n");
        text = figures_of(&talk, &out);
        check_line(text, "\npifleet_mqtt_connections 2\n");
        check_line(text, "\npifleet_mqtt_clients 1\n");
        check_line(text, "\npifleet_mqtt_sessions 2\n");
        check_line(text, "\npifleet_mqtt_subscriptions 1\n");
        check_line(text, "\npifleet_mqtt_retained_messages 1\n");
        check_line(text, "\npifleet_mqtt_queued_messages 1\n");
        check_line(text, "\npifleet_mqtt_queued_bytes 4\n");
        check_line(text, "# TYPE pifleet_mqtt_messages_total counter\n"
                         "pifleet_mqtt_messages_total{direction=\"in\"} 2\n"
                         "pifleet_mqtt_messages_total{direction=\"out\"} 0\n");
        check_line(text, "\npifleet_mqtt_payload_bytes_total{direction=\"in\"} 4\n");
        check_line(text, "\npifleet_mqtt_dropped_total{reason=\"away\"} 1\n");
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a~\n");
        check_line(figures_of(&talk, &out), "\npifleet_mqtt_queued_messages 0\n");
        conversation_done(&talk);
        buffer_done(&out);
}

/* Each family once, and its samples behind it: what the format asks for. */
TEST(each_sample_stands_behind_its_family)
{
        struct conversation talk;
        struct buffer out;
        char family[128] = "", type[32];
        size_t families = 0;
        char *save = NULL;

        buffer_init(&out, 1 << 20);
        conversation_init(&talk, NULL, NULL);
        (void)figures_of(&talk, &out);
        for (char *line = strtok_r(buffer_data(&out), "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
                if (sscanf(line, "# TYPE %127s %31s", family, type) == 2) {
                        families++;
                        CHECK_EQ(strcmp(type, "counter") == 0,
                                 strcmp(family + strlen(family) - 6, "_total") == 0);
                } else if (line[0] != '#') {
                        CHECK(strncmp(line, family, strlen(family)) == 0);
                        CHECK(line[strlen(family)] == ' ' || line[strlen(family)] == '{');
                }
        }
        CHECK(families > 20);
        conversation_done(&talk);
        buffer_done(&out);
}

TEST(a_buffer_that_is_too_small_says_so)
{
        struct prometheus_writer writer;
        struct conversation talk;
        struct buffer out;

        buffer_init(&out, 100);
        conversation_init(&talk, NULL, NULL);
        prometheus_writer_init(&writer, &out);
        mqtt_metrics_put(talk.broker, &writer);
        CHECK_EQ(prometheus_writer_error(&writer), -EMSGSIZE);
        conversation_done(&talk);
        buffer_done(&out);
}
