#include "agent/web/figures.h"

#include "agent/web/visit.h"
#include "agent/web/web-internal.h"
#include "base/attributes.h"
#include "net/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { FIGURES_KEEP = 64 * 1024 };

static const char type[] = "text/plain; version=0.0.4; charset=utf-8";

/* What each transport counts, a family each. */
static const struct {
        const char *name, *help;
        enum prometheus_type type;
        size_t offset;
} transport_families[] = {
        {"pifleet_connections", "Connections now.", PROMETHEUS_GAUGE,
         offsetof(struct command_transport, connections)},
        {"pifleet_connections_total", "Connections so far.", PROMETHEUS_COUNTER,
         offsetof(struct command_transport, connections_total)},
        {"pifleet_connections_refused_total", "Connections that were turned away.",
         PROMETHEUS_COUNTER, offsetof(struct command_transport, refused)},
        {"pifleet_requests_total", "Requests for commands.", PROMETHEUS_COUNTER,
         offsetof(struct command_transport, requests)},
        {"pifleet_request_errors_total", "Requests for commands that failed.", PROMETHEUS_COUNTER,
         offsetof(struct command_transport, errors)},
        {"pifleet_received_bytes_total", "Bytes of requests for commands.", PROMETHEUS_COUNTER,
         offsetof(struct command_transport, bytes_in)},
        {"pifleet_sent_bytes_total", "Bytes of replies to them.", PROMETHEUS_COUNTER,
         offsetof(struct command_transport, bytes_out)},
};

static void write_transports(const struct command_registry *registry,
                             struct prometheus_writer *writer)
{
        const struct command_transport *transport;

        for (size_t i = 0; i < ARRAY_SIZE(transport_families); i++) {
                prometheus_family(writer, transport_families[i].name, transport_families[i].type,
                                  transport_families[i].help);
                for (size_t j = 0; (transport = command_registry_transport(registry, j)); j++) {
                        const char *place = (const char *)transport + transport_families[i].offset;
                        uint64_t value;

                        memcpy(&value, place, sizeof(value));
                        prometheus_label(writer, "transport", transport->name);
                        prometheus_count(writer, value);
                }
        }
}

/* What each command that was called counts, a family each. */
static const struct {
        const char *name, *help;
        size_t offset;
} command_families[] = {
        {"pifleet_command_calls_total", "Calls of a command.",
         offsetof(struct command_statistics, calls)},
        {"pifleet_command_errors_total", "Those that failed.",
         offsetof(struct command_statistics, errors)},
        {"pifleet_command_timeouts_total", "Those that were answered by their deadline.",
         offsetof(struct command_statistics, timeouts)},
};

static void write_commands(const struct command_registry *registry,
                           struct prometheus_writer *writer)
{
        for (size_t i = 0; i < ARRAY_SIZE(command_families); i++) {
                const struct command_entry *entry = NULL;

                prometheus_family(writer, command_families[i].name, PROMETHEUS_COUNTER,
                                  command_families[i].help);
                while ((entry = command_registry_next(registry, entry))) {
                        const struct command_statistics *statistics =
                                command_entry_statistics(entry);
                        uint64_t value;

                        if (statistics->calls == 0)
                                continue;
                        memcpy(&value, (const char *)statistics + command_families[i].offset,
                               sizeof(value));
                        prometheus_label(writer, "command", command_entry_definition(entry)->name);
                        prometheus_count(writer, value);
                }
        }
}

static void write_latencies(const struct command_registry *registry,
                            struct prometheus_writer *writer)
{
        static const struct {
                double percent;
                const char *quantile;
        } quantiles[] = {{50, "0.5"}, {99, "0.99"}, {100, "1"}};
        const struct command_entry *entry = NULL;

        prometheus_family(writer, "pifleet_command_latency_seconds", PROMETHEUS_GAUGE,
                          "How long calls of a command took at most, for that part of all.");
        while ((entry = command_registry_next(registry, entry))) {
                const struct command_statistics *statistics = command_entry_statistics(entry);

                for (size_t i = 0; i < ARRAY_SIZE(quantiles) && statistics->calls > 0; i++) {
                        prometheus_label(writer, "command", command_entry_definition(entry)->name);
                        prometheus_label(writer, "quantile", quantiles[i].quantile);
                        prometheus_number(writer, (double)command_statistics_percentile(
                                                          statistics, quantiles[i].percent) /
                                                          1e6);
                }
        }
}

