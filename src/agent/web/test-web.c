/* What else HTTP has: figures, files, an index, what it counts, and where it listens. */
#include "agent/web/web-fixture.h"
#include "base/attributes.h"
#include "data/json-writer.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static void write_more(void *owner, struct prometheus_writer *writer)
{
        prometheus_family(writer, "more_total", PROMETHEUS_COUNTER, "More.");
        prometheus_count(writer, *(const unsigned *)owner);
}

TEST(figures_are_of_commands_connections_and_whoever_adds_some)
{
        static const char *const lines[] = {
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
                "\npifleet_agent_info{version=\"",
                "\npifleet_command_calls_total{command=\"ping\"} 1\n",
                "\npifleet_command_errors_total{command=\"fault\"} 1\n",
                "\npifleet_command_latency_seconds{command=\"ping\",quantile=\"0.99\"} ",
                "\npifleet_requests_total{transport=\"http\"} 2\n",
                "\npifleet_request_errors_total{transport=\"http\"} 1\n",
                "\npifleet_connections{transport=\"http\"} 1\n",
                "\npifleet_connections_total{transport=\"http\"} 3\n",
                "\npifleet_http_answers_total{status=\"5xx\"} 1\n",
                "\npifleet_peer_memory_limit_bytes 67108864\n",
                "\nmore_total 42\n",
        };
        unsigned more = 42;
        struct fixture f = {0};
        const char *answer;

        fixture_open(&f);
        web_add_figures(f.web, write_more, &more);
        call(&f, AS("viewer") JSON, "{\"command\":\"ping\"}");
        call(&f, AS("viewer") JSON, "{\"command\":\"fault\"}");
        answer = get(&f, "/metrics", AS("viewer"));
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                if (!strstr(answer, lines[i]))
                        FAIL("%s is not in %s", lines[i], answer);
        fixture_close(&f);
}

static const struct {
        enum web_metrics metrics;
        const char *from, *fields, *status;
} readers[] = {
        {WEB_METRICS_VIEWER, "127.0.0.1", "", "401"},
        {WEB_METRICS_VIEWER, "127.0.0.1", AS("viewer"), "200"},
        {WEB_METRICS_VIEWER, "127.0.0.1", AS("wrong"), "401"},
        {WEB_METRICS_LOOPBACK, "127.0.0.1", "", "200"},
        {WEB_METRICS_LOOPBACK, "::1", "", "200"},
        {WEB_METRICS_LOOPBACK, "192.0.2.1", "", "401"},
        {WEB_METRICS_LOOPBACK, "192.0.2.1", AS("viewer"), "200"},
        {WEB_METRICS_OPEN, "192.0.2.1", "", "200"},
        {WEB_METRICS_OPEN, "192.0.2.1", "Origin: http://evil.example\r\n", "403"},
};

TEST(who_reads_figures_is_the_configurations_to_say)
{
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
                struct fixture f = {.config.metrics = (int)readers[i].metrics};
                char head[512];
                int fd;

                fixture_open(&f);
                fd = fixture_connect_from(&f, readers[i].from);
                snprintf(head, sizeof(head), "GET /metrics HTTP/1.1\r\n" HOST "%s\r\n",
                         readers[i].fields);
                say(&f, fd, head);
                if (strncmp(hear(&f, fd) + 9, readers[i].status, 3) != 0)
                        FAIL("%zu: not %s", i, readers[i].status);
                close(fd);
                fixture_close(&f);
        }
}

TEST(without_a_page_the_beginning_says_what_there_is)
{
        struct fixture f = {0};

        fixture_open(&f);
        CHECK(strstr(get(&f, "/", ""), "POST /api/command") != NULL);
        CHECK(strstr(get(&f, "/api/command", ""), "405 Method Not Allowed") != NULL);
        CHECK(strstr(get(&f, "/index.html", ""), "404 Not Found") != NULL);
        fixture_close(&f);
}

