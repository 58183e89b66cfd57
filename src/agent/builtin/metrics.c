#include "agent/builtin/metrics.h"

#include "agent/builtin/board.h"
#include "agent/builtin/fact.h"

#include <stddef.h>

void metrics_init(struct metrics *metrics)
{
        *metrics = (struct metrics){.cpu_is_known = false};
}

int metrics_cpu_percent(struct metrics *metrics, const struct roots *roots, uint64_t now_ms,
                        double *ret)
{
        struct procfs_cpu before = {0}, now;
        uint64_t busy;
        int r;

        if (metrics->cpu_is_known && now_ms - metrics->cpu_sampled_ms < METRICS_CPU_WINDOW_MS) {
                *ret = metrics->cpu_percent;
                return 0;
        }
        r = procfs_cpu(roots, &now);
        if (r < 0) {
                metrics->cpu_is_known = false;
                return r;
        }
        if (metrics->cpu_is_known)
                before = metrics->cpu;
        /* The kernel lets the counts go back a little: iowait is an estimate, and those of
         * a processor that is switched off disappear (proc(5)). */
        busy = now.busy_ticks > before.busy_ticks ? now.busy_ticks - before.busy_ticks : 0;
        if (now.total_ticks > before.total_ticks)
                metrics->cpu_percent = fact_percent(busy, now.total_ticks - before.total_ticks);
        metrics->cpu = now;
        metrics->cpu_sampled_ms = now_ms;
        metrics->cpu_is_known = true;
        *ret = metrics->cpu_percent;
        return 0;
}

static void write_memory(const struct roots *roots, struct json_writer *writer)
{
        struct procfs_memory memory = {.total_bytes = 1};
        int r = procfs_memory(roots, &memory);
        uint64_t used_bytes = memory.total_bytes - memory.available_bytes;

        fact_write_number(writer, "memory_percent", r,
                          fact_percent(used_bytes, memory.total_bytes));
        fact_write_count(writer, "memory_used", r, used_bytes);
        fact_write_count(writer, "memory_total", r, memory.total_bytes);
}

/* The percentage leaves out what is reserved for root, as df(1) does: at 100 % a service
 * cannot write any more. */
static void write_disk(const char *path, struct json_writer *writer)
{
        struct procfs_disk disk = {.free_bytes = 1};
        int r = procfs_disk(path, &disk);
        uint64_t usable_bytes = disk.used_bytes + disk.free_bytes;

        fact_write_number(writer, "disk_percent", r,
                          usable_bytes > 0 ? fact_percent(disk.used_bytes, usable_bytes) : 0);
        fact_write_count(writer, "disk_used", r, disk.used_bytes);
        fact_write_count(writer, "disk_total", r, disk.total_bytes);
}

static void write_network(const struct roots *roots, struct json_writer *writer)
{
        struct procfs_interface interfaces[PROCFS_INTERFACES_MAX];
        int count = procfs_network(roots, interfaces, PROCFS_INTERFACES_MAX);

        if (count < 0) {
                fact_write_missing(writer, "network");
                return;
        }
        json_write_object(writer, "network");
        for (int i = 0; i < count; i++) {
                json_write_object(writer, interfaces[i].name);
                fact_write_count(writer, "bytes_recv", 0, interfaces[i].received_bytes);
                fact_write_count(writer, "bytes_sent", 0, interfaces[i].sent_bytes);
                json_write_end(writer);
        }
        json_write_end(writer);
}

void metrics_write(struct metrics *metrics, const struct roots *roots, const char *disk_path,
                   uint64_t now_ms, struct json_writer *writer)
{
        double percent = 0, celsius = 0, uptime_s = 0, load[3];
        int r;

        r = metrics_cpu_percent(metrics, roots, now_ms, &percent);
        fact_write_number(writer, "cpu_percent", r, percent);
        write_memory(roots, writer);
        write_disk(disk_path, writer);
        r = board_temperature(roots, &celsius);
        fact_write_number(writer, "temperature", r, celsius);
        r = procfs_uptime(roots, &uptime_s);
        fact_write_number(writer, "uptime", r, uptime_s);
        r = procfs_load(roots, load);
        fact_write_load(writer, "load_average", r, load);
        write_network(roots, writer);
}

static void write_gauge(struct prometheus_writer *writer, const char *name, const char *help,
                        double value)
{
        prometheus_family(writer, name, PROMETHEUS_GAUGE, help);
        prometheus_number(writer, value);
}

static void write_memory_figures(const struct roots *roots, struct prometheus_writer *writer)
{
        struct procfs_memory memory;

        if (procfs_memory(roots, &memory) < 0)
                return;
        write_gauge(writer, "pifleet_machine_memory_bytes", "Memory of this machine.",
                    (double)memory.total_bytes);
        write_gauge(writer, "pifleet_machine_memory_available_bytes",
                    "Memory that programs could still get.", (double)memory.available_bytes);
}

static void write_disk_figures(const char *path, struct prometheus_writer *writer)
{
        struct procfs_disk disk;

        if (procfs_disk(path, &disk) < 0)
                return;
        write_gauge(writer, "pifleet_machine_disk_used_bytes",
                    "What is used of the disk that the agent writes to.", (double)disk.used_bytes);
        write_gauge(writer, "pifleet_machine_disk_free_bytes", "What a service can still write.",
                    (double)disk.free_bytes);
}

static void write_network_figures(const struct roots *roots, struct prometheus_writer *writer)
{
        struct procfs_interface interfaces[PROCFS_INTERFACES_MAX];
        int count = procfs_network(roots, interfaces, PROCFS_INTERFACES_MAX);

        prometheus_family(writer, "pifleet_machine_network_received_bytes_total",
                          PROMETHEUS_COUNTER, "Bytes that came in by an interface.");
        for (int i = 0; i < count; i++) {
                prometheus_label(writer, "interface", interfaces[i].name);
                prometheus_count(writer, interfaces[i].received_bytes);
        }
        prometheus_family(writer, "pifleet_machine_network_sent_bytes_total", PROMETHEUS_COUNTER,
                          "Bytes that went out by it.");
        for (int i = 0; i < count; i++) {
                prometheus_label(writer, "interface", interfaces[i].name);
                prometheus_count(writer, interfaces[i].sent_bytes);
        }
}

void metrics_write_figures(struct metrics *metrics, const struct roots *roots,
                           const char *disk_path, uint64_t now_ms, struct prometheus_writer *writer)
{
        double percent, celsius, uptime_s, load[3];

        if (metrics_cpu_percent(metrics, roots, now_ms, &percent) == 0)
                write_gauge(writer, "pifleet_machine_cpu_percent",
                            "How busy the processors were since the last look.", percent);
        if (procfs_load(roots, load) == 0)
                write_gauge(writer, "pifleet_machine_load1", "The load average of a minute.",
                            load[0]);
        if (board_temperature(roots, &celsius) == 0)
                write_gauge(writer, "pifleet_machine_temperature_celsius",
                            "How warm the processor is.", celsius);
        if (procfs_uptime(roots, &uptime_s) == 0)
                write_gauge(writer, "pifleet_machine_uptime_seconds", "Since this machine began.",
                            uptime_s);
        write_memory_figures(roots, writer);
        write_disk_figures(disk_path, writer);
        write_network_figures(roots, writer);
}