static void write_gauge(struct prometheus_writer *writer, const char *name, const char *help,
                        uint64_t value)
{
        prometheus_family(writer, name, PROMETHEUS_GAUGE, help);
        prometheus_count(writer, value);
}

static void write_counter(struct prometheus_writer *writer, const char *name, const char *help,
                          uint64_t value)
{
        prometheus_family(writer, name, PROMETHEUS_COUNTER, help);
        prometheus_count(writer, value);
}

static void write_http(struct web *web, struct prometheus_writer *writer)
{
        static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
        struct http_figures figures = http_server_figures(web->server);

        write_counter(writer, "pifleet_http_requests_total", "Requests over HTTP, of any path.",
                      figures.requests);
        prometheus_family(writer, "pifleet_http_answers_total", PROMETHEUS_COUNTER,
                          "Answers over HTTP by their status.");
        for (size_t i = 1; i < ARRAY_SIZE(classes); i++) {
                prometheus_label(writer, "status", classes[i]);
                prometheus_count(writer, figures.answers[i]);
        }
        write_counter(writer, "pifleet_http_timeouts_total",
                      "Connections over HTTP that were silent or slow.", figures.timed_out);
        write_gauge(writer, "pifleet_event_streams", "Readers of events.", web->events.count);
}

static void write_budget(const struct net_budget *budget, struct prometheus_writer *writer)
{
        write_gauge(writer, "pifleet_peer_memory_bytes", "What clients make the agent hold.",
                    budget->used);
        write_gauge(writer, "pifleet_peer_memory_peak_bytes", "The most of it so far.",
                    budget->peak);
        write_gauge(writer, "pifleet_peer_memory_limit_bytes", "limits.memory.", budget->limit);
        write_counter(writer, "pifleet_peer_memory_refused_total",
                      "How often nothing was left of it.", budget->refused);
}

static void write_process(const struct web *web, struct prometheus_writer *writer)
{
        struct rusage usage;

        prometheus_family(writer, "pifleet_agent_info", PROMETHEUS_GAUGE, "The agent's version.");
        prometheus_label(writer, "version", PIFLEET_VERSION);
        prometheus_count(writer, 1);
        write_gauge(writer, "pifleet_requests_pending", "Commands that run.",
                    command_registry_pending(web->registry));
        if (getrusage(RUSAGE_SELF, &usage) < 0)
                return;
        prometheus_family(writer, "process_cpu_seconds_total", PROMETHEUS_COUNTER,
                          "Processor time of the agent.");
        prometheus_number(writer,
                          (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
        write_gauge(writer, "process_max_resident_memory_bytes",
                    "The most memory of the agent so far.", (uint64_t)usage.ru_maxrss * 1024);
}

static void answer(struct web *web, struct http_exchange *exchange)
{
        struct prometheus_writer writer;

        prometheus_writer_init(&writer, &web->figures);
        write_process(web, &writer);
        write_transports(web->registry, &writer);
        write_commands(web->registry, &writer);
        write_latencies(web->registry, &writer);
        write_http(web, &writer);
        write_budget(net_context_budget(web->options.net), &writer);
        for (size_t i = 0; i < web->sources_count; i++)
                web->sources[i].write(web->sources[i].owner, &writer);
        if (prometheus_writer_error(&writer) < 0)
                http_exchange_refuse(exchange, 503, "there is no memory for all figures now");
        else
                http_exchange_answer(exchange, 200, type, buffer_data(&web->figures),
                                     buffer_length(&web->figures));
        buffer_truncate(&web->figures, 0);
        buffer_shrink(&web->figures, FIGURES_KEEP);
}

static void answer_visit(struct web_visit *visit)
{
        struct web *web = visit->web;
        const struct net_peer *peer = http_exchange_peer(visit->exchange);
        enum web_metrics metrics = (enum web_metrics)web->options.config->metrics;
        struct net_address address;

        net_peer_address(peer, &address);
        if (metrics == WEB_METRICS_OPEN ||
            (metrics == WEB_METRICS_LOOPBACK && net_address_is_loopback(&address)) ||
            web_visit_has_role(visit, COMMAND_ROLE_VIEWER))
                answer(web, web_visit_leave(visit));
}

void web_figures_handle(void *owner, struct http_exchange *exchange)
{
        struct web_visit *visit = web_visit_new(owner, exchange);

        if (visit)
                web_visit_go_on(visit, answer_visit);
}