static void write_file(const char *folder, const char *name, const char *text)
{
        char path[256];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "we");
        CHECK(file != NULL);
        CHECK(fputs(text, file) >= 0);
        CHECK_EQ(fclose(file), 0);
}

TEST(the_page_is_what_no_other_path_is)
{
        char folder[] = "/tmp/pifleet-web-XXXXXX", path[256];
        struct fixture f = {.config.page = folder};

        CHECK(mkdtemp(folder) != NULL);
        write_file(folder, "index.html", "<p>hello");
        write_file(folder, "metrics", "not this");
        fixture_open(&f);
        CHECK(strstr(get(&f, "/", ""), "text/html; charset=utf-8") != NULL);
        CHECK(strstr(get(&f, "/index.html", ""), "<p>hello") != NULL);
        CHECK(strstr(get(&f, "/metrics", ""), "401 Unauthorized") != NULL);
        CHECK(strstr(get(&f, "/api/command", ""), "405 Method Not Allowed") != NULL);
        CHECK(strstr(get(&f, "/../etc/passwd", ""), "400 Bad Request") != NULL);
        fixture_close(&f);
        for (int i = 0; i < 2; i++) {
                snprintf(path, sizeof(path), "%s/%s", folder, i ? "metrics" : "index.html");
                unlink(path);
        }
        rmdir(folder);
}

TEST(a_page_that_is_not_there_is_an_error)
{
        struct web_config config = {.page = (char *)"/nowhere"};
        struct web_options options;
        struct fixture f = {0};
        struct error error;
        struct web *web;

        fixture_open(&f);
        options = f.options;
        options.config = &config;
        CHECK_EQ(web_attach(f.registry, &options, &web, &error), -ENOENT);
        CHECK(strstr(error.text, "http.page: /nowhere") != NULL);
        fixture_close(&f);
}

TEST(the_status_says_where_it_listens)
{
        struct fixture f = {0};
        struct net_address address;
        struct json_writer writer;
        struct buffer text;
        struct error error;
        struct web *other;

        fixture_open(&f);
        CHECK_EQ(net_address_parse("127.0.0.1", 0, &address, NULL), 0);
        CHECK_EQ(web_listen(f.web, WEB_PLAIN, &address, &error), 0);
        buffer_init(&text, 4096);
        json_writer_init(&writer, &text);
        json_write_object(&writer, NULL);
        command_registry_write_status(f.registry, &writer);
        json_write_end(&writer);
        CHECK_EQ(buffer_append(&text, "", 1), 0);
        CHECK(strstr(buffer_data(&text),
                     "{\"http\":{\"listening\":true,\"address\":\"127.0.0.1:") != NULL);
        /* Who comes second is told, and goes on. */
        CHECK_EQ(sscanf(strstr(buffer_data(&text), "\"port\":"), "\"port\":%hu",
                        &address.v4.sin_port),
                 1);
        address.v4.sin_port = htons(address.v4.sin_port);
        CHECK_EQ(web_attach(f.registry, &f.options, &other, &error), 0);
        CHECK_EQ(web_listen(other, WEB_PLAIN, &address, &error), WEB_PORT_IN_USE);
        CHECK(strstr(error.text, "http.port") != NULL);
        web_free(other);
        buffer_done(&text);
        fixture_close(&f);
}

TEST(no_allocation_that_fails_does_harm)
{
        bool failed;
        size_t n = 0;

        do {
                struct fixture f = {0};
                int fd;

                fixture_open(&f);
                fd = fixture_connect(&f);
                allocation_fail_at(++n);
                say(&f, fd,
                    "POST /api/command HTTP/1.1\r\n" HOST AS("admin") JSON
                    "Content-Length: 18\r\n\r\n{\"command\":\"ping\"}"
                    "GET /metrics HTTP/1.1\r\n" HOST AS(
                            "admin") "\r\n"
                                     "GET /api/events HTTP/1.1\r\n" HOST AS("admin") "\r\n");
                failed = allocation_end();
                close(fd);
                turn(&f);
                fixture_close(&f);
        } while (failed);
        CHECK(n > 10);
}
