#include "agent/builtin/test-tree.h"

#include "agent/builtin/metrics.h"
#include "base/attributes.h"

#include <errno.h>

/* The members as they leave, in an object of their own. */
static void check_metrics(const char *machine, const char *expected)
{
        struct roots roots = test_machine(machine);
        struct metrics metrics;
        struct buffer out;
        struct json_writer writer;

        metrics_init(&metrics);
        buffer_init(&out, 65536);
        json_writer_init(&writer, &out);
        json_write_object(&writer, NULL);
        metrics_write(&metrics, &roots, "/nonexistent", 1000, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), expected);
        buffer_done(&out);
        roots_done(&roots);
}

TEST(a_pi_has_all_metrics)
{
        check_metrics("pi-4",
                      "{\"cpu_percent\":30,\"memory_percent\":25,\"memory_used\":994374656,"
                      "\"memory_total\":3977498624,\"disk_percent\":\"N/A\",\"disk_used\":\"N/A\","
                      "\"disk_total\":\"N/A\",\"temperature\":48.686,\"uptime\":86400.07,"
                      "\"load_average\":[1.25,0.07,0],\"network\":{"
                      "\"lo\":{\"bytes_recv\":1000,\"bytes_sent\":1000},"
                      "\"eth0\":{\"bytes_recv\":5368709120,\"bytes_sent\":7340032},"
                      "\"wlan0\":{\"bytes_recv\":0,\"bytes_sent\":0}}}");
}

TEST(what_cannot_be_read_is_not_available)
{
        static const char nothing[] =
                "{\"cpu_percent\":\"N/A\",\"memory_percent\":\"N/A\",\"memory_used\":\"N/A\","
                "\"memory_total\":\"N/A\",\"disk_percent\":\"N/A\",\"disk_used\":\"N/A\","
                "\"disk_total\":\"N/A\",\"temperature\":\"N/A\",\"uptime\":\"N/A\","
                "\"load_average\":\"N/A\",\"network\":\"N/A\"}";

        check_metrics("container", nothing);
        check_metrics("hostile", nothing);
}

/* What the share is at `now_ms` when /proc/stat says `stat`; -1: an error. */
static double cpu_at(const struct test_tree *tree, struct metrics *metrics, uint64_t now_ms,
                     const char *stat)
{
        struct roots roots;
        double percent = -1;
        int r;

        test_tree_put(tree, "proc/stat", stat);
        roots = test_tree_roots(tree);
        r = metrics_cpu_percent(metrics, &roots, now_ms, &percent);
        CHECK_EQ(r < 0, percent < 0);
        roots_done(&roots);
        return percent;
}

TEST(the_share_of_processor_time_is_that_since_the_last_call)
{
        struct test_tree tree;
        struct metrics metrics;

        test_tree_init(&tree);
        metrics_init(&metrics);
        /* since boot: 100 of 1000 ticks */
        CHECK(cpu_at(&tree, &metrics, 5000, "cpu  100 0 0 900\n") == 10);
        /* 60 of 90 */
        CHECK(cpu_at(&tree, &metrics, 6000, "cpu  160 0 0 930\n") == 66.7);
        /* nothing at all, then all of it */
        CHECK(cpu_at(&tree, &metrics, 7000, "cpu  160 0 0 1030\n") == 0);
        CHECK(cpu_at(&tree, &metrics, 8000, "cpu  260 0 0 1030\n") == 100);
        test_tree_done(&tree);
}

TEST(a_call_too_soon_gets_the_last_answer)
{
        struct test_tree tree;
        struct metrics metrics;

        test_tree_init(&tree);
        metrics_init(&metrics);
        CHECK(cpu_at(&tree, &metrics, 5000, "cpu  100 0 0 900\n") == 10);
        CHECK(cpu_at(&tree, &metrics, 5000, "cpu  150 0 0 950\n") == 10);
        CHECK(cpu_at(&tree, &metrics, 5099, "unreadable") == 10);
        /* The window begins at the sample, not at the last call: 50 of 100. */
        CHECK(cpu_at(&tree, &metrics, 5100, "cpu  150 0 0 950\n") == 50);
        test_tree_done(&tree);
}

TEST(counts_that_go_back_or_stand_still_do_no_harm)
{
        struct test_tree tree;
        struct metrics metrics;

        test_tree_init(&tree);
        metrics_init(&metrics);
        CHECK(cpu_at(&tree, &metrics, 1000, "cpu  100 0 0 900\n") == 10);
        CHECK(cpu_at(&tree, &metrics, 2000, "cpu  100 0 0 900\n") == 10); /* stand still */
        CHECK(cpu_at(&tree, &metrics, 3000, "cpu  90 0 0 950\n") == 0);   /* busy goes back */
        CHECK(cpu_at(&tree, &metrics, 4000, "cpu  50 0 0 500\n") == 0);   /* all go back */
        CHECK(cpu_at(&tree, &metrics, 5000, "cpu  60 0 0 510\n") == 50);
        CHECK(cpu_at(&tree, &metrics, 6000, "cpu  200 0 0 400\n") == 100); /* idle goes back */
        test_tree_done(&tree);
}

TEST(after_a_failure_the_share_begins_anew)
{
        struct test_tree tree;
        struct metrics metrics;

        test_tree_init(&tree);
        metrics_init(&metrics);
        CHECK(cpu_at(&tree, &metrics, 1000, "cpu  100 0 0 900\n") == 10);
        CHECK(cpu_at(&tree, &metrics, 2000, "garbage\n") == -1);
        CHECK(cpu_at(&tree, &metrics, 2001, "cpu  500 0 0 1500\n") == 25);
        test_tree_done(&tree);
}

TEST(what_can_be_read_is_a_figure_and_the_rest_is_left_out)
{
        struct prometheus_writer writer;
        struct test_tree tree;
        struct metrics metrics;
        struct buffer text;
        struct roots roots;

        test_tree_init(&tree);
        test_tree_put(&tree, "proc/stat", "cpu  100 0 0 900\n");
        test_tree_put(&tree, "proc/meminfo",
                      "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\n");
        test_tree_put(&tree, "proc/net/dev",
                      "Inter-| Receive | Transmit\n face |bytes packets\n"
                      "  eth0: 5 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n");
        roots = test_tree_roots(&tree);
        metrics_init(&metrics);
        buffer_init(&text, 65536);
        prometheus_writer_init(&writer, &text);
        metrics_write_figures(&metrics, &roots, "/nowhere", 5000, &writer);
        CHECK_EQ(prometheus_writer_error(&writer), 0);
        CHECK_EQ(buffer_append(&text, "", 1), 0);
        CHECK(strstr(buffer_data(&text), "\npifleet_machine_cpu_percent 10\n") != NULL);
        CHECK(strstr(buffer_data(&text), "\npifleet_machine_memory_bytes 1024000\n") != NULL);
        CHECK(strstr(buffer_data(&text), "\npifleet_machine_memory_available_bytes 409600\n") !=
              NULL);
        CHECK(strstr(buffer_data(&text),
                     "\npifleet_machine_network_sent_bytes_total{interface=\"eth0\"} 7\n") != NULL);
        CHECK(strstr(buffer_data(&text), "temperature") == NULL);
        CHECK(strstr(buffer_data(&text), "disk") == NULL);
        buffer_done(&text);
        roots_done(&roots);
        test_tree_done(&tree);
}
